"""Quantiles over channels of their mean and standard deviation in each cloud (slot F-L; commented out in the code).

Quantiles over channels of the mean and the standard deviation of the activations in each cloud (slot F-L; commented
out in the released code): median, quartiles (thick) and 5 % to 95 % (thin), by layer. Clouds before and after ReLU
differ here, and with them lens and radius (defect Q4).
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.graph_rows import EMPTY, cloud_handles, footer, layer_number, of_recipe, titled_legend
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import pd
from cnn_topology.figures.planned import of_clean_clouds
from cnn_topology.figures.selection import drawn, empty_figure
from cnn_topology.tables.units import ACTIVATION

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
NAMES = {"mean": "mean of a channel", "sd": "standard deviation of a channel"}


def planned(plan: Plan) -> Planned:
    """List one figure for each group of graphs."""
    return of_clean_clouds(plan, "activation_channels")


@figure(
    section="activation_graphs",
    tables=("activation_channels", "activation_graphs"),
    planned=planned,
    columns={
        "statistic": ("What the quantiles are of: the mean or the standard deviation of a channel.", ""),
        **{name: (f"Quantile {share:g} over channels.", ACTIVATION) for name, share in QUANTILES.items()},
    },
)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw quantiles over channels of the clouds without noise of the first network, by layer."""
    channels, graphs = (of_recipe(tables[name], parameters) for name in ("activation_channels", "activation_graphs"))
    channels, graphs = (found[found["network"] == found["network"].min()] for found in (channels, graphs))
    channels, graphs = channels[channels["sigma"] == 0], graphs[graphs["sigma"] == 0]
    where = f"{parameters['population']}, {parameters['recipe']}: channels of the clouds"
    if channels.empty:
        return empty_figure(EMPTY, footer(notes, graphs, recipe=False), where)
    layers = graphs.sort_values("depth").drop_duplicates("layer")
    clouds = parameters["clouds"]
    shown = pd.concat([_quantiles(channels, name) for name in NAMES])
    figure = style.new_figure(2.6, footer(notes, graphs, recipe=False))
    for axes, (name, label) in zip(figure.subplots(1, len(NAMES)), NAMES.items(), strict=True):
        for number, cloud in enumerate(clouds):
            mine = shown[(shown["statistic"] == name) & (shown["cloud"] == cloud)]
            places = mine["layer"].map(list(layers["layer"]).index) + (number - (len(clouds) - 1) / 2) * 0.7 / len(
                clouds
            )
            colour = style.SERIES[number % len(style.SERIES)]
            axes.vlines(places, mine["q05"], mine["q95"], color=colour, linewidth=0.8)
            axes.vlines(places, mine["q25"], mine["q75"], color=colour, linewidth=3)
            axes.plot(places, mine["q50"], "o", color=colour, markerfacecolor="white", markersize=3)
        names = [layer_number(layer) for _, layer in layers.iterrows()]
        axes.set_xticks(range(len(names)), names, rotation=0 if len(names) <= 3 else 90)
        axes.set_xlim(-0.5, len(names) - 0.5)
        axes.set_ylim(bottom=min(0.0, float(shown["q05"].min())))
        axes.set_title(label)
        axes.set_xlabel("layer")
    titled_legend(figure, where, cloud_handles(clouds))
    return figure, drawn(quantiles=shown)


def _quantiles(channels: pd.DataFrame, statistic: str) -> pd.DataFrame:
    quantiles = (
        channels.groupby(["layer", "cloud"], sort=False)[statistic]
        .quantile(np.array(list(QUANTILES.values())))
        .unstack()
    )
    return quantiles.set_axis(list(QUANTILES), axis="columns").reset_index().assign(statistic=statistic)
