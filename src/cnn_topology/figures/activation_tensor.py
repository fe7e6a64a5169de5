"""The activation tensor of one image: a spatial and a channel activation of it (activations paper, Fig. 1).

The activation tensor of one image in one layer of a trained network, with one spatial activation (red: the vector over
all channels at one position, here that of the largest norm) and one channel activation (blue: the image of one channel)
marked, as in Fig. 1 of the activations paper; drawn from this run's activations. A point cloud of the paper is a set of
such vectors.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, AxesImage, Normalize, Rectangle
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables
from cnn_topology.plan.layer_comparisons import tensor_source

# Channels drawn as cards one behind the other, spread evenly over all.
CARDS = 9
COLOURS = "viridis"


def planned(plan: Plan) -> Planned:
    """List one figure where a cloud has all positions of an image."""
    return [("activation_tensor", {})] if tensor_source(plan) else []


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the tensor with one position and one channel marked, and these alone."""
    found = tables["activation_tensor"].to_pandas()
    if found.empty:
        raise selection.Empty("no row in the table of the activation tensor")
    first = found.iloc[0]
    channels, height, width = (int(found[name].max()) + 1 for name in ("channel", "y", "x"))
    tensor = np.full((channels, height, width), np.nan)
    tensor[found["channel"], found["y"], found["x"]] = found["value"]
    extra = (
        f"{first['population']}, network {first['network']}, {first['layer']} ({first['tensor']}), image "
        f"{first['image']} ({first['class_name']}), {channels} channels x {height} x {width}"
    )
    cards = np.unique(np.linspace(0, channels - 1, min(CARDS, channels)).round().astype(int))
    if channels > CARDS:
        extra += f", of which {CARDS} are drawn"
    # The position of the largest norm, as in the top-l2 clouds, and the channel with the largest value.
    norms = np.linalg.norm(tensor, axis=0)
    row, column = divmod(int(np.argmax(norms)), width)
    card = int(np.argmax(tensor[cards].max(axis=(1, 2))))
    scale = Normalize(*np.quantile(tensor, [0.01, 0.99]))
    figure = style.new_figure(3.9, selection.provenance(notes, extra=extra))
    (stack, position), (vector, channel) = figure.subplots(2, 2, height_ratios=[2, 1])
    _cards(stack, tensor[cards], scale, (row, column), card)
    style.letter(stack, "a", "activation tensor")
    image = position.imshow(norms, cmap="Greys", interpolation="nearest")
    mark: style.Options = {"fill": False, "edgecolor": style.VERMILION, "linewidth": 1.4}
    position.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **mark))
    style.letter(position, "b", "norms: the position of the largest")
    _bar(position, image, "ℓ₂ norm of xᵤᵥ")
    vector.vlines(
        np.arange(channels), 0, tensor[:, row, column], color=style.VERMILION, linewidth=min(1.5, 60 / channels)
    )
    vector.axhline(0, color=style.INK, linewidth=0.5)
    vector.set(xlabel=f"channel, at row {row}, column {column}", ylabel="value")
    style.letter(vector, "c", "spatial activation xᵤᵥ")
    image = channel.imshow(tensor[cards[card]], cmap=COLOURS, norm=scale, interpolation="nearest")
    style.letter(channel, "d", "channel activation")
    _bar(channel, image, f"value, channel {cards[card]}")
    return figure, selection.drawn(tensor=found)


KIND = FigureKind(section="layers", tables=("activation_tensor",), planned=planned, draw=draw)


def _cards(axes: Axes, cards: np.ndarray, scale: Normalize, position: tuple[int, int], marked: int) -> None:
    """Draw channels one behind the other, the last at the back, with one position and one channel marked."""
    count, height, width = cards.shape
    right, up = 0.21 * max(height, width), 0.17 * max(height, width)
    corners = []
    for place in range(count):
        level, x, y = count - place, place * right, place * up
        extent = (x, x + width, y, y + height)
        axes.imshow(cards[place], cmap=COLOURS, norm=scale, extent=extent, zorder=level, interpolation="nearest")
        # The frame of the marked one lies in front of all.
        edge, line, over = (style.BLUE, 1.8, 2 * count) if place == marked else ("white", 0.6, level)
        frame: style.Options = {"fill": False, "edgecolor": edge, "linewidth": line, "zorder": over + 0.2}
        axes.add_patch(Rectangle((x, y), width, height, **frame))
        corners.append((x + position[1], y + height - 1 - position[0]))
        one: style.Options = {"fill": False, "edgecolor": style.VERMILION, "linewidth": 1.2, "zorder": 2 * count}
        axes.add_patch(Rectangle(corners[-1], 1, 1, **one))
    (x0, y0), (x1, y1) = corners[0], corners[-1]
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        axes.plot([x0 + dx, x1 + dx], [y0 + dy, y1 + dy], color=style.VERMILION, linewidth=0.6, zorder=2 * count)
    axes.set(xlim=(-0.3, (count - 1) * right + width + 0.3), ylim=(-0.3, (count - 1) * up + height + 0.3))
    axes.set(aspect="equal", anchor="W")
    axes.axis("off")


def _bar(axes: Axes, image: AxesImage, text: str) -> None:
    axes.set(xticks=[], yticks=[], anchor="W")
    bar = style.figure_of(axes).colorbar(image, ax=axes, aspect=12, pad=0.03)
    bar.ax.tick_params(labelsize=style.SMALL)
    bar.set_label(text, fontsize=7)
