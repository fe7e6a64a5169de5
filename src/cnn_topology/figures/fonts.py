"""Letters that the font of all figures lacks, as names in Chinese have: taken from a font that is installed here."""

from __future__ import annotations

import sys
from functools import cache

from cnn_topology.figures.libraries import Figure, font_manager

# Ships with matplotlib: figures look the same on every machine.
FONT = "DejaVu Sans"
# Draws boxes in the place of all letters.
LAST_RESORT = "Last Resort"


def set_missing_letters(figure: Figure) -> bool:
    """Set texts whose letters `FONT` lacks in an installed font that has them; whether there were any."""
    from matplotlib.text import Text  # the class itself: `findobj` asks for it

    own = font_manager.get_font(font_manager.findfont(FONT))
    changed = False
    for text in figure.findobj(Text):
        words = text.get_text()
        if words.isascii():
            continue
        letters = {letter for letter in words if letter.isprintable() and not own.get_char_index(ord(letter))}
        if letters:
            text.set_fontfamily([FONT, *_fonts_with("".join(sorted(letters)))])
            changed = True
    return changed


@cache
def _fonts_with(letters: str) -> tuple[str, ...]:
    """Return fonts that together have as many of the letters as can be, and report once which letters none has."""
    missing, fonts = set(letters), []
    # The upright font of usual weight of each family, in the order of names: the same each time.
    usual = (entry for entry in font_manager.fontManager.ttflist if entry.style == "normal" and entry.weight == 400)
    for entry in sorted(usual, key=lambda entry: (entry.name, entry.fname)):
        if not missing:
            break
        if entry.name.startswith(LAST_RESORT):
            continue
        font = font_manager.get_font(font_manager.FontPath(entry.fname, entry.index))
        if there := {letter for letter in missing if font.get_char_index(ord(letter))}:
            missing -= there
            fonts.append(entry.name)
    if missing:
        lacking = "".join(sorted(missing))
        print(f"figures: no installed font has {lacking}, drawn as boxes; install one, such as Noto", file=sys.stderr)
    return tuple(fonts)
