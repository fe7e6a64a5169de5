"""Claims of the activations paper are supported where their rule holds, not where it fails, else not tested."""

import numpy as np
import pytest

from cnn_topology.claims.activations import ACTIVATIONS_CLAIMS
from cnn_topology.claims.framework import INTERVAL, RANGE, WILSON, WITHIN


def measure_test(test, statistic, low=np.nan, high=np.nan, null=0.0, p=np.nan, n=3):
    row = {"population": "ph", "cloud": "top", "measure": "sliced_wasserstein", "kind": "distance", "test": test}
    return {**row, "statistic": statistic, "low": low, "high": high, "null_value": null, "p_value": p, "n": n}


def purity_test(test, statistic, p=0.01, layer="mid", network=-1, sigma=0.0, high=None, half=0.05, null=0.0):
    row = {
        "population": "mapper",
        "network": network,
        "test": test,
        "layer": layer,
        "sigma": sigma,
        "n": 3,
        "p_value": p,
    }
    row |= {"statistic": statistic, "unit": "networks", "low": statistic - half, "null_value": null}
    return {**row, "high": statistic + 0.1 if high is None else high}


def trend(statistic, p, draws=120):
    """Return the test that purity falls, which counts noise levels and has no interval."""
    none = {"low": np.nan, "high": np.nan}
    return purity_test("purity_falls_with_sigma", statistic, p) | none | {"unit": "sigmas", "draws": draws}


GRAPH = {"population": "mapper", "network": 0, "recipe": "r", "cloud": "c", "layer": "layer4.1.bn2"}
ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")
CLASSES = ("airplane", "automobile", *ANIMALS, "ship", "truck")


def pure(p):
    return GRAPH | {"sigma": 0, "depth": 16, "node_wise": 0.6, "chance": 0.2, "p_value": p}


def graph_of(*nodes, names=CLASSES):
    """Return the tables of a graph, a path of nodes each of which holds a point of each of some classes."""
    counts = [[int(name in node) for name in CLASSES] for node in nodes]
    return {
        "class_purity": [GRAPH | {"label": label, "class_name": name} for label, name in enumerate(names)],
        "activation_nodes": [GRAPH | {"node": n, "counts": count} for n, count in enumerate(counts)],
        "activation_edges": [GRAPH | {"a": n, "b": n + 1} for n in range(len(nodes) - 1)],
    }


APART = graph_of(ANIMALS[:3], ANIMALS[2:], ("ship", "airplane"), ("ship", "automobile", "truck"))
# Networks of another population have seen digits.
APART["class_purity"][:0] = [GRAPH | {"population": "ph", "label": n, "class_name": str(n)} for n in range(10)]


def agreement(mean, p=0.01):
    names = {"population": "ph", "measure_a": "linear_cka", "measure_b": "sliced_wasserstein"}
    return {**names, "mean": mean, "p_value": p, "networks": 3}


ORDERED = ("foreground_over_random", "random_over_background")


CASES = {
    "S1": (
        {"measure_agreement": [agreement(0.5)]},
        {"measure_agreement": [agreement(0.5), agreement(0.1, p=0.2)]},
    ),
    "S2": (
        {"purity": [pure(0.01)], **APART},
        {"purity": [pure(0.01), pure(0.3)], **APART},
    ),
    "S3": (
        {"purity_tests": [purity_test("foreground_over_random", 0.1)]},
        {"purity_tests": [purity_test("foreground_over_random", 0.1, half=0.2)]},
    ),
    "T1": (
        {"measure_tests": [measure_test("depth_order", 0.6, 0.5, 0.7, p=0.001)]},
        {"measure_tests": [measure_test("depth_order", 0.6, 0.5, 0.7, p=0.02)]},
    ),
    "T2": (
        {"measure_tests": [measure_test("specificity", 0.3, 0.2, 0.4, null=1 / 17)]},
        {"measure_tests": [measure_test("specificity", 0.07, 0.05, 0.1, null=1 / 17)]},
    ),
    **{
        f"T3{letter}": (
            {"measure_tests": [measure_test(f"{test}_{mode}", good, good, good)]},
            {"measure_tests": [measure_test(f"{test}_{mode}", bad, bad, bad)]},
        )
        for letter, test, mode, good, bad in (
            ("a", "monotone", "published", 0.95, 0.8),
            ("b", "detected", "published", 1.0, 0.9),
            ("c", "monotone", "corrected", 0.95, 0.8),
            ("d", "detected", "corrected", 1.0, 0.9),
        )
    },
    "T4a": (
        {"purity_tests": [purity_test("deeper_is_purer", s) for s in (0.1, 0.2)]},
        {"purity_tests": [purity_test("deeper_is_purer", s) for s in (0.1, -0.2)]},
    ),
    "T4b": (
        {"purity_tests": [purity_test(test, 0.1) for test in ORDERED]},
        {"purity_tests": [purity_test(ORDERED[0], 0.1), purity_test(ORDERED[1], 0.1, p=0.3)]},
    ),
    "T5a": (
        {"purity_tests": [trend(1.0, p=0.01)]},
        {"purity_tests": [trend(0.4, p=0.4)]},
    ),
    "T5b": (
        {"purity_tests": [purity_test("falls_no_faster_than_accuracy_above_chance", 0.1, p=np.nan)]},
        {"purity_tests": [purity_test("falls_no_faster_than_accuracy_above_chance", -0.3, p=np.nan, high=-0.1)]},
    ),
}  # fmt: skip

# What n counts where it is not networks; and whose two ends are least and greatest.
UNITS = {"S2": "graphs", "T5a": "noise levels", **dict.fromkeys(("T3a", "T3b", "T3c", "T3d"), "curves")}
RANGES = {"S1", "S2", "T3a", "T3c"}
WITHOUT = {"T5a"}


def test_every_claim_has_a_case():
    assert set(CASES) == {claim.claim for claim in ACTIVATIONS_CLAIMS}


@pytest.mark.parametrize("name", CASES)
def test_a_row_says_what_n_counts_and_what_its_two_ends_are(name, of, facts):
    (row,) = of(name, CASES[name][0], facts)
    assert row["unit"] == UNITS.get(name, "networks")
    spread = WILSON if name == "T2" else RANGE if name in RANGES else INTERVAL
    assert row["spread"] == ("" if name in WITHOUT else spread)


def test_classes_are_organised_only_if_those_of_a_kind_lie_together(of, facts):
    mixed = graph_of(("dog", "ship"), ("cat", "truck", "frog"), ("bird", "airplane"), ("deer", "horse", "automobile"))
    (row,) = of("S2", {"purity": [pure(0.01)], **mixed}, facts)
    assert (row["verdict"], "p = " in row["statement"]) == ("not supported", True)
    digits = graph_of(*[tuple(CLASSES)] * 2, names=[str(digit) for digit in range(10)])
    (row,) = of("S2", {"purity": [pure(0.01)], **digits}, facts)
    assert (row["verdict"], "CIFAR-10" in row["reason"]) == ("not tested", True)


@pytest.mark.parametrize(("name", "test"), [("S3", ORDERED[0]), ("T4a", "deeper_is_purer"), ("T4b", ORDERED[1])])
def test_a_difference_of_chance_levels_is_no_difference_of_purity(name, test, of, facts):
    def verdict(**changes):
        others = [purity_test(other, 0.3) for other in ORDERED if name == "T4b" and other != test]
        (row,) = of(name, {"purity_tests": [*others, purity_test(test, 0.1, **changes)]}, facts)
        return row["verdict"]

    assert verdict(null=0.04) == "supported"
    assert verdict(null=0.06) == "not supported"
    # A null below 0 makes nothing easier, and what has no interval shows no difference.
    assert verdict(null=-0.2, half=0.15) == "not supported"
    assert verdict(half=np.nan) == "not supported"


def test_the_statement_on_depth_names_the_layers_compared(of, facts):
    rows = [purity_test("deeper_is_purer", 0.1, layer="layer3.0.bn2") | {"other": "layer1.0.bn2"}]
    (row,) = of("T4a", {"purity_tests": rows}, facts)
    assert row["statement"] == "Node-wise purity at layer3.0.bn2 is above that at layer1.0.bn2, for every cloud."
    (row,) = of("T4a", {}, facts)
    assert "16 in the notes" in row["statement"]


def test_the_interval_of_purity_within_one_network_says_so(of, facts):
    rows = [purity_test("deeper_is_purer", 0.1) | {"network": 0, "n": 1, "unit": "images and nodes"}]
    (row,) = of("T4a", {"purity_tests": rows}, facts)
    assert (row["n"], row["unit"], row["spread"]) == (1, "networks", WITHIN)


def test_purity_under_noise_without_known_accuracies_is_not_tested(of, facts):
    (row,) = of("T5b", {"purity_tests": [purity_test("noise_lowers_purity", 0.1)]}, facts)
    assert (row["verdict"], row["outcome"]) == ("not tested", "")
    assert row["reason"].startswith("of no network are accuracies known")
    (row,) = of("T5b", {}, facts)
    assert row["reason"] == "no graph of activations under input noise"


def test_purity_that_may_fall_faster_than_accuracy_is_not_said_to_fall_no_faster(of, facts):
    def row_of(*intervals):
        name = "falls_no_faster_than_accuracy_above_chance"
        rows = [purity_test(name, (low + high) / 2, p=np.nan) | {"low": low, "high": high} for low, high in intervals]
        (row,) = of("T5b", {"purity_tests": rows}, facts)
        return row

    assert row_of((-0.09, 0.02), (0.1, 0.2))["verdict"] == "supported"
    # One noise that the run cannot tell of is enough, and so is one at which purity surely falls faster.
    unclear = row_of((-0.35, 0.28), (-0.01, 0.02))
    assert (unclear["verdict"], unclear["outcome"], unclear["low"]) == ("not tested", "", -0.35)
    assert unclear["reason"] == "not decided: an interval holds 0 and reaches to -0.1 or below"
    assert row_of((-0.35, 0.28), (-0.05, -0.01))["verdict"] == "not supported"


def test_three_levels_of_noise_cannot_decide_whether_purity_falls(of, facts):
    """Of three levels one order in six is the best one."""
    for draws, verdict in ((6, "cannot decide"), (24, "supported")):
        (row,) = of("T5a", {"purity_tests": [trend(1.0, p=1 / draws, draws=draws)]}, facts)
        assert row["verdict"] == verdict
        assert verdict == "supported" or "at least 4 levels" in row["reason"]


def test_few_layers_or_networks_cannot_decide_what_layers_are_near(of, facts):
    agreeing = {"measure_agreement": [agreement(0.5), agreement(0.6, p=np.nan)]}
    # Of 2 layers in 2 or 3 networks there is one disjoint pair: Wilson's interval of 2 of 2 reaches down to 0.34.
    found = {n: {"measure_tests": [measure_test("specificity", 1.0, 0.34, 1.0, null=1 / 2, n=n)]} for n in (3, 4)}
    for name, tables, needs in (
        ("S1", agreeing, "at least 5 layers"),
        ("T1", {"measure_tests": [measure_test("depth_order", 1.0, 0.9, 1.0)]}, "at least 6 layers"),
        ("T2", found[3], "at least 4 networks"),
    ):
        (row,) = of(name, tables, facts)
        assert row["verdict"] == "cannot decide"
        assert needs in row["reason"]
    assert of("T2", found[4], facts)[0]["verdict"] == "not supported"


def test_without_a_curve_of_three_steps_sensitivity_is_not_tested(of, facts):
    for name in ("T3a", "T3d"):
        assert of(name, {"measure_tests": []}, facts)[0]["reason"].endswith(
            "it takes curves of 3 steps or more, and networks to compare"
        )


def graph(sampling, sigma=0.0):
    return {"population": "mapper", "sampling": sampling, "sigma": sigma}


@pytest.mark.parametrize(
    ("name", "samplings", "tests", "reason"),
    [
        ("S3", ["foreground"], [], "no graph of a random cloud without noise in this run"),
        ("S3", ["foreground", "random"], ["foreground_over_random"], "no middle layer: the foreground and random "),
        (
            "S3",
            ["foreground", "random"],
            [],
            "the foreground and random clouds have no split, recipe or layer in common",
        ),
        (
            "T4b",
            ["foreground"],
            [],
            "no graph of a random cloud without noise in this run; no graph of a random or backg",
        ),
        ("T4a", ["random"], [], "no cloud has graphs of two layers"),
        ("T5a", ["random"], [], "not three to 7 levels of input noise"),
    ],
)
def test_a_test_on_purity_that_is_not_made_is_told_by_what_lacks(name, samplings, tests, reason, of, facts):
    tables = {"purity": [graph(sampling) for sampling in samplings]}
    tables["purity_tests"] = [purity_test(test, 0.1, layer="layer1.1.bn2") for test in tests]
    (row,) = of(name, tables, facts)
    assert (row["verdict"], row["outcome"]) == ("not tested", "")
    assert row["reason"].startswith(reason)
