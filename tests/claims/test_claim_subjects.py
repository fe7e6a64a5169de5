"""A claim is decided by the data, the group and the networks that it says it is about."""

import numpy as np
import pytest
from claim_rows import accuracies, compared, correlation


@pytest.fixture
def other_data_first(facts):
    """Return the run with each population tested on other data before the paper's own other set."""
    images = {name: facts.images[name].model_copy(update={"own": False}) for name in ("one", "two")}
    populations = {
        name: population.model_copy(
            update={"cross_test": tuple(f"like-{t}" for t in population.cross_test) + population.cross_test}
        )
        for name, population in facts.populations.items()
    }
    images = {**{f"like-{name}": image for name, image in images.items()}, **facts.images}
    return facts.model_copy(update={"images": images, "populations": populations})


def test_accuracy_on_other_data_does_not_decide_a_claim_on_the_papers_own_set(of, other_data_first):
    told = {("first", "two"): 0.28, ("second", "one"): 0.54, ("first", "like-two"): 0.6, ("second", "like-one"): 0.2}
    training = [row for (name, images), accuracy in told.items() for row in accuracies(name, images, accuracy)]
    (row,) = of("E13", {"training": training}, other_data_first)
    assert row["value"] == pytest.approx(26, abs=1)
    assert row["verdict"] == "supported"


@pytest.mark.parametrize(("name", "variant"), [("E14", "circle-1"), ("E15c", "angular-1"), ("E16b", "klein-1")])
def test_an_improvement_on_other_data_does_not_decide_a_claim_on_the_papers_own_set(
    name, variant, of, other_data_first
):
    gains = {"like-two": 0.3, "two": -0.05}
    rows = [compared(variant, "plain-1", "cross_accuracy", gain, images=images) for images, gain in gains.items()]
    (row,) = of(name, {"comparisons": rows}, other_data_first)
    assert row["value"] == pytest.approx(-5)
    assert row["verdict"] == "not supported"


@pytest.fixture
def two_targets(facts):
    """Return the run with one group of populations compared at two targets."""
    group = facts.improvements["g1"]
    return facts.model_copy(update={"improvements": {"at90": group, "at98": group}})


# The variant is twice as fast to the first target and half as fast to the second.
AT_TARGETS = [
    compared(variant, against, "iterations_to_target", speed, group_name=group)
    for group, speed in (("at90", 2.0), ("at98", 0.5))
    for variant in ("angular-1", "klein-1")
    for against in ("plain-1", "random-1")
]


@pytest.mark.parametrize(("name", "variant"), [("E15a", "angular-1"), ("E16a", "klein-1")])
def test_of_two_groups_with_the_same_populations_each_is_tested_by_its_own_numbers(name, variant, of, two_targets):
    rows = of(name, {"comparisons": AT_TARGETS}, two_targets)
    assert [row["value"] for row in rows] == [2.0, 0.5]
    assert [row["verdict"] for row in rows] == ["supported", "not supported"]
    assert [row["populations"].split(",")[0] for row in rows] == [f"at90: {variant}", f"at98: {variant}"]


def test_beside_an_improvement_stands_what_its_matched_control_gives(of, facts):
    rows = [compared("angular-1", "plain-1", "iterations_to_target", 1.95)]
    rows += [
        compared(name, "plain-1", "iterations_to_target", 1.9) | {"role": "control"} for name in ("random-1", "rf")
    ]
    angular = facts.populations["angular-1"]
    filters = angular.architecture.model_copy(update={"feature_filters": "random"})
    features = angular.model_copy(update={"architecture": filters})
    group = facts.improvements["g1"].model_copy(update={"controls": ("random-1", "rf")})
    changed = {"populations": {**facts.populations, "rf": features}, "improvements": {"g1": group}}
    facts = facts.model_copy(update=changed)
    rows = [row | {"group_name": "g1"} for row in rows]
    (row,) = of("E15a", {"comparisons": rows}, facts)
    assert row["statement"] == "MNIST: angular features speed learning up. Its control rf gives 1.9 (1.71 to 2.09)."
    assert row["value"] == 1.95
    klein = [compared("klein-1", "plain-1", "iterations_to_target", 1.5), *rows]
    (row,) = of("E16a", {"comparisons": klein}, facts)
    assert row["statement"].endswith("learns faster. Its control random-1 gives 1.9 (1.71 to 2.09).")
    unknown = [*rows[:2], rows[2] | {"estimate": float("nan")}]  # a control and a baseline that never reach the target
    assert "control" not in of("E15a", {"comparisons": unknown}, facts)[0]["statement"]
    (row,) = of("E15a", {"comparisons": rows[:1]}, facts)
    assert row["statement"] == "MNIST: angular features speed learning up."


def test_whether_any_variant_improves_is_asked_of_each_group_by_itself(of, two_targets):
    rows = of("A5", {"comparisons": AT_TARGETS}, two_targets)
    assert [(row["value"], row["verdict"]) for row in rows] == [(2, "supported"), (0, "not supported")]


def test_a_claim_on_a_grid_tells_of_the_networks_of_the_grid_not_of_those_it_varies(of, facts):
    grid = facts.grids["grid"]
    said = ("500 of 40,000 iterations",)
    recipe = grid.example.recipe.model_copy(update={"iterations": 500})
    example = grid.example.model_copy(update={"recipe": recipe, "networks": 3, "reduced": said})
    changed = facts.model_copy(update={"grids": {"grid": grid.model_copy(update={"example": example})}})
    (row,) = of("A4a", {"correlations": [correlation("spearman", 0.01)]}, changed)
    assert row["data"] == "grid: 2 populations such as one: 3 x M(64, 32, 64), 500 iterations"
    assert (row["verdict"], row["reduced"]) == ("supported, reduced", *said)


def test_topology_predicts_accuracy_among_networks_of_one_width(of, facts):
    pooled = correlation("spearman", 0.001)
    everything = correlation("partial_spearman", 0.5, given="width, dropout, frobenius")
    (row,) = of("A4a", {"correlations": [pooled, everything]}, facts)
    assert (row["verdict"], row["reason"]) == (
        "not tested",
        "no test of a correlation over the populations of the grid",
    )
    width = correlation("partial_spearman", 0.03, given="width")
    networks = [{"group_name": "grid", "layer": "conv1", "kept": kept, "pool": "all"} for kept in (60, 138, 99)]
    networks += [{"group_name": "grid", "layer": "conv1", "kept": 20, "pool": ""}]
    (row,) = of("A4a", {"correlations": [pooled, width, everything], "generalization": networks}, facts)
    assert (row["verdict"], row["p_value"], row["n"], row["unit"]) == ("supported", 0.03, 16, "populations")
    assert row["statement"].endswith(
        "Of 8 networks, whose pools keep 60 to 138 filters each. Split-half reliability of the predictor: 0.8."
    )
    (row,) = of("A4b", {"correlations": [pooled, width, everything]}, facts)
    assert (row["verdict"], row["p_value"]) == ("not supported", 0.5)


def test_the_ways_to_generalize_are_adjusted_for_and_few_populations_or_filters_decide_nothing(of, facts):
    gap = [correlation("spearman", 0.02) | {"outcome": outcome} for outcome in ("gap", "cross_accuracy")]
    (row,) = of("A4a", {"correlations": [correlation("spearman", 0.01), *gap]}, facts)
    assert (row["verdict"], row["p_value"], "test_accuracy" in row["null_name"]) == ("supported", 0.03, True)
    few = [row | {"exchanged": "4 populations as blocks", "rows": 4} for row in gap]
    (row,) = of("A4a", {"correlations": few}, facts)
    assert (row["verdict"], "at least 5" in row["reason"]) == ("cannot decide", True)
    networks = [{"group_name": "grid", "layer": "conv1", "kept": kept, "pool": "all"} for kept in (29, 57)]
    (row,) = of("A4a", {"correlations": [correlation("spearman", np.nan)], "generalization": networks}, facts)
    assert (row["verdict"], "29" in row["reason"]) == ("not tested", True)


def test_an_improvement_on_another_set_is_named_with_what_it_lacks(of, facts):
    assert of("E14", {}, facts.model_copy(update={"improvements": {}}))[0]["reason"] == (
        "no variant of improvements with a first layer fixed to the circle in this run"
    )
    images = facts.images["one"].model_copy(update={"stands_for": ""})
    other = facts.model_copy(update={"images": {**facts.images, "one": images}})
    assert of("E14", {}, other)[0]["reason"] == (
        "circle-1, circle-2: a first layer fixed to the circle, but not trained on MNIST or a set that stands for it"
    )
    alone = {name: one.model_copy(update={"cross_test": ()}) for name, one in facts.populations.items()}
    assert of("E15c", {}, facts.model_copy(update={"populations": alone}))[0]["reason"] == (
        "angular-1: angular features, but not tested on SVHN or a set that stands for it"
    )
