"""What claims about accuracy measure, from the tables `training`, `comparisons` and `correlations`."""

from dataclasses import replace
from itertools import count

import numpy as np
import pandas as pd

from cnn_topology.claims.framework import Measure, Measured, NotTestable, Subject, Tables
from cnn_topology.claims.subjects import across
from cnn_topology.claims.words import short
from cnn_topology.plan.clouds import LEAST_TESTED
from cnn_topology.plan.findings import RunFacts
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.comparisons import (
    least_holm,
    mean_difference,
    mean_difference_interval,
    permutation_p,
)
from cnn_topology.statistics.correlations import fewest_exchanged
from cnn_topology.statistics.networks import OUTCOMES, WIDTH
from cnn_topology.statistics.significance import LEVEL

POINTS = 100.0


def cross_test_gain(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Compare accuracy across sets: second population on the first one's data, minus the first on the second's."""
    first, second = subject.populations
    own = not subject.other_data
    there, back = (_cross_accuracy(tables, facts, *pair, own) for pair in ((second, first), (first, second)))
    if min(len(there), len(back)) < 2:
        raise NotTestable("fewer than two networks were tested on the other set")
    rng = np.random.default_rng(derive_seed("claim", "cross test", first, second))
    low, high = mean_difference_interval(there, back)
    value = float(mean_difference(there, back))
    p = permutation_p(there, back, rng)
    return Measured(
        low > 0, value=POINTS * value, low=POINTS * low, high=POINTS * high, p=p, n=min(len(there), len(back)), null="0"
    )


def _cross_accuracy(tables: Tables, facts: RunFacts, population: str, other: str, own: bool) -> np.ndarray:
    """Return the accuracy of each network of a population at the last step on data like those of the other one."""
    kind = facts.images[facts.populations[other].images].stands_for
    images = across(facts, facts.populations[population], kind, own)
    log = tables["training"]
    rows = log[(log["population"] == population) & (log["images"] == images) & (log["split"] == "test")]
    rows = rows[rows["step"] == rows["step"].max()]
    return rows.loc[~rows["failed"], "accuracy"].to_numpy()


def beats_baseline(other: str | None = None) -> Measure:
    """Compare a variant with its baseline: by iterations to the target (ratio) or accuracy on `other` (% points).

    What a control with random filters in the place of the variant's gives, against the same baseline, stands beside it;
    whether a variant beats its controls is A5's question.
    """
    metric = "iterations_to_target" if other is None else "cross_accuracy"

    def measure(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
        variant, baseline = subject.populations
        rows = tables["comparisons"]
        family = rows[rows["group_name"] == subject.group]
        rows = family[(family["metric"] == metric) & (family["against"] == baseline)]
        if other is not None:
            images = across(facts, facts.populations[variant], other, own=not subject.other_data)
            rows = rows[rows["images"] == images]
        everyone, rows = rows, rows[rows["population"] == variant]
        if rows.empty:
            raise NotTestable("no comparison by this measure")
        row, ratio = rows.iloc[0], other is None
        scale, none = (1.0, 1.0) if ratio else (POINTS, 0.0)
        value, low, high = (scale * row[name] for name in ("estimate", "low", "high"))
        null = f"{none:g}; Holm over {row['family']}"
        holds = bool(value > none and low > none and row["p_holm"] <= LEVEL)
        controls = everyone[everyone["population"].isin(matched_controls(facts, subject.group, variant))]
        controls = controls[controls["estimate"].notna()]
        beside = " ".join(
            f"Its control {name} gives {short(scale * estimate)} ({short(scale * low)} to {short(scale * high)})."
            for name, estimate, low, high in controls[["population", "estimate", "low", "high"]].itertuples(index=False)
        )
        needs = "" if _decidable(family)[rows.index].iloc[0] else _networks_needed(len(family))
        found = Measured(
            None if needs else holds,
            value=value,
            low=low,
            high=high,
            p=row["p_holm"],
            n=int(row["n"]),
            null=null,
            beside=beside,
            needs=needs,
        )
        if np.isnan(value):
            return replace(found, holds=None, reason="most networks of both populations never reach the target")
        return found

    return measure


def matched_controls(facts: RunFacts, group: str, variant: str) -> list[str]:
    """List the controls of a group that have random filters where a variant has those of topology."""
    given = facts.populations[variant].architecture

    def matches(name: str) -> bool:
        control = facts.populations[name].architecture
        if given.angular_features:
            return control.angular_features == given.angular_features and control.feature_filters == "random"
        return control.first_layer.kind == "fixed_random" and not control.angular_features

    return [name for name in facts.improvements[group].controls if matches(name)]


def best_predictor(correlations: pd.DataFrame, outcome: str, method: str) -> pd.Series | None:
    """Return the topological predictor of an outcome with the least p-value, adjusted for all predictors and layers.

    For predictors by max-T, within a layer; for the layers by Bonferroni's factor, since the best of them is taken.

    Parameters
    ----------
    correlations : DataFrame
        Rows of the table of this name: of one group, scope and set of what is held fixed.
    outcome, method : str
        As in that table.

    Returns
    -------
    Series or None
        The row, whose ``p_adjusted`` is adjusted for the layers too; None where no predictor was tested.
    """
    rows = correlations[(correlations["predictor_kind"] == "topological") & correlations["p_adjusted"].notna()]
    rows = rows[(rows["outcome"] == outcome) & (rows["method"] == method)]
    if rows.empty:
        return None
    rows = rows.assign(p_adjusted=np.minimum(1.0, rows["layer"].nunique() * rows["p_adjusted"]))
    return rows.assign(size=-rows["statistic"].abs()).sort_values(["p_adjusted", "size"]).iloc[0]


def topology_predicts(*, beyond_weights: bool) -> Measure:
    """Take the topological predictor of an outcome over the populations of a grid that `best_predictor` returns.

    Held fixed is all that can be, `beyond_weights`, else width alone, where the grid varies it: since a review, before
    which networks of all widths were compared, and clouds of few filters with clouds of many. Since another the
    networks of a population are pooled, for the bars of one network's filters are mostly noise, and gap and accuracy
    across sets count too, as ways to generalize.
    """

    def measure(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
        rows = tables["correlations"]
        rows = rows[rows["group_name"].isin(subject.populations) & (rows["scope"] == "grid")]
        held = rows["given"].fillna("")
        varied = held.str.split(", ").map(lambda names: WIDTH in names).any()
        rows = rows[held != WIDTH] if beyond_weights else rows[held == (WIDTH if varied else "")]
        method = "partial_spearman" if beyond_weights or varied else "spearman"
        best = [row for row in (best_predictor(rows, outcome, method) for outcome in OUTCOMES) if row is not None]
        networks = tables["generalization"]
        pools = networks[networks["group_name"].isin(subject.populations) & (networks["pool"] == "all")]
        if not best:
            few = f": pools keep {pools['kept'].min():.0f} filters or more, and {LEAST_TESTED} are needed"
            reason = "no test of a correlation over the populations of the grid"
            raise NotTestable(reason + (few if (pools["kept"] < LEAST_TESTED).any() else ""))
        row = min(best, key=lambda row: (row["p_adjusted"], -abs(row["statistic"])))
        value, low, high = (float(row[name]) for name in ("statistic", "low", "high"))
        p = min(1.0, len(best) * float(row["p_adjusted"]))
        layers = rows["layer"].nunique()
        over = f"max-T over predictors x {layers} layers x {len(best)} outcomes"
        null = f"0: {row['layer']}, {row['predictor']} with {row['outcome']}, {over}, {row['exchanged']}"
        populations = int(row["rows"])
        least = fewest_exchanged(layers * len(best), LEVEL)
        needs = f"at least {least} populations" if populations < least else ""
        holds = None if needs else bool(p <= LEVEL)
        found = Measured(
            holds, value=value, low=low, high=high, p=p, n=populations, null=null, unit="populations", needs=needs
        )
        kept = pools.loc[pools["layer"] == row["layer"], "kept"]
        clouds = f", whose pools keep {kept.min():.0f} to {kept.max():.0f} filters each" if len(kept) else ""
        reliable = f" Split-half reliability of the predictor: {short(row['reliability'])}."
        beside = f"Of {row['networks']} networks{clouds}.{reliable if np.isfinite(row['reliability']) else ''}"
        return replace(found, beside=beside)

    return measure


def some_improvement(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Count the variants that beat the baseline and every control, in speed or in accuracy on another set.

    A variant that was not compared with one of them has not beaten it. The p-value is the least, over variants and
    measures, of the largest against an opponent: 1 against one that is not beaten in the estimate.
    """
    rows = tables["comparisons"]
    family = rows[rows["group_name"] == subject.group]
    rows = family[(family["role"] == "variant") & family["metric"].isin(["iterations_to_target", "cross_accuracy"])]
    if rows.empty:
        raise NotTestable("no comparison of a variant")
    none = np.where(rows["metric"] == "iterations_to_target", 1.0, 0.0)
    rows = rows.assign(p_better=np.where(rows["estimate"] > none, rows["p_holm"], 1.0))
    contests = rows.groupby(["population", "metric", "images"])
    everyone = contests["against"].nunique() == rows["against"].nunique()
    hardest = contests["p_better"].max().where(everyone, 1.0)
    beaten = hardest <= LEVEL
    controls = rows.loc[rows["against_role"] == "control", "against"].nunique()
    null = f"0 of {len(beaten)}; Holm over {rows['family'].iloc[0]}"
    networks = int(rows["n"].min())
    found = Measured(bool(beaten.any()), value=float(beaten.sum()), p=float(hardest.min()), n=networks, null=null)
    if not controls:
        return replace(found, holds=None, reason="the group has no controls")
    if not _decidable(family)[rows.index].any():
        return replace(found, holds=None, needs=_networks_needed(len(family)))
    return found


def _decidable(family: pd.DataFrame) -> pd.Series:
    """Return whether each comparison of a group could be significant at its numbers of networks, whatever they show."""
    least = least_holm(family["n"].to_numpy(float), family["n_against"].to_numpy(float))
    return pd.Series(least <= LEVEL, index=family.index)


def _networks_needed(family: int) -> str:
    least = next(n for n in count(2) if least_holm(*np.full((2, family), float(n)))[0] <= LEVEL)
    return f"at least {least} networks of each"
