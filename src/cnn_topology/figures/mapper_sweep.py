"""How far the loops of a mapper graph depend on its recipe: the same cloud, counted under each of them.

The same filters - the headline cloud of each layer at the last step - made into a mapper graph in other ways:
resolution and gain of the cover, intervals of equal count, the metric, the cloud that the principal components are
taken from, and the cut of the clustering. Each row changes what it names and keeps the rest; the first is the graph
that is drawn. Shown are nodes, connected components, loops of the graph, and those of them that no cliques fill, beside
the verdict of the barcode. The sources of the weights paper leave these choices open; the grid shows how far the
picture depends on them. Loops of the graph are never the test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Axes, Rectangle, pd
from cnn_topology.figures.planned import facet, pages_of_clouds
from cnn_topology.figures.selection import drawn, headlines_at, length, no_cloud, of_cloud, provenance, when

COLUMNS = {"nodes": "nodes", "components": "parts", "loops": "loops", "filled_loops": "unfilled"}
SHADES = {"no graph, or one node": style.BAND, "no unfilled loop": "white", "one": style.SKY, "several": style.ORANGE}


FACETS = 6  # on one page


def planned(plan: Plan) -> Planned:
    """List pages of the layers whose graph is made in several ways."""
    facets = [facet(clouds) for clouds in plan.layer_clouds if plan.mapper_sweep(clouds)]
    return pages_of_clouds(plan, "mapper_sweep", facets, FACETS)


@figure(section="filter_graphs", tables=("loops", "mapper_sweep"), planned=planned)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one grid for each of `clouds`, its headline at the last step: a row for each way to make its graph."""
    clouds = parameters["clouds"]
    found = headlines_at(tables["loops"], clouds, "last")
    sweeps = []
    for cloud in clouds:
        at = found[(found["population"] == cloud["population"]) & (found["layer"] == cloud["layer"])]
        rows = of_cloud(tables["mapper_sweep"], at.iloc[0]) if len(at) else pd.DataFrame()
        sweeps.append((cloud, at, rows))
    ways = max([len(rows) for _, _, rows in sweeps], default=0)
    remark = "unfilled: loops of the graph that no cliques fill; parts: connected components"
    grid_rows = style.shape(len(clouds), 2)[0]
    figure = style.new_figure(
        (0.62 + 0.19 * max(4, ways)) * grid_rows + 0.3,
        provenance(notes, found.assign(used=found["kept"]), extra=remark),
    )
    for (cloud, at, rows), axes in zip(sweeps, style.facets(figure, len(clouds), 2), strict=True):
        title = f"{cloud['population']}, {cloud['layer']}, {when(cloud)}"
        if rows.empty:
            axes.set_title(title)
            style.explain(axes, no_cloud(), characters=40)
            continue
        loop = at.iloc[0]
        barcode = f"barcode: {loop['verdict']} ({length(loop['longest'])}, {length(loop['second'])})"
        axes.set_title(f"{title}\n{barcode}", fontsize=7.5, pad=16)  # above the names of the columns
        _grid(axes, rows)
    handles = [Rectangle((0, 0), 1, 1, facecolor=colour, edgecolor=style.PALE) for colour in SHADES.values()]
    figure.legend(handles, list(SHADES), loc="outside upper left", ncols=4, title=None)
    shown = [rows for _, _, rows in sweeps if len(rows)]
    return figure, drawn(sweep=pd.concat(shown) if shown else pd.DataFrame(), loops=found)


def shade(row: Mapping[Any, Any]) -> str:
    """Name the colour of one way: by its unfilled loops, or that it has no graph to speak of."""
    if row["nodes"] < 2:
        return "no graph, or one node"
    return {0: "no unfilled loop", 1: "one"}.get(row["filled_loops"], "several")


def _grid(axes: Axes, rows: pd.DataFrame) -> None:
    for place, row in enumerate(rows.to_dict("records")):
        for column, name in enumerate(COLUMNS):
            colour = SHADES[shade(row)] if name == "filled_loops" else "white"
            axes.add_patch(Rectangle((column, place), 1, 1, facecolor=colour, edgecolor=style.PALE, linewidth=0.5))
            axes.text(column + 0.5, place + 0.5, f"{row[name]:,}", ha="center", va="center", fontsize=6.5)
    axes.set_xlim(0, len(COLUMNS))
    axes.set_ylim(len(rows), 0)
    axes.set_xticks(np.arange(len(COLUMNS)) + 0.5, list(COLUMNS.values()), fontsize=6.5)
    axes.xaxis.tick_top()
    axes.set_yticks(np.arange(len(rows)) + 0.5, list(rows["change"]), fontsize=6.5)
    axes.tick_params(length=0, pad=1)
    axes.spines[:].set_visible(False)
