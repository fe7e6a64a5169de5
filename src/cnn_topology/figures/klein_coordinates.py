"""Where on the Klein bottle the kept filters of a layer lie, before and after training, and how far from it.

Each kept filter at the nearest point of the Klein bottle of 3x3 patches, before training, where the run has that step,
and at the last step, and the distance to that point. The small patches stand at their angles. Lines mark the primary
circle (edges), the quadratic circles (lines) and the secondary circles; top and bottom of the square are the same, left
and right are the same upside down. A layer that has learned the primary circle fills the two blue lines evenly and has
small distances. The model is that of Carlsson, Ishkhanov, de Silva and Zomorodian (2008); this figure is ours, and
untrained networks are its reference.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import AnnotationBbox, Axes, OffsetImage, pd
from cnn_topology.figures.planned import facet, pages_of_clouds
from cnn_topology.figures.selection import drawn, fundamental, headlines_at, no_cloud, of_cloud, provenance, when
from cnn_topology.topology.patches import klein_patch

BINS = 40
# Two unit vectors at a right angle: no patch lies farther from the model, which holds each patch and its negative.
FARTHEST = float(np.sqrt(2))


FACETS = 4  # on one page


def planned(plan: Plan) -> Planned:
    """List pages of all layers."""
    return pages_of_clouds(plan, "klein_coordinates", [facet(clouds) for clouds in plan.layer_clouds], FACETS)


@figure(section="filters", tables=("loops", "filters"), planned=planned)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one row for each of `clouds`: coordinates at its first and last step, and residuals at both."""
    clouds = parameters["clouds"]
    found = pd.concat([headlines_at(tables["loops"], clouds, which) for which in ("first", "last")]).drop_duplicates()
    figure = style.new_figure(1.75 * len(clouds) + 0.45, provenance(notes, found))
    # The squares of a row: at both steps, or, of networks trained elsewhere, at the one there is.
    steps = [("first", "last") if cloud["first"] != cloud["last"] else ("last",) for cloud in clouds]
    grid = figure.add_gridspec(len(clouds), max(map(len, steps)) + 1)
    shown = []
    for row, (cloud, whiches) in enumerate(zip(clouds, steps, strict=True)):
        places = [grid[row, column] for column in range(len(whiches))] if len(whiches) > 1 else [grid[row, :-1]]
        squares = [figure.add_subplot(place) for place in places]
        residuals = figure.add_subplot(grid[row, -1])
        for axes, which in zip(squares, whiches, strict=True):
            at = headlines_at(tables["loops"], [cloud], which)
            axes.set_title(when(cloud, which))
            if at.empty:
                style.explain(axes, no_cloud(cloud[which]))
                continue
            points = _coordinates(of_cloud(tables["filters"], at.iloc[0]))
            _square(axes, points)
            _histogram(residuals, points, when(cloud, which), trained=which == "last")
            shown.append(points)
            if row == len(clouds) - 1:
                axes.set_xlabel("θ₁, 0 to π (direction)", labelpad=14)
        style.row_title(squares[0], f"{cloud['population']}, {cloud['layer']}")
        squares[0].set_ylabel("θ₂, 0 to 2π (line to edge)", labelpad=16)
        _finish(residuals)
        if row == len(clouds) - 1 and residuals.has_data():
            residuals.set_xlabel("distance to the Klein bottle")
    style.shared_legend(figure, "residual")
    return figure, drawn(filters=shown)


def _coordinates(filters: pd.DataFrame) -> pd.DataFrame:
    names = ["population", "layer", "step", "network", "out_channel", "in_channel", "residual"]
    theta1, theta2 = fundamental(filters["theta1"].to_numpy(), filters["theta2"].to_numpy())
    return filters[names].assign(theta1=theta1, theta2=theta2)


def _square(axes: Axes, points: pd.DataFrame) -> None:
    for height in (0.5, 1.5):
        axes.axhline(height * np.pi, color=style.BLUE, linewidth=1.2, zorder=1, label="primary circle (edges)")
    for height in (0, 1, 2):
        axes.axhline(height * np.pi, color=style.ORANGE, linewidth=1.2, zorder=1, label="quadratic circle (lines)")
    for across in (0, 0.5, 1):
        axes.axvline(across * np.pi, color=style.GREEN, linewidth=1.2, zorder=1, label="secondary circles")
    axes.scatter(
        points["theta1"],
        points["theta2"],
        s=min(5.0, max(0.4, 2_000 / max(1, len(points)))),
        color=style.INK,
        alpha=float(np.clip(1_000 / max(1, len(points)), 0.1, 0.8)),
        linewidths=0,
        rasterized=True,
        zorder=2,
    )
    axes.set_xlim(-0.03 * np.pi, 1.03 * np.pi)
    axes.set_ylim(-0.06 * np.pi, 2.06 * np.pi)
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
    if points["residual"].notna().sum() == 0:
        return
    axes.hist(
        points["residual"],
        bins=np.linspace(0, FARTHEST, BINS + 1).tolist(),
        density=True,
        histtype="stepfilled" if trained else "step",
        color=style.SKY if trained else style.INK,
        alpha=0.9 if trained else 1,
        zorder=1 if trained else 2,
        label=f"{at}, n = {len(points):,}",
    )


def _finish(axes: Axes) -> None:
    if not axes.patches:
        style.explain(axes, "no filter in the table")
        return
    axes.set_title("residual")
    axes.set_xlim(0, FARTHEST)
    axes.set_yticks([])
    axes.set_ylabel("density")
    axes.spines["left"].set_visible(False)
    # Room for the legend above the histograms.
    axes.set_ylim(0, 1.5 * axes.get_ylim()[1])
    axes.legend(loc="upper right", handlelength=1, borderaxespad=0)
