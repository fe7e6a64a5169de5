"""The type of figures: the glyphs of DejaVu Sans, the same bytes at any time, gone with the process."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from matplotlib import get_data_path
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf

from cnn_topology.figures import fonts, style

LABELS = "axes ABC 0123456789 – — … · ° ² β₁ π θ ρ σ ± × ≤ ≥ → ∞ − ü ç ł"


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Return a function that makes the family at a time and says where its files lie."""

    def make(seconds):
        folder = tmp_path / str(seconds)
        folder.mkdir()
        monkeypatch.setattr(fonts.tempfile, "mkdtemp", lambda prefix: str(folder))
        monkeypatch.setattr(fonts.fontManager, "addfont", lambda path: None)
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(seconds))
        fonts.add_fonts.__wrapped__()
        return folder

    return make


def test_files_are_the_same_bytes_whenever_they_are_made(made):
    first, second = made(1_000_000_000), made(1_100_000_000)
    assert sorted(path.name for path in first.iterdir()) == sorted(f"{name}.ttf" for name in fonts.FILES)
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()


@pytest.mark.parametrize("name", fonts.FILES)
def test_glyphs_and_their_widths_are_those_of_the_font_and_the_rules_for_shaping_are_gone(made, name):
    with TTFont(made(0) / f"{name}.ttf") as found, TTFont(Path(get_data_path(), "fonts/ttf", f"{name}.ttf")) as whole:
        kept, every = found.getBestCmap(), whole.getBestCmap()
        assert set(map(ord, LABELS)) <= set(kept) < set(every)
        for code, glyph in kept.items():
            assert found["hmtx"][glyph] == whole["hmtx"][every[code]]
        assert not set(fonts.SHAPING) & set(found.keys())


def test_a_process_leaves_no_files(tmp_path):
    code = "from cnn_topology.figures.fonts import add_fonts; add_fonts(); add_fonts()"
    subprocess.run([sys.executable, "-c", code], check=True, env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin"})
    assert list(tmp_path.iterdir()) == []


def test_no_other_type_is_looked_for(caplog):
    with style.applied(), caplog.at_level("WARNING", logger="matplotlib.font_manager"):
        figure = style.new_figure(1.0, "footer", rf"$H_1$ $\beta$ $\mathbf{{a}}$ $\mathrm{{b}}$ {LABELS}")
        figure.set_layout_engine("none")
        FigureCanvasAgg(figure).draw()
    assert not caplog.records


def test_names_in_other_scripts_come_from_the_whole_font():
    with style.applied():  # a missing glyph is a warning, and a warning an error
        figure = style.new_figure(1.0, "", "Жук, ظبي")
        figure.set_layout_engine("none")
        FigureCanvasPdf(figure).print_pdf(io.BytesIO())
        FigureCanvasAgg(figure).draw()
