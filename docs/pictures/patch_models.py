"""The models of 3x3 patches: primary, secondary and quadratic circle, Klein bottle (the weights paper's Fig. 1).

The model patches, after Fig. 1 of the weights paper: primary circle (edges in all directions) and the two secondary
circles of the three-circle model (each runs from edges to lines of one direction); the quadratic circle (lines) and the
Klein bottle that holds them all are drawn besides. In panel e the top side is glued to the bottom side, and the left
side to the right side upside down; blue, orange and green lines are the primary, quadratic and secondary circles. All
patches have mean 0 and norm 1. No data enter this figure.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cnn_topology.figures import style
from cnn_topology.figures.glyphs import bare, draw_filter
from cnn_topology.figures.selection import provenance
from cnn_topology.topology.patches import edge_patch, klein_patch, line_patch, secondary_patch

ON_CIRCLE = 12
ON_SQUARE = (9, 13)


def draw() -> Figure:
    """Draw the models from their formulas."""
    footer = provenance({}, extra="3×3 patches, mean 0 and norm 1, computed from their formulas; black −, white +")
    figure = style.new_figure(4.0, footer)
    grid = figure.add_gridspec(2, 3, width_ratios=[1, 1, 1.55])
    angles = 2 * np.pi * np.arange(ON_CIRCLE) / ON_CIRCLE
    circles = (
        (edge_patch(angles), style.BLUE, "primary circle: edges"),
        (secondary_patch("vertical", angles), style.GREEN, "secondary circle, x and x²"),
        (secondary_patch("horizontal", angles), style.GREEN, "secondary circle, y and y²"),
        # A line patch has period pi: once around the circle is half a turn of the line.
        (line_patch(angles / 2), style.ORANGE, "quadratic circle: lines"),
    )
    for place, (patches, colour, title) in enumerate(circles):
        axes = figure.add_subplot(grid[place // 2, place % 2])
        _ring(axes, patches, angles, 0.34, colour)
        style.letter(axes, "abcd"[place], title)
    _klein_square(figure.add_subplot(grid[:, 2]))
    return figure


def _ring(axes: Axes, patches: np.ndarray, angles: np.ndarray, side: float, colour: str) -> None:
    """Draw patches around the unit circle, each at its angle."""
    circle = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(circle), np.sin(circle), color=colour, linewidth=0.8, zorder=1)
    limit = float(np.abs(patches).max())
    for weights, angle in zip(patches, angles, strict=True):
        draw_filter(axes, weights, np.cos(angle), np.sin(angle), side, limit)
    bare(axes, 1 + 0.75 * side)


def _klein_square(axes: Axes) -> None:
    """Draw the square theta1 x theta2 with its four sides marked as they are glued."""
    columns, rows = ON_SQUARE
    theta1, theta2 = (
        grid.ravel() for grid in np.meshgrid(np.linspace(0, np.pi, columns), np.linspace(0, 2 * np.pi, rows))
    )
    patches = klein_patch(theta1, theta2)
    # Spread the square so that patches of equal size fill it.
    x, y = theta1 / np.pi * (columns - 1), theta2 / (2 * np.pi) * (rows - 1)
    limit = float(np.abs(patches).max())
    for weights, at_x, at_y in zip(patches, x, y, strict=True):
        draw_filter(axes, weights, at_x, at_y, 0.72, limit, frame=0.3)
    for height, colour in ((0.25, style.BLUE), (0.75, style.BLUE), (0.5, style.ORANGE)):
        axes.axhline(height * (rows - 1), color=colour, linewidth=1.4, zorder=1)
    for across in (0, 0.5, 1):
        axes.axvline(across * (columns - 1), color=style.GREEN, linewidth=1.4, zorder=1)
    for edge in (0, rows - 1):
        axes.axhline(edge, color=style.ORANGE, linewidth=1.4, zorder=1)
    _glue(axes, columns - 1, rows - 1)
    axes.set_xticks([0, (columns - 1) / 2, columns - 1], ["0", "π/2", "π"])
    axes.set_yticks([0, (rows - 1) / 2, rows - 1], ["0", "π", "2π"])
    axes.set_aspect("equal")
    axes.set_xlim(-1.15, columns + 0.15)
    axes.set_ylim(-1.15, rows + 0.15)
    axes.set_xlabel("θ₁ (direction)")
    axes.set_ylabel("θ₂ (edge to line)")
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    style.letter(axes, "e", "Klein bottle; sides glued along arrows")


def _glue(axes: Axes, right: float, top: float) -> None:
    """Mark bottom and top as glued alike, left and right as glued upside down."""
    single = {"arrowstyle": "-|>", "color": style.VERMILION, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
    middle, length, off = top / 2, 1.3, 0.78
    for y in (-off, top + off):
        axes.annotate("", (right / 2 + length, y), (right / 2 - length, y), arrowprops=single)
    for x, way in ((-off, 1), (right + off, -1)):
        axes.annotate("", (x, middle + way * length), (x, middle - way * length), arrowprops=single)
        axes.annotate("", (x, middle + way * (length - 0.55)), (x, middle - way * length), arrowprops=single)
