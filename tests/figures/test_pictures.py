"""Pictures of the documentation: drawn from formulas, the same bytes each time, inside their page, named on it."""

import re
from pathlib import Path

import pytest

from cnn_topology.figures import style
from cnn_topology.figures.registry import kinds
from cnn_topology.topology.persistence import barcode

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def draw(monkeypatch):
    """Return the module that draws the pictures."""
    monkeypatch.syspath_prepend(str(DOCS / "pictures"))
    import draw

    return draw


def test_every_picture_is_on_the_page_and_none_is_a_figure_of_a_run(draw):
    named = re.findall(r"\((\w+)\.png\)", (DOCS / "pictures.md").read_text(encoding="utf-8"))
    assert named == list(draw.PICTURES)
    assert all((DOCS / f"{name}.png").is_file() for name in named), "run `make pictures`"
    assert not set(named) & set(kinds())


def test_pictures_are_drawn_the_same_bytes_each_time_and_inside_their_page(draw, tmp_path):
    written = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        draw.main(folder)
        written.append([(folder / f"{name}.png").read_bytes() for name in draw.PICTURES])
    assert written[0] == written[1]
    for module in draw.PICTURES.values():
        with style.applied():
            figure = module.draw()
            style.settle(figure)
            figure.canvas.draw()
            page = figure.bbox.padded(1)
            boxes = [part.get_tightbbox() for part in (*figure.axes, *figure.texts)]
        assert all(page.x0 <= box.x0 and box.x1 <= page.x1 for box in boxes if box is not None)
        assert all(page.y0 <= box.y0 and box.y1 <= page.y1 for box in boxes if box is not None)


def test_the_primer_shows_what_its_titles_say(draw):
    primer = draw.PICTURES["primer"]
    bars = barcode(primer.noisy_circle(), engine="ripser")
    alive = {
        dimension: [
            int(((bars.birth <= s) & (s < bars.death))[bars.dimension == dimension].sum()) for s in primer.SCALES
        ]
        for dimension in (0, 1)
    }
    assert alive[0][0] > 10
    assert alive[0][1:] == [1, 1]
    assert alive[1] == [0, 1, 0]
