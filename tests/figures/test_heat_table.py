"""Tables of numbers as pictures: all cells legible, however many layers a network has."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text

from cnn_topology.figures import style
from cnn_topology.figures.style import MANY, heat_table

LAYERS = [f"{number}: 3.1.conv2" for number in range(17)]


def drawn_table(columns: list[str], below: list[list[str]] | None = None) -> Axes:
    with style.applied():
        figure = style.new_figure(2.5, "footer")
        axes = figure.subplots()
        values = np.linspace(0, 1, len(columns))[np.newaxis].repeat(2, axis=0)
        heat_table(axes, values, ["foreground top 1", "b"], columns, below)
        style.settle(figure)
    return axes


def overlapping(axes: Axes) -> list[str]:
    """Return neighbours among texts of one line of the table, or its names, that touch."""
    lines: dict[tuple[float, str], list[Text]] = {}
    for text in axes.texts:
        lines.setdefault((text.get_position()[1], text.get_verticalalignment()), []).append(text)
    touching = []
    for line in [*lines.values(), axes.get_xticklabels()]:
        boxes = [(text.get_text(), text.get_window_extent()) for text in line]
        touching += [one for (one, left), (_, right) in pairwise(boxes) if left.x1 >= right.x0]
    return touching


@pytest.mark.parametrize("count", [4, MANY, 17])
def test_neighbouring_cells_and_names_do_not_touch(count: int) -> None:
    small = "(0.17)\n0.98" if count >= MANY else "(0.17; 0.98)"
    names = [name if count >= MANY else name.replace(": ", "\n") for name in LAYERS[:count]]
    axes = drawn_table(names, [[small] * count] * 2)
    assert overlapping(axes) == []


def test_numbers_of_many_columns_keep_their_value() -> None:
    assert [text.get_text() for text in drawn_table(LAYERS).texts[:3]] == [".00", ".06", ".12"]
    assert drawn_table(LAYERS).texts[16].get_text() == "1.00"
    assert [text.get_text() for text in drawn_table(LAYERS[:3]).texts[:3]] == ["0.00", "0.50", "1.00"]


def test_a_cell_without_a_number_is_a_dash_and_a_negative_number_has_a_minus() -> None:
    with style.applied():
        axes = style.new_figure(2.5, "footer").subplots()
        heat_table(axes, np.array([[np.nan, 0.5, -0.02]]), ["a"], ["x", "y", "z"])
    assert {text.get_text() for text in axes.texts} == {"–", "0.50", "\N{MINUS SIGN}0.02"}
