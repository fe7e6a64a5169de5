"""Mean and standard deviation of the channels of each cloud (slot F-L; commented out in the released code).

Histograms over channels of the mean and the standard deviation of the activations in each cloud (slot F-L; commented
out in the released code). Those of later clouds are dashed: where two coincide both are seen. Clouds before and after
ReLU differ here, and with them lens and radius (defect Q4).
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.empty import empty_figure
from cnn_topology.figures.graph_rows import EMPTY, cloud_handles, footer, layer_number, of_recipe, titled_legend
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.planned import of_clean_clouds
from cnn_topology.figures.selection import drawn

BINS = 30
# Histograms lie on one another: through the gaps of later ones, on top, the earlier ones are seen.
DASHES = ("-", (0, (3, 2)), (0, (2, 2)), (0, (1, 2)), (0, (3, 1, 1, 1)), (0, (1, 1)))


def planned(plan: Plan) -> Planned:
    """List one figure for each group of graphs."""
    return of_clean_clouds(plan, "activation_channels")


@figure(section="activation_graphs", tables=("activation_channels", "activation_graphs"), planned=planned)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw histograms over channels of the clouds without noise of the first network, one column per layer."""
    channels, graphs = (of_recipe(tables[name], parameters) for name in ("activation_channels", "activation_graphs"))
    channels, graphs = (found[found["network"] == found["network"].min()] for found in (channels, graphs))
    channels, graphs = channels[channels["sigma"] == 0], graphs[graphs["sigma"] == 0]
    where = f"{parameters['population']}, {parameters['recipe']}: channels of the clouds"
    if channels.empty:
        return empty_figure(EMPTY, footer(notes, graphs, recipe=False), where)
    layers = graphs.sort_values("depth").drop_duplicates("layer")
    figure = style.new_figure(3.3, footer(notes, graphs, recipe=False))
    panels = figure.subplots(2, len(layers), squeeze=False)
    for column, (_, layer) in zip(panels.T, layers.iterrows(), strict=True):
        here = channels[channels["layer"] == layer["layer"]]
        style.facet_title(column[0], f"layer {layer_number(layer)}", len(layers))
        for axes, name in zip(column, ("mean", "sd"), strict=True):
            edges = np.linspace(min(0, here[name].min()), max(here[name].max(), 1e-9), BINS + 1)
            for number, cloud in enumerate(parameters["clouds"]):
                colour = style.SERIES[number % len(style.SERIES)]
                counts, _ = np.histogram(here.loc[here["cloud"] == cloud, name], edges)
                axes.stairs(counts, edges, color=colour, linewidth=1, linestyle=DASHES[number % len(DASHES)])
            axes.set_xlabel("mean of a channel" if name == "mean" else "standard deviation")
    for row in panels:
        row[0].set_ylabel("channels")
    titled_legend(figure, where, cloud_handles(parameters["clouds"], DASHES))
    return figure, drawn(channels=channels)
