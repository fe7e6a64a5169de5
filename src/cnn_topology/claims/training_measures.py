"""What claims about loops in the course of training measure, from the tables `loops` and `training`."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from cnn_topology.claims.framework import Measured, Subject, Tables
from cnn_topology.claims.loop_measures import last_clouds, no_cloud, null_of
from cnn_topology.plan.findings import RunFacts
from cnn_topology.plan.seeds import derive_seed

Measure = Callable[[Tables, RunFacts, Subject], Measured]

# Ours: what "a few hundred iterations" and "about ten times later" of the replication are held to.
FEW_HUNDRED = 1_000
TENFOLD = (3.0, 30.0)
PERMUTATIONS = 9_999
# Of fewer snapshots even a perfect order is no evidence.
LEAST_SNAPSHOTS = 5


def _headlines(tables: Tables, population: str, layer: str) -> pd.DataFrame:
    loops = tables["loops"]
    found = loops[loops["headline"] & (loops["population"] == population) & (loops["layer"] == layer)]
    return found.sort_values("step")


def onset(tables: Tables, facts: RunFacts, population: str, layer: str) -> float | None:
    """Give the first step from which on the longest bar stays significant; None without one, or of one step alone."""
    first, rows = None, _headlines(tables, population, layer)
    if len(rows) < 2:
        return None
    for row in reversed(rows.to_dict("records")):
        if not row["p_longest"] <= facts.alpha:
            break
        first = float(row["step"])
    return first


def early_onset(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Test whether a lasting loop appears within a few hundred iterations, absent before training."""
    rows = _headlines(tables, subject.populations[0], "conv1")
    if len(rows) < 2:
        return Measured(None, reason="the first layer is not analysed in the course of training")
    first, networks = onset(tables, facts, subject.populations[0], "conv1"), int(rows["networks"].min())
    if first is None:
        return Measured(False, n=networks, null=null_of(facts), reason="no loop that lasts")
    return Measured(0 < first <= FEW_HUNDRED, first, n=networks, null=null_of(facts))


def later_onset(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Compare the onset of the second population with that of the first."""
    steps = [onset(tables, facts, name, "conv1") for name in subject.populations]
    if None in steps or not steps[0]:
        return Measured(None, reason="not both have a lasting loop that was absent before training")
    ratio = steps[1] / steps[0] if steps[1] is not None else np.nan
    return Measured(TENFOLD[0] <= ratio <= TENFOLD[1], ratio, null="1")


def rises_with_accuracy(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Correlate the longest bar with test accuracy over snapshots; both follow training, so a rise is weak evidence."""
    population = subject.populations[0]
    rows = _headlines(tables, population, "conv1")
    log = tables["training"]
    own = log[(log["population"] == population) & (log["images"] == facts.populations[population].images)]
    accuracy = own[(own["split"] == "test") & ~own["failed"]].groupby("step")["accuracy"].mean().rename("accuracy")
    both = rows.merge(accuracy, on="step")
    if len(both) < LEAST_SNAPSHOTS or both["longest"].nunique() < 2 or both["accuracy"].nunique() < 2:
        return Measured(None, reason=f"fewer than {LEAST_SNAPSHOTS} snapshots that differ", n=len(both))
    value = float(spearmanr(both["longest"], both["accuracy"])[0])
    ranks = both[["longest", "accuracy"]].rank().to_numpy()
    rng = np.random.default_rng(derive_seed("claim", "E11", population))
    shuffled = rng.permuted(np.tile(ranks[:, 0], (PERMUTATIONS, 1)), axis=1) @ ranks[:, 1]
    p = float((1 + np.count_nonzero(shuffled >= ranks[:, 0] @ ranks[:, 1] - 1e-9)) / (1 + PERMUTATIONS))
    return Measured(bool(value > 0 and p <= 0.05), value, p=p, n=len(both), null="0, snapshots shuffled")


def longer_bar(tables: Tables, facts: RunFacts, subject: Subject) -> Measured:
    """Compare the longest pooled bar of the second population with that of the first; both must be significant."""
    rows = last_clouds(tables, subject.populations, "conv1").set_index("population")
    if not set(subject.populations) <= set(rows.index):
        return no_cloud()
    first, second = (rows["longest"].to_dict()[name] for name in subject.populations)
    p, networks = float(rows["p_longest"].to_dict()[subject.populations[1]]), int(rows["networks"].min())
    return Measured(bool(second > first and p <= facts.alpha), second / first, p=p, n=networks, null="1")
