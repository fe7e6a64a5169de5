"""Distances to the nearest and fifth nearest point, sorted, with the chosen radius (slot F-K, a diagnostic).

How the radius of DBSCAN is chosen (a diagnostic; whether the paper prints it is unknown): distances to the nearest and
the fifth nearest other point, each sorted from the largest, and the radius taken. The elbow rule takes the knee
(Kneedle) of the curve of the nearest, on 50,000 points at most, rounded to three decimals; the median where there is no
knee.
"""

from __future__ import annotations

from cnn_topology.figures import graph_rows, selection, style
from cnn_topology.figures.libraries import Line2D
from cnn_topology.figures.planned import of_clean_clouds
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables


def planned(plan: Plan) -> Planned:
    """List one figure for each group of graphs."""
    return of_clean_clouds(plan, "neighbour_curves")


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the curves of the clouds without noise of the first network, one panel per layer."""
    curves, graphs = (graph_rows.of_recipe(tables[name], parameters) for name in KIND.tables)
    curves, graphs = (rows[rows["network"] == rows["network"].min()] for rows in (curves, graphs))
    where = f"{parameters['population']}, {parameters['recipe']}: choosing the radius of DBSCAN"
    layers = graphs.sort_values("depth").drop_duplicates("layer")
    height, columns = style.shape(len(layers), 4)
    extra = [f"curves of at most {int(curves['rows'].max()):,} rows"]
    figure = style.new_figure(0.7 + 1.8 * height, graph_rows.footer(notes, graphs, extra))
    colours = {cloud: style.colour(place) for place, cloud in enumerate(parameters["clouds"])}
    for axes, (_, layer) in zip(style.facets(figure, len(layers), 4), layers.iterrows(), strict=True):
        style.facet_title(axes, f"depth {graph_rows.layer_number(layer)}", columns)
        for cloud, here in curves[curves["layer"] == layer["layer"]].groupby("cloud", sort=False):
            axes.plot(here["share"], here["nearest_distance"], color=colours[cloud], linewidth=1)
            axes.plot(here["share"], here["fifth_distance"], color=colours[cloud], linewidth=0.7, linestyle=":")
            row = graphs[(graphs["layer"] == layer["layer"]) & (graphs["cloud"] == cloud)].iloc[0]
            axes.axhline(row["eps"], color=colours[cloud], linewidth=0.6, linestyle="--")
        axes.set_ylim(bottom=0)
        axes.set(xlabel="share of points", ylabel="distance")
    handles = [Line2D([], [], color=colour, label=cloud) for cloud, colour in colours.items()]
    lines: style.Options = {"fifth nearest": ":", "eps": "--"}
    handles += [Line2D([], [], color=style.GREY, linestyle=line, label=label) for label, line in lines.items()]
    graph_rows.titled_legend(figure, where, handles)
    return figure, selection.drawn(curves=curves, graphs=graphs)


KIND = FigureKind(
    section="activation_graphs", tables=("neighbour_curves", "activation_graphs"), planned=planned, draw=draw
)
