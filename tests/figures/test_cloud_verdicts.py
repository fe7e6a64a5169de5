"""Figures of clouds by every verdict, and of clouds that were not tested: they say so and show no p-value."""

import re
from typing import Any

import pyarrow as pa
import pytest
from matplotlib.text import Text

from cnn_topology.figures.drawing import draw
from cnn_topology.figures.registry import figure_specs, kinds
from cnn_topology.figures.sensitivity import VERDICTS as COLOURS
from cnn_topology.plan.expand import Plan
from cnn_topology.statistics.significance import DEAD_LAYER, TOO_FEW, UNTESTED, VERDICTS

Tables = dict[str, pa.Table]
# What a test gives; null where there was none.
TESTED = {
    "loops": (
        "significant_bars",
        "p_longest",
        "p_ratio",
        "p_bobrowski_skraba",
        "p_covariance",
        "covariance_longest_median",
        "lowpass_longest_median",
        "p_lowpass",
        "block_longest_median",
        "p_block",
        "verdict_stability",
        "stability_draws",
    ),
    "circles": ("permuted", "p_permuted", "permuted_coverage", "significant_bars", "degree", "shape"),
    "barcodes": ("p_value",),
}
# A p-value, not the share that a density filter keeps.
P_VALUE = re.compile(r"p = 0\.(?!3\b|1–0\.3)\d+")
READ_LOOPS = [name for name, kind in kinds().items() if "loops" in kind.tables]


def drawn_words(kind: str, plan: Plan, tables: Tables, notes: dict[str, str]) -> str:
    """Draw the first figure of a kind and return all that is written in it."""
    spec = next(spec for spec in figure_specs(plan).values() if spec.kind == kind)
    figure, drawn = draw(spec, tables, notes)
    assert drawn.num_rows > 0 or not tables["barcodes"].num_rows
    texts = (text.get_text() for text in figure.findobj(Text) if text.get_visible())
    return " ".join(texts).replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def filled(table: pa.Table, name: str, value: Any) -> pa.Table:
    field = table.schema.field(name)
    return table.set_column(table.schema.get_field_index(name), field, pa.array([value] * len(table), field.type))


def with_verdict(tables: Tables, verdict: str) -> Tables:
    """Return the same tables as they are when that is the verdict on every cloud."""
    changed = {**tables, "loops": filled(tables["loops"], "verdict", verdict)}
    if verdict in UNTESTED:
        for name, columns in TESTED.items():
            for column in columns:
                changed[name] = filled(changed[name], column, None)
        empty = ("significance", "nulls", *(("barcodes", "filters", "circles") if verdict == DEAD_LAYER else ()))
        changed |= {name: tables[name].slice(0, 0) for name in empty}
    return changed


def test_every_verdict_has_its_colour() -> None:
    assert set(COLOURS) == set(VERDICTS)
    assert len(set(COLOURS.values())) == len(VERDICTS)


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("kind", ["depth", "cloud"])
def test_a_figure_names_every_verdict(
    kind: str, verdict: str, plan: Plan, tables: Tables, notes: dict[str, str]
) -> None:
    assert verdict in drawn_words(kind, plan, with_verdict(tables, verdict), notes)


@pytest.mark.parametrize("verdict", UNTESTED)
@pytest.mark.parametrize("kind", READ_LOOPS)
def test_a_figure_of_clouds_that_were_not_tested_shows_no_p_value(
    verdict: str, kind: str, plan: Plan, tables: Tables, notes: dict[str, str]
) -> None:
    said = drawn_words(kind, plan, with_verdict(tables, verdict), notes)
    assert P_VALUE.findall(said) == []
    assert "nan" not in said.lower()
    assert "no lasting loop" not in said
    if verdict == TOO_FEW and kind != "klein_coordinates":
        assert TOO_FEW in said
