"""Tables of improvements: what is planted in a training log comes out, censored and failed networks included."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from cnn_topology.errors import InputError
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.populations import Improvement
from cnn_topology.statistics.improvements import comparisons, measures

GROUP = Improvement(baseline="plain", variants=("fast", "same"), controls=("random",), target_accuracy=0.8)
STEPS = np.arange(0, 101, 10)
# Iterations until 80%, and accuracy on the other set.
TRUTH = {"plain": (60, 0.2), "fast": (30, 0.3), "same": (60, 0.2), "random": (60, 0.2)}


@pytest.fixture
def training():
    rng, rows = np.random.default_rng(0), []
    for population, (reached, cross) in TRUTH.items():
        for network in range(10):
            mine = reached * rng.uniform(0.9, 1.1)
            for step in STEPS:
                accuracy = min(0.95, 0.8 * step / mine)
                tested = [("own", "test", accuracy), ("own", "train", 1.0)]
                tested += [("other", "test", cross + rng.normal(0, 0.01))] if step in (0, 100) else []
                for images, split, value in tested:
                    row = {"population": population, "network": network, "seed": 100 + network, "step": step}
                    rows.append({**row, "images": images, "split": split, "accuracy": value, "failed": False})
    return pd.DataFrame(rows)


def compared(training):
    rows = pd.DataFrame(measures(training, "g", GROUP, "own"))
    found = pd.DataFrame(comparisons(rows, "g", GROUP, 7))
    return rows, found.set_index(["population", "against", "metric"])


def test_planted_speed_and_cross_accuracy_are_found_and_nothing_else(training):
    rows, found = compared(training)
    assert set(rows["metric"]) == {"iterations_to_target", "area_under_curve", "accuracy", "cross_accuracy"}
    assert rows.groupby(["population", "metric"]).size().eq(10).all()
    speed = found.loc[("fast", "plain", "iterations_to_target")]
    assert speed["effect"] == "ratio of medians"
    assert speed["estimate"] == pytest.approx(2, rel=0.12)
    assert speed["low"] < 2 < speed["high"]
    assert speed["p_holm"] < 0.01
    cross = found.loc[("fast", "plain", "cross_accuracy")]
    assert cross["images"] == "other"
    assert cross["estimate"] == pytest.approx(0.1, abs=0.02)
    assert cross["p_holm"] < 0.01
    for pair in (("same", "plain"), ("random", "plain")):
        for metric in ("iterations_to_target", "accuracy"):
            assert found.loc[(*pair, metric), "p_holm"] > 0.05
    assert (found["family"] == len(found)).all()
    assert len(found) == 5 * 4
    assert (found["p_holm"] >= found["p_value"]).all()


def test_variants_are_also_compared_with_controls_and_roles_are_kept(training):
    _, found = compared(training)
    speed = found.loc[("fast", "random", "iterations_to_target")]
    assert (speed["role"], speed["against_role"]) == ("variant", "control")
    assert speed["p_holm"] < 0.01
    assert found.loc[("random", "plain", "accuracy"), "role"] == "control"
    assert ("plain", "random", "accuracy") not in found.index


def test_networks_that_never_reach_the_target_are_censored_and_slowest(training):
    slow = (training["population"] == "plain") & (training["network"] < 6) & (training["images"] == "own")
    training.loc[slow, "accuracy"] = training.loc[slow, "accuracy"].clip(upper=0.7)
    rows, found = compared(training)
    censored = rows[rows["censored"]]
    assert set(censored["population"]) == {"plain"}
    assert (censored["value"] == 100).all()
    assert len(censored) == 6
    speed = found.loc[("fast", "plain", "iterations_to_target")]
    assert speed["n_censored_against"] == 6
    assert speed["average_against"] == np.inf
    assert speed["estimate"] == np.inf
    assert 1 < speed["low"] < 3
    assert speed["p_holm"] < 0.01


def test_failed_networks_are_censored_and_have_no_final_accuracy(training):
    broken = (training["population"] == "fast") & (training["network"] == 3) & (training["step"] >= 20)
    training.loc[broken, "accuracy"] = np.nan
    rows, found = compared(training)
    mine = rows[(rows["population"] == "fast") & (rows["network"] == 3)]
    assert mine["metric"].tolist() == ["iterations_to_target"]
    assert mine["censored"].all()
    assert found.loc[("fast", "plain", "accuracy"), "n"] == 9
    assert found.loc[("fast", "plain", "iterations_to_target"), "n"] == 10


def test_a_population_without_networks_is_left_out(training):
    rows, found = compared(training[training["population"] != "random"])
    assert "random" not in set(rows["population"])
    assert set(found.index.get_level_values("population")) == {"fast", "same"}


def test_groups_that_cannot_be_compared_are_refused(tiny):
    plain = tiny["populations"]["a"]
    tiny["populations"]["b"] = {**plain, "recipe": {**plain["recipe"], "iterations": 13}}
    tiny["improvements"] = {"g": {"baseline": "a", "variants": ["b"], "target_accuracy": 0.8}}
    with pytest.raises(InputError, match=r"improvements.g: b and a differ in recipe.iterations"):
        parse_config(tiny)
    tiny["improvements"]["g"]["variants"] = ["c"]
    with pytest.raises(InputError, match=r"unknown population in improvements.g: 'c'"):
        parse_config(tiny)
    tiny["populations"]["b"] = {**plain, "networks": 3}
    tiny["improvements"]["g"]["variants"] = ["b"]
    with pytest.raises(InputError, match="b has 3 networks; a permutation test takes at least 4"):
        parse_config(tiny)
    with pytest.raises(ValidationError, match="b is named twice"):
        Improvement(baseline="b", variants=("b",), target_accuracy=0.5)
