"""What claims about loops in the course of training measure, from the tables `onset`, `loop_tracks`, `correlations`."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from cnn_topology.claims.framework import JOINED, Measured, NotTestable, Subject, Tables, interval
from cnn_topology.claims.loop_measures import COVERED, FIRST, null_of
from cnn_topology.claims.words import short
from cnn_topology.plan.findings import RunFacts
from cnn_topology.statistics.significance import TOO_FEW

# Ours: what "a few hundred iterations" and "about ten times later" of the replication are held to.
FEW_HUNDRED = 1_000
TENFOLD = (3.0, 30.0)
# Ours: with the step held fixed and a mean taken away, eight snapshots leave five degrees of freedom.
LEAST_SNAPSHOTS = 8
NOT_PRIMARY = "the loop that lasts is not the primary circle at every step from its onset on"


def early_onset(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Test whether a lasting circle appears within a few hundred iterations, absent before training.

    Made stricter after a review: any loop was enough, whatever its interval.
    """
    step, low, high, networks = _onset(tables, subject.populations[0])
    if np.isnan(step):
        return Measured(False, n=networks, null=null_of(facts), reason="no loop that lasts")
    is_circle = _stays_primary(tables, subject.populations[0], step)
    reason = "" if is_circle else NOT_PRIMARY
    holds = bool(is_circle and step > 0 and high <= FEW_HUNDRED)
    return Measured(holds, value=step, low=low, high=high, n=networks, null=null_of(facts), reason=reason)


def later_onset(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Compare the onset of the second population with that of the first; the interval joins the ends of both."""
    first, second = (_onset(tables, name) for name in subject.populations)
    if not (first.step > 0 and second.step > 0):
        raise NotTestable("not both have a lasting loop that was absent before training")
    both = zip(subject.populations, (first.step, second.step), strict=True)
    if not all(_stays_primary(tables, name, step) for name, step in both):
        raise NotTestable(f"of one of the two {NOT_PRIMARY}")
    ratio = second.step / first.step
    low = second.low / first.high
    high = second.high / first.low if first.low > 0 else np.inf
    holds = bool(TENFOLD[0] <= ratio <= TENFOLD[1] and low > 1)
    networks = min(first.networks, second.networks)
    return Measured(holds, value=ratio, low=low, high=high, n=networks, null="1", spread=JOINED)


class Onset(NamedTuple):
    """When the loop of a first layer sets in, NaN where none lasts, with its interval over so many networks."""

    step: float
    low: float
    high: float
    networks: int


def _onset(tables: Tables, population: str) -> Onset:
    rows = _of_first_layer(tables["onset"], population)
    if rows.empty:
        raise NotTestable("the first layer is not followed over training")
    row = rows.iloc[0]
    if row["snapshots"] == 0:
        raise NotTestable(f"{TOO_FEW} for a test at every snapshot")
    # Of a draw without a lasting loop the onset is later than all snapshots.
    ends = [np.inf if pd.isna(row[name]) else float(row[name]) for name in ("low", "high")]
    step = np.nan if pd.isna(row["onset"]) else float(row["onset"])
    return Onset(step, ends[0], ends[1], int(row["networks"]))


def _of_first_layer(rows: pd.DataFrame, population: str) -> pd.DataFrame:
    return rows[(rows["population"] == population) & (rows["layer"] == FIRST)]


def _stays_primary(tables: Tables, population: str, onset: float) -> bool:
    """Whether the loop of the first layer is the primary circle at every tested snapshot from the onset on."""
    rows = _of_first_layer(tables["loop_tracks"], population)
    rows = rows[(rows["step"] >= onset) & rows["critical"].notna()]
    return len(rows) > 0 and bool(_is_primary(rows).all())


def _is_primary(tracks: pd.DataFrame) -> pd.Series:
    """Return which followed loops wind round the primary circle once, with filters along most of it."""
    return (tracks["degree"] == 1) & (tracks["coverage"] >= COVERED)


def rises_with_accuracy(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Correlate the pooled cloud's longest bar with test accuracy over snapshots, the step held fixed.

    Made stricter after a review: the plain rank correlation, which was the rule, is above 0 of any two curves that rise
    while networks learn.
    """
    rows = tables["correlations"]
    rows = rows[rows["group_name"].isin(subject.populations) & (rows["scope"] == "pooled") & (rows["layer"] == FIRST)]
    rows = rows[(rows["predictor"] == "longest") & (rows["outcome"] == "test_accuracy")]
    methods = {row["method"]: row for _, row in rows[rows["statistic"].notna()].iterrows()}
    if "spearman" not in methods:
        raise NotTestable("the bar is not compared with accuracy over training")
    if "partial_pearson" not in methods:
        raise NotTestable("too few snapshots to hold the step fixed")
    plain, partial = methods["spearman"], methods["partial_pearson"]
    needs = f"at least {LEAST_SNAPSHOTS} snapshots" if partial["rows"] < LEAST_SNAPSHOTS else ""
    holds = None if needs else bool(plain["low"] > 0 and partial["low"] > 0)
    others = {"rank correlation": plain}
    if "pearson_of_changes" in methods:
        others["correlation of changes"] = methods["pearson_of_changes"]
    beside = "; ".join(
        f"{name} {short(row['statistic'])} ({short(row['low'])} to {short(row['high'])})"
        for name, row in others.items()
    )
    beside = f"With nothing held fixed: {beside}."
    return Measured(holds, **interval(partial), n=int(partial["networks"]), null="0", beside=beside, needs=needs)


def longer_bar(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Compare the longest pooled bar after training of the second population with that of the first.

    Each is taken over its own critical value. Made stricter after a review: the bars alone, which the rule compared at
    first, depend on the number of points and on rho(k, p), which may differ. Neither intervals may overlap. Made
    stricter after another: both loops must be the primary circle, since bars of two kinds of loops do not compare.
    """
    rows = tables["loop_tracks"]
    rows = rows[rows["population"].isin(subject.populations) & (rows["layer"] == FIRST)]
    rows = rows.assign(primary=_is_primary(rows)).sort_values("step")
    last = {row["population"]: row for row in rows.to_dict("records")}
    if len(last) < len(subject.populations):
        raise NotTestable("not both first layers are followed over training")
    first, second = (last[name] for name in subject.populations)
    if first["longest"] == 0:
        raise NotTestable("a cloud has no H1 bar at all")
    if not (first["critical"] > 0 and second["critical"] > 0):
        raise NotTestable("the critical value of a cloud's bar is not there, or 0")
    scale = first["critical"] / second["critical"]
    plain = second["longest_low"] / first["longest_high"]
    low, value = scale * plain, scale * second["longest"] / first["longest"]
    high = scale * second["longest_high"] / first["longest_low"] if first["longest_low"] > 0 else np.inf
    circles = first["primary"] and second["primary"]
    holds = bool(min(low, plain) > 1 and second["significant"] and circles)
    networks = int(min(first["networks"], second["networks"]))
    reason = "" if circles else "not both bars are of the primary circle"
    return Measured(holds, value=value, low=low, high=high, n=networks, null="1", spread=JOINED, reason=reason)
