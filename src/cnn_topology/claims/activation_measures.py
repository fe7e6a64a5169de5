"""What claims about activations measure, from the tables of tests of measures and of purity."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from cnn_topology.claims.framework import (
    INTERVAL,
    RANGE,
    WITHIN,
    Measure,
    Measured,
    NotTestable,
    Subject,
    Tables,
    interval,
)
from cnn_topology.claims.words import short
from cnn_topology.comparison.layer_order import LEAST_EXCHANGED, LEAST_ORDERED
from cnn_topology.comparison.sensitivity import LEAST_STEPS
from cnn_topology.plan.activations import DIAGRAM_MEASURES
from cnn_topology.plan.findings import RunFacts
from cnn_topology.statistics.correlations import fewest_exchanged
from cnn_topology.statistics.intervals import wilson_interval
from cnn_topology.statistics.kinds import ANIMALS, VEHICLES, class_affinity, kinds_test
from cnn_topology.statistics.purity import ALL_NETWORKS, GRAPH, MOST_SIGMAS, ORDERED
from cnn_topology.statistics.significance import LEVEL

PAPER_MEASURE = "sliced_wasserstein"
# Ours, of what purity and accuracy have above chance without noise: an interval that reaches further below 0 than a
# tenth does not tell "no faster" from "not known".
MARGIN = 0.1
DEEPER, TREND = "deeper_is_purer", "purity_falls_with_sigma"
# Of fewer levels of noise than these no order is rare enough to be significant.
LEAST_SIGMAS = fewest_exchanged(1, LEVEL, extremes=1)
NOISE, KEPT = "noise_lowers_purity", "falls_no_faster_than_accuracy_above_chance"
PAIRS = {test: pair for test, *pair in ORDERED}


def too_few_layers(row: pd.Series) -> str:
    """Return how many layers the order of depth takes, as fewer have no p-value; empty where there are so many."""
    return f"at least {LEAST_ORDERED} layers" if np.isnan(row["p_value"]) else ""


def too_few_pairs(row: pd.Series) -> str:
    """Return what specificity takes where Wilson's interval holds chance even if every layer finds itself."""
    layers = round(1 / row["null_value"])

    def decides(networks: int) -> bool:
        return bool(wilson_interval(np.array(1.0), networks // 2 * layers)[0] > row["null_value"])

    return "" if decides(int(row["n"])) else f"at least {next(n for n in range(2, 100) if decides(n))} networks"


def layer_test(
    test: str,
    holds: Callable[[pd.Series], bool],
    unit: str = "networks",
    spread: str = INTERVAL,
    too_few: Callable[[pd.Series], str] = lambda row: "",
) -> Measure:
    """Read one test of the sliced Wasserstein distance, whose table counts `unit`; of several clouds the first."""

    def measure(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
        rows = _of_subject(tables["measure_tests"], subject)
        rows = rows[(rows["measure"] == PAPER_MEASURE) & (rows["test"] == test)]
        if rows.empty:
            needs = (
                f": it takes curves of {LEAST_STEPS} steps or more, and networks to compare" if unit == "curves" else ""
            )
            raise NotTestable(f"no test {test} of {PAPER_MEASURE}{needs}")
        row = rows.iloc[0]
        n, reason = int(row["n"]), "the test takes more than one network, or more layers"
        if np.isnan(row["statistic"]):
            return Measured(None, n=n, reason=reason, unit=unit)
        null = "" if np.isnan(row["null_value"]) else f"{row['null_value']:.3g}"
        needs = too_few(row)
        return Measured(
            None if needs else bool(holds(row)),
            **interval(row),
            p=float(row["p_value"]),
            n=n,
            null=null,
            unit=unit,
            spread=spread,
            needs=needs,
        )

    return measure


def agrees_with_known(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Average how alike the sliced Wasserstein distance and each known measure order pairs of layers.

    Made stricter after a review: to be above 0, in the sample, was enough.
    """
    rows = _of_subject(tables["measure_agreement"], subject)
    names = rows[["measure_a", "measure_b"]]
    others = set(DIAGRAM_MEASURES) - {PAPER_MEASURE}  # of the same barcodes: no known measure
    rows = rows[(names == PAPER_MEASURE).any(axis=1) & ~names.isin(others).any(axis=1)]
    if rows.empty:
        raise NotTestable("the run compares it with no other measure")
    low, high = float(rows["mean"].min()), float(rows["mean"].max())
    n = int(rows["networks"].min())
    if rows["p_value"].isna().any():
        return Measured(None, n=n, needs=f"at least {LEAST_EXCHANGED} layers that differ")
    holds = bool(low > 0 and (rows["p_value"] <= LEVEL).all())
    p = float(rows["p_value"].max())
    return Measured(holds, value=float(rows["mean"].mean()), low=low, high=high, p=p, n=n, null="0", spread=RANGE)


def purity_test(*tests: str, layer: str | None = None) -> Measure:
    """Read tests on purity over all networks: every one must be positive, and significant where it has a p-value.

    Shuffled labels alone are no test of a difference: where two graphs are equally pure, but purer than chance, the
    difference of the two passes them half the time. So its 95% interval must lie above 0 too and, made stricter after a
    review, above the same difference of shuffled labels: graphs with other sizes of nodes have other chance levels.
    The least of the statistics is reported, with its interval; of its clouds and layers all count.
    """

    def measure(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
        rows = _of_subject(tables["purity_tests"], subject)
        rows = rows[rows["test"].isin(tests)]
        if layer is not None:
            rows = rows[rows["layer"] == layer]
        # Tests of single networks are taken where there is none over all of them.
        every = rows[rows["network"] == ALL_NETWORKS]
        rows = every if len(every) else rows
        if missing := sorted(set(tests) - set(rows["test"])):
            raise NotTestable("; ".join(_lacking(test, tables, subject) for test in missing))
        least = rows.sort_values("statistic").iloc[0]
        # Orders of noises have no interval.
        ends = rows["low"].where(rows["test"] != TREND, rows["statistic"])
        above = (rows["statistic"] > 0) & (ends > rows["null_value"].clip(lower=0).fillna(0))
        holds = above & (rows["p_value"].isna() | (rows["p_value"] <= LEVEL))
        against = "all orders of the noises" if least["test"] == TREND else "labels shuffled"
        null = "" if np.isnan(least["null_value"]) else f"{least['null_value']:.3g}, {against}"
        # At best one order of the noises of all is as good.
        few = (rows["test"] == TREND) & (1 / rows["draws"] > LEVEL)
        found = Measured(
            None if few.any() else bool(holds.all()),
            **interval(least),
            p=float(rows["p_value"].max()),
            n=int(least["n"]),
            null=null,
            needs=f"at least {LEAST_SIGMAS} levels of noise" if few.any() else "",
        )
        return replace(_counted(found, least), statement=_compared(rows))

    return measure


def _lacking(test: str, tables: Tables, subject: Subject) -> str:
    """Describe what a run lacks for a test on purity."""
    purity, tests = tables.get("purity", pd.DataFrame()), tables["purity_tests"]
    graphs = purity[purity["population"].isin(subject.populations)] if len(purity) else purity
    clean = set(graphs.loc[graphs["sigma"] == 0, "sampling"]) if len(graphs) else set()
    if test == DEEPER:
        return "no cloud has graphs of two layers"
    if test == TREND:
        return f"not three to {MOST_SIGMAS} levels of input noise, that of none counted, whose graphs have nodes"
    pair = PAIRS[test]
    if lacking := [sampling for sampling in pair if sampling not in clean]:
        return f"no graph of a {' or '.join(lacking)} cloud without noise in this run"
    both = " and ".join(pair)
    if (tests["population"].isin(subject.populations) & (tests["test"] == test)).any():
        return f"no middle layer: the {both} clouds have graphs of none between their first and their last common one"
    return f"the {both} clouds have no split, recipe or layer in common, or no graph there has a node"


def _compared(rows: pd.DataFrame) -> str:
    """Describe which layers a test of depth compares; empty for others."""
    pairs = rows.loc[rows["test"] == DEEPER, ["layer", "other"]].drop_duplicates().itertuples(index=False)
    told = ", at ".join(f"{deep} is above that at {shallow}" for deep, shallow in pairs)
    return f"Node-wise purity at {told}, for every cloud." if told else ""


def classes_are_organised(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Average how far purity at the deepest layer exceeds that of shuffled labels; every graph there must exceed it.

    Made stricter after a review: how classes are organised was left to the eye. Classes of a kind must be together too.
    """
    rows = _of_subject(tables["purity"], subject)
    rows = rows[(rows["sigma"] == 0) & rows["node_wise"].notna()]
    rows = rows[rows["depth"] == rows["depth"].max()]
    if rows.empty:
        raise NotTestable("no graph of activations has a node")
    excess = rows["node_wise"] - rows["chance"]
    low, high, p = float(excess.min()), float(excess.max()), float(rows["p_value"].max())
    kinds = _kinds(tables, rows)
    found = Measured(
        None,
        value=float(excess.mean()),
        low=low,
        high=high,
        p=p,
        n=len(rows),
        null="labels shuffled",
        unit="graphs",
        spread=RANGE,
    )
    if kinds is None:
        return replace(found, reason="the classes are not those of CIFAR-10, whose two kinds are known")
    apart, p_kinds = kinds
    beside = (
        f"Classes of a kind, animals or vehicles, share nodes and neighbouring ones more than others by {short(apart)} "
        f"of 1, p = {p_kinds:.2g} of all choices of four classes."
    )
    return replace(found, holds=bool(p <= LEVEL and p_kinds <= LEVEL), beside=beside)


def _kinds(tables: Tables, graphs: pd.DataFrame) -> tuple[float, float] | None:
    """Return how far animals and vehicles keep apart, the mean over some graphs, and its p-value; None without them."""
    purity = tables["class_purity"]
    purity = purity[purity["population"].isin(graphs["population"])]  # others may have seen other images
    classes = purity.drop_duplicates("label").sort_values("label")["class_name"].tolist()
    if set(classes) != VEHICLES | ANIMALS:
        return None
    affinities = []
    for _, graph in graphs.iterrows():
        nodes, edges = (
            rows[(rows[GRAPH] == graph[GRAPH]).all(axis=1)]
            for rows in (tables["activation_nodes"].sort_values("node"), tables["activation_edges"])
        )
        affinities.append(class_affinity(np.array(nodes["counts"].to_list()), edges[["a", "b"]].to_numpy()))
    return kinds_test(np.mean(affinities, axis=0), [label for label, name in enumerate(classes) if name in VEHICLES])


def no_faster_than_accuracy(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Compare what noise leaves of purity with what it leaves of accuracy, both above their chance levels.

    A test of non-inferiority, made so after a review: not to be below 0 for sure, which the rule was at first, is the
    easier the wider the interval. Purity falls faster where an interval lies below 0, no faster where all lie above
    -`MARGIN`; otherwise the run does not tell.
    """
    tests = _of_subject(tables["purity_tests"], subject)
    rows = tests[tests["test"] == KEPT]
    if rows.empty and NOISE in set(tests["test"]):
        reason = "of no network are accuracies known and, without noise, accuracy and purity both above chance"
        raise NotTestable(reason)
    if rows.empty:
        raise NotTestable("no graph of activations under input noise")
    least = rows.sort_values("statistic").iloc[0]
    faster, no_faster = (rows["high"] < 0).any(), (rows["low"] > -MARGIN).all()
    found = _counted(Measured(bool(no_faster), **interval(least), n=int(least["n"]), null=f"-{MARGIN:g}"), least)
    if faster or no_faster:
        return replace(found, holds=not faster)
    return replace(found, holds=None, reason=f"not decided: an interval holds 0 and reaches to -{MARGIN:g} or below")


def _counted(found: Measured, test: pd.Series) -> Measured:
    """Describe what n and the interval of a test on purity are: `unit` there is what the interval is over."""
    if test["unit"] == "sigmas":
        return replace(found, unit="noise levels")
    return replace(found, spread=WITHIN if test["unit"] == "images and nodes" else INTERVAL)


def _of_subject(rows: pd.DataFrame, subject: Subject) -> pd.DataFrame:
    return rows[rows["population"].isin(subject.populations)]
