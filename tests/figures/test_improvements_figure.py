"""The figure of compared populations draws what the tables say, and marks what a ratio cannot say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.text import Text

from cnn_topology.figures.drawing import draw
from cnn_topology.figures.registry import FigureSpec, figure_specs
from cnn_topology.figures.style import save
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.populations import Improvement
from cnn_topology.statistics.improvements import comparisons, measures
from cnn_topology.tables.registry import TABLES

NOTES = {"seed": "2018", "config": "1f0c9b7a5e21", "data": "digits:77b1"}


@pytest.fixture(scope="module")
def spec(smallest):
    population = smallest["populations"]["a"]
    names = ("plain", "circle", "random")
    smallest = {**smallest, "populations": dict.fromkeys(names, population), "generalization": None}
    smallest["improvements"] = {
        "g": {"baseline": "plain", "variants": ["circle"], "controls": ["random"], "target_accuracy": 0.8}
    }
    return figure_specs(Plan(parse_config(smallest)))["improvements_g"]


def tables_of(spec: FigureSpec, plain_reaches: float = 1.0) -> dict[str, pa.Table]:
    rng, rows = np.random.default_rng(0), []
    for name, speed in (("plain", 60), ("circle", 30), ("random", 60)):
        for network in range(10):
            mine, most = speed * rng.uniform(0.8, 1.2), plain_reaches if name == "plain" else 1.0
            for step in range(0, 101, 10):
                for images in ("digits", "printed"):
                    accuracy = min(most * 0.9, 0.8 * step / mine) * (1 if images == "digits" else 0.3)
                    rows.append(dict.fromkeys(TABLES["training"].schema.names))
                    rows[-1] |= {"population": name, "network": network, "seed": network, "step": step}
                    rows[-1] |= {"images": images, "split": "test", "accuracy": accuracy, "failed": False}
    keys = spec.parameters
    group = Improvement(
        baseline=keys["baseline"],
        variants=tuple(keys["variants"]),
        controls=("random",),
        target_accuracy=keys["target"],
    )
    measured = measures(pd.DataFrame(rows), "g", group, "digits")
    compared = comparisons(pd.DataFrame(measured), "g", group, 7)
    training = pa.Table.from_pylist(rows, schema=TABLES["training"].schema)
    made = {
        "improvements": TABLES["improvements"].table(measured),
        "comparisons": TABLES["comparisons"].table(compared),
    }
    return {"training": training, **made}


def words(figure):
    return " ".join(text.get_text().replace("\n", " ") for text in figure.findobj(Text)).replace("\xa0", " ")


def test_every_pair_is_drawn_with_its_estimate_and_the_bytes_are_the_same_each_time(spec, tmp_path):
    tables = tables_of(spec)
    figure, drawn = draw(spec, tables, NOTES)
    bars = [axes for axes in figure.axes if axes.get_xlabel().startswith(("ratio", "difference"))]
    assert [axes.get_title(loc="left").split("  ")[1] for axes in bars] == [
        "speed to 80%",
        "accuracy, digits",
        "cross-test, printed",
    ]
    labels = [label.get_text() for label in bars[0].get_yticklabels()]
    assert labels == ["circle / plain", "random / plain", "circle / random"]
    shown = drawn.to_pandas().query("panel == 'comparisons' and metric == 'iterations_to_target'")
    markers = [line for line in bars[0].lines if line.get_marker() in ("o", "s")]
    assert [float(line.get_xdata()[0]) for line in markers] == pytest.approx(shown["estimate"].tolist())
    assert [line.get_markerfacecolor() != "white" for line in markers] == (shown["p_holm"] <= 0.05).tolist()
    assert [line.get_marker() for line in markers] == ["o", "s", "o"]
    said = words(figure)
    assert "n = 10" in said
    assert "networks that never reach it: none" in said
    assert "seed 2018" in said
    written = [[path.read_bytes() for path in save(figure, tmp_path / folder, "f", drawn, NOTES)] for folder in "ab"]
    assert written[0] == written[1]


@pytest.mark.parametrize("target", [0.2, 0.8, 0.97])
def test_curves_near_the_target_lie_inside_the_panel(spec, target):
    changed = replace(spec, parameters={**spec.parameters, "target": target})
    figure, drawn = draw(changed, tables_of(spec), NOTES)
    curves = figure.axes[0]
    low, high = curves.get_ylim()
    assert low < target < high
    assert drawn.to_pandas().query("panel == 'accuracy'")["accuracy"].max() < high
    # Two points near the top take more room than two in the middle: curves part where speed is decided.
    near, far = (np.diff(curves.transData.transform([(0, a), (0, b)])[:, 1])[0] for a, b in ((0.96, 0.98), (0.5, 0.52)))
    assert near > 3 * far


def test_a_ratio_that_is_not_known_is_an_arrow_and_censored_networks_are_counted(spec):
    figure, _ = draw(spec, tables_of(spec, plain_reaches=0.5), NOTES)
    speed = next(axes for axes in figure.axes if axes.get_xlabel().startswith("ratio"))
    assert any(line.get_marker() == ">" for line in speed.lines)
    assert "networks that never reach it: plain 10" in words(figure)


def test_empty_tables_are_explained(spec):
    figure, drawn = draw(spec, {name: TABLES[name].schema.empty_table() for name in spec.tables}, NOTES)
    assert "no row in the table" in words(figure)
    assert drawn.num_rows == 0
