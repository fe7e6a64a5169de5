"""From cloud files of activations to the tables of layers and measures, by the commands that the rules call."""

from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from job_runs import origin_of, run_job, write_cloud

from cnn_topology.activations.cloud_file import ActivationCloud
from cnn_topology.analysis.layer_comparison import gathered, layer_tables
from cnn_topology.comparison.canonical_correlations import fewest_samples
from cnn_topology.comparison.clouds import SampledCloud
from cnn_topology.comparison.measures import MEASURES, measure_named
from cnn_topology.comparison.sensitivity import component_curves
from cnn_topology.errors import InputError
from cnn_topology.plan.activation_parameters import (
    ActivationBarcodeParameters,
    ComponentSensitivityParameters,
    LayerDistanceParameters,
    MeasureTestParameters,
)
from cnn_topology.plan.activations import CANONICAL_MEASURES, DIAGRAM_MEASURES, MATCHING_MEASURES, MeasureName
from cnn_topology.storage.tables import read_notes, read_table
from cnn_topology.tables.layers import ComponentCurveRow, NetworkPairRow
from cnn_topology.tables.registry import MEASURE_ROWS, TABLES

IMAGES, LAYERS, CHANNELS = 60, 4, 16
CHOSEN = (
    *("sliced_wasserstein", "scaled_sliced_wasserstein", "bottleneck", "wasserstein"),
    *("linear_cka", "pwcca_distance", "procrustes_distance"),
)


def rotation(size, rng):
    return np.linalg.qr(rng.normal(size=(size, size)))[0]


def write(path, points, network, layer, ids=None, population="nets"):
    of_network = {"population": population, "network": network, "cloud": "top", "tensor": "conv"}
    shape = 2, 2, points.shape[1]
    origin = origin_of(f"conv{layer}", layer, shape, {}, **of_network, classes=("a", "b"), images=len(points))
    count = len(points)
    zeros = np.zeros(count, dtype=np.int64)
    ids = np.arange(count) if ids is None else ids
    cloud = ActivationCloud(points.astype(np.float32), ids, zeros, zeros, origin)
    write_cloud(path, cloud, {"config": f"c{network}", "data": "digits:1", "seed": "7"})


def related_points(rng):
    """Layers that are known across networks: the same points, turned at random in every network."""
    base = [rng.normal(size=(IMAGES, CHANNELS)) * np.geomspace(1, 0.05, CHANNELS) * 2**layer for layer in range(LAYERS)]
    return lambda network, layer: base[layer] @ rotation(CHANNELS, rng)


def unrelated_points(rng):
    return lambda network, layer: rng.normal(size=(IMAGES, CHANNELS))


class Run:
    """A folder of clouds and what the commands make of them."""

    def __init__(self, folder, make, networks=3):
        self.folder, self.networks = folder, tuple(range(networks))
        self.clouds = {}
        for network in self.networks:
            for layer in range(LAYERS):
                path = folder / f"{network}-{layer}.safetensors"
                write(path, make(network, layer), network, layer + 1)
                self.clouds.setdefault(network, []).append(str(path))

    @property
    def every(self):
        return [path for paths in self.clouds.values() for path in paths]

    def barcodes(self, network):
        path = self.folder / f"bars-{network}.parquet"
        parameters = ActivationBarcodeParameters(run_seed=7, population="nets", cloud="top", network=network)
        return run_job(parameters, {"clouds": self.clouds[network]}, {"activation_barcodes": path}), str(path)

    def pairs(self, measures, rows=None, columns=None, **given):
        rows = self.networks if rows is None else rows
        columns = rows if columns is None else columns
        path = self.folder / f"pairs-{measures[0]}-{rows[0]}-{columns[0]}.parquet"
        parameters = LayerDistanceParameters(
            run_seed=7, population="nets", cloud="top", measures=measures, rows=rows, columns=columns
        )
        return run_job(parameters, {"clouds": [], "barcodes": [], **given}, {"network_pairs": path}), path

    def tables(self, measures=CHOSEN, curves=True):
        matchings = [name for name in measures if name in MATCHING_MEASURES]
        diagrams = [name for name in measures if MEASURES[name].takes != "clouds" and name not in matchings]
        others = [name for name in measures if MEASURES[name].takes == "clouds"]
        parts = []
        if diagrams:
            bars = [self.barcodes(network)[1] for network in self.networks]
            parts.append(self.pairs(diagrams, barcodes=bars)[1])
        if matchings:  # of fewer networks, as in a run
            parts.append(self.pairs(matchings, self.networks[:2], barcodes=bars[:2])[1])
        parts.append(self.pairs(others, clouds=self.every)[1])
        made = [str(self.curves(measures))] if curves else []
        outputs = {name: self.folder / f"{name}.parquet" for name in (row.table_name for row in MEASURE_ROWS)}
        inputs = {"pairs": parts, "curves": made}
        assert run_job(MeasureTestParameters(run_seed=7, draws=199), inputs, outputs) == 0
        assert read_notes(outputs["measure_tests"])["data"] == "digits:1"
        return {name: read_table(path, TABLES[name].schema).to_pandas() for name, path in outputs.items()}

    def curves(self, measures, network=0):
        path = self.folder / "curves.parquet"
        parameters = ComponentSensitivityParameters(
            run_seed=7,
            population="nets",
            cloud="top",
            network=network,
            another=network + 1,
            measures=measures,
            modes=("published", "corrected"),
        )
        paths = [*self.clouds[network], *self.clouds[network + 1]]
        assert run_job(parameters, {"clouds": paths}, {"component_curves": path}) == 0
        return path


@pytest.fixture(scope="module")
def related(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("related"), related_points(np.random.default_rng(0))).tables()


def test_names_of_the_config_are_those_of_the_registry_and_the_tables():
    assert set(get_args(MeasureName)) == set(MEASURES)
    assert set(DIAGRAM_MEASURES) == {name for name, one in MEASURES.items() if one.takes != "clouds"}
    assert set(CANONICAL_MEASURES) == {name for name, one in MEASURES.items() if one.minimum_samples is fewest_samples}


def test_layers_turned_in_every_network_are_found_by_measures_that_do_not_see_turns(related):
    rates = related["specificity"].query("layer == 'all'").set_index("measure")
    for name in ("sliced_wasserstein", "linear_cka", "procrustes_distance"):
        assert rates.loc[name, "rate"] == 1.0
        assert rates.loc[name, "p_value"] <= 0.01
        assert rates.loc[name, "chance"] == 0.25 < rates.loc[name, "low"] < 1.0
    nearest = related["layer_pairs"].query("between == 'different' and measure == 'linear_cka'")
    np.testing.assert_allclose(
        nearest.pivot(index="depth_a", columns="depth_b", values="nearest_share"), np.eye(LAYERS)
    )
    tests = related["measure_tests"].query("test == 'specificity'").set_index("measure")
    assert tests.loc["linear_cka", ["statistic", "null_value", "n"]].tolist() == [1.0, 0.25, 3.0]


def of_few(frame, networks=("measure",)):
    """Which rows are of the measures that match bars: they have two of the networks here."""
    return frame[list(networks)].isin(MATCHING_MEASURES).any(axis=1)


def test_measures_that_match_bars_are_tested_on_the_networks_that_they_have(related):
    rates = related["specificity"].query("layer == 'all'")
    assert set(rates.loc[of_few(rates), "networks"]) == {2}
    assert set(rates.loc[~of_few(rates), "networks"]) == {3}
    assert (rates.loc[of_few(rates), "rate"] == 1.0).all()
    agreement = related["measure_agreement"]
    few = of_few(agreement, ["measure_a", "measure_b"])
    assert set(agreement.loc[few, "networks"]) == {2}
    assert set(agreement.loc[~few, "networks"]) == {3}


def test_unrelated_layers_are_found_no_more_than_by_chance(tmp_path):
    tables = Run(tmp_path, unrelated_points(np.random.default_rng(1)), networks=6).tables(curves=False)
    rates = tables["specificity"].query("layer == 'all'")
    rates = rates[~of_few(rates)]
    assert (rates["p_value"] > 0.01).all()
    assert ((rates["low"] < 0.25) & (rates["high"] > 0.25)).all()
    assert tables["component_sensitivity"].empty


def test_matrices_within_a_network_are_symmetric_where_claimed_and_say_what_equal_layers_give(related):
    for (measure, _), block in related["layer_distances"].groupby(["measure", "network_a"]):
        matrix = block.pivot(index="depth_a", columns="depth_b", values="value").to_numpy()
        assert (np.diag(matrix) == MEASURES[measure].of_equals).all()
        assert np.array_equal(matrix, matrix.T) == MEASURES[measure].symmetric
        assert set(block["kind"]) == {MEASURES[measure].kind}


def test_means_over_networks_are_those_of_their_values(related):
    values, pairs = related["layer_distances"], related["layer_pairs"].query("between == 'same'")
    means = values.groupby(["measure", "depth_a", "depth_b"])["value"].agg(["mean", "std"]).reset_index()
    merged = pairs.merge(means, on=["measure", "depth_a", "depth_b"], suffixes=("", "_by_hand"))
    np.testing.assert_allclose(merged["mean"], merged["mean_by_hand"])
    np.testing.assert_allclose(merged["sd"], merged["std"], atol=1e-12)
    assert set(pairs.loc[~of_few(pairs), "pairs"]) == {3}
    across = related["layer_pairs"].query("between == 'different'")
    assert set(across.loc[~of_few(across), "pairs"]) == {6}


def test_scaled_diagrams_do_not_see_the_scale_of_a_layer(tmp_path):
    rng = np.random.default_rng(2)
    shape = rng.normal(size=(IMAGES, CHANNELS))
    # Powers of two: float32 keeps the shape bit by bit.
    made = Run(tmp_path, lambda network, layer: shape * 2.0**layer, networks=2).tables(curves=False)["layer_distances"]
    off = made[made["depth_a"] != made["depth_b"]].groupby("measure")["value"]
    assert off.get_group("scaled_sliced_wasserstein").max() < 1e-9 < off.get_group("sliced_wasserstein").min()


def test_curves_grow_with_the_components_removed_and_pass_the_threshold_of_the_seeds(related):
    curves = related["component_sensitivity"].query("against_network == network")
    assert set(curves["mode"]) == {"published", "corrected"}
    assert (curves["fraction"] == curves["removed"] / CHANNELS).all()
    # Every network is the same up to turns, so any change at all is noticed by the measures that do not see them.
    blind = curves[curves["measure"].isin(["sliced_wasserstein", "linear_cka", "procrustes_distance"])]
    assert (blind["detected_at"] == blind["fraction"].min()).all()
    assert (blind["detected_low"] == blind["detected_at"]).all()
    assert (blind["detected_high"] == blind["detected_at"]).all()
    assert (curves.loc[~of_few(curves), "pairs"] == 6).all()


def test_the_ends_of_the_band_are_passed_before_and_after_the_threshold():
    layers = ["conv1", "conv2", "conv3"]
    both = {"population": "nets", "cloud": "top", "samples": 60}
    for kind, measure, sign in (("distance", "procrustes_distance", 1), ("similarity", "linear_cka", -1)):
        about = {**both, "measure": measure, "kind": kind}
        pairs, curves = [], []
        for a, b, apart in ((0, 1, 0.25), (1, 2, 0.45), (0, 2, 0.65), (0, 0, 0.0), (1, 1, 0.0), (2, 2, 0.0)):
            values = np.full((3, 3), 0.9)
            np.fill_diagonal(values, apart)
            values = values if sign == 1 else 1 - values
            names = {"layers": layers, "depths": [1, 2, 3], "network_a": a, "network_b": b, "values": values.ravel()}
            pairs.append({**about, **names})
        for removed in range(10):
            value = removed / 10 if sign == 1 else 1 - removed / 10
            at = {"network": 0, "against_network": 0, "layer": "conv2", "depth": 2, "channels": 10, "mode": "corrected"}
            curves.append({**about, **at, "removed": removed, "fraction": removed / 10, "value": value})
        made = layer_tables(
            pa.Table.from_pylist(pairs, NetworkPairRow.schema),
            pa.Table.from_pylist(curves, ComponentCurveRow.schema),
            MeasureTestParameters(run_seed=1, draws=99),
        )["component_sensitivity"].to_pylist()[0]
        assert made["threshold"] == pytest.approx(0.45 if sign == 1 else 0.55)
        assert (made["detected_low"], made["detected_at"], made["detected_high"]) == (0.3, 0.5, 0.7)


def test_against_another_seed_curves_begin_at_what_the_seeds_differ_by(related):
    curves, pairs = related["component_sensitivity"], related["layer_pairs"].query("between == 'different'")
    other = curves.query("against_network == 1 and network == 0")
    assert other["detected_at"].isna().all()
    for measure in ("procrustes_distance", "linear_cka"):
        begin = other[(other["measure"] == measure) & (other["removed"] == 0)]
        assert len(begin) == 2 * LAYERS  # of both modes
        own = pairs[(pairs["measure"] == measure) & (pairs["depth_a"] == pairs["depth_b"])].set_index("depth_a")
        # Networks here differ by a turn alone, which neither measure sees: all pairs are as far apart.
        np.testing.assert_allclose(begin["value"], own.loc[begin["depth"], "mean"], atol=1e-6)
    assert curves.query("against_network == network")["removed"].min() == 4
    tests = related["measure_tests"].set_index(["measure", "test"])
    for measure in ("procrustes_distance", "linear_cka"):
        assert tests.loc[(measure, "another_seed_corrected"), "statistic"] == pytest.approx(1.0)


def test_distances_grow_and_similarities_fall_with_the_components_removed(related):
    tests = related["measure_tests"].set_index(["measure", "test"])
    for name in ("linear_cka", "procrustes_distance"):
        for mode in ("published", "corrected"):
            row = tests.loc[(name, f"monotone_{mode}")]
            assert row["statistic"] == row["low"] == row["high"] == pytest.approx(1.0)
            assert tests.loc[(name, f"detected_{mode}"), "statistic"] == 1.0
    assert np.isnan(tests.loc[("pwcca_distance", "monotone_corrected"), "statistic"])


def test_curves_of_two_points_and_of_one_value_do_not_count():
    about = {"population": "nets", "cloud": "top", "measure": "procrustes_distance", "kind": "distance", "samples": 60}
    names = {"layers": ["conv1", "conv2", "conv3"], "depths": [1, 2, 3]}
    pairs = [
        {**about, **names, "network_a": a, "network_b": b, "values": np.full(9, 0.5 * (a != b))}
        for a, b in ((0, 0), (0, 1), (1, 1))
    ]

    def test_rows(*values):
        curves = [
            {**about, "mode": "corrected", "network": 0, "against_network": 0, "layer": f"conv{depth}", "depth": depth}
            | {"channels": 16, "removed": 4 * step, "fraction": step / 4, "value": value}
            for depth, curve in enumerate(values, start=1)
            for step, value in enumerate(curve, start=1)
        ]
        tables = (
            pa.Table.from_pylist(pairs, NetworkPairRow.schema),
            pa.Table.from_pylist(curves, ComponentCurveRow.schema),
        )
        made = layer_tables(*tables, MeasureTestParameters(run_seed=1, draws=99))["measure_tests"]
        return {row["test"]: row for row in made.to_pylist()}

    made = test_rows((0.1, 0.2, 0.9), (0.2, 0.1), (0.3, 0.3, 0.3))
    grows, passes = made["monotone_corrected"], made["detected_corrected"]
    assert (grows["statistic"], grows["low"], grows["n"]) == (pytest.approx(1.0), pytest.approx(1.0), 1)
    assert (passes["statistic"], passes["n"]) == (0.5, 2)
    assert not {"monotone_corrected", "detected_corrected"} & set(test_rows((0.1, 0.9), (0.9,), (0.1, 0.9)))


def test_removing_more_of_a_known_spectrum_is_seen_as_more():
    rng = np.random.default_rng(3)
    whole = SampledCloud(rng.normal(size=(80, 32)) * np.geomspace(1, 0.2, 32), np.arange(80))
    measures = [measure_named(name) for name in CHOSEN]
    for mode in ("published", "corrected"):
        removed, values = component_curves([whole], measures, mode)
        assert removed[:2].tolist() == [0, 4]
        assert removed[-1] == 28
        for measure in measures:
            if measure.name in ("pwcca_distance", "bottleneck"):  # the latter sees one bar alone
                continue
            change = np.diff(values[measure.name][0])
            assert ((change if measure.kind == "distance" else -change) > 0).mean() > 0.8
    # What Procrustes leaves of centred, uncorrelated components follows from their variances alone.
    singular = np.linalg.svd(whole.points - whole.points.mean(axis=0), compute_uv=False)
    kept = np.array([(singular[: 32 - k] ** 2).sum() for k in removed]) / (singular**2).sum()
    np.testing.assert_allclose(values["procrustes_distance"][0], 2 - 2 * np.sqrt(kept), atol=1e-10)


def test_canonical_correlations_do_not_see_components_that_are_gone():
    # What is left spans a part of the same space, so every correlation that exists is 1.
    whole = SampledCloud(np.random.default_rng(9).normal(size=(80, 16)), np.arange(80))
    _, values = component_curves([whole], [measure_named("pwcca_distance"), measure_named("cca_distance")], "corrected")
    assert (np.array(list(values.values())) == 0).all()


def test_blocks_of_pairs_hold_the_values_of_one_block_of_all(tmp_path):
    run = Run(tmp_path, unrelated_points(np.random.default_rng(4)))
    measures = ["linear_cka", "pwcca_distance"]
    whole = read_table(run.pairs(measures, clouds=run.every)[1], NetworkPairRow.schema).to_pylist()
    parts = []
    for rows, columns in (((0, 1), (0, 1)), ((0, 1), (2,)), ((2,), (2,))):
        parts += read_table(run.pairs(measures, rows, columns, clouds=run.every)[1], NetworkPairRow.schema).to_pylist()
    keyed = {(row["measure"], row["network_a"], row["network_b"]): row["values"] for row in parts}
    assert len(parts) == len(keyed) == len(whole) == 6 + 9
    for row in whole:
        np.testing.assert_allclose(keyed[row["measure"], row["network_a"], row["network_b"]], row["values"], rtol=1e-9)


def test_a_pair_of_networks_is_read_from_both_sides(tmp_path):
    run = Run(tmp_path, unrelated_points(np.random.default_rng(10)), networks=2)
    [cka, weighted] = gathered(read_table(run.pairs(["linear_cka", "pwcca_distance"], clouds=run.every)[1]))
    np.testing.assert_array_equal(cka.values[0, :, 1], cka.values[1, :, 0].T)
    assert not np.allclose(cka.values[0, :, 1], cka.values[1, :, 0])
    assert not np.allclose(weighted.values[0, :, 1], weighted.values[1, :, 0].T)


def test_a_missing_pair_of_networks_is_refused(tmp_path):
    run = Run(tmp_path, unrelated_points(np.random.default_rng(11)))
    part = read_table(run.pairs(["linear_cka"], rows=(0, 1), columns=(2,), clouds=run.every)[1])
    with pytest.raises(InputError, match="nets, top, linear_cka: a pair of networks is missing"):
        list(gathered(part))


def test_agreement_of_a_measure_with_its_own_distance_is_full(tmp_path):
    run = Run(tmp_path, unrelated_points(np.random.default_rng(5)), networks=2)
    agreement = run.tables(("linear_cka", "linear_cka_distance"), curves=False)["measure_agreement"]
    assert agreement[["mean", "low", "high"]].to_numpy() == pytest.approx(1.0)
    assert np.isnan(agreement["p_value"].item())  # four layers: too few to exchange


def said(capsys):
    return capsys.readouterr().err.splitlines()[-1]


def test_clouds_of_other_images_a_dead_layer_and_too_few_images_are_refused(tmp_path, capsys):
    run = Run(tmp_path, unrelated_points(np.random.default_rng(6)), networks=2)
    points = np.random.default_rng(7).normal(size=(IMAGES, CHANNELS))

    write(tmp_path / "1-2.safetensors", points, 1, 3, ids=np.roll(np.arange(IMAGES), 1))
    assert run.pairs(["linear_cka"], clouds=run.every)[0] == 2
    assert "hold the same 60 samples in another order" in said(capsys)

    write(tmp_path / "1-2.safetensors", np.ones((IMAGES, CHANNELS)), 1, 3)
    assert run.pairs(["linear_cka"], clouds=run.every)[0] == 2
    assert f"nets 1, layer conv3, cloud top: all {CHANNELS} channels are constant" in said(capsys)
    assert run.barcodes(1)[0] == 2
    assert "activation_clouds.top.members" in said(capsys)

    few = Run(tmp_path, lambda network, layer: points[:13], networks=2)
    assert few.pairs(["svcca_distance"], clouds=few.every)[0] == 2
    assert "needs at least 14 samples" in said(capsys)


def test_files_of_another_cloud_are_refused(tmp_path, capsys):
    run = Run(tmp_path, unrelated_points(np.random.default_rng(8)), networks=2)
    write(tmp_path / "0-0.safetensors", np.eye(CHANNELS), 0, 1, population="others")
    assert run.barcodes(0)[0] == 2
    assert "holds cloud top of others 0; expected top of nets 0" in said(capsys)
