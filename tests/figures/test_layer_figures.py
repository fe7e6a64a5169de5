"""Figures that compare layers: drawn from tables, the same bytes each time, inside their page, empty with a reason."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.text import Text

from cnn_topology.analysis.layer_comparison import layer_tables
from cnn_topology.comparison.measures import MEASURES
from cnn_topology.figures.drawing import draw
from cnn_topology.figures.layer_matrix import scale_of
from cnn_topology.figures.registry import figure_specs, kinds
from cnn_topology.figures.style import DPI, save
from cnn_topology.plan.activation_parameters import MeasureTestParameters
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.layer_comparisons import comparisons
from cnn_topology.tables.images import ActivationTensorRow
from cnn_topology.tables.layers import ComponentCurveRow, NetworkPairRow
from cnn_topology.tables.registry import TABLES

CONFIG = {
    "version": 2,
    "name": "layers",
    "images": {"digits": {"kind": "digits", "shape": [16, 16, 1]}},
    "resnets": {
        "nets": {"images": "digits", "variant": "ph", "networks": 3, "widths": [8, 8, 16, 24], "normalization": "set"}
    },
    "activation_clouds": {
        "top": {"population": "nets", "n_images": 60},
        "all": {"population": "nets", "n_images": 10, "sampling": "full", "layers": ["block_seq.1.0.conv1"]},
    },
    "layer_distances": {"clouds": ["top"]},
}
PLAN = Plan(parse_config(CONFIG))
COMPARISON = comparisons(PLAN)["top"]
LAYER_KINDS = [name for name, kind in kinds().items() if kind.section == "layers"]
SPECS = {spec.name: spec for spec in figure_specs(PLAN).values() if spec.kind in LAYER_KINDS}


def made_tables():
    """Tables of networks whose layers lie apart by their depth, with noise."""
    rng = np.random.default_rng(0)
    depths = np.array([layer.depth for layer in COMPARISON.layers])
    ids = {"population": "nets", "cloud": "top", "samples": 60}
    pairs, curves = [], []
    for name in COMPARISON.measures:
        kind = MEASURES[name].kind
        about = {**ids, "measure": name, "kind": kind}
        for a in range(3):
            for b in range(3):
                apart = (np.abs(np.subtract.outer(depths, depths)) + (a != b) * rng.uniform(0.2, 2, (17, 17))) / 20
                values = apart if kind == "distance" else 1 - apart
                names = [layer.name for layer in COMPARISON.layers]
                pair = {"layers": names, "depths": depths, "network_a": a, "network_b": b, "values": values.ravel()}
                pairs.append({**about, **pair})
        for layer in COMPARISON.layers:
            for mode in ("published", "corrected"):
                for removed in range(4, layer.channels, 4):
                    gone = removed / layer.channels
                    at = {
                        "network": 0,
                        "against_network": 0,
                        "layer": layer.name,
                        "depth": layer.depth,
                        "channels": layer.channels,
                    }
                    value = 0.12 * gone if kind == "distance" else 1 - 0.12 * gone
                    curve = {**at, "mode": mode, "removed": removed, "fraction": gone, "value": value}
                    curves.append({**about, **curve})
                    curves.append({**about, **curve, "against_network": 1, "value": 0.5})
    made = layer_tables(
        pa.Table.from_pylist(pairs, NetworkPairRow.schema),
        pa.Table.from_pylist(curves, ComponentCurveRow.schema),
        MeasureTestParameters(run_seed=1, draws=99),
    )
    channel, row, column = (axis.ravel() for axis in np.indices((8, 4, 4)))
    about = {"population": "nets", "cloud": "all", "network": 0, "layer": "conv1", "depth": 1, "tensor": "relu"}
    tensor = {"image": 7, "class_name": "three", "channel": channel, "y": row, "x": column}
    columns = {**about, **tensor, "value": rng.normal(size=128)}
    rows = {
        name: values if isinstance(values, np.ndarray) else [values] * 128 for name, values in columns.items()
    }  # fmt: skip
    return {
        **made,
        "activation_tensor": pa.table(rows).select(ActivationTensorRow.schema.names).cast(ActivationTensorRow.schema),
    }


@pytest.fixture(scope="module")
def layer_made():
    return made_tables()


def words(figure):
    found = [item.get_text() for item in figure.findobj(Text) if item.get_visible() and item.get_text().strip()]
    return " ".join(found).replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def cut_off(figure):
    figure.canvas.draw()
    page = figure.bbox.padded(1)
    parts = [(part, part.get_tightbbox()) for part in [*figure.axes, *figure.texts, *figure.legends]]
    return [
        f"{part}: {box}"
        for part, box in parts
        if box is not None and not (page.x0 <= box.x0 and page.y0 <= box.y0 and box.x1 <= page.x1 and box.y1 <= page.y1)
    ]


def test_a_run_that_compares_layers_has_each_kind_and_pages_of_four_measures():
    assert {spec.kind for spec in SPECS.values()} == set(LAYER_KINDS)
    assert len(SPECS["layer_heatmap_top_1"].parameters["measures"]) == 4
    assert len(SPECS["layer_heatmap_top_2"].parameters["measures"]) == 3
    assert SPECS["layer_sensitivity_top"].parameters["depths"] == [1, 5, 9, 13, 17]


def smaller(spec):
    """Return a figure with two measures and two layers: what is tested does not depend on their number."""
    cut = {name: spec.parameters[name][:2] for name in ("measures", "depths") if name in spec.parameters}
    return replace(spec, parameters={**spec.parameters, **cut})


@pytest.mark.parametrize("name", [name for name in SPECS if not name.endswith("_2") and "same" not in name])
def test_a_figure_is_the_same_bytes_each_time_and_inside_its_page(name, layer_made, tmp_path):
    written = []
    for folder in ("one", "two"):
        figure, drawn = draw(smaller(SPECS[name]), layer_made, {"seed": "7", "config": "1f0c9b7a5e21"})
        written.append([path.read_bytes() for path in save(figure, tmp_path / folder, name, drawn)])
    assert written[0] == written[1]
    assert cut_off(figure) == []
    assert not [text for text in figure.findobj(Text) if "$" in text.get_text()]
    assert drawn.num_rows > 0
    said = words(figure)
    assert "seed 7" in said
    assert "nets" in said
    if "cloud" in SPECS[name].parameters:
        assert "n = 60 images" in said


@pytest.mark.parametrize("name", [name for name in SPECS if not name.endswith("_2")])
def test_empty_tables_give_a_figure_that_says_so(name, tmp_path: Path):
    figure, drawn = draw(
        smaller(SPECS[name]), {table: TABLES[table].schema.empty_table() for table in SPECS[name].tables}, {}
    )
    save(figure, tmp_path, name, drawn)
    assert "no row in the table" in words(figure)


def test_a_curve_of_one_step_is_a_cross_that_the_legend_explains(layer_made):
    assert "one step alone" in words(draw(SPECS["layer_sensitivity_top"], layer_made, {})[0])
    table = layer_made["component_sensitivity"]
    several = table.filter(pa.compute.greater(table["channels"], 8))
    figure, _ = draw(SPECS["layer_sensitivity_top"], {**layer_made, "component_sensitivity": several}, {})
    assert "one step alone" not in words(figure)


def test_pages_are_no_higher_than_paper(layer_made):
    for name in ("layer_sensitivity_top", "layer_spread_same_top_1"):
        assert draw(SPECS[name], layer_made, {})[0].get_figheight() <= 10


def test_different_layers_have_the_whole_scale_of_a_similarity():
    values = pd.DataFrame([[1.0, 0.2], [0.2, 1.0]])
    assert (scale_of("similarity", values).vmin, scale_of("similarity", values).vmax) == (0.0, 0.2)
    assert scale_of("similarity", values - 0.5).vmin == -0.3
    assert scale_of("similarity", pd.DataFrame(np.ones((2, 2)))).vmax == 1.0
    assert (scale_of("distance", values).vmin, scale_of("distance", values).vmax) == (0.0, 1.0)


def test_a_heatmap_says_distance_or_similarity_and_whose_a_measure_is(layer_made):
    said = words(draw(SPECS["layer_heatmap_top_1"], layer_made, {})[0])
    assert "sliced Wasserstein (paper)" in said
    assert "linear CKA (ours)" in said
    assert "distance, activation units" in said
    assert "similarity, 1 = equal" in said


def test_the_colour_of_equal_layers_is_dark_for_distances_and_similarities(layer_made):
    figure, _ = draw(SPECS["layer_heatmap_top_1"], layer_made, {})
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == 4
    for image in images:
        colours = image.to_rgba(image.get_array())[..., :3].sum(axis=2)
        assert (np.diag(colours) == colours.min()).all()


def test_the_rate_of_a_measure_that_knows_the_depth_is_one_and_drawn_against_chance(layer_made):
    figure, drawn = draw(SPECS["layer_specificity_top"], layer_made, {})
    assert "chance, 1 / 17" in words(figure)
    # Three networks are one disjoint pair.
    assert "no narrower than Wilson's for 17 layers as if independent" in words(figure).replace("\n", " ")
    shares = next(axes for axes in figure.axes if axes.images)
    assert [name.get_text() for name in shares.get_xticklabels()] == ["1", "5", "9", "13", "17"]
    rates = drawn.filter(pa.compute.equal(drawn["panel"], "rates")).to_pandas()
    assert (rates["rate"] > 0.5).all()


def test_a_single_row_of_matrices_keeps_its_distance_from_the_edge(layer_made):
    """Matrices are square: what they need above depends on their size, and titles were cut off."""
    notes = {"seed": "7", "config": "1f0c9b7a5e21", "data": "a916f210aa"}  # two lines
    figure, _ = draw(smaller(SPECS["layer_spread_same_top_1"]), layer_made, notes)
    figure.canvas.draw()
    above = [figure.bbox.y1 - axes.get_tightbbox().y1 for axes in figure.axes[:2]]
    assert above == pytest.approx([0.05 * DPI] * 2, abs=1)


def test_cells_of_layers_are_the_smaller_the_more_networks_differ(layer_made):
    figure, table = draw(SPECS["layer_spread_same_top_1"], layer_made, {})
    drawn = table.to_pandas()
    measure = drawn["measure"].iloc[0]
    mine = drawn[drawn["measure"] == measure].sort_values(["depth_a", "depth_b"])
    (cells,) = figure.axes[0].collections
    sides = [path.get_extents().width for path in cells.get_paths()]
    np.testing.assert_allclose(sides, 1 - 0.75 * mine["sd"].fillna(0) / (mine["sd"].max() or 1))
    np.testing.assert_allclose(cells.get_array(), mine["mean"])
