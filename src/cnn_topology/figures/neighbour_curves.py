"""Distances to the nearest and fifth nearest point, sorted, with the chosen radius (slot F-K, a diagnostic).

How the radius of DBSCAN is chosen (slot F-K, a diagnostic that may be unprinted): distances to the nearest and the
fifth nearest other point, each sorted from the largest, and the radius taken. The elbow rule takes the knee (Kneedle)
of the curve of the nearest, on 50,000 points at most, rounded to three decimals; the median where there is no knee.
"""

from __future__ import annotations

from cnn_topology.figures import style
from cnn_topology.figures.graph_rows import EMPTY, cloud_handles, footer, layer_number, of_recipe, titled_legend
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Line2D
from cnn_topology.figures.planned import of_clean_clouds
from cnn_topology.figures.selection import drawn, empty_figure


def planned(plan: Plan) -> Planned:
    """List one figure for each group of graphs."""
    return of_clean_clouds(plan, "neighbour_curves")


@figure(section="activation_graphs", tables=("neighbour_curves", "activation_graphs"), planned=planned)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the curves of the clouds without noise of the first network, one panel per layer."""
    curves, graphs = (of_recipe(tables[name], parameters) for name in ("neighbour_curves", "activation_graphs"))
    curves, graphs = (found[found["network"] == found["network"].min()] for found in (curves, graphs))
    graphs = graphs[graphs["sigma"] == 0]
    where = f"{parameters['population']}, {parameters['recipe']}: choosing the radius of DBSCAN"
    if curves.empty:
        return empty_figure(EMPTY, footer(notes, graphs), where)
    layers = graphs.sort_values("depth").drop_duplicates("layer")
    height, columns = style.shape(len(layers), 4)
    extra = [f"curves of at most {int(curves['rows'].max()):,} rows"]
    figure = style.new_figure(0.7 + 1.8 * height, footer(notes, graphs, extra))
    for axes, (_, layer) in zip(style.facets(figure, len(layers), 4), layers.iterrows(), strict=True):
        style.facet_title(axes, f"layer {layer_number(layer)}", columns)
        for number, cloud in enumerate(parameters["clouds"]):
            here = curves[(curves["layer"] == layer["layer"]) & (curves["cloud"] == cloud)]
            if here.empty:
                continue
            colour = style.SERIES[number % len(style.SERIES)]
            axes.plot(here["share"], here["nearest_distance"], color=colour, linewidth=1)
            axes.plot(here["share"], here["fifth_distance"], color=colour, linewidth=0.7, linestyle=":")
            row = graphs[(graphs["layer"] == layer["layer"]) & (graphs["cloud"] == cloud)].iloc[0]
            axes.axhline(row["eps"], color=colour, linewidth=0.6, linestyle="--")
        axes.set_ylim(bottom=0)
        axes.set(xlabel="share of points", ylabel="distance")
    handles = [
        Line2D([], [], color=style.GREY, linestyle=":", label="fifth nearest"),
        Line2D([], [], color=style.GREY, linestyle="--", label="eps"),
    ]
    titled_legend(figure, where, [*cloud_handles(parameters["clouds"]), *handles])
    return figure, drawn(curves=curves, graphs=graphs)
