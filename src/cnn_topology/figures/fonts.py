"""The type of all figures: DejaVu Sans as matplotlib ships it, without its rules for shaping.

A PDF embeds the glyphs that it uses. To cut them out of the whole font took a third of the time of all figures, most of
it spent on ligatures and rules of scripts that no label here needs.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont
from matplotlib import get_data_path
from matplotlib.font_manager import fontManager

FAMILY = "DejaVu Sans of figures"
FILES = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique")
SHAPING = ("GDEF", "GPOS", "GSUB", "MATH")
FAMILY_NAMES = (1, 16)  # of a font's table of names


@cache
def add_fonts() -> None:
    """Make the family known to matplotlib, once in a process; its files go with the process."""
    folder = Path(tempfile.mkdtemp(prefix="cnn-topology-fonts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in FILES:
        # No new time of change: the bytes of a PDF depend on it.
        with TTFont(Path(get_data_path(), "fonts", "ttf", f"{name}.ttf"), recalcTimestamp=False) as font:
            for table in SHAPING:
                if table in font:
                    del font[table]
            for entry in font["name"].names:
                if entry.nameID in FAMILY_NAMES:
                    entry.string = FAMILY
            font.save(folder / f"{name}.ttf")
        fontManager.addfont(folder / f"{name}.ttf")
