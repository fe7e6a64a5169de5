"""A table of numbers as a picture: rows, columns, the number in each cell, its shade by the number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.libraries import Axes, LinearSegmentedColormap

# Columns from which on a table across the page has no room for full numbers and level names (ours).
MANY = 10

# From paper to blue: dark enough for white type, light enough for black.
SHADES = ("#ffffff", "#cfe1ef", "#6fa8d2", "#0b4f86")


def heat_table(
    axes: Axes,
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    below: Sequence[Sequence[str]] | None = None,
    limits: tuple[float, float] = (0.0, 1.0),
    digits: int = 2,
) -> None:
    """Draw a table; with `MANY` columns its numbers lose the leading zero and its names stand upright.

    Parameters
    ----------
    axes : Axes
    values : ndarray, shape (rows, columns)
        NaN leaves a cell empty.
    rows, columns : sequence of str
    below : sequence of sequence of str, optional
        Smaller lines under each number.
    limits : (float, float)
        Numbers that are white and darkest.
    digits : int
    """
    many = len(columns) >= MANY
    shades = LinearSegmentedColormap.from_list("shades", SHADES)
    axes.imshow(values, cmap=shades, vmin=limits[0], vmax=limits[1], aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        if np.isnan(value):
            axes.text(j, i, "–", ha="center", va="center", color=style.GREY)
            continue
        colour = "white" if (value - limits[0]) / (limits[1] - limits[0]) > 0.68 else style.INK
        small = below[i][j] if below else ""
        text = f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
        if many and abs(value) < 1:
            text = text.replace("0.", ".", 1)
        up = 0.1 + 0.08 * len(small.splitlines()) if small else 0
        axes.text(j, i - up, text, ha="center", va="center", color=colour, fontsize=style.SMALL if many else 7.5)
        if small:
            axes.text(j, i + 0.24, small, ha="center", va="center", color=colour, fontsize=5.2 if many else 5.6)
    axes.set_xticks(range(len(columns)), columns)
    if many:
        axes.tick_params(axis="x", labelsize=style.SMALL)
        if max(map(len, columns)) > 3:
            axes.tick_params(axis="x", rotation=90)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
