"""What claims about the shape of filter clouds measure, from the tables `loops` and `barcodes`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from cnn_topology.claims.framework import JOINED, Interval, Measure, Measured, NotTestable, Subject, Tables
from cnn_topology.plan.findings import RunFacts
from cnn_topology.statistics.intervals import wilson_interval
from cnn_topology.statistics.power import FAINT_CIRCLE, HALF_CIRCLE, THREE_CIRCLES_MODEL, Model, power
from cnn_topology.statistics.shapes import CHANCE, COVERED
from cnn_topology.statistics.significance import NO_LOOP, ONE_LOOP, UNTESTED
from cnn_topology.tables.loops import CLOUD

# Notes on the weights paper, E6 and E6b: rho(15, 0.1) and rho(200, 0.14) of 19,200 filters, k as a share of them; the
# geometric mean of the two divides local from coarse (ours).
LOCAL, COARSE = (15 / 19_200, 0.1), (200 / 19_200, 0.14)
DIVIDE = 0.0029
# The paper's own largest count of loops in a simple shape: the three-circle model.
MOST_SIMPLE_LOOPS = 5
# Depths of the layers that the abstract of the weights paper is about.
DEPTHS = range(1, 14)
FIRST, SECOND = "conv1", "conv2"
# Why a layer does not count whose cloud was not tested; see `plan.clouds.untested`.
WITHOUT_TEST = "with too few filters for a test"


def headline_clouds(tables: Tables, facts: RunFacts, populations: tuple[str, ...]) -> pd.DataFrame:
    """Return the headline clouds of all layers of some populations, by step."""
    loops = tables["loops"]
    layers = pd.DataFrame([(name, layer) for name in populations for layer in facts.layers(name)])
    layers = layers.reindex(columns=[0, 1]).set_axis(["population", "layer"], axis=1).astype(str)
    return loops[loops["headline"].astype(bool)].merge(layers, on=["population", "layer"]).sort_values("step")


def last_clouds(tables: Tables, facts: RunFacts, subject: Subject, layer: str | None = None) -> pd.DataFrame:
    """Return the headline cloud of each layer of a subject, or of one of that name, at its last step.

    Raises
    ------
    NotTestable
        If there is none.
    """
    found = headline_clouds(tables, facts, subject.populations)
    if layer is not None:
        found = found[found["layer"] == layer]
    if found.empty:
        raise NotTestable("the tables hold no such cloud: every network failed, or it was not asked for")
    return found.groupby(["population", "layer"], sort=False).tail(1)


def first_tested(clouds: pd.DataFrame) -> pd.Series:
    """Return the first of some clouds.

    Raises
    ------
    NotTestable
        If it has too few filters for a test.
    """
    cloud = clouds.iloc[0]
    if cloud["verdict"] in UNTESTED:
        kept = f"{cloud['kept']:,} kept of {cloud['points']:,} at k = {cloud['density_k']:,}"
        raise NotTestable(f"no test, {cloud['verdict']}: {kept}")
    return cloud


def null_of(facts: RunFacts) -> str:
    """Name the nulls of the test of loops."""
    return f"{', '.join(facts.nulls)}: {facts.draws} draws, familywise level {facts.alpha:g}"


def primary_loops(tables: Tables, clouds: pd.DataFrame) -> pd.DataFrame:
    """Add to clouds whether their loop is the primary circle.

    Returns
    -------
    DataFrame
        The rows of `clouds` that were compared with the named circles, with ``primary`` (bool): a significant loop; the
        primary circle covered, with more filters near it than by chance; and the loop of the longest bar winds round
        it once. Coverage alone may be of filters that the loop does not pass.
    """
    circles = tables["circles"]
    held = circles.loc[circles["circle"] == "primary", [*CLOUD, "coverage", "p_permuted", "degree"]].drop_duplicates(
        CLOUD
    )
    joined = clouds.merge(held, on=CLOUD)
    covered = (joined["coverage"] >= COVERED) & (joined["p_permuted"] <= CHANCE)
    joined["primary"] = covered & (joined["significant_bars"] > 0) & (joined["degree"] == 1)
    return joined


def not_excluded(cloud: Mapping[Any, Any], alpha: float) -> list[str]:
    """Name other explanations of the loop of a headline cloud that its tests do not exclude.

    The bar against the layer's own covariance is no such test: it has little power against a noisy circle.
    """
    others = []
    if pd.isna(cloud["p_lowpass"]):
        others.append("fields as smooth are not tested: the filters have no means")
    elif cloud["p_lowpass"] > alpha:
        others.append(f"not shown to be longer than loops of random fields as smooth, p = {cloud['p_lowpass']:.2g}")
    # Where no channel has two filters, the permuted null has shuffled channels already.
    if pd.notna(cloud["p_block"]) and cloud["p_block"] > alpha:
        others.append(f"not shown to be longer than loops of channels shuffled as blocks, p = {cloud['p_block']:.2g}")
    return others


def one_circle(*, coarse: bool = False) -> Measure:
    """Test whether the first layer's last headline cloud is one loop, the primary circle.

    `coarse`: its variant by a coarse density estimate, which is compared with no further null. Made stricter after a
    review: the verdict `one loop` alone, which the rule was at first, is given to any loop, also one far from the
    primary circle; and after another: smooth random fields that saw no edge pass for the primary circle too.
    """

    def measure(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
        rows = last_clouds(tables, facts, subject, FIRST)
        if coarse:
            rows = _variant(tables, rows, COARSE)
        row = first_tested(rows)
        low, high = _over_networks(tables, row)
        found = Measured(False, value=row["longest"], low=low, high=high, **_test_of(row, facts))
        if row["verdict"] == NO_LOOP:
            return replace(found, reason=power_of_a_loop(row))
        if row["verdict"] != ONE_LOOP:
            return found
        held = primary_loops(tables, rows.iloc[:1])
        if held.empty:
            return replace(
                found, holds=None, reason="one loop, but not compared with the primary circle: ask for `circles: all`"
            )
        if not held["primary"].iloc[0]:
            return replace(found, reason="one loop, not shown to be the primary circle")
        others = [] if coarse else not_excluded(row.to_dict(), facts.alpha)
        return replace(found, holds=not others, reason="; ".join(others))

    return measure


def _test_of(cloud: pd.Series, facts: RunFacts) -> dict[str, Any]:
    """Return p-value, networks and nulls of the test of a cloud's loop, as `Measured` takes them."""
    return {"p": float(cloud["p_longest"]), "n": int(cloud["networks"]), "null": null_of(facts)}


def critical_value(tables: Tables, cloud: pd.Series) -> float:
    """Return the length that a bar of a cloud must exceed under every deciding null; NaN where it was not tested."""
    tests = tables["significance"]
    return float(tests.loc[(tests[CLOUD] == cloud[CLOUD]).all(axis=1), "null_critical"].max())


def _over_networks(tables: Tables, cloud: pd.Series) -> tuple[float, float]:
    """Return the interval of the longest bar over resampled networks, NaN where the loop was not followed."""
    tracks = tables.get("loop_tracks")
    if tracks is None:
        return np.nan, np.nan
    rows = tracks[(tracks[CLOUD] == cloud[CLOUD]).all(axis=1)]
    return (float(rows["longest_low"].iloc[0]), float(rows["longest_high"].iloc[0])) if len(rows) else (np.nan, np.nan)


def would_be_found(cloud: pd.Series, outcome: str, *models: Model) -> str:
    """Describe how often layers of some models, of the size and filtering of a cloud, have an outcome."""
    size = int(cloud["points"]), int(cloud["density_k"]), float(cloud["density_p"]), int(cloud["kernel_side"]) ** 2
    said = {model.words: power(model, outcome, *size) for model in models}
    found = "; ".join(f"{words}: {share}" for words, share in said.items() if share)
    return found and f"power: {found}"


def power_of_a_loop(cloud: pd.Series) -> str:
    """Describe how often a circle would be found in a cloud of this size."""
    return would_be_found(cloud, "loop", HALF_CIRCLE, FAINT_CIRCLE)


def least_power(layers: pd.DataFrame) -> str:
    """Describe how often a loop would have been found in the smallest layer that has none; empty where all have one."""
    without = layers[layers["verdict"] == NO_LOOP].sort_values("kept")
    if without.empty:
        return ""
    return f"smallest layer without a loop: {power_of_a_loop(without.iloc[0])}"


def three_circles(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Test the three-circle model by a local density: a loop, and kept filters along all three circles, few off them.

    Changed after a review: the fifth bar had to be significant and more than twice the sixth. At 1,536 filters no layer
    of the model passed, and a density filter leaves as many long bars of a Klein bottle.
    """
    rows = _variant(tables, last_clouds(tables, facts, subject, FIRST), LOCAL)
    rows = rows.merge(tables["circles"].drop_duplicates(CLOUD)[[*CLOUD, "shape"]], on=CLOUD)
    if rows.empty:
        raise NotTestable("no cloud by a local density estimate is compared with the three-circle model")
    row = first_tested(rows)
    holds = row["shape"] == THREE_CIRCLES_MODEL.name
    reason = "" if holds else would_be_found(row, THREE_CIRCLES_MODEL.name, THREE_CIRCLES_MODEL)
    return Measured(holds, value=float(row["significant_bars"]), **_test_of(row, facts), reason=reason)


def several_loops(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Test whether the second layer has more than one significant loop."""
    row = first_tested(last_clouds(tables, facts, subject, SECOND))
    bars = int(row["significant_bars"])
    reason = power_of_a_loop(row) if bars == 0 else ""
    return Measured(bars > 1, value=bars, **_test_of(row, facts), reason=reason)


def weaker_than_first(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Test whether the second layer has more significant loops than the first, or a shorter longest bar.

    Bars are taken over their own critical values too: the bars alone, which the rule compared at first, depend on the
    number of points and on rho(k, p), which differ from layer to layer. Changed after another review: a bar had to be
    shorter whatever its interval, which pure noise is, and several long loops, which are more complex, failed.
    """
    row, first = (first_tested(last_clouds(tables, facts, subject, layer)) for layer in (SECOND, FIRST))
    if first["longest"] == 0:
        raise NotTestable("a cloud has no H1 bar at all")
    critical, of_first = (critical_value(tables, cloud) for cloud in (row, first))
    if not (critical > 0 and of_first > 0):
        raise NotTestable("the critical value of a cloud's bar is not there, or 0")
    plain = float(row["longest"]) / float(first["longest"])
    scale = of_first / critical
    found = Measured(False, value=scale * plain, n=int(row["networks"]), null="1")
    (low, high), (first_low, first_high) = (_over_networks(tables, cloud) for cloud in (row, first))
    if np.isfinite(high) and np.isfinite(first_low):
        highest = high / first_low if first_low > 0 else np.inf
        found = replace(found, low=scale * low / first_high, high=scale * highest, spread=JOINED)
    loops, of_first_layer = int(row["significant_bars"]), int(first["significant_bars"])
    if loops > max(1, of_first_layer):
        return replace(found, holds=True, reason=f"more complex: {loops} significant loops")
    if not of_first_layer:
        return replace(found, reason="layer 1 has no significant loop itself")
    if max(scale, 1) * plain < 1 and np.isnan(found.high):
        return replace(found, holds=None, reason="a bar has no interval over networks: follow both layers, steps: all")
    return replace(found, holds=bool(found.high * max(1, 1 / scale) < 1))


def simple_shapes(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Count the layers with a simple shape, one to five significant loops, and ask that all `DEPTHS` be covered."""
    layers = last_clouds(tables, facts, subject)
    layers = layers[layers["depth"].isin(DEPTHS)]
    rows = layers[~layers["verdict"].isin(UNTESTED)]
    if rows.empty:
        raise NotTestable(f"every layer is one {WITHOUT_TEST}")
    simple = rows["significant_bars"].between(1, MOST_SIMPLE_LOOPS)
    found = most_layers(simple, null="1/2", counted=of_all(len(layers), {WITHOUT_TEST: len(layers) - len(rows)}))
    if missing := set(DEPTHS) - set(rows["depth"]):
        reason = f"{len(missing)} of the depths {DEPTHS[0]} to {DEPTHS[-1]} are not tested"
        return replace(found, holds=None, reason=reason)
    return found if found.holds is not False else replace(found, reason=least_power(rows))


def changes_in_training(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Count the layers whose verdict after training differs from that before, among those that ever have a loop."""
    found = headline_clouds(tables, facts, subject.populations)
    changed = []
    left_out = {"not analysed both before and after training": 0, WITHOUT_TEST: 0, "without a loop at any step": 0}
    layers = found.groupby(["population", "layer"], sort=False)
    for _, layer in layers:
        begins, ends = layer.iloc[0], layer.iloc[-1]
        if not begins["step"] == 0 < ends["step"]:
            left_out["not analysed both before and after training"] += 1
        elif begins["verdict"] in UNTESTED or ends["verdict"] in UNTESTED:
            left_out[WITHOUT_TEST] += 1
        elif not (layer["p_longest"] <= facts.alpha).any():
            left_out["without a loop at any step"] += 1
        else:
            changed.append(begins["verdict"] != ends["verdict"])
    if not changed:
        raise NotTestable("no layer with a loop is tested both before and after training")
    return most_layers(changed, null="1/2", counted=of_all(len(layers), left_out))


def of_all(layers: int, left_out: Mapping[str, int]) -> str:
    """Describe how many of some layers count and why each other does not; empty where all count."""
    why = ", ".join(f"{number} {reason}" for reason, number in left_out.items() if number)
    return f"{layers - sum(left_out.values())} of {layers} layers count; left out: {why}." if why else ""


def most_layers(holds: Sequence[bool] | pd.Series, *, null: str, counted: str) -> Measured:
    """Test whether something holds for more than half of some layers, if so many can show that at all."""
    rate, count = share(holds), len(holds)
    least = next(n for n in range(1, 100) if wilson_interval(np.array(1.0), n)[0] > 0.5)
    needs = f"at least {least} layers that count" if count < least else ""
    decided = None if needs else rate["low"] > 0.5
    return Measured(decided, **rate, n=count, null=null, unit="layers", counted=counted, needs=needs)


def share(holds: Sequence[bool] | pd.Series) -> Interval:
    """Return the share of what holds, and Wilson's 95% score interval of it."""
    rate = float(np.mean(holds))
    low, high = wilson_interval(np.array(rate), len(holds))
    return {"value": rate, "low": float(low), "high": float(high)}


def _variant(tables: Tables, clouds: pd.DataFrame, density: tuple[float, float]) -> pd.DataFrame:
    """Return the variants of a cloud on the same side of `DIVIDE` as a density, the nearest to it first."""
    cloud, loops = clouds.iloc[0], tables["loops"]
    rows = loops[(loops[["population", "layer", "step"]] == cloud[["population", "layer", "step"]]).all(axis=1)]
    share, p = density
    rows = rows[(rows["density_k"] / rows["points"] < DIVIDE) == (share < DIVIDE)]
    if rows.empty:
        raise NotTestable(f"no cloud by a {'local' if share < DIVIDE else 'coarse'} density estimate in this run")
    far = np.abs(np.log(rows["density_k"] / rows["points"] / share)) + np.abs(np.log(rows["density_p"] / p))
    return rows.assign(far=far).sort_values("far", kind="stable")
