"""Where on the Klein bottle the kept filters of a layer lie, before and after training, and how far from it.

Each kept filter at the nearest point of the Klein bottle of 3x3 patches, before training, where the run has that step,
and at the last step, and the distance to that point. The small patches stand at their angles. Lines mark the primary
circle (edges), the quadratic circles (lines) and the secondary circles; top and bottom of the square are the same, left
and right are the same upside down. A layer that has learned the primary circle fills the two blue lines evenly and has
small distances. The model is that of Carlsson, Ishkhanov, de Silva and Zomorodian (2008); this figure is ours, and
untrained networks are its reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import AnnotationBbox, Axes, OffsetImage, pd
from cnn_topology.figures.planned import facet, pages_of_clouds
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables
from cnn_topology.topology.patches import klein_patch

BINS = 40
# Two unit vectors at a right angle: no patch lies farther from the model, which holds each patch and its negative.
FARTHEST = float(np.sqrt(2))


FACETS = 4  # on one page


def planned(plan: Plan) -> Planned:
    """List pages of all layers."""
    return pages_of_clouds(plan, "klein_coordinates", [facet(clouds) for clouds in plan.layer_clouds], FACETS)


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one row for each of `clouds`: coordinates at its first and last step, and residuals at both."""
    clouds, lacking = selection.with_rows(tables["filters"], parameters["clouds"])
    each = [_at_ends(tables["filters"], cloud) for cloud in clouds]
    found = pd.concat([selection.headlines_at(tables["loops"], clouds, end) for end in ("first", "last")])
    footer = selection.provenance(notes, found, extra=lacking)
    figure = style.new_figure(1.75 * len(clouds) + 0.45, footer)
    # The squares of a row: at both steps, or, of networks trained elsewhere, at the one there is.
    squares = max(map(len, each))
    grid = figure.add_gridspec(len(clouds), squares + 1)
    for row, (cloud, ends) in enumerate(zip(clouds, each, strict=True)):
        residuals = figure.add_subplot(grid[row, -1])
        for column, (end, points) in enumerate(ends.items()):
            axes = figure.add_subplot(grid[row, column] if len(ends) == squares else grid[row, :-1])
            axes.set_title(selection.when(cloud, end))
            _square(axes, points)
            _histogram(residuals, points, selection.when(cloud, end), trained=end == "last")
            if column == 0:
                style.row_title(axes, f"{cloud['population']}, {cloud['layer']}")
                axes.set_ylabel("θ₂, 0 to 2π (line to edge)", labelpad=16)
            if row == len(clouds) - 1:
                axes.set_xlabel("θ₁, 0 to π (direction)", labelpad=14)
        _finish(residuals)
    residuals.set_xlabel("distance to the Klein bottle")
    style.shared_legend(figure, "residual")
    return figure, selection.drawn(filters=[points for ends in each for points in ends.values()])


KIND = FigureKind(section="filters", tables=("loops", "filters"), planned=planned, draw=draw)


def _at_ends(filters: pa.Table, cloud: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the coordinates of the kept filters of a layer at its first step, where it has two, and at its last."""
    kept = selection.rows(filters, population=cloud["population"], layer=cloud["layer"])
    theta1, theta2 = selection.fundamental(kept)
    names = ["population", "layer", "step", "network", "out_channel", "in_channel", "residual"]
    points = kept[names].assign(theta1=theta1, theta2=theta2)
    ends = {end: points[points["step"] == cloud[end]] for end in ("first", "last")}
    both = cloud["first"] != cloud["last"] and len(ends["first"]) > 0
    return ends if both else {"last": ends["last"]}


def _square(axes: Axes, points: pd.DataFrame) -> None:
    line: style.Options = {"linewidth": 1.2, "zorder": 1}
    for height in (0.5, 1.5):
        axes.axhline(height * np.pi, color=style.BLUE, label="primary circle (edges)", **line)
    for height in (0, 1, 2):
        axes.axhline(height * np.pi, color=style.ORANGE, label="quadratic circle (lines)", **line)
    for across in (0, 0.5, 1):
        axes.axvline(across * np.pi, color=style.GREEN, label="secondary circles", **line)
    size, alpha = np.clip(2_000 / len(points), 0.4, 5.0), np.clip(1_000 / len(points), 0.1, 0.8)
    dots: style.Options = {"color": style.INK, "linewidths": 0, "rasterized": True, "zorder": 2}
    axes.scatter(points["theta1"], points["theta2"], s=size, alpha=float(alpha), **dots)
    axes.set(xlim=(-0.03 * np.pi, 1.03 * np.pi), ylim=(-0.06 * np.pi, 2.06 * np.pi))
    _patches_as_ticks(axes)
    axes.spines[["left", "bottom"]].set_visible(False)


def _patches_as_ticks(axes: Axes) -> None:
    """Put patches in place of numbers at ticks: edges by direction below, from line to edge and back at the left."""
    directions, angles = np.linspace(0, np.pi, 5), np.linspace(0, 2 * np.pi, 5)
    axes.set_xticks(directions, [""] * len(directions))
    axes.set_yticks(angles, [""] * len(angles))
    ticks = [(klein_patch(theta1, np.pi / 2), (theta1, 0), ("data", "axes fraction"), (0, -9)) for theta1 in directions]
    ticks += [(klein_patch(0.0, theta2), (0, theta2), ("axes fraction", "data"), (-9, 0)) for theta2 in angles]
    for patch, at, units, beyond in ticks:
        image = OffsetImage(patch.reshape(3, 3), zoom=3, cmap=style.PATCHES, interpolation="nearest")
        box = AnnotationBbox(
            image, at, beyond, units, "offset points", pad=0.1, bboxprops={"linewidth": 0.5}, annotation_clip=False
        )
        axes.add_artist(box)


def _histogram(axes: Axes, points: pd.DataFrame, at: str, *, trained: bool) -> None:
    look: style.Options = {"histtype": "stepfilled", "color": style.SKY, "alpha": 0.9, "zorder": 1}
    look = look if trained else {"histtype": "step", "color": style.INK, "zorder": 2}
    bins = np.linspace(0, FARTHEST, BINS + 1).tolist()
    axes.hist(points["residual"].dropna(), bins=bins, density=True, label=f"{at}, n = {len(points):,}", **look)


def _finish(axes: Axes) -> None:
    # Room for the legend above the histograms.
    axes.set(title="residual", xlim=(0, FARTHEST), ylim=(0, 1.5 * axes.get_ylim()[1]), yticks=[], ylabel="density")
    axes.spines["left"].set_visible(False)
    axes.legend(loc="upper right", handlelength=1, borderaxespad=0)
