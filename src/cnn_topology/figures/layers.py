"""One panel per layer over the depth of a network: the plane of its kept filters and the mean filters around it.

One panel per layer of a network, from the image inwards: the filters that rho(k, p) keeps, in the plane of their first
two principal components (grey: unit circle), and around it the mean filter of each of 12 sectors of that plane; an
empty sector has none. Colour: direction in which the linear part of the nearest Klein patch rises. Above: verdict,
longest and second H1 bar. The weights paper shows one mapper graph per layer; the planes are ours, and mapper graphs
are figures of their own.
"""

from __future__ import annotations

from cnn_topology.figures import selection, style
from cnn_topology.figures.cloud import draw_plane, draw_sectors
from cnn_topology.figures.depth import short
from cnn_topology.figures.glyphs import bare
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.planned import networks_by_depth
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables, numbered

SECTORS, COLUMNS = 12, 4
# Where mean filters stand, and their side, in units of the radius of the plane.
RING, SIDE = 1.36, 0.5


FACETS = 20  # on one page


def planned(plan: Plan) -> Planned:
    """List the pages of each network of several layers."""
    for population, layers in networks_by_depth(plan).items():
        for name, page in numbered(f"layers_{population}", layers, FACETS):
            yield name, {"clouds": page}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the headline cloud of each of `clouds` at its last step."""
    clouds, lacking = selection.with_rows(tables["filters"], parameters["clouds"])
    found = selection.headlines_at(tables["loops"], clouds, "last")
    extra = f"points: PCA plane, unit circle; outside: mean filters of 12 sectors; colour: edge angle{lacking}"
    title = f"{clouds[0]['population']}, {selection.when(clouds[0])}"
    height = 1.98 * style.shape(len(clouds), COLUMNS)[0] + 0.25
    figure = style.new_figure(height, selection.provenance(notes, found, extra=extra), title)
    shown = []
    for (_, loop), axes in zip(found.iterrows(), style.facets(figure, len(clouds), COLUMNS), strict=True):
        words = f"{loop['verdict']}: {selection.length(loop['longest'])}, {selection.length(loop['second'])}"
        axes.set_title(f"{loop['depth']}: {short(loop['layer'])}\n{words}", fontsize=style.SMALL)
        filters = selection.of_cloud(tables["filters"], loop)
        shown.append(_panel(axes, filters).assign(layer=loop["layer"], depth=loop["depth"]))
    means = [selection.entry_rows(sectors, "angle").assign(layer=sectors["layer"].iloc[0]) for sectors in shown]
    sectors = [sectors.drop(columns="coordinates") for sectors in shown]
    return figure, selection.drawn(loops=found, sectors=sectors, means=means)


KIND = FigureKind(section="filters", tables=("loops", "filters"), planned=planned, draw=draw)


def _panel(axes: Axes, filters: pd.DataFrame) -> pd.DataFrame:
    draw_plane(axes, filters.assign(edge_angle=selection.edge_angle(filters)), scale=0.5)
    sectors = draw_sectors(axes, filters, SECTORS, RING, SIDE, 1.2)
    bare(axes, RING + 0.62 * SIDE)
    return sectors
