"""The type of all figures: DejaVu Sans as matplotlib ships it, cut down to what figures are labelled with.

A PDF embeds the glyphs that it uses. To cut them out of the whole font took a third of the time of all figures, most of
it spent on rules of scripts and on thousands of glyphs that no label here needs.
"""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from fontTools import subset
from matplotlib import get_data_path
from matplotlib.font_manager import fontManager

FAMILY = "DejaVu Sans of figures"
FILES = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique")
# Latin, Greek, and punctuation, superscripts, arrows and mathematics. What else a name holds comes from the whole font.
CHARACTERS = (range(0x20, 0x180), range(0x370, 0x400), range(0x2000, 0x2300))
SHAPING = ("FFTM", "GDEF", "GPOS", "GSUB", "MATH")
FAMILY_NAMES = (1, 16)  # of a font's table of names


@cache
def add_fonts() -> None:
    """Register the family with matplotlib, once in a process; its files go with the process."""
    folder = Path(tempfile.mkdtemp(prefix="cnn-topology-fonts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # No new time of change: the bytes of a PDF depend on it.
    options = subset.Options(recalc_timestamp=False, layout_features=[], name_IDs=["*"])
    options.drop_tables += SHAPING
    wanted = subset.Subsetter(options)
    wanted.populate(unicodes=[code for codes in CHARACTERS for code in codes])
    for name in FILES:
        with subset.load_font(Path(get_data_path(), "fonts", "ttf", f"{name}.ttf"), options) as font:
            wanted.subset(font)
            for entry in font["name"].names:
                if entry.nameID in FAMILY_NAMES:
                    entry.string = FAMILY
            font.save(folder / f"{name}.ttf")
        fontManager.addfont(folder / f"{name}.ttf")
