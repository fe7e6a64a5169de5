"""A table of numbers as a picture: rows, columns, the number in each cell, its shade by the number."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from cnn_topology.figures import style

# From paper to blue: dark enough for white type, light enough for black.
SHADES = LinearSegmentedColormap.from_list("shades", ["#ffffff", "#cfe1ef", "#6fa8d2", "#0b4f86"])


def heat_table(
    axes: Axes,
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    below: Sequence[Sequence[str]] | None = None,
    limits: tuple[float, float] = (0.0, 1.0),
    digits: int = 2,
) -> None:
    """Draw a table.

    Parameters
    ----------
    axes : Axes
    values : ndarray, shape (rows, columns)
        NaN leaves a cell empty.
    rows, columns : sequence of str
    below : sequence of sequence of str, optional
        A smaller line under each number.
    limits : (float, float)
        Numbers that are white and darkest.
    digits : int
    """
    axes.imshow(values, cmap=SHADES, vmin=limits[0], vmax=limits[1], aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        if np.isnan(value):
            axes.text(j, i, "–", ha="center", va="center", color=style.GREY)
            continue
        colour = "white" if (value - limits[0]) / (limits[1] - limits[0]) > 0.68 else style.INK
        small = below[i][j] if below else ""
        axes.text(
            j, i - (0.16 if small else 0), f"{value:.{digits}f}", ha="center", va="center", color=colour, fontsize=7.5
        )
        if small:
            axes.text(j, i + 0.24, small, ha="center", va="center", color=colour, fontsize=5.6)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
