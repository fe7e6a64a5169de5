"""Names of users are shown as they are: no sign in them is read as a formula, and letters come from any font."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from matplotlib.text import Text

from cnn_topology.figures import fonts, style
from cnn_topology.figures.drawing import draw
from cnn_topology.figures.registry import figure_specs
from cnn_topology.plan.expand import Plan

NAMES = [
    r"$x_{ \frac{1}{2 ^^ %s {} \0",
    "<img src=x onerror=alert(1)>",
    "Straße é",
    "كلب",
    "中文",
]
LACKING = "中文"


def shown(figure):
    return {text.get_text() for text in figure.findobj(Text)}


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_of_any_name_is_drawn(name: str, plan: Plan, tables: dict[str, pa.Table], tmp_path: Path) -> None:
    spec = figure_specs(plan)["cloud_printed_conv1"]
    renamed = {}
    for table in spec.tables:
        names = ["" if layer == name else layer for layer in tables[table]["layer"].to_pylist()]
        names = [name if layer == "conv1" else layer for layer in names]
        place = tables[table].schema.get_field_index("layer")
        renamed[table] = tables[table].set_column(place, "layer", pa.array(names))
    spec = replace(spec, parameters={**spec.parameters, "layer": name})
    figure, drawn = draw(spec, renamed, {})
    style.save(figure, tmp_path, "named", drawn)
    assert any(name in text for text in shown(figure))


def figure_with(name: str, folder: Path):
    """Draw a name wherever a figure has texts: title, ticks, legend, footer, panel."""
    with style.applied():
        figure = style.new_figure(1.5, name, name)
        axes = figure.subplots()
        (line,) = axes.plot([0, 1], [0, 1])
        axes.set_yticks([0, 1], [name, name])
        axes.legend([line], [name])
        style.explain(axes, name)
        axes.set_xlabel(name)
        style.letter(axes, "a", name)
        style.settle(figure)
    style.save(figure, folder, "figure", pa.table({"panel": ["a"]}))
    return figure


def test_letters_that_no_font_has_are_reported_once_and_the_figure_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of the fonts here only those that ship with matplotlib, none of which has Chinese.
    home = fonts.font_manager.findfont(fonts.FONT).rpartition("/")[0]
    mine = [entry for entry in fonts.font_manager.fontManager.ttflist if entry.fname.startswith(home)]
    monkeypatch.setattr(fonts.font_manager.fontManager, "ttflist", mine)
    fonts._fonts_with.cache_clear()
    for _ in range(2):
        figure_with(LACKING, tmp_path)
    fonts._fonts_with.cache_clear()
    (line,) = capsys.readouterr().err.splitlines()
    assert LACKING in line


def test_letters_of_another_installed_font_are_drawn_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    letter = "𝒜"
    assert fonts._fonts_with(letter)
    figure = figure_with(letter, tmp_path)
    families = {tuple(text.get_fontfamily()) for text in figure.findobj(Text) if letter in text.get_text()}
    assert families == {(fonts.FONT, *fonts._fonts_with(letter))}
    assert capsys.readouterr().err == ""
