"""Drawing filters as small grey images, alone and around a circle (the pictures of the weights paper, Fig. 1)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from cnn_topology.figures.libraries import Axes, Rectangle
from cnn_topology.figures.style import INK, PATCHES
from cnn_topology.networks.patches import side_of


def draw_filter(
    axes: Axes,
    weights: Float[np.ndarray, " entries"],
    x: float,
    y: float,
    side: float,
    limit: float,
    colour: object = INK,
    frame: float = 0.5,
) -> None:
    """Draw one filter centred at (x, y), row 0 on top; -limit is black, +limit white. The caller sets the limits."""
    half = side / 2
    extent = (x - half, x + half, y - half, y + half)
    image = np.reshape(weights, (side_of(weights), -1))
    # "nearest" draws at the resolution of the output; of an image of few pixels some PDF viewers smooth the edges.
    axes.imshow(
        image, extent=extent, cmap=PATCHES, vmin=-limit, vmax=limit, interpolation="nearest", aspect="auto", zorder=3
    )
    corner = (x - half, y - half)
    axes.add_patch(Rectangle(corner, side, side, fill=False, edgecolor=colour, linewidth=frame, zorder=4))


def bare(axes: Axes, half: float) -> None:
    """Turn a panel into a plain square of coordinates -half to half, without axes."""
    axes.set_aspect("equal")
    axes.set_xlim(-half, half)
    axes.set_ylim(-half, half)
    axes.axis("off")
