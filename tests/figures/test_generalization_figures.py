"""Figures of training dynamics and generalization: drawn from tables, inside the page, and honest where empty."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from cnn_topology.analysis.single_networks import GIVEN
from cnn_topology.figures.drawing import draw
from cnn_topology.figures.registry import figure_specs, kinds
from cnn_topology.figures.style import save
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.statistics.dynamics import RULE
from cnn_topology.statistics.networks import OUTCOMES, PREDICTORS, TOPOLOGICAL
from cnn_topology.tables.registry import TABLES

KINDS = [name for name, kind in kinds().items() if kind.section == "generalization"]

STEPS = [0, 100, 300, 1_000, 3_000]
Tables = dict[str, pa.Table]


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return {
        "version": 2,
        "name": "synthetic",
        "images": {"mnist": {"kind": "mnist"}, "svhn": {"kind": "svhn", "shape": [28, 28, 1]}},
        "populations": {
            name: {
                "images": name,
                "networks": 20,
                "recipe": {"iterations": STEPS[-1]},
                "snapshots": {"iterations": STEPS},
                "cross_test": [other],
            }
            for name, other in (("mnist", "svhn"), ("svhn", "mnist"))
        },
        "clouds": [{"layers": ["conv1"], "densities": [{"k": 0.03125, "p": 0.3}]}],
        "dynamics": {},
        "generalization": {"grids": {"grid": {"base": "mnist", "vary": {"dropout": [0, 0.5]}, "networks": 4}}},
    }


@pytest.fixture(scope="module")
def plan(config: dict[str, Any]) -> Plan:
    return Plan(parse_config(config))


@pytest.fixture(scope="module")
def tables(plan: Plan) -> Tables:
    rng = np.random.default_rng(0)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for name in ("mnist", "svhn"):
        cloud = {
            "population": name,
            "layer": "conv1",
            "depth": 1,
            "density_k": 40,
            "density_p": 0.3,
            "landmarks": 6_000,
        }
        late = name == "svhn"
        rows["onset"].append(
            {**cloud, "networks": 20, "snapshots": 5, "last": 3_000, "alpha": 0.01, "draws": 200, "rule": RULE}
            | {"onset": 1_000 if late else 100, "previous": 300 if late else 0, "low": 300 if late else 100}
            | {"high": None if late else 300, "lasting": 0.9 if late else 1.0}
        )
        for place, step in enumerate(STEPS):
            longest = 0.2 + 0.25 * place
            rows["loop_tracks"].append(
                {**cloud, "step": step, "networks": 20, "kept": 384, "draws": 200, "longest": longest}
                | {
                    "longest_low": longest - 0.1,
                    "longest_high": longest + 0.05,
                    "critical": 0.35,
                    "critical_resampled": 0.4,
                }
                | {
                    "significant": longest > 0.35,
                    "share_significant": 0.5,
                    "near": 100 * place,
                    "coverage": 0.2 * place,
                }
                | {"even": 0.22 * place, "random": 0.1, "degree": min(place, 1), "loop_filters": 12}
                | {
                    "previous": STEPS[place - 1] if place else None,
                    "kept_at_both": 300,
                    "stay": 0.5,
                    "turn": 0.1,
                    "kuiper": 0.1,
                }
                | ({"correlation": 0.9, "correlation_low": 0.85, "correlation_high": 0.95} if place else {})
                | (
                    {"first_correlation": 0.4, "first_correlation_low": 0.3, "first_correlation_high": 0.5}
                    if place
                    else {}
                )
            )
            for network in range(20):
                for images, accuracy in (("mnist", 0.9), ("svhn", 0.3)):
                    row = {"population": name, "network": network, "seed": network, "step": step, "epoch": 1.0}
                    value = 0.1 + accuracy * place / 5 + rng.normal(0, 0.01)
                    row |= {"images": images, "split": "test", "examples": 9, "loss": 1.0, "failed": False}
                    rows["training"].append({**row, "accuracy": value})
        for tested in ("mnist", "svhn"):
            value = {"trained_on": name, "tested_on": tested, "step": 3_000, "networks": 20}
            rows["cross_accuracy"].append({"population": name, **value, "mean": 0.6, "low": 0.58, "high": 0.62})
        for outcome in OUTCOMES:
            for method, given in (("pearson", ""), ("spearman", ""), ("partial_pearson", "log(1 + step)")):
                rows["correlations"].append(_correlation(name, "pooled", "longest", outcome, method, given, rng))
    for group, scope, every in (
        ("grid", "grid", (("spearman", ""), ("granulated_kendall", ""), ("partial_spearman", ", ".join(GIVEN)))),
        (
            "mnist",
            "networks",
            (("spearman", ""), ("partial_spearman", "step"), ("partial_spearman", "step, frobenius")),
        ),
    ):
        for outcome in OUTCOMES:
            for method, given in every:
                rows["correlations"] += [_correlation(group, scope, p, outcome, method, given, rng) for p in PREDICTORS]
    return {name: pa.Table.from_pylist(found, schema=TABLES[name].schema) for name, found in rows.items()}


def _correlation(
    group: str, scope: str, predictor: str, outcome: str, method: str, given: str, rng: np.random.Generator
) -> dict[str, Any]:
    value = float(rng.uniform(-0.9, 0.9)) if predictor != "ratio" else float("nan")
    return {
        **{"group_name": group, "scope": scope, "layer": "conv1", "predictor": predictor, "outcome": outcome},
        **{
            "predictor_kind": "topological" if predictor in TOPOLOGICAL else "baseline",
            "method": method,
            "given": given,
        },
        **{"statistic": value, "low": value - 0.1, "high": value + 0.1, "p_value": 0.02, "p_adjusted": abs(value) / 10},
        **{"networks": 8, "rows": 8, "draws": 1_000, "permutations": 999, "exchanged": "4 populations as blocks"},
    }


def words(figure: Figure) -> str:
    found = [text.get_text() for text in figure.findobj(Text) if text.get_visible()]
    return " ".join(found).replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def _inside(figure: Figure) -> bool:
    figure.canvas.draw()
    page = figure.bbox.padded(1)
    boxes = [part.get_tightbbox() for part in (*figure.axes, *figure.texts, *figure.legends)]
    return all(page.x0 <= b.x0 and page.y0 <= b.y0 and b.x1 <= page.x1 and b.y1 <= page.y1 for b in boxes if b)


def test_a_run_has_these_figures_by_what_its_config_asks_for(plan: Plan, config: dict[str, Any]) -> None:
    names = {name for name, spec in figure_specs(plan).items() if spec.kind in KINDS}
    correlations = {f"correlations_{group}_conv1" for group in ("mnist", "svhn", "grid")}
    assert names == {"dynamics", "standardized", "cross_accuracy"} | correlations
    without = {key: value for key, value in config.items() if key not in ("dynamics", "generalization")}
    assert not [name for name, spec in figure_specs(Plan(parse_config(without))).items() if spec.kind in KINDS]


@pytest.mark.parametrize(
    "name", ["dynamics", "standardized", "cross_accuracy", "correlations_grid_conv1", "correlations_mnist_conv1"]
)
def test_figures_are_inside_the_page_and_the_same_bytes_each_time(
    name: str, plan: Plan, tables: Tables, tmp_path: Path
) -> None:
    spec = figure_specs(plan)[name]
    written = []
    for folder in ("one", "two"):
        figure, drawn = draw(spec, tables, {"seed": "2018", "config": "1f0c9b7a5e21"})
        assert _inside(figure)
        written.append([path.read_bytes() for path in save(figure, tmp_path / folder, name, drawn)])
    assert written[0] == written[1]
    assert drawn.num_rows > 0


@pytest.mark.parametrize("kind", KINDS)
def test_empty_tables_are_explained(kind: str, plan: Plan) -> None:
    spec = next(spec for spec in figure_specs(plan).values() if spec.kind == kind)
    figure, _ = draw(spec, {name: row.schema.empty_table() for name, row in TABLES.items()}, {})
    assert "table" in words(figure) or "no cloud" in words(figure)
    assert _inside(figure)


def test_what_figures_say_is_what_the_tables_hold(plan: Plan, tables: Tables) -> None:
    specs = figure_specs(plan)
    dynamics = words(draw(specs["dynamics"], tables, {})[0])
    assert "onset 100 (100 to 300)" in dynamics
    assert "onset 1,000 (300 to later)" in dynamics
    blank = {name: tables[name].to_pandas() for name in ("onset", "loop_tracks")}
    blank["onset"] = blank["onset"].assign(snapshots=0, onset=None, previous=None, low=None, high=None, lasting=None)
    of_tests = dict.fromkeys(("critical", "significant", "critical_resampled", "share_significant"))
    blank["loop_tracks"] = blank["loop_tracks"].assign(**of_tests)
    untested = {name: pa.Table.from_pandas(rows, schema=TABLES[name].schema) for name, rows in blank.items()}
    said = words(draw(specs["dynamics"], {**tables, **untested}, {})[0])
    assert said.count("not tested: too few filters") == 2
    assert "no lasting loop" not in said
    draw(specs["cross_accuracy"], {**tables, **untested}, {})
    crossed = words(draw(specs["cross_accuracy"], tables, {})[0])
    assert "0.600" in crossed
    assert "(0.580 to 0.620, n = 20) paper 0.28 [M-med]" in crossed
    assert "paper 0.54 [M-med]" in crossed
    figure, drawn = draw(specs["correlations_grid_conv1"], tables, {})
    assert "permutations of 4 populations as blocks" in words(figure)
    assert set(drawn["method"].to_pylist()) == {"spearman", "granulated_kendall", "partial_spearman"}
    networks = draw(specs["correlations_mnist_conv1"], tables, {})[1]
    assert set(networks["given"].to_pylist()) == {"", "step", "step, frobenius"}
