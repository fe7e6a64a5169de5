"""The tests on purity: which graphs are compared, in which direction, and how sure the difference is."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from cnn_topology.statistics.purity import ALL_NETWORKS, MID, purity_tests

LAYERS = {"layer1.1.bn2": 5, "layer2.1.bn2": 9, "layer3.1.bn2": 13, "layer4.1.bn2": 17}
CLOUDS = {
    "random": ("random", 0.0, ""),
    "fg": ("foreground", 0.0, ""),
    "bg": ("background", 0.0, ""),
    "random_1": ("random", 0.1, "random"),
    "random_5": ("random", 0.5, "random"),
}


def tables(networks=1, purity=lambda cloud, depth, network: 0.3 + depth / 40):
    graphs, draws, rates = [], [], []
    for network in range(networks):
        for cloud, (sampling, sigma, clean) in CLOUDS.items():
            rates.append(
                {"population": "nets", "network": network, "cloud": cloud, "sigma": sigma, "class_name": "all",
                 "examples": 1_000, "accuracy": 0.9 - sigma}
            )  # fmt: skip
            for layer, depth in LAYERS.items():
                key = {"population": "nets", "network": network, "recipe": "elbow", "cloud": cloud, "layer": layer}
                value = purity(cloud, depth, network)
                graphs.append(
                    {**key, "depth": depth, "sampling": sampling, "split": "test", "sigma": sigma, "clean": clean,
                     "node_wise": value, "node_error": 0.01, "classes": 10}
                )  # fmt: skip
                rng = np.random.default_rng(depth)
                draws += [
                    {**key, "kind": kind, "draw": draw, "node_wise": number}
                    for kind, numbers in (
                        ("shuffled", 0.12 + 0.005 * rng.normal(size=99)),
                        ("jackknife", value + 0.02 * rng.normal(size=50)),
                    )
                    for draw, number in enumerate(numbers)
                ]
    return pd.DataFrame(graphs), pd.DataFrame(draws), pd.DataFrame(rates)


def found(*given, network=ALL_NETWORKS, **equal):
    rows = pd.DataFrame(list(purity_tests(*given)))
    for column, value in {"network": network, **equal}.items():
        rows = rows[rows[column] == value]
    return rows


def only(*given, **equal):
    rows = found(*given, **equal)
    assert len(rows) == 1
    return rows.iloc[0]


def test_deeper_is_compared_with_shallower_for_each_clean_cloud():
    rows = found(*tables(), test="deeper_is_purer")
    assert list(rows["cloud"]) == ["random", "fg", "bg"]
    row = rows.iloc[0]
    assert (row["layer"], row["other"]) == ("layer4.1.bn2", "layer1.1.bn2")
    assert row["statistic"] == pytest.approx(12 / 40)
    assert row["p_value"] == 0.01
    assert abs(row["null_value"]) < 0.01
    # The error on halves of the images, and those of both means over nodes.
    draws = tables()[1]
    halves = draws[(draws["cloud"] == "random") & (draws["kind"] == "jackknife")].pivot_table(
        index="draw", columns="layer", values="node_wise"
    )
    error = np.hypot((halves["layer4.1.bn2"] - halves["layer1.1.bn2"]).std(), np.sqrt(2) * 0.01)
    assert row["high"] - row["statistic"] == pytest.approx(1.96 * error)
    assert row["unit"] == "images and nodes"


def test_no_difference_is_no_finding():
    row = only(*tables(purity=lambda *_: 0.3), test="deeper_is_purer", cloud="fg")
    assert row["statistic"] == 0
    assert row["p_value"] > 0.1
    assert row["low"] < 0 < row["high"]


def test_sampling_is_compared_layer_by_layer_and_over_those_between():
    given = tables(purity=lambda cloud, depth, _: 0.5 + {"fg": 0.2, "bg": -0.1}.get(cloud, 0.0) * (depth in (9, 13)))
    assert only(*given, test="foreground_over_random", layer=MID)["statistic"] == pytest.approx(0.2)
    assert only(*given, test="random_over_background", layer=MID)["statistic"] == pytest.approx(0.1)
    assert only(*given, test="foreground_over_random", layer="layer1.1.bn2")["statistic"] == 0
    assert set(found(*given, test="foreground_over_random")["layer"]) == {*LAYERS, MID}
    assert found(*given, test="top_l2_over_random").empty


def test_interval_comes_from_the_networks_where_there_are_three():
    given = tables(4, lambda cloud, depth, network: 0.3 + (0.01 * network if depth == 17 else 0))
    row = only(*given, test="deeper_is_purer", cloud="fg")
    assert (row["unit"], row["n"]) == ("networks", 4)
    assert row["statistic"] == pytest.approx(0.015)
    expected = ttest_1samp([0.0, 0.01, 0.02, 0.03], 0).confidence_interval()
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert only(*given, test="deeper_is_purer", cloud="fg", network=2)["unit"] == "images and nodes"
    assert only(*given, test="deeper_is_purer", cloud="fg", network=2)["n"] == 1


@pytest.mark.parametrize(("networks", "unit"), [(2, "images and nodes"), (4, "networks")])
def test_networks_on_the_same_images_do_not_make_what_noise_leaves_more_certain(networks, unit):
    given = tables(networks, lambda cloud, *_: {"random_1": 0.6, "random_5": 0.4}.get(cloud, 0.8))
    which = {"test": "falls_no_faster_than_accuracy_above_chance", "cloud": "random_5"}
    every, one = only(*given, **which), only(*given, network=0, **which)
    assert (every["unit"], every["n"]) == (unit, networks)
    if networks == 2:
        assert every["high"] - every["low"] == pytest.approx(one["high"] - one["low"], rel=0.3)


def test_noise_is_compared_with_the_clean_cloud_and_with_accuracy():
    given = tables(purity=lambda cloud, *_: {"random_1": 0.6, "random_5": 0.4}.get(cloud, 0.8))
    row = only(*given, test="noise_lowers_purity", cloud="random_5")
    assert (row["other"], row["layer"], row["sigma"]) == ("random", "layer4.1.bn2", 0.5)
    assert row["statistic"] == pytest.approx(0.4)
    left = only(*given, test="falls_no_faster_than_accuracy_as_they_are", cloud="random_5")
    assert left["statistic"] == pytest.approx(0.4 / 0.8 - 0.4 / 0.9)
    above = only(*given, test="falls_no_faster_than_accuracy_above_chance", cloud="random_5")
    assert above["statistic"] == pytest.approx((0.4 - 0.12) / (0.8 - 0.12) - 0.3 / 0.8, abs=2e-3)
    assert above["low"] < above["statistic"] < above["high"]
    trend = only(*given, test="purity_falls_with_sigma")
    assert (trend["statistic"], trend["n"]) == (pytest.approx(1.0), 3)
    assert trend["p_value"] == pytest.approx(1 / 6)


def test_graphs_without_nodes_are_left_out():
    given = tables(purity=lambda cloud, *_: np.nan if cloud == "random_5" else 0.5)
    assert found(*given, cloud="random_5").empty
    assert len(found(*given, cloud="random_1", test="noise_lowers_purity")) == 1


KEEPS = "falls_no_faster_than_accuracy_above_chance"


def kept(accuracy, networks=2, purity=lambda *_: 0.5):
    """Return the networks of which what noise leaves is compared, where one network has other accuracies, by cloud."""
    graphs, draws, rates = tables(networks, purity)
    for cloud, value in accuracy.items():
        rates.loc[(rates["network"] == 0) & (rates["cloud"] == cloud), "accuracy"] = value
    rows = pd.DataFrame(list(purity_tests(graphs, draws, rates)))
    assert rows.loc[rows["test"].str.startswith("falls"), ["statistic", "low", "high"]].notna().all(axis=None)
    rows = rows[(rows["test"] == KEEPS) & (rows["cloud"] == "random_5")]
    return sorted(rows["network"])


@pytest.mark.parametrize(
    "accuracy",
    [{"random": np.nan}, {"random_5": np.nan}, {"random": 0.1}, {"random": 0.08}, {"random": 0.0}],
    ids=["clean not known", "noisy not known", "clean at chance", "clean below chance", "clean never right"],
)
def test_a_network_of_which_nothing_is_known_or_left_to_lose_is_not_compared_with_its_accuracy(accuracy):
    assert kept({}) == [ALL_NETWORKS, 0, 1]
    assert kept(accuracy) == [ALL_NETWORKS, 1]
    assert kept(accuracy, networks=1) == []


def test_a_network_whose_error_of_purity_is_not_known_is_not_compared_with_its_accuracy():
    graphs, draws, rates = tables(2)
    graphs.loc[(graphs["network"] == 0) & (graphs["cloud"] == "random"), "node_error"] = np.nan
    assert list(found(graphs, draws, rates, test=KEEPS, cloud="random_5", network=0).index) == []
    assert np.isfinite(only(graphs, draws, rates, test=KEEPS, cloud="random_5")["high"])


def test_a_clean_graph_no_purer_than_by_chance_has_no_purity_to_lose():
    chance = {("random", 0): 0.05}
    assert kept({}, purity=lambda cloud, _, network: chance.get((cloud, network), 0.5)) == [ALL_NETWORKS, 1]
