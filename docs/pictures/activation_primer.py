"""How the activations paper reads a cloud: Rips filtration and diagram, and mapper graph, of toy samples.

How the activations paper reads a cloud, on toy samples (a drawing of ours; the paper has background drawings of this
kind). Above: the Vietoris-Rips complex of points near a circle at three scales, and the persistence diagram of the
whole filtration. Below: mapper. Points are coloured by the lens, the norm of the activation; overlapping intervals of
the lens are clustered by DBSCAN; clusters are nodes, and nodes that share points are joined. A pie shows the classes in
a node: the graph parts into branches where the classes part.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Annulus, Wedge
from primer import NOISE, POINTS, SCALES, SEED, draw_complex, noisy_circle

from cnn_topology.figures import style
from cnn_topology.figures.selection import provenance
from cnn_topology.mapper.cover import OverlapCover, intervals
from cnn_topology.mapper.graph import MapperGraph
from cnn_topology.mapper.lenses import norm_lens
from cnn_topology.mapper.recipes import mapper_of_activations
from cnn_topology.topology.persistence import barcode

# A trunk that parts into two branches, one for each class; drawn with the settings of the paper but fewer intervals.
BRANCH_POINTS, BRANCH_NOISE, BRANCH_SEED = 260, 0.05, 3
INTERVALS, OVERLAP, EPS, MIN_SAMPLES = 7, 0.3, 0.16, 5
CLASSES = (style.BLUE, style.ORANGE)


def draw() -> Figure:
    """Draw both constructions from fixed samples."""
    footer = provenance(
        {},
        extra=f"toy samples: above {POINTS} points of a circle, noise {NOISE:g}, own seed {SEED}; "
        f"below {BRANCH_POINTS} points, noise {BRANCH_NOISE:g}, own seed {BRANCH_SEED}; "
        f"{INTERVALS} intervals, overlap {OVERLAP:g}, DBSCAN with eps {EPS:g} and {MIN_SAMPLES} points",
    )
    figure = style.new_figure(4.3, footer)
    grid = figure.add_gridspec(2, 1, height_ratios=[1, 1.15])
    above, below = grid[0].subgridspec(1, 4), grid[1].subgridspec(1, 3)
    circle = noisy_circle()
    for place, (scale, remark) in enumerate(zip(SCALES, ("points", "a loop", "loop filled"), strict=True)):
        axes = figure.add_subplot(above[place])
        draw_complex(axes, circle, scale)
        style.letter(axes, "abc"[place], f"scale {scale:g}: {remark}")
    _diagram(figure.add_subplot(above[3]), circle)
    points, labels = branches()
    lens = norm_lens(points)
    cover = OverlapCover(INTERVALS, OVERLAP)
    graph = mapper_of_activations(points, cover, EPS, MIN_SAMPLES)
    low, high = intervals(lens[:, 0], cover)
    _lens(figure.add_subplot(below[0]), points, lens[:, 0])
    _cover(figure.add_subplot(below[1]), points, labels, graph, low, high)
    _graph(figure.add_subplot(below[2]), points, labels, graph)
    return figure


def branches() -> tuple[np.ndarray, np.ndarray]:
    """Return a trunk with two branches whose norm grows along them, shape (points, 2), and the class of each point."""
    rng = np.random.default_rng(BRANCH_SEED)
    along = rng.uniform(0.15, 1.6, BRANCH_POINTS)
    labels = np.arange(BRANCH_POINTS) % 2
    apart = np.where(along > 0.7, 0.75 * (along - 0.7), 0.0) * np.where(labels == 1, 1, -1)
    points = np.stack([along, apart], axis=1) + rng.normal(0, BRANCH_NOISE, (BRANCH_POINTS, 2))
    return points, labels


def _diagram(axes: Axes, circle: np.ndarray) -> None:
    found = barcode(circle)
    bars = pd.DataFrame({"dimension": found.dimension, "birth": found.birth, "death": found.death})
    top = 1.1 * bars.loc[np.isfinite(bars["death"]), "death"].max()
    axes.plot([0, top], [0, top], color=style.GREY, linewidth=0.7)
    for dimension, colour, marker, name in ((0, style.INK, "o", "H0"), (1, style.BLUE, "^", "H1")):
        mine = bars[(bars["dimension"] == dimension) & np.isfinite(bars["death"])]
        axes.plot(mine["birth"], mine["death"], marker, color=colour, markersize=4, label=name, clip_on=False)
    axes.set_xlim(-0.03 * top, top)
    axes.set_ylim(0, top)
    axes.set_aspect("equal")
    axes.set_xlabel("birth")
    axes.set_ylabel("death")
    axes.legend(loc="lower right", handletextpad=0.2, borderpad=0)
    style.letter(axes, "d", "diagram")


def _lens(axes: Axes, points: np.ndarray, lens: np.ndarray) -> None:
    shown = axes.scatter(points[:, 0], points[:, 1], c=lens, cmap="viridis", s=7, linewidths=0)
    figure = axes.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(shown, ax=axes, shrink=0.7, aspect=16, pad=0.02)
    bar.ax.tick_params(labelsize=style.SMALL)
    bar.set_label("lens", fontsize=7)
    _plain(axes)
    style.letter(axes, "e", "lens: ℓ₂ norm, 0 to 1")


def _cover(
    axes: Axes, points: np.ndarray, labels: np.ndarray, graph: MapperGraph, low: np.ndarray, high: np.ndarray
) -> None:
    norms = np.linalg.norm(points, axis=1)
    least, most = norms.min(), norms.max()
    for number, (start, end) in enumerate(zip(low, high, strict=True)):
        inner, outer = (least + value * (most - least) for value in (start, end))
        colour = style.BAND if number % 2 else style.SKY
        axes.add_patch(Annulus((0, 0), outer, outer - inner, facecolor=colour, alpha=0.4, linewidth=0))
    for label, colour in enumerate(CLASSES):
        axes.scatter(points[labels == label, 0], points[labels == label, 1], color=colour, s=7, linewidths=0)
    for node in range(graph.nodes):
        centre = points[graph.members[graph.starts[node] : graph.starts[node + 1]]].mean(axis=0)
        axes.plot(*centre, "+", color=style.INK, markersize=5)
    _plain(axes)
    style.letter(axes, "f", "intervals, clusters (+)")


def _graph(axes: Axes, points: np.ndarray, labels: np.ndarray, graph: MapperGraph) -> None:
    held = [graph.members[start:end] for start, end in zip(graph.starts[:-1], graph.starts[1:], strict=True)]
    centres = np.array([points[members].mean(axis=0) for members in held])
    second = np.array([labels[members].mean() for members in held])
    axes.add_collection(LineCollection(centres[graph.edges], color=style.GREY, linewidth=0.9, zorder=1))
    for centre, share, size in zip(centres, second, graph.sizes, strict=True):
        _pie(axes, centre, share, 0.035 + 0.012 * np.sqrt(size))
    _plain(axes)
    style.letter(axes, "g", "graph: two branches")


def _pie(axes: Axes, centre: np.ndarray, share: float, radius: float) -> None:
    start = 90 + 360 * share
    axes.add_patch(Wedge(tuple(centre), radius, 90, start, facecolor=CLASSES[1], linewidth=0, zorder=2))
    axes.add_patch(Wedge(tuple(centre), radius, start, 450, facecolor=CLASSES[0], linewidth=0, zorder=2))


def _plain(axes: Axes) -> None:
    axes.set_xlim(0, 1.8)
    axes.set_ylim(-0.9, 0.9)
    axes.set_aspect("equal")
    axes.axis("off")
