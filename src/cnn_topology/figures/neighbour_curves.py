"""Distances to the nearest and fifth nearest point, sorted, with the chosen radius (slot F-K, a diagnostic)."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cnn_topology.figures import style
from cnn_topology.figures.empty import empty_figure
from cnn_topology.figures.graph_rows import EMPTY, cloud_handles, footer, layer_number, of_recipe, titled_legend
from cnn_topology.figures.selection import drawn


def draw(
    parameters: Mapping[str, Any], tables: Mapping[str, pa.Table], notes: Mapping[str, str]
) -> tuple[Figure, pa.Table]:
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
    return figure, drawn(curves=curves.drop(columns="order"), graphs=graphs.drop(columns="order"))
