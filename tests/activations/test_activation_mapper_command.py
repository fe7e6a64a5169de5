"""`cnn-topology activation-mapper` and `purity-tests`: from files of clouds to the tables of graphs and purity."""

import copy

import numpy as np
import pyarrow as pa
import pytest
from job_runs import origin_of, run_job, write_cloud

from cnn_topology.activations.cloud_file import ActivationCloud
from cnn_topology.analysis.activation_graph import graph_tables
from cnn_topology.errors import InputError
from cnn_topology.mapper.summaries import BRANCH_NODE
from cnn_topology.plan.activation_graphs import ActivationMapperParameters, GraphJob, PurityTestParameters
from cnn_topology.plan.activations import GraphRecipe, GraphSettings, Sweep
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.tables.purity import PurityTestRow
from cnn_topology.tables.registry import GRAPH_ROWS, TABLES
from cnn_topology.tables.training import ResnetAccuracyRow

CLASSES = ("cat", "dog", "ship")
ELBOW = GraphSettings(intervals=6, overlap=0.25, eps=None, eps_from="elbow")
LAYERS = {"layer1.1.bn2": 5, "layer3.1.bn2": 13, "layer4.1.bn2": 17}


def cloud(layer="layer4.1.bn2", name="random", apart=12.0, sigma=0.0, network=0, sampling="random", points=300):
    """Return three classes in ten channels, `apart` apart."""
    generator = np.random.default_rng(LAYERS[layer] + network)
    labels = np.arange(points) % 3
    noise = generator.normal(size=(points, 10)) * (1 + 0.2 * sigma)
    values = apart * np.eye(10)[labels] * generator.uniform(1, 1.5, (points, 1)) + noise
    drawn = {"sampling": sampling, "sigma": sigma}
    of_network = {"network": network, "cloud": name, "tensor": "relu", "classes": CLASSES, "images": points}
    origin = origin_of(layer, LAYERS[layer], (4, 4, 10), drawn, **of_network)
    ids = 2 * np.arange(points)
    return ActivationCloud(values.astype(np.float32), ids, ids % 16, labels, origin)


def parameters(layers, name="random", clean=None, **recipe):
    job = GraphJob("elbow", "nets", 0, name, 0, (), layers, clean)
    return ActivationMapperParameters(run_seed=7, job=job, graphs=GraphRecipe(label_shuffles=19, **recipe))


def made(given, settings=ELBOW, **recipe):
    return graph_tables(given, parameters({given.origin.layer: settings}, given.origin.cloud, **recipe), settings)


def row_of(tables, name):
    return tables[name].to_pylist()[0]


def run_command(folder, clouds, block, clean=()):
    folder.mkdir()
    paths = [folder / f"{number}.safetensors" for number in range(len(clouds))]
    for path, each in zip(paths, clouds, strict=True):
        write_cloud(path, each, {"config": "abc", "data": "digits:1", "seed": "7"})
    outputs = {name: folder / f"{name}.parquet" for name in (row.table_name for row in GRAPH_ROWS)}
    assert run_job(block, {"clouds": paths, "clean": clean}, outputs) == 0
    return outputs


def test_separate_classes_give_pure_nodes_above_chance():
    tables = made(cloud())
    graph, purity = row_of(tables, "activation_graphs"), row_of(tables, "purity")
    nodes = tables["activation_nodes"].to_pylist()
    assert (graph["nodes"], graph["edges"]) == (len(nodes), tables["activation_edges"].num_rows)
    assert graph["components"] >= 3
    assert graph["loops"] == graph["edges"] - graph["nodes"] + graph["components"]
    assert (graph["eps_from"], graph["points"], graph["used"]) == ("elbow", 300, 300)
    assert purity["node_wise"] == pytest.approx(np.mean([node["purity"] for node in nodes])) == 1
    assert purity["chance"] < 0.7
    assert purity["chance_low"] <= purity["chance"] <= purity["chance_high"]
    assert purity["p_value"] == 1 / 20
    for node in nodes:
        assert sum(node["counts"]) == node["members"]
        assert node["purity"] == 1 / np.count_nonzero(node["counts"])
        assert 1 <= len(node["example_images"]) <= 12
        label = int(np.argmax(node["counts"]))
        assert {image // 2 % 3 for image in node["example_images"]} == {label}
        assert 0 <= node["lens"] <= 1


def test_class_purity_mixes_purity_and_coverage():
    tables = made(cloud())
    rows = tables["class_purity"].to_pylist()
    assert [row["class_name"] for row in rows] == list(CLASSES)
    for row in rows:
        assert row["points"] == 100
        assert row["purity"] == pytest.approx(row["coverage"])
    assert np.mean([row["coverage"] for row in rows]) == pytest.approx(row_of(tables, "activation_graphs")["coverage"])


def test_the_radius_may_be_given_and_says_so():
    given = ELBOW.model_copy(update={"eps": 4.5, "eps_from": "given"})
    graph = row_of(made(cloud(), given), "activation_graphs")
    assert (graph["eps"], graph["eps_from"], graph["intervals"], graph["overlap"]) == (4.5, "given", 6, 0.25)


def test_points_over_the_cap_are_drawn_by_seed_and_recorded():
    first, again = made(cloud(), max_points=200), made(cloud(), max_points=200)
    graph = row_of(first, "activation_graphs")
    assert (graph["points"], graph["used"], graph["max_points"]) == (300, 200, 200)
    assert first["activation_nodes"].equals(again["activation_nodes"])
    assert sum(row["points"] for row in first["class_purity"].to_pylist()) == 200


def test_sweep_starts_with_the_graph_itself_and_changes_one_setting_at_a_time():
    tables = made(cloud(), sweep=Sweep(eps_factors=(0.2, 2.0), overlaps=(0.5,), intervals=(3,)))
    rows = tables["activation_sweep"].to_pylist()
    graph = row_of(tables, "activation_graphs")
    assert [row["varied"] for row in rows] == ["none", "eps", "eps", "overlap", "intervals"]
    assert (rows[0]["nodes"], rows[0]["stability"]) == (graph["nodes"], 1.0)
    assert rows[1]["eps"] == pytest.approx(0.2 * graph["eps"])
    assert rows[1]["coverage"] < rows[0]["coverage"]
    assert (rows[3]["overlap"], rows[4]["intervals"]) == (0.5, 3)
    assert all(row["stability"] <= 1 for row in rows)
    assert made(cloud())["activation_sweep"].num_rows == 0


def test_neighbour_curve_falls_and_channels_are_those_of_the_cloud():
    given = cloud()
    tables = made(given)
    curve = tables["neighbour_curves"].to_pandas()
    assert (np.diff(curve["nearest_distance"]) <= 0).all()
    assert (curve["fifth_distance"] >= curve["nearest_distance"]).all()
    assert (curve["rows"] == 300).all()
    channels = tables["activation_channels"].to_pandas()
    assert np.allclose(channels["mean"], given.points.mean(axis=0), atol=1e-5)
    assert np.allclose(channels["sd"], given.points.std(axis=0), atol=1e-5)


def test_an_empty_graph_is_explained_and_no_error():
    tables = made(cloud(), ELBOW.model_copy(update={"eps": 1e-3, "eps_from": "given"}))
    graph, purity = row_of(tables, "activation_graphs"), row_of(tables, "purity")
    assert graph["nodes"] == 0
    assert "raise eps" in graph["explanation"]
    assert np.isnan(purity["node_wise"])
    assert purity["coverage"] == 0
    assert (tables["class_purity"]["purity"].to_numpy() == 0).all()


def test_one_node_is_explained():
    settings = GraphSettings(intervals=1, overlap=0.0, eps=100.0, eps_from="given")
    tables = made(cloud(), settings)
    assert row_of(tables, "activation_graphs")["nodes"] == 1
    assert "more intervals" in row_of(tables, "activation_graphs")["explanation"]
    assert BRANCH_NODE <= 300


def test_a_radius_that_makes_every_interval_one_node_is_told_in_table_and_log(tmp_path, capsys):
    settings = ELBOW.model_copy(update={"eps": 200.0, "eps_from": "given"})
    outputs = run_command(tmp_path / "wide", [cloud()], parameters({"layer4.1.bn2": settings}))
    graph = read_table(outputs["activation_graphs"]).to_pylist()[0]
    assert graph["nodes"] == graph["filled_intervals"] - graph["skipped_intervals"] > 1
    assert "No interval of the lens holds two of" in graph["explanation"]
    assert "lower eps (= 200)" in graph["explanation"]
    assert graph["explanation"] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "recipe", "words"),
    [
        (cloud(points=4), {}, "4 points, fewer than min_samples = 5: take more images"),
        (cloud(), {"max_memory_gb": 1e-4}, r"forecast to need .* GB .*0.0 GB are allowed"),
    ],
)
def test_what_cannot_be_done_is_refused_with_place_and_way_out(given, recipe, words):
    with pytest.raises(InputError, match=r"cloud random of nets 0, layer4.1.bn2: .*" + words):
        made(given, **recipe)


def test_a_lens_without_variance_is_refused():
    flat = cloud()
    same = ActivationCloud(np.ones_like(flat.points), flat.ids, flat.positions, flat.labels, flat.origin)
    with pytest.raises(InputError, match=r"layer4.1.bn2: .*(zero variance|eps = 0)"):
        made(same)


def test_command_writes_all_tables_and_noise_takes_the_clean_radius(tmp_path):
    layers = dict.fromkeys(LAYERS, ELBOW)
    clean = run_command(tmp_path / "clean", [cloud(layer) for layer in LAYERS], parameters(layers))
    graphs = read_table(clean["activation_graphs"], TABLES["activation_graphs"].schema).to_pylist()
    assert [graph["layer"] for graph in graphs] == list(LAYERS)
    assert read_notes(clean["purity"])["data"] == "digits:1"
    noisy_layers = {"layer4.1.bn2": ELBOW.model_copy(update={"eps_from": "clean"})}
    noisy = run_command(
        tmp_path / "noisy",
        [cloud(name="noisy", sigma=0.5)],
        parameters(noisy_layers, "noisy", clean="random"),
        [clean["activation_graphs"]],
    )
    graph = read_table(noisy["activation_graphs"]).to_pylist()[0]
    assert (graph["eps"], graph["eps_from"], graph["sigma"]) == (graphs[-1]["eps"], "clean", 0.5)
    assert read_table(noisy["purity"]).to_pylist()[0]["clean"] == "random"
    assert read_table(noisy["neighbour_curves"]).num_rows == 0
    # The tests on purity, from these two clouds.
    for name in ("purity", "purity_draws"):
        joined = pa.concat_tables([read_table(part[name]) for part in (clean, noisy)])
        write_table(tmp_path / f"{name}.parquet", joined, TABLES[name].schema, {"config": "x"})
    accuracy = [
        {"population": "nets", "network": 0, "seed": 1, "cloud": name, "split": "test", "sigma": sigma,
         "class_name": "all", "examples": 300, "accuracy": value}
        for name, sigma, value in (("random", 0.0, 0.9), ("noisy", 0.5, 0.3))
    ]  # fmt: skip
    write_table(tmp_path / "accuracy.parquet", pa.Table.from_pylist(accuracy), ResnetAccuracyRow.schema, {})
    files = {"purity": "purity", "draws": "purity_draws", "accuracy": "accuracy"}
    inputs = {name: tmp_path / f"{file}.parquet" for name, file in files.items()}
    tests = tmp_path / "tests.parquet"
    assert run_job(PurityTestParameters(run_seed=1), inputs, {"purity_tests": tests}) == 0
    found = read_table(tests, PurityTestRow.schema).to_pandas().set_index(["test", "network"])
    assert {"deeper_is_purer", "noise_lowers_purity"} <= set(found.index.get_level_values(0))
    left = found.loc[("falls_no_faster_than_accuracy_as_they_are", 0)]
    ratio = read_table(noisy["purity"]).to_pylist()[0]["node_wise"] / 1.0
    assert left["statistic"] == pytest.approx(ratio - 0.3 / 0.9)
    assert left["low"] < left["statistic"] < left["high"]


def test_a_cloud_of_another_layer_is_refused(tmp_path):
    block = parameters({"layer1.1.bn2": ELBOW})
    with pytest.raises(AssertionError):
        run_command(tmp_path / "x", [copy.copy(cloud())], block)
