"""`cnn-topology mapper`: from the clouds of a layer to the tables of its mapper graphs."""

import re
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from job_runs import run_job
from known_shapes import primary_circle

from cnn_topology.analysis.filter_graph import COUNTS, mapper_tables, sweep_table
from cnn_topology.clouds.density import densest_points
from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.errors import InputError
from cnn_topology.mapper.recipes import mapper_of_filters
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.mapper import MapperChange, MapperRecipe
from cnn_topology.plan.parameters import MapperParameters
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.tables.filters import cloud_schema, neighbour_column
from cnn_topology.tables.loops import CloudKey
from cnn_topology.tables.mapper import MapperEdgeRow, MapperGraphRow, MapperNodeRow, MapperSweepRow
from cnn_topology.topology.patches import noisy

WHICH = CloudKey(population="a", layer="conv1", depth=1, step=12, density_k=6, density_p=0.5, landmarks=6_000)


def tables_of(points, recipe, seed):
    return mapper_tables(WHICH, points, np.arange(len(points)) % 3, recipe, seed)


def circle(points, seed=0):
    return noisy(primary_circle(points), 0.1, np.random.default_rng(seed))


def clouds_of(steps, points=30):
    parts = []
    for step in steps:
        cloud = circle(points, step)
        ids = {name: np.arange(points) for name in ("network", "out_channel", "in_channel")}
        before = {"norm": np.ones(points), "mean_entry": np.zeros(points)}
        distances = neighbour_distances(cloud, [6])[:, 0]
        parts.append(
            pa.table(
                {
                    "step": np.full(points, step),
                    **ids,
                    "coordinates": list(cloud),
                    **before,
                    neighbour_column(0.2): distances,
                }
            )
        )
    return pa.concat_tables(parts)


def made_by_command(tmp_path, tiny, clouds):
    plan = Plan(parse_config(tiny))
    layer = plan.layer_clouds[0]
    parameters = MapperParameters.of(plan, layer, tuple(layer.filterings))
    write_table(tmp_path / "clouds.parquet", clouds, cloud_schema([0.2]), {"config": "abc", "data": "digits:1"})
    outputs = {name: tmp_path / f"{name}.parquet" for name in ("graphs", "nodes", "edges", "sweep")}
    tables = {f"mapper_{name}": path for name, path in outputs.items()}
    assert run_job(parameters, {"clouds": tmp_path / "clouds.parquet"}, tables) == 0
    assert read_notes(outputs["graphs"])["data"] == "digits:1"
    schemas = {
        "graphs": MapperGraphRow.schema,
        "nodes": MapperNodeRow.schema,
        "edges": MapperEdgeRow.schema,
        "sweep": MapperSweepRow.schema,
    }
    return {name: read_table(outputs[name], schema).to_pandas() for name, schema in schemas.items()}


def test_graph_is_that_of_the_points_the_headline_filter_keeps(tmp_path, tiny):
    clouds = clouds_of([0, 4, 12])
    made = made_by_command(tmp_path, tiny, clouds)
    graph, nodes, edges = made["graphs"].iloc[0], made["nodes"], made["edges"]
    assert list(made["graphs"]["step"]) == [12]
    assert (graph["kept"], graph["used"], graph["resolution"]) == (18, 18, 4)
    assert (graph["nodes"], graph["edges"]) == (len(nodes), len(edges))
    assert graph["loops"] == graph["edges"] - graph["nodes"] + graph["components"]
    assert list(nodes["node"]) == list(range(len(nodes)))
    assert (edges["a"] < edges["b"]).all()
    assert edges[["a", "b"]].to_numpy().max() < len(nodes)
    smaller = np.minimum(nodes["members"].to_numpy()[edges["a"]], nodes["members"].to_numpy()[edges["b"]])
    assert (edges["shared"].to_numpy() <= smaller).all()
    # A node of one point has that point's filter as its mean: it is one of those kept.
    last = clouds.to_pandas().query("step == 12")
    kept = last.iloc[densest_points(last[neighbour_column(0.2)].to_numpy(), 0.6)]
    single = np.stack(nodes[nodes["members"] == 1]["coordinates"])
    assert len(single)
    distances = np.linalg.norm(single[:, None] - np.stack(kept["coordinates"])[None], axis=2)
    assert (distances.min(axis=1) < 1e-6).all()


def test_every_step_has_a_graph_when_asked(tmp_path, tiny):
    tiny["mapper"]["steps"] = "all"
    made = made_by_command(tmp_path, tiny, clouds_of([0, 4, 12]))
    assert list(made["graphs"]["step"]) == [0, 4, 12]
    assert set(made["nodes"]["step"]) == {0, 4, 12}


def test_only_the_last_step_has_a_graph_unless_asked(tiny):
    plan = Plan(parse_config(tiny))
    layer = plan.layer_clouds[0]
    assert [plan.mapper_steps(layer, steps) for steps in layer.blocks(2).values()] == [(), (12,)]
    tiny["mapper"] = None
    assert Plan(parse_config(tiny)).mapper_steps(layer, (4, 12)) == ()


def test_nodes_name_the_networks_that_their_filters_are_of():
    points = circle(600)
    around = np.arctan2(points[:, 5], points[:, 7])
    networks = (around > 0).astype(int) + 3  # one half of the circle is of network 3, the other of network 4
    nodes = mapper_tables(WHICH, points, networks, MapperRecipe(resolution=12), 0)["mapper_nodes"].to_pandas()
    of = {tuple(numbers) for numbers in nodes["of_networks"]}
    assert {(3,), (4,)} <= of <= {(3,), (4,), (3, 4)}
    assert nodes["of_networks"].map(len).eq(1).mean() > 0.5


def test_circle_of_edges_is_one_loop_and_nodes_carry_its_angles():
    made = tables_of(circle(600), MapperRecipe(resolution=12), 0)
    graph = made["mapper_graphs"].to_pylist()[0]
    assert (graph["components"], graph["filled_loops"], graph["explanation"]) == (1, 1, "")
    nodes = made["mapper_nodes"].to_pandas()
    means = np.stack(nodes["coordinates"])
    rises = np.mod(
        np.arctan2(means[:, :3].sum(1) - means[:, 6:].sum(1), means[:, 2::3].sum(1) - means[:, ::3].sum(1)), np.pi
    )
    apart = np.abs(rises - np.mod(nodes["theta1"], np.pi))
    assert np.minimum(apart, np.pi - apart).max() < 0.3


def test_points_over_the_cap_are_drawn_by_seed_and_recorded():
    recipe = MapperRecipe(resolution=6, max_points=50)
    one, again, other = (tables_of(circle(200), recipe, seed) for seed in (1, 1, 2))
    graph = one["mapper_graphs"].to_pylist()[0]
    assert (graph["kept"], graph["used"], graph["max_points"], graph["seed"]) == (200, 50, 50, 1)
    assert one == again
    assert not one["mapper_nodes"].equals(other["mapper_nodes"])


@pytest.mark.parametrize(
    "change",
    [
        {"gap_from_zero": True},
        {"metric": "euclidean"},
        {"equalized": True},
        {"scaled_lens": True},
        {"gain": 2},
    ],
)
def test_every_choice_reaches_the_graph_and_stands_in_its_row(change):
    points = circle(200) * np.linspace(1, 2, 9)
    base = MapperRecipe(resolution=6)
    recipe = MapperRecipe.model_validate({"resolution": 6, **change})
    plain, changed = (tables_of(points, made, 0) for made in (base, recipe))
    assert not changed["mapper_nodes"].equals(plain["mapper_nodes"])
    differing = [
        name
        for name in ("gain", "equalized", "metric", "scaled_lens", "from_zero")
        if plain["mapper_graphs"][name] != changed["mapper_graphs"][name]
    ]
    assert differing


def test_one_node_is_explained_and_no_error():
    made = tables_of(circle(40), MapperRecipe(resolution=1), 0)
    graph = made["mapper_graphs"].to_pylist()[0]
    assert (graph["nodes"], graph["edges"]) == (1, 0)
    assert "use a higher resolution" in graph["explanation"]
    assert made["mapper_edges"].num_rows == 0


@pytest.mark.parametrize(
    ("signs", "change", "words"),
    [
        ([1], {}, "all 20 points coincide"),
        ([1], {"metric": "euclidean"}, "PCA-1 has zero variance"),
        ([1, -1], {}, "PCA-2 has zero variance.*vary in 1 direction only"),
    ],
)
def test_a_layer_without_variance_has_an_empty_graph_that_says_why_and_what_to_change(signs, change, words):
    points = np.resize(signs, 20)[:, None] * circle(1)
    made = tables_of(points, MapperRecipe.model_validate(change), 0)
    (graph,) = made["mapper_graphs"].to_pylist()
    assert [graph[name] for name in COUNTS] == [0] * len(COUNTS)
    assert (graph["layer"], graph["kept"], graph["used"]) == ("conv1", 20, 20)
    assert re.search(words + ".* To change that, keep more of them", graph["explanation"])
    assert made["mapper_nodes"].num_rows == made["mapper_edges"].num_rows == 0


def test_a_recipe_that_cannot_be_made_stops_the_job_with_place_and_way_out(monkeypatch):
    monkeypatch.setattr(
        "cnn_topology.analysis.filter_graph.mapper_of_filters", partial(mapper_of_filters, memory=1_000)
    )
    with pytest.raises(InputError, match=r"a, conv1, step 12: .*GB are allowed.*mapper: null"):
        tables_of(circle(60), MapperRecipe(), 0)


SWEEP = [{"resolution": 8}, {"resolution": 6, "gain": 2}, {"equalized": True}, {"metric": "euclidean"}]
SWEEP += [{"gap_from_zero": True}, {"scaled_lens": True}]


def test_a_sweep_counts_the_same_graphs_that_the_recipe_itself_would_make(tmp_path, tiny):
    tiny["mapper"] = {"resolution": 4, "sweep": SWEEP}
    clouds = clouds_of([0, 4, 12], points=60)
    made = made_by_command(tmp_path, tiny, clouds)
    sweep = made["sweep"]
    assert sweep["change"].tolist() == [
        "as drawn", "resolution 8", "resolution 6, gain 2", "equalized", "euclidean", "gap from zero", "scaled lens",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(sweep.drop(columns="change").head(1), made["graphs"])
    for change, row in zip(SWEEP, sweep.to_dict("records")[1:], strict=True):
        tiny["mapper"] = {"resolution": 4, **change}
        (alone,) = made_by_command(tmp_path, tiny, clouds)["graphs"].to_dict("records")
        assert {**alone, "change": row["change"]} == row


def test_without_a_sweep_its_table_is_empty(tmp_path, tiny):
    assert made_by_command(tmp_path, tiny, clouds_of([0, 4, 12]))["sweep"].empty


def test_a_way_that_makes_no_graph_says_why_and_stops_nothing(tiny):
    # Two points: the second component has zero variance unless the lens is taken otherwise.
    parameters = MapperParameters.of(Plan(parse_config(tiny)), Plan(parse_config(tiny)).layer_clouds[0], (12,))
    points = circle(30)
    drawn = tables_of(points, MapperRecipe(resolution=4), 0)["mapper_graphs"]
    changed = parameters.model_copy(update={"sweep": (MapperChange(metric="euclidean"),)})
    (_, row) = sweep_table(WHICH, np.repeat(points[:1], 30, axis=0), drawn, changed, 0).to_pylist()
    assert (row["nodes"], row["edges"]) == (0, 0)
    assert "zero variance" in row["explanation"]


def test_a_change_that_changes_nothing_is_refused(tiny):
    tiny["mapper"] = {"sweep": [{}]}
    with pytest.raises(InputError, match=r"mapper.sweep\[0\]: a change must state a key"):
        parse_config(tiny)
    tiny["mapper"] = {"sweep": [{"resolutoin": 20}]}
    with pytest.raises(InputError, match="did you mean 'resolution'"):
        parse_config(tiny)
