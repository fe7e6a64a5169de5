"""What claims about loops in the course of training measure, from the tables `onset`, `loop_tracks`, `correlations`."""

import numpy as np
import pandas as pd

from cnn_topology.claims.framework import JOINED, Measured, Subject, Tables
from cnn_topology.claims.loop_measures import null_of
from cnn_topology.plan.findings import RunFacts

# Ours: what "a few hundred iterations" and "about ten times later" of the replication are held to.
FEW_HUNDRED = 1_000
TENFOLD = (3.0, 30.0)
LAYER = "conv1"


def early_onset(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Test whether a lasting loop appears within a few hundred iterations, absent before training."""
    found = _onset(tables, subject.populations[0])
    if found is None:
        return Measured(None, reason="the first layer is not followed over training")
    step, low, high, networks = found
    if np.isnan(step):
        return Measured(False, n=networks, null=null_of(facts), reason="no loop that lasts")
    return Measured(0 < step <= FEW_HUNDRED, step, low, high, n=networks, null=null_of(facts))


def later_onset(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Compare the onset of the second population with that of the first; the interval joins the ends of both."""
    found = [_onset(tables, name) for name in subject.populations]
    first, second = found
    if first is None or second is None or not (first[0] > 0 and second[0] > 0):
        return Measured(None, reason="not both have a lasting loop that was absent before training")
    ratio = second[0] / first[0]
    low = second[1] / first[2]
    high = second[2] / first[1] if first[1] > 0 else np.inf
    holds = bool(TENFOLD[0] <= ratio <= TENFOLD[1] and low > 1)
    return Measured(holds, ratio, low, high, n=min(first[3], second[3]), null="1", spread=JOINED)


def _onset(tables: Tables, population: str) -> tuple[float, float, float, int] | None:
    """Give the onset of the first layer, NaN without one, its interval and the networks; None where it is not there."""
    rows = tables["onset"]
    rows = rows[(rows["population"] == population) & (rows["layer"] == LAYER)]
    if rows.empty:
        return None
    row = rows.iloc[0]
    # Of a draw without a lasting loop the onset is later than all snapshots.
    ends = [np.inf if pd.isna(row[name]) else float(row[name]) for name in ("low", "high")]
    step = np.nan if pd.isna(row["onset"]) else float(row["onset"])
    return step, ends[0], ends[1], int(row["networks"])


def rises_with_accuracy(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Correlate the pooled cloud's longest bar with test accuracy over snapshots; both follow training."""
    rows = tables["correlations"]
    rows = rows[rows["group"].isin(subject.populations) & (rows["scope"] == "pooled") & (rows["layer"] == LAYER)]
    rows = rows[(rows["predictor"] == "longest") & (rows["outcome"] == "test_accuracy")]
    rows = rows[(rows["method"] == "spearman") & rows["statistic"].notna()]
    if rows.empty:
        return Measured(None, reason="the bar is not held against accuracy over training")
    row = rows.iloc[0]
    value, low, high = (float(row[name]) for name in ("statistic", "low", "high"))
    return Measured(low > 0, value, low, high, n=int(row["networks"]), null="0")


def longer_bar(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Compare the longest pooled bar after training of the second population with that of the first.

    Each is taken over its own critical value. Made stricter after a review: the bars alone, which the rule compared at
    first, hang on the number of points and on rho(k, p), which may differ. Neither intervals may overlap.
    """
    rows = tables["loop_tracks"]
    rows = rows[rows["population"].isin(subject.populations) & (rows["layer"] == LAYER)]
    last = {row["population"]: row for row in rows.sort_values("step").to_dict("records")}
    if len(last) < len(subject.populations):
        return Measured(None, reason="not both first layers are followed over training")
    first, second = (last[name] for name in subject.populations)
    if first["longest"] == 0:
        return Measured(None, reason="a cloud has no H1 bar at all")
    if not (first["critical"] > 0 and second["critical"] > 0):
        return Measured(None, reason="the critical value of a cloud's bar is not there, or 0")
    scale = first["critical"] / second["critical"]
    plain = second["longest_low"] / first["longest_high"]
    low, value = scale * plain, scale * second["longest"] / first["longest"]
    high = scale * second["longest_high"] / first["longest_low"] if first["longest_low"] > 0 else np.inf
    holds = bool(min(low, plain) > 1 and second["significant"])
    networks = int(min(first["networks"], second["networks"]))
    return Measured(holds, value, low, high, n=networks, null="1", spread=JOINED)
