"""One panel per layer over the depth of a network: the plane of its kept filters and the mean filters around it.

Panel G of the weights paper (section 4) shows mapper graphs; a plane with means of its sectors stays legible at the
size of many panels on a page, and each layer's mapper graph is a figure of its own.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cnn_topology.figures import style
from cnn_topology.figures.angles import edge_angle
from cnn_topology.figures.cloud import draw_plane, sector_means
from cnn_topology.figures.depth import short
from cnn_topology.figures.glyphs import bare, draw_filter
from cnn_topology.figures.selection import drawn, headlines_at, length, no_cloud, of_cloud, provenance, when
from cnn_topology.tables.filters import FILTER_COORDINATES

SECTORS, COLUMNS = 12, 4
# Where mean filters stand, and their side, in units of the radius of the plane.
RING, SIDE = 1.36, 0.5


def draw(
    parameters: Mapping[str, Any], tables: Mapping[str, pa.Table], notes: Mapping[str, str]
) -> tuple[Figure, pa.Table]:
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
    return figure, drawn(loops=found, sectors=pd.concat(shown) if shown else pd.DataFrame())


def _panel(axes: Axes, filters: pd.DataFrame) -> pd.DataFrame:
    angle = edge_angle(filters["theta1"].to_numpy(), filters["theta2"].to_numpy())
    draw_plane(axes, filters.assign(edge_angle=angle), scale=0.5)
    sectors = sector_means(filters, SECTORS)
    limit = float(np.nanmax(np.abs(sectors[list(FILTER_COORDINATES)].to_numpy())))
    for row in sectors[sectors["filters"] > 0].to_dict("records"):
        weights = np.array([row[name] for name in FILTER_COORDINATES])
        x, y = RING * np.cos(row["angle"]), RING * np.sin(row["angle"])
        draw_filter(axes, weights, x, y, SIDE, limit, style.CYCLIC(row["edge_angle"] / (2 * np.pi)), frame=1.2)
    bare(axes, RING + 0.62 * SIDE)
    return sectors
