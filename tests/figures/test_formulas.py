"""Figures of formulas: drawn once for the documentation, whose page names each with its caption."""

from importlib import import_module
from pathlib import Path

import pytest

from cnn_topology.figures import style
from cnn_topology.figures.formulas import FORMULAS, draw_pictures, pictures_page
from cnn_topology.figures.registry import kinds

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_pictures_is_in_step_and_each_picture_is_there() -> None:
    page = (DOCS / "pictures.md").read_text(encoding="utf-8")
    assert page == pictures_page(), "run `cnn-topology reference`"
    for name in FORMULAS:
        assert f"({name}.png)" in page
        assert (DOCS / f"{name}.png").is_file(), "run `make pictures`"


def test_pictures_are_drawn_the_same_bytes_each_time_and_are_no_figures_of_a_run(tmp_path: Path) -> None:
    written = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        written.append([path.read_bytes() for path in draw_pictures(tmp_path / folder)])
    assert written[0] == written[1]
    assert {path.name for path in (tmp_path / "one").iterdir()} == {f"{name}.png" for name in FORMULAS}
    assert not set(FORMULAS) & set(kinds())


@pytest.mark.parametrize("name", FORMULAS)
def test_a_picture_stays_inside_its_page(name: str) -> None:
    with style.applied():
        figure = import_module(f"cnn_topology.figures.formulas.{name}").draw()
        style.settle(figure)
        figure.canvas.draw()
        page = figure.bbox.padded(1)
        for part in (*figure.axes, *figure.texts):
            box = part.get_tightbbox()
            assert box is None or (page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1)
