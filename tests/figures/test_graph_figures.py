"""Figures and pages of mapper graphs of activations: what is drawn, and what is said where nothing is."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from job_runs import origin_of
from matplotlib.text import Text

from cnn_topology.activations.cloud_file import ActivationCloud
from cnn_topology.analysis.activation_graph import graph_tables
from cnn_topology.data.examples import example_images, png
from cnn_topology.data.image_set import ImageSet
from cnn_topology.errors import InputError
from cnn_topology.figures.class_purity import AREA
from cnn_topology.figures.drawing import draw, page
from cnn_topology.figures.graph_layout import drawn_graph, placed
from cnn_topology.figures.mapper_branches import branch_ends
from cnn_topology.figures.registry import figure_specs, kinds
from cnn_topology.figures.selection import number
from cnn_topology.figures.style import save
from cnn_topology.plan.activation_graphs import ActivationMapperParameters, GraphPlan
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.findings import RunFacts
from cnn_topology.summary.tables import recipe_tables
from cnn_topology.tables.registry import TABLES

Tables = dict[str, pa.Table]
# Names of classes are those of a user's folders.
CLASSES = ("cat", r"<b>$x_{ \frac", "_كلب")
PRINTED_KINDS = {name for name, kind in kinds().items() if kind.section == "activation_graphs" and kind.draw}
NOTES = {"seed": "7", "config": "0123456789ab", "data": "cats:0123456789ab"}


@pytest.fixture(scope="module")
def graph_plan() -> Plan:
    cloud = {"population": "nets", "layers": ["layer1.1.bn2", "layer4.1.bn2"], "n_images": 150}
    return Plan(
        parse_config(
            {
                "version": 2,
                "name": "graphs",
                "images": {"cats": {"kind": "cifar10"}},
                "resnets": {"nets": {"images": "cats", "variant": "mapper"}},
                "activation_clouds": {
                    "random": {**cloud, "sampling": "random"},
                    "fg": {**cloud, "sampling": "foreground"},
                    "noisy": {**cloud, "sampling": "random", "sigma": 0.4},
                },
                "activation_mapper": {"elbow": {"intervals": 6, "label_shuffles": 19, "sweep": {"intervals": [4]}}},
            }
        )
    )


@pytest.fixture(scope="module")
def image_set() -> ImageSet:
    images = np.random.default_rng(0).integers(0, 256, (150, 8, 8, 3), dtype=np.uint8)
    labels = np.arange(150) % 3
    return ImageSet("cats", images, labels, images, labels, CLASSES)


@pytest.fixture(scope="module")
def graph_tables_of_run(graph_plan: Plan, image_set: ImageSet) -> Tables:
    """Return three classes that come apart with depth, and the tables of their graphs."""
    graphs, parts, radii, rates = GraphPlan(graph_plan), [], {}, []
    for job in graphs.jobs.values():
        section = graph_plan.config.activation_clouds[job.cloud]
        block = ActivationMapperParameters.of(graph_plan, job)
        rates += [
            {"population": "nets", "network": 0, "seed": 1, "cloud": job.cloud, "split": "test", "class_name": name,
             "sigma": section.sigma, "examples": 150, "accuracy": 0.9 - section.sigma}
            for name in ("all", *CLASSES)
        ]  # fmt: skip
        for layer in job.layers:
            rng = np.random.default_rng(layer.depth)
            labels = np.arange(150) % 3
            points = rng.uniform(0.3, 1, (150, 1)) * layer.depth * np.eye(6)[labels]
            points = np.abs(points + (1 + section.sigma) * 0.5 * rng.normal(size=(150, 6)))
            drawn = {"sampling": section.sampling, "sigma": section.sigma}
            about = {"cloud": job.cloud, "tensor": "relu", "classes": CLASSES, "images": 150}
            origin = origin_of(layer.name, layer.depth, (4, 4, 6), drawn, **about)
            cloud = ActivationCloud(points.astype(np.float32), np.arange(150), np.arange(150) % 16, labels, origin)
            settings = block.job.settings[layer.name]
            if settings.eps_from == "clean":
                settings = settings.model_copy(update={"eps": radii[layer.name]})
            parts.append(graph_tables(cloud, block, settings))
            if job.cloud == "random":
                radii[layer.name] = parts[-1]["activation_graphs"]["eps"][0].as_py()
    tables = {name: pa.concat_tables([part[name] for part in parts]) for name in parts[0]}
    tables["resnet_accuracy"] = pa.Table.from_pylist(rates, schema=TABLES["resnet_accuracy"].schema)
    tables["example_images"] = example_images(image_set, "cats", "test", list(range(150)))
    return tables


def words(figure: Any) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in figure.findobj(Text))


def content(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return dict(json.loads(found.group(1)))


def test_every_figure_of_the_run_is_drawn_with_names_of_any_kind(
    graph_plan: Plan, graph_tables_of_run: Tables, tmp_path: Path
) -> None:
    specs = {name: spec for name, spec in figure_specs(graph_plan).items() if spec.kind in PRINTED_KINDS}
    assert {spec.kind for spec in specs.values()} == PRINTED_KINDS
    for spec in specs.values():
        figure, table = draw(spec, graph_tables_of_run, NOTES)
        assert table.num_rows > 0, spec.name
        assert "$" not in words(figure).replace(CLASSES[1], "")
        save(figure, tmp_path, spec.name, table)
        assert "elbow rule" in words(figure), spec.name


def test_figures_of_empty_tables_say_so(graph_plan: Plan) -> None:
    for spec in figure_specs(graph_plan).values():
        if spec.kind in PRINTED_KINDS:
            figure, _ = draw(spec, {name: TABLES[name].schema.empty_table() for name in spec.tables}, NOTES)
            assert "hold no graph" in words(figure), spec.name


def test_figures_and_page_say_that_a_graph_shows_little_and_what_to_change(
    graph_plan: Plan, graph_tables_of_run: Tables
) -> None:
    graphs = graph_tables_of_run["activation_graphs"].to_pandas()
    for nodes, remark in ((6, "no interval holds two nodes: lower eps"), (1, "one node alone: change eps or cover")):
        marked = pa.Table.from_pandas(
            graphs.assign(nodes=nodes, explanation="All is one. To change that, lower eps."),
            schema=TABLES["activation_graphs"].schema,
        )
        tables = {**graph_tables_of_run, "activation_graphs": marked}
        for spec in figure_specs(graph_plan).values():
            if spec.kind == "activation_mapper":
                assert remark in words(draw(spec, tables, NOTES)[0])
                assert remark not in words(draw(spec, graph_tables_of_run, NOTES)[0])
            if spec.kind == "mapper_branches":
                assert "To change that, lower eps." in words(draw(spec, tables, NOTES)[0])
            if spec.kind == "activation_page":
                assert content(page(spec, tables, NOTES))["graphs"][0]["explanation"].startswith("All is one.")


def test_purity_figure_gives_the_numbers_of_the_table(graph_plan: Plan, graph_tables_of_run: Tables) -> None:
    figure, _ = draw(figure_specs(graph_plan)["purity_nets_elbow"], graph_tables_of_run, NOTES)
    purity = graph_tables_of_run["purity"].to_pandas()
    said = words(figure)
    for row in purity[purity["sigma"] == 0].to_dict("records"):
        assert f"{row['node_wise']:.2f}" in said
        assert f"({row['chance']:.2f}; {row['coverage']:.2f})" in said


def test_class_purity_is_drawn_over_its_chance_with_the_coverage_as_area(
    graph_plan: Plan, graph_tables_of_run: Tables
) -> None:
    figure, table = draw(figure_specs(graph_plan)["class_purity_nets_elbow"], graph_tables_of_run, NOTES)
    purity = graph_tables_of_run["class_purity"].to_pandas()
    purity = purity[purity["sigma"] == 0]
    for axes, cloud in zip(figure.axes, ("random", "fg"), strict=True):
        dots = np.concatenate([np.column_stack([part.get_offsets(), part.get_sizes()]) for part in axes.collections])
        rows = purity[purity["cloud"] == cloud].sort_values(["depth", "label"])
        of_classes = dots[dots[:, 1] < len(CLASSES)]
        np.testing.assert_allclose(of_classes[:, 0], rows["purity"] - rows["chance"])
        np.testing.assert_allclose(of_classes[:, 2], AREA * rows["coverage"])
        assert len(dots) == len(rows) + rows["depth"].nunique()
    deepest = purity[(purity["cloud"] == "fg") & (purity["depth"] == purity["depth"].max())]
    over = np.average(deepest["purity"] - deepest["chance"], weights=deepest["points"])
    assert f"{over:+.2f} (fg)" in words(figure)
    assert set(table["panel"].to_pylist()) == {"class_purity", "all_points"}
    assert "labels shuffled over images, 19 draws" in words(figure).replace("\N{NO-BREAK SPACE}", " ")


def test_class_purity_of_many_clouds_goes_to_pages() -> None:
    cloud = {"population": "nets", "layers": ["layer1.1.bn2", "layer4.1.bn2"], "n_images": 150, "sampling": "random"}
    for layers, size in ((cloud["layers"], 6), ("all", 6)):
        config = {
            "version": 2,
            "name": "graphs",
            "images": {"cats": {"kind": "cifar10"}},
            "resnets": {"nets": {"images": "cats", "variant": "mapper"}},
            "activation_clouds": {f"c{number}": {**cloud, "layers": layers} for number in range(8)},
            "activation_mapper": {"elbow": {}},
        }
        specs = [spec for spec in figure_specs(Plan(parse_config(config))).values() if spec.kind == "class_purity"]
        pages = [spec.parameters["clouds"] for spec in specs]
        assert [name for page in pages for name in page] == [f"c{number}" for number in range(8)]
        assert [len(page) for page in pages] == [size] * (8 // size) + ([8 % size] if 8 % size else [])
        assert [spec.name for spec in specs] == [f"class_purity_nets_elbow_{n}" for n in range(1, len(pages) + 1)]


def test_noise_figure_gives_the_radius_of_the_layer_that_it_shows(
    graph_plan: Plan, graph_tables_of_run: Tables
) -> None:
    graphs = graph_tables_of_run["activation_graphs"].to_pandas()
    clean = graphs[graphs["cloud"] == "random"].set_index("layer")["eps"]
    assert number(clean["layer1.1.bn2"]) != number(clean["layer4.1.bn2"])
    figure, _ = draw(figure_specs(graph_plan)["activation_noise_nets_elbow_random"], graph_tables_of_run, NOTES)
    assert f"DBSCAN eps {number(clean['layer4.1.bn2'])} by the elbow rule and of the clean cloud" in words(figure)


def test_settings_stand_beside_the_published_radius(graph_plan: Plan, graph_tables_of_run: Tables) -> None:
    table, sweeps = recipe_tables(RunFacts.of(graph_plan), graph_tables_of_run)[1:]
    assert sweeps.columns[4:] == ("setting", "Rand index", "purity", "coverage", "branch ends")
    assert [row[5] for row in sweeps.rows if row[4] == "as it is"] == ["1.00"] * 3
    assert {row[3] for row in sweeps.rows} == {"layer4.1.bn2"}
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    published = {(row["cloud"], row["layer"]): row["published eps"] for row in rows}
    assert published["random", "layer4.1.bn2"] == "8.71"
    assert published["fg", "layer1.1.bn2"] == "4.993"
    assert published["noisy", "layer4.1.bn2"] == ""
    assert len({row["population"] for row in rows}) == 1
    assert {row["cloud"] for row in rows} == set(graph_tables_of_run["activation_graphs"]["cloud"].to_pylist())


def test_page_holds_classes_purity_and_images(graph_plan: Plan, graph_tables_of_run: Tables) -> None:
    pages = {name: spec for name, spec in figure_specs(graph_plan).items() if spec.kind == "activation_page"}
    assert set(pages) == {f"graphs_nets_elbow_{cloud}" for cloud in ("random", "fg")}
    spec = pages["graphs_nets_elbow_fg"]
    data = content(page(spec, {name: graph_tables_of_run[name] for name in spec.tables}, NOTES))
    assert [graph["option"] for graph in data["graphs"]] == ["5: layer1.1.bn2", "17: layer4.1.bn2"]
    nodes = data["graphs"][1]["nodes"]
    expected = graph_tables_of_run["activation_nodes"].to_pandas().query("cloud == 'fg' and layer == 'layer4.1.bn2'")
    assert len(nodes["node"]) == len(expected) > 3
    rows = expected.sort_values(["members", "node"], ascending=[False, True])
    for name in ("node", "members", "purity", "lens"):
        np.testing.assert_allclose(nodes[name], rows[name], atol=1e-4)
    for counts, row in zip(data["graphs"][1]["counts"], rows.to_dict("records"), strict=True):
        assert dict(counts) == {label: points for label, points in enumerate(row["counts"]) if points}
    images = data["graphs"][1]["images"]
    assert images == [list(shown)[:6] for shown in rows["example_images"]]
    assert all(data["images"][str(image)][0].startswith("data:image/png;base64,") for of in images for image in of)
    assert [name for name, _ in data["classes"]] == list(CLASSES)


def test_chain_is_drawn_as_a_chain_and_components_apart() -> None:
    places, part = placed(7, np.array([[0, 1], [1, 2], [2, 3], [4, 5]]), 1.0)
    assert part.tolist() == [0, 0, 0, 0, 1, 1, 2]
    steps = np.linalg.norm(np.diff(places[:4], axis=0), axis=1)
    assert np.allclose(steps, 1, atol=0.05)
    assert np.linalg.norm(places[0] - places[3]) > 2.8
    assert min(np.linalg.norm(places[i] - places[j]) for i in range(4) for j in range(4, 7)) > 0.9
    assert np.array_equal(places, placed(7, np.array([[0, 1], [1, 2], [2, 3], [4, 5]]), 1.0)[0])
    assert placed(0, np.empty((0, 2), dtype=int), 1.0)[0].shape == (0, 2)


def test_the_smallest_nodes_of_many_are_left_out() -> None:
    nodes = pd.DataFrame({"node": range(5), "members": [9, 1, 8, 7, 6]})
    edges = pd.DataFrame({"a": [0, 0, 2, 3], "b": [1, 2, 3, 4], "shared": 1})
    shown, links = drawn_graph(nodes, edges, most_nodes=3)
    assert shown["node"].tolist() == [0, 2, 3]
    assert links[["a", "b"]].to_numpy().tolist() == [[0, 2], [2, 3]]
    assert branch_ends(shown, links)["node"].tolist() == [0, 3]


def test_example_images_are_those_asked_for(image_set: ImageSet) -> None:
    rows = example_images(image_set, "cats", "test", [0, 4]).to_pylist()
    assert [(row["image"], row["class_name"]) for row in rows] == [(0, CLASSES[0]), (4, CLASSES[1])]
    assert rows[1]["pixels"] == png(image_set.test_images[4])
    assert png(image_set.test_images[4][:, :, :1]).startswith(b"\x89PNG")
    with pytest.raises(InputError, match="has 150 test images, the nodes name number 150"):
        example_images(image_set, "cats", "test", [0, 150])


def test_the_largest_branch_ends_of_a_graph_are_lettered(graph_plan: Plan, graph_tables_of_run: Tables) -> None:
    spec = figure_specs(graph_plan)["mapper_branches_nets_elbow"]
    tables = dict(graph_tables_of_run)
    nodes = tables["activation_nodes"].to_pandas()
    own = (nodes["cloud"] == spec.parameters["cloud"]) & (nodes["layer"] == spec.parameters["layer"])
    first = nodes[own].iloc[0]
    # A path of three nodes whose second one has a small neighbour besides.
    rows = [{**first, "node": i, "component": 0, "members": m} for i, m in enumerate((40, 50, 60, 6))]
    edge = {**tables["activation_edges"].to_pylist()[0], **{k: first[k] for k in ("cloud", "layer")}, "shared": 2}
    links = [{**edge, "a": a, "b": b} for a, b in ((0, 1), (1, 2), (1, 3))]
    tables["activation_edges"] = pa.Table.from_pylist(links, TABLES["activation_edges"].schema)
    tables["activation_nodes"] = pa.Table.from_pylist(rows, TABLES["activation_nodes"].schema)
    figure, shown = draw(spec, tables, NOTES)
    assert (shown.to_pandas()["panel"] == "nodes").sum() == 4
    titles = {axes.get_title(loc="center").partition("\n")[0] for axes in figure.axes} - {""}
    assert titles == {"A: 60 points", "B: 40 points", "C: 6 points"}
    tables["activation_edges"] = TABLES["activation_edges"].schema.empty_table()
    alone, _ = draw(spec, tables, NOTES)
    assert alone.legends[0].get_title().get_text().endswith("4 nodes, no branch ends")
