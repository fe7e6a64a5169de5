"""What claims about the named circles measure, from the tables `loops` and `circles`."""

from dataclasses import replace

import numpy as np
import pandas as pd

from cnn_topology.claims.framework import Measured, NotTestable, Subject, Tables
from cnn_topology.claims.loop_measures import (
    WITHOUT_TEST,
    headline_clouds,
    last_clouds,
    least_power,
    most_layers,
    not_excluded,
    null_of,
    of_all,
    primary_loops,
    share,
)
from cnn_topology.plan.findings import RunFacts
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.comparisons import falling_trend
from cnn_topology.statistics.correlations import fewest_exchanged
from cnn_topology.statistics.shapes import CHANCE, COVERED
from cnn_topology.statistics.significance import LEVEL, ONE_LOOP, UNTESTED, binomial_tail
from cnn_topology.tables.loops import CLOUD

# Ours, of "recurs": the part of a layer's snapshots, and of the draws of its networks, that must agree.
MOST = 0.5
# Ours: layers that count as low in a network of 13 and more.
LOW_DEPTHS = 4


def with_circles(tables: Tables, clouds: pd.DataFrame) -> pd.DataFrame:
    """Add to headline clouds which of the named circles they have.

    Returns
    -------
    DataFrame
        The rows of `clouds` with ``primary`` (bool, see `primary_loops`), ``other`` (bool: a significant loop, and
        another of the named circles covered and with more filters near it than by chance, at a level of the cloud) and
        ``near_primary``, the share of filters nearest to the primary circle; clouds that were not compared with circles
        are left out.
    """
    circles = tables["circles"]
    primary = circles["circle"] == "primary"
    others = circles[~primary].groupby(CLOUD)["circle"].transform("size").reindex(circles.index)
    # Bonferroni's factor for the other circles of a cloud, so that chance gives a cloud one in `CHANCE` of cases.
    covered = (circles["coverage"] >= COVERED) & (circles["p_permuted"] * others <= CHANCE)
    found = circles.assign(other=covered & ~primary)
    found["near_primary"] = (found["nearest"] / found["kept"]).where(primary)
    found = found.groupby(CLOUD)[["other", "near_primary"]].max().reset_index()
    joined = primary_loops(tables, clouds).merge(found, on=CLOUD)
    joined["other"] = joined["other"].astype(bool) & (joined["significant_bars"] > 0)
    return joined


def primary_circle_recurs(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Count the layers whose loop is the primary circle; clouds of too few filters are left out.

    Made stricter after a review: after training alone, and in one pool of networks, was enough. The loop must be that
    circle at most snapshots after the start too, and most draws of the networks must have the same verdict.
    """
    clouds, counted = _counting(tables, facts, subject)
    left = clouds["primary"]
    reasons = []
    for condition, why in (
        (_unexplained(clouds, facts), "that fields as smooth, or channels as blocks, explain or may explain"),
        (_at_most_snapshots(tables, facts, clouds), "at the end but at no more than half of the snapshots"),
        (~(clouds["verdict_stability"] < MOST), "whose verdict fewer than half of the draws of networks have"),
    ):
        lost = left & ~condition
        left = left & condition
        reasons += [f"{lost.sum()} more {why}"] if lost.any() else []
    found = most_layers(left, null=null_of(facts), counted=counted)
    reasons += [least_power(clouds)] if found.holds is False else []
    return replace(found, reason="; ".join(filter(None, [found.reason, *reasons])))


def _unexplained(clouds: pd.DataFrame, facts: RunFacts) -> pd.Series:
    """Return of which clouds the tests exclude other explanations of a loop."""
    excluded = [not not_excluded(cloud, facts.alpha) for cloud in clouds.to_dict("records")]
    return pd.Series(excluded, index=clouds.index, dtype=bool)


def _at_most_snapshots(tables: Tables, facts: RunFacts, last: pd.DataFrame) -> pd.Series:
    """Return in which layers the loop is the primary circle, unexplained, at most tested snapshots after the start."""
    clouds = headline_clouds(tables, facts, tuple(last["population"].unique()))
    clouds = clouds[(clouds["step"] > 0) & ~clouds["verdict"].isin(UNTESTED)]
    circles = primary_loops(tables, clouds)
    circles = circles.assign(circle=circles["primary"] & _unexplained(circles, facts))
    shares = circles.groupby(["population", "layer"])["circle"].mean()
    # Of networks that others trained there is one snapshot, whose step is 0.
    share = shares.reindex(pd.MultiIndex.from_frame(last[["population", "layer"]])).fillna(1.0)
    return pd.Series(share.to_numpy() > MOST, index=last.index)


def other_loops_occur(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Count the layers with a loop and another named circle: more than by chance, but fewer than have the primary one.

    Chance gives a layer such a circle in at most `CHANCE` of cases, so their number is compared with the binomial
    distribution. Made stricter after a review: one layer of many, at an unadjusted level, was enough.
    """
    clouds, counted = _counting(tables, facts, subject)
    primary, other = clouds["primary"], clouds["other"]
    p = binomial_tail(int(other.sum()), len(clouds), CHANCE)
    # At best all layers but one have another circle.
    least = next(n for n in range(2, 100) if binomial_tail(n - 1, n, CHANCE) <= LEVEL)
    needs = f"at least {least} layers that count" if len(clouds) < least else ""
    holds = None if needs else bool(p <= LEVEL and other.sum() < primary.sum())
    null = f"{CHANCE:g}; {null_of(facts)}"
    return Measured(holds, **share(other), p=p, n=len(clouds), null=null, unit="layers", counted=counted, needs=needs)


def fades_with_depth(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Correlate depth with the share of filters near the primary circle, and look for a circle in the low layers.

    Clouds of too few filters for a test are left out, as in A3a.
    """
    clouds, counted = _counting(tables, facts, subject)
    clouds = clouds.sort_values("depth")
    if len(clouds) < (least := fewest_exchanged(1, LEVEL, extremes=1)):
        return Measured(None, n=len(clouds), unit="layers", needs=f"at least {least} layers that count")
    if clouds["near_primary"].nunique() == 1:
        return Measured(
            None, reason="equally many filters are near the primary circle in all layers", n=len(clouds), unit="layers"
        )
    rng = np.random.default_rng(derive_seed("claim", "depth", *subject.populations))
    value, p = falling_trend(clouds["depth"].to_numpy(float), clouds["near_primary"].to_numpy(float), rng)
    low = clouds["depth"] <= clouds["depth"].min() + LOW_DEPTHS - 1
    circle = low & (clouds["verdict"] == ONE_LOOP) & clouds["primary"]
    holds = bool(value < 0 and p <= LEVEL and circle.any())
    return Measured(holds, value=value, p=p, n=len(clouds), null="0", unit="layers", counted=counted)


def _counting(tables: Tables, facts: RunFacts, subject: Subject) -> tuple[pd.DataFrame, str]:
    """Return the last clouds that are tested and compared with the named circles, and why other layers do not count.

    Raises
    ------
    NotTestable
        If there is none.
    """
    layers = last_clouds(tables, facts, subject)
    compared = with_circles(tables, layers)
    clouds = compared[~compared["verdict"].isin(UNTESTED)]
    if clouds.empty:
        raise NotTestable("no cloud is tested and compared with the named circles")
    left_out = {
        WITHOUT_TEST: len(compared) - len(clouds),
        "not compared with the named circles": len(layers) - len(compared),
    }
    return clouds, of_all(len(layers), left_out)
