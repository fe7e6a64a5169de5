"""The activation tensor of one image: a spatial and a channel activation of it (activations paper, Fig. 1).

The activation tensor of one image in one layer of a trained network, with one spatial activation (the vector over all
channels at one position, here that of the largest norm) and one channel activation (the image of one channel) marked,
as in Fig. 1 of the activations paper; drawn from this run's activations. A point cloud of the paper is a set of such
vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Axes, Normalize, Rectangle
from cnn_topology.figures.selection import drawn, empty_figure, provenance
from cnn_topology.plan.layer_comparisons import tensor_source

# Channels drawn as cards one behind the other, spread evenly over all.
CARDS = 9
COLOURS = "viridis"


def planned(plan: Plan) -> Planned:
    """List one figure where a cloud has all positions of an image."""
    return [("activation_tensor", {})] if tensor_source(plan) else []


@figure(section="layers", tables=("activation_tensor",), planned=planned)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the tensor three times: as it is, with one position and with one channel marked."""
    found = tables["activation_tensor"].to_pandas()
    if found.empty:
        return empty_figure("no row in the table of the activation tensor", provenance(notes))
    first = found.iloc[0]
    shape = tuple(int(found[name].max()) + 1 for name in ("channel", "y", "x"))
    tensor = np.full(shape, np.nan)
    tensor[found["channel"], found["y"], found["x"]] = found["value"]
    extra = (
        f"{first['population']}, network {first['network']}, {first['layer']} ({first['tensor']}), image "
        f"{first['image']} ({first['class_name']}), {shape[0]} channels x {shape[1]} x {shape[2]}"
    )
    if shape[0] > CARDS:
        extra += f", of which {CARDS} are drawn"
    figure = style.new_figure(3.55, provenance(notes, extra=extra))
    grid = figure.add_gridspec(2, 3, height_ratios=[2.2, 1])
    cards = np.unique(np.linspace(0, shape[0] - 1, min(CARDS, shape[0])).round().astype(int))
    # The position of the largest norm, as in the top-l2 clouds, and the channel with the largest value.
    row, column = divmod(int(np.argmax(np.linalg.norm(tensor, axis=0))), shape[2])
    position = (row, column)
    channel = int(cards[np.argmax(tensor[cards].max(axis=(1, 2)))])
    scale = Normalize(*np.quantile(tensor, [0.01, 0.99]))
    titles = ("activation tensor", "spatial activation xᵤᵥ", "channel activation")
    for place, title in enumerate(titles):
        axes = figure.add_subplot(grid[0, place])
        _cards(
            axes,
            tensor[cards],
            scale,
            position if place == 1 else None,
            list(cards).index(channel) if place == 2 else None,
        )
        style.letter(axes, "abc"[place], title)
    _norms(figure.add_subplot(grid[1, 0]), tensor, position)
    _spatial(figure.add_subplot(grid[1, 1]), tensor[:, row, column], position)
    _channel(figure.add_subplot(grid[1, 2]), tensor[channel], scale, channel)
    return figure, drawn(tensor=found)


def _cards(
    axes: Axes, cards: np.ndarray, scale: Normalize, position: tuple[int, int] | None = None, card: int | None = None
) -> None:
    """Draw channels one behind the other, the last at the back, with one position or one channel marked."""
    height, width = cards.shape[1:]
    right, up = 0.21 * max(height, width), 0.17 * max(height, width)
    count = len(cards)
    for place in range(count):
        # What is marked lies in front of all, the rest from the front to the back.
        level = 2 * count if place == card else count - place
        x, y = place * right, place * up
        axes.add_patch(Rectangle((x, y), width, height, facecolor="white", linewidth=0, zorder=level))
        axes.imshow(
            cards[place],
            cmap=COLOURS,
            norm=scale,
            extent=(x, x + width, y, y + height),
            alpha=1.0 if card in (None, place) else 0.3,
            zorder=level + 0.1,
            interpolation="nearest",
        )
        edge, line = (style.VERMILION, 1.8) if place == card else ("white", 0.6)
        axes.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=edge, linewidth=line, zorder=level + 0.2))
    if position is not None:
        corners = [(place * right + position[1], place * up + height - 1 - position[0]) for place in range(count)]
        for corner in corners:
            axes.add_patch(
                Rectangle(corner, 1, 1, fill=False, edgecolor=style.VERMILION, linewidth=1.2, zorder=2 * count)
            )
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            (x0, y0), (x1, y1) = corners[0], corners[-1]
            axes.plot([x0 + dx, x1 + dx], [y0 + dy, y1 + dy], color=style.VERMILION, linewidth=0.6, zorder=2 * count)
    axes.set_xlim(-0.3, (count - 1) * right + width + 0.3)
    axes.set_ylim(-0.3, (count - 1) * up + height + 0.3)
    axes.set_aspect("equal")
    axes.set_anchor("W")
    axes.axis("off")


def _norms(axes: Axes, tensor: np.ndarray, position: tuple[int, int]) -> None:
    image = axes.imshow(np.linalg.norm(tensor, axis=0), cmap="Greys", interpolation="nearest")
    axes.add_patch(
        Rectangle((position[1] - 0.5, position[0] - 0.5), 1, 1, fill=False, edgecolor=style.VERMILION, linewidth=1.4)
    )
    _bar(axes, image, "ℓ₂ norm of xᵤᵥ")


def _spatial(axes: Axes, vector: np.ndarray, position: tuple[int, int]) -> None:
    axes.vlines(
        np.arange(len(vector)), 0, vector, color=style.VERMILION, linewidth=max(0.3, min(1.5, 60 / len(vector)))
    )
    axes.axhline(0, color=style.INK, linewidth=0.5)
    axes.set_xlabel(f"channel, at row {position[0]}, column {position[1]}")
    axes.set_ylabel("value")


def _channel(axes: Axes, values: np.ndarray, scale: Normalize, channel: int) -> None:
    image = axes.imshow(values, cmap=COLOURS, norm=scale, interpolation="nearest")
    _bar(axes, image, f"value, channel {channel}")


def _bar(axes: Axes, image: Any, text: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_anchor("W")
    bar = style.figure_of(axes).colorbar(image, ax=axes, aspect=12, pad=0.03)
    bar.ax.tick_params(labelsize=style.SMALL)
    bar.set_label(text, fontsize=7)
