"""A primer on barcodes: points near a circle, their Vietoris-Rips complex at three scales, and the bars that result.

A primer on barcodes (the subject of the weights paper's introductory figure, drawn anew). Points near a circle are
joined by all edges up to a scale, and triangles are filled as soon as their edges are there (Vietoris-Rips complex).
Each bar spans the scales at which a component (H0) or a loop (H1) lives. The one long H1 bar is the circle; how long a
bar must be to mean anything is what the null models of the other figures answer.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from scipy.spatial.distance import pdist, squareform

from cnn_topology.figures import style
from cnn_topology.figures.selection import lengths, provenance
from cnn_topology.topology.persistence import barcode

POINTS, NOISE, SEED = 18, 0.09, 5
SCALES = (0.25, 0.8, 1.75)


def draw() -> Figure:
    """Draw the primer from its fixed sample."""
    sample = noisy_circle()
    found = barcode(sample)
    bars = pd.DataFrame({"dimension": found.dimension, "birth": found.birth, "death": found.death})
    footer = provenance(
        {}, extra=f"{POINTS} points, circle of radius 1 with noise {NOISE:g} per coordinate, own seed {SEED}"
    )
    figure = style.new_figure(3.9, footer)
    grid = figure.add_gridspec(2, 3, height_ratios=[1.35, 1])
    remarks = ("separate points", "one loop", "loop filled")
    for place, (scale, remark) in enumerate(zip(SCALES, remarks, strict=True)):
        axes = figure.add_subplot(grid[0, place])
        draw_complex(axes, sample, scale)
        style.letter(axes, "abc"[place], f"scale {scale:g}: {remark}")
    _bars(figure.add_subplot(grid[1, :]), bars)
    return figure


def noisy_circle() -> np.ndarray:
    """Return the sample: evenly spread angles, jittered, with Gaussian noise; shape (points, 2)."""
    generator = np.random.default_rng(SEED)
    angles = 2 * np.pi * (np.arange(POINTS) + generator.uniform(-0.25, 0.25, POINTS)) / POINTS
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) + generator.normal(0, NOISE, (POINTS, 2))


def draw_complex(axes: Axes, sample: np.ndarray, scale: float) -> None:
    """Draw points of the plane with their Vietoris-Rips complex at one scale."""
    near = squareform(pdist(sample)) <= scale
    triangles = [t for t in combinations(range(len(sample)), 3) if all(near[i, j] for i, j in combinations(t, 2))]
    edges = [e for e in combinations(range(len(sample)), 2) if near[e]]
    axes.add_collection(PolyCollection([sample[list(t)] for t in triangles], facecolor=style.SKY, alpha=0.18))
    axes.add_collection(LineCollection([sample[list(e)] for e in edges], color=style.GREY, linewidth=0.6))
    axes.plot(*sample.T, "o", color=style.INK, markersize=3)
    axes.set_aspect("equal")
    axes.set_xlim(-1.35, 1.35)
    axes.set_ylim(-1.3, 1.3)
    axes.axis("off")


def _bars(axes: Axes, bars: pd.DataFrame) -> None:
    end = 1.08 * bars.loc[np.isfinite(bars["death"]), "death"].max()
    row = 0
    for dimension, colour, name in ((1, style.BLUE, "H1: loops"), (0, style.INK, "H0: components")):
        chosen = lengths(bars, dimension).sort_values("length", kind="stable")
        for bar in chosen.itertuples():
            axes.plot([bar.birth, min(bar.death, end)], [row, row], color=colour, linewidth=1.6, solid_capstyle="butt")
            row += 1
        axes.text(end * 1.01, row - 0.5 * len(chosen) - 0.5, name, color=colour, va="center")
        row += 2
    for place, scale in enumerate(SCALES):
        axes.axvline(scale, color=style.VERMILION, linewidth=0.8, linestyle="--", zorder=0)
        axes.text(scale, row - 1, "abc"[place], color=style.VERMILION, ha="center", va="bottom", fontweight="bold")
    axes.set_xlim(0, end)
    axes.set_ylim(-1.5, row - 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("scale (longest edge allowed)")
    birth, death, _ = lengths(bars, 1).loc[0, ["birth", "death", "length"]]
    style.letter(axes, "d", f"barcode: the loop lives from scale {birth:.2f} to {death:.2f}")
    axes.title.set_position((0, 1.0))
    axes.set_title(axes.get_title(loc="left"), loc="left", pad=12)
