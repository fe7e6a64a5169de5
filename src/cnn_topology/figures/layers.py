"""One panel per layer over the depth of a network: the plane of its kept filters and the mean filters around it.

One panel per layer of a network, from the image inwards: the filters that rho(k, p) keeps, in the plane of their first
two principal components (grey: unit circle), and around it the mean filter of each of 12 sectors of that plane; an
empty sector has none. Colour: direction in which the linear part of the nearest Klein patch rises. Above: verdict,
longest and second H1 bar. The weights paper shows one mapper graph per layer (panel G); the planes are ours, and mapper
graphs are figures of their own.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.cloud import draw_plane, sector_means
from cnn_topology.figures.depth import short
from cnn_topology.figures.glyphs import bare, draw_filter
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.planned import networks_by_depth, numbered
from cnn_topology.figures.selection import (
    drawn,
    edge_angle,
    entries_of,
    entry_rows,
    headlines_at,
    length,
    no_cloud,
    of_cloud,
    provenance,
    when,
)

SECTORS, COLUMNS = 12, 4
# Where mean filters stand, and their side, in units of the radius of the plane.
RING, SIDE = 1.36, 0.5


FACETS = 20  # on one page


def planned(plan: Plan) -> Planned:
    """List the pages of each network of several layers."""
    for population, layers in networks_by_depth(plan).items():
        for name, page in numbered(f"layers_{population}", layers, FACETS):
            yield name, {"clouds": page}


@figure(
    section="filters",
    tables=("loops", "filters"),
    planned=planned,
    columns={**selection.EDGE_ANGLE, **selection.SECTORS, **selection.ENTRIES},
)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the headline cloud of each of `clouds` at its last step."""
    clouds = parameters["clouds"]
    found = headlines_at(tables["loops"], clouds, "last")
    rows = style.shape(len(clouds), COLUMNS)[0]
    remark = "points: PCA plane, unit circle; outside: mean filters of 12 sectors; colour: edge angle"
    figure = style.new_figure(
        1.98 * rows + 0.25, provenance(notes, found, extra=remark), f"{clouds[0]['population']}, {when(clouds[0])}"
    )
    shown = []
    for cloud, axes in zip(clouds, style.facets(figure, len(clouds), COLUMNS), strict=True):
        at = found[found["layer"] == cloud["layer"]]
        filters = of_cloud(tables["filters"], at.iloc[0]) if len(at) else pd.DataFrame()
        if filters.empty:
            axes.set_title(short(cloud["layer"]), fontsize=style.SMALL)
            style.explain(axes, no_cloud(), characters=26)
            continue
        loop = at.iloc[0]
        words = f"{loop['verdict']}: {length(loop['longest'])}, {length(loop['second'])}"
        axes.set_title(f"{loop['depth']}: {short(cloud['layer'])}\n{words}", fontsize=style.SMALL)
        shown.append(_panel(axes, filters).assign(layer=cloud["layer"], depth=loop["depth"]))
    means = [entry_rows(sectors, "angle").assign(layer=sectors["layer"].iloc[0]) for sectors in shown]
    return figure, drawn(loops=found, sectors=[sectors.drop(columns="coordinates") for sectors in shown], means=means)


def _panel(axes: Axes, filters: pd.DataFrame) -> pd.DataFrame:
    angle = edge_angle(filters["theta1"].to_numpy(), filters["theta2"].to_numpy())
    draw_plane(axes, filters.assign(edge_angle=angle), scale=0.5)
    sectors = sector_means(filters, SECTORS)
    limit = float(np.nanmax(np.abs(entries_of(sectors))))
    for row in sectors[sectors["filters"] > 0].to_dict("records"):
        x, y = RING * np.cos(row["angle"]), RING * np.sin(row["angle"])
        draw_filter(axes, row["coordinates"], x, y, SIDE, limit, style.angle_colour(row["edge_angle"]), frame=1.2)
    bare(axes, RING + 0.62 * SIDE)
    return sectors
