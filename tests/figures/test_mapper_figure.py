"""The mapper graph of a layer, in print and as a page: what is drawn, and what is said where nothing is."""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from job_runs import run_job
from known_shapes import primary_circle
from matplotlib.text import Text

from cnn_topology.analysis.filter_graph import mapper_tables
from cnn_topology.figures.drawing import draw, page
from cnn_topology.figures.mapper import SECTORS, drawn_part, placed
from cnn_topology.figures.registry import FigureParameters, FigureSpec, figure_specs
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.mapper import MapperRecipe
from cnn_topology.storage.tables import write_table
from cnn_topology.tables.loops import CloudKey
from cnn_topology.tables.registry import TABLES

Tables = dict[str, pa.Table]
SAID = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


@pytest.fixture
def spec(plan: Plan) -> FigureSpec:
    return figure_specs(plan)["mapper_printed_conv1"]


def words(figure: Any) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in figure.findobj(Text))


def content(text: str) -> dict[str, Any]:
    found = SAID.search(text)
    assert found
    return dict(json.loads(found.group(1)))


def with_graph(tables: Tables, spec: FigureSpec, **recipe: Any) -> Tables:
    """Put another graph in the place of the figure's own."""
    old = tables["mapper_graphs"].filter(pc.equal(tables["mapper_graphs"]["layer"], "conv1"))
    row = old.filter(pc.equal(old["population"], "printed")).to_pylist()[0]
    which = CloudKey(**{name: row[name] for name in CloudKey.schema.names})
    return {**tables, **mapper_tables(which, primary_circle(64), np.arange(64) % 3, MapperRecipe(**recipe), 0)}


def test_figure_shows_graph_and_the_verdict_of_the_barcode(
    spec: FigureSpec, tables: Tables, notes: dict[str, str]
) -> None:
    figure, table = draw(spec, tables, notes)
    shown = table.to_pandas()
    graph = shown[shown["panel"] == "graph"].iloc[0]
    assert (shown["panel"] == "nodes").sum() == graph["nodes"]
    assert (shown["panel"] == "edges").sum() == graph["edges"]
    assert graph["verdict"] == "one loop"
    said = words(figure)
    assert f"{int(graph['nodes'])} nodes, {int(graph['filled_loops'])} loop" in said
    assert "Filters of conv1 form one loop (p = 0.005)" in said
    bars = shown[shown["panel"] == "h1"]
    assert bars["longer"].sum() == 1
    assert bars.loc[bars["longer"].astype(bool), "length"].item() == bars["length"].max()
    assert "Mapper(8, 3)" in said.replace("\N{NO-BREAK SPACE}", " ")


def test_filters_around_the_graph_are_those_of_large_outer_nodes_in_their_direction(tables: Tables) -> None:
    nodes = tables["mapper_nodes"].to_pandas()
    nodes = placed(nodes[(nodes["population"] == "printed") & (nodes["layer"] == "conv1")])
    assert np.hypot(nodes["x"], nodes["y"]).max() == pytest.approx(1)
    chosen = nodes[nodes["sector"] >= 0]
    assert chosen["sector"].is_unique
    assert len(chosen) == SECTORS
    apart = np.angle(np.exp(1j * (np.arctan2(chosen["y"], chosen["x"]) - 2 * np.pi * chosen["sector"] / SECTORS)))
    assert np.abs(apart).max() <= np.pi / SECTORS + 1e-9
    along = pd.DataFrame({"lens1": [1.0, 2.0, 3.0, 4.0, -4.0], "lens2": 0.0, "members": [9, 1, 2, 1, 1]})
    assert placed(along)["sector"].tolist() == [-1, -1, 0, -1, SECTORS // 2]


def test_weak_edges_are_left_out() -> None:
    nodes = pd.DataFrame({"node": [0, 1, 2], "members": [5, 1, 4], "theta1": 0.1, "theta2": 1.0})
    edges = pd.DataFrame({"a": [0, 0, 1], "b": [1, 2, 2], "shared": [1, 3, 1]})
    kept, between = drawn_part(nodes, edges, most_edges=2)
    assert list(kept["node"]) == [0, 1, 2]
    assert between["shared"].tolist() == [1, 3]


def test_a_graph_of_one_node_is_explained(spec: FigureSpec, tables: Tables, notes: dict[str, str]) -> None:
    reason = "use a higher resolution"
    changed = with_graph(tables, spec, resolution=1)
    assert reason in words(draw(spec, changed, notes)[0])
    graph = content(page(spec, changed, notes))["graphs"][0]
    assert reason in graph["explanation"]
    assert graph["nodes"]["node"] == [0]


def test_page_holds_every_node_with_its_mean_filter(spec: FigureSpec, tables: Tables, notes: dict[str, str]) -> None:
    said = content(page(spec, tables, notes))
    graph = said["graphs"][-1]
    nodes = tables["mapper_nodes"].to_pandas()
    nodes = nodes[(nodes["population"] == "printed") & (nodes["layer"] == "conv1")]
    nodes = nodes.sort_values(["members", "node"], ascending=[False, True])
    assert graph["nodes"]["node"] == nodes["node"].tolist()
    assert graph["nodes"]["members"] == nodes["members"].tolist()
    assert graph["networks"] == [[0]] * len(nodes)
    assert graph["nodes"]["share"] == [1 / 16] * len(nodes)
    np.testing.assert_allclose(graph["filters"], np.stack(nodes["coordinates"]), atol=1e-3)
    links = tables["mapper_edges"].to_pandas()
    links = links[(links["population"] == "printed") & (links["layer"] == "conv1")]
    drawn = np.array(graph["nodes"]["node"])[np.reshape(graph["edges"], (-1, 2))]
    assert drawn.tolist() == links[["a", "b"]].to_numpy().tolist()
    assert dict(graph["numbers"])["barcode"] == "one loop (p = 0.005)"
    assert "seed 2018" in said["footer"]


def test_page_without_graph_says_so(spec: FigureSpec, empty_tables: Tables, notes: dict[str, str]) -> None:
    said = content(page(spec, empty_tables, notes))
    assert said["graphs"] == []
    assert "every network failed" in said["note"]


def test_page_is_written_by_its_command(spec: FigureSpec, tables: Tables, tmp_path: Any) -> None:
    paths = [tmp_path / f"{name}.parquet" for name in spec.tables]
    for name, path in zip(spec.tables, paths, strict=True):
        write_table(path, tables[name], TABLES[name].schema, {"seed": "5", "config": "abc", "data": ""})
    parameters, figures = FigureParameters(run_seed=5, specs=(spec,)), [tmp_path / f"{spec.name}.pdf"]
    assert run_job(parameters, {"tables": paths}, {"figures": figures}) == 0
    assert "seed 5" in content((tmp_path / f"{spec.name}.html").read_text())["footer"]
    made = [path.name for suffix in spec.suffixes for path in tmp_path.glob(f"*.{suffix}") if path not in paths]
    assert sorted(made) == sorted(f"{spec.name}.{suffix}" for suffix in ("html", "parquet", "pdf", "png", "txt"))


def test_a_run_without_mapper_has_no_such_figure(make_plan: Callable[..., Plan]) -> None:
    config = make_plan().config.model_copy(update={"mapper": None})
    assert not [name for name in figure_specs(Plan(config)) if name.startswith("mapper")]
