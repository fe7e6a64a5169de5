"""Specificity: whether a layer's nearest layer in another network is the same layer (activations paper, P3).

The specificity test of Ding, Denain and Steinhardt (2021) on the networks of a population, which differ only in their
seed (as in the activations paper for the sliced Wasserstein distance; the other measures are ours). Above: the share of
layers whose nearest layer in another network is the same layer, with chance at one over the number of layers. Intervals
come from drawing networks with replacement, since pairs share networks, and are never narrower than Wilson's for as
many cases as disjoint pairs give; p from exchanging the layers within every network. Below: for each layer, the share
of pairs of networks in which each layer of the other network is the nearest; a specific measure has all of it on the
diagonal.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.layer_matrix import draw_matrix, footer, label, layer_rows, matrix_of, stages, whose
from cnn_topology.figures.libraries import Axes, Normalize, pd
from cnn_topology.figures.planned import compared_layers
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables

COLUMNS = 4


def planned(plan: Plan) -> Planned:
    """List one figure for each cloud of several networks."""
    for about, comparison in compared_layers(plan):
        if len(comparison.networks) > 1:
            yield f"layer_specificity_{about['cloud']}", {**about, "measures": list(comparison.measures)}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the rate of each of `measures` against chance and, below, which layers were nearest."""
    rates = layer_rows(tables["specificity"], parameters, layer="all").set_index("measure", drop=False)
    pairs = layer_rows(tables["layer_pairs"], parameters, between="different")
    measures = [name for name in parameters["measures"] if name in rates.index]
    rates = rates.loc[measures]
    first = rates.iloc[0]
    layers = round(1 / first["chance"])
    extra = (
        f"{first['networks']} networks, {selection.number(first['pairs'])} ordered pairs; 95% intervals: over "
        f"networks, no narrower than Wilson's for {first['networks'] // 2 * layers} layers as if independent; p by "
        "exchanging layers"
    )
    down = style.shape(len(measures), COLUMNS)[0]
    upper = 0.85 + 0.2 * len(measures)
    figure = style.new_figure(upper + 2.05 * down, footer(notes, parameters, rates, extra))
    grid = figure.add_gridspec(2, 1, height_ratios=[upper, 2.05 * down])
    _rates(figure.add_subplot(grid[0]), rates, layers)
    panels = style.facets(figure, len(measures), COLUMNS, grid[1])
    for measure, axes in zip(measures, panels, strict=True):
        mine = pairs[pairs["measure"] == measure]
        axes.set_title(label(measure), fontsize=7, pad=11)
        image = draw_matrix(axes, matrix_of(mine, "nearest_share"), stages(mine), Normalize(0, 1), "cividis")
        depths = sorted(mine["depth_a"].unique())
        every = np.arange(0, len(depths), 4)
        axes.set_xticks(every, [str(depths[place]) for place in every])
        axes.set_yticks(every, [str(depths[place]) for place in every])
        axes.set_xlabel("nearest layer", fontsize=7, labelpad=1)
    for axes in panels[::COLUMNS]:
        axes.set_ylabel("layer of network a", fontsize=7, labelpad=1)
    bar = figure.colorbar(image, ax=panels, shrink=0.6, aspect=25, pad=0.01)
    bar.ax.tick_params(labelsize=style.SMALL)
    bar.set_label("share of the pairs of networks", fontsize=7)
    nearest = pairs[pairs["measure"].isin(measures)]
    return figure, selection.drawn(rates=rates.reset_index(drop=True), nearest=nearest)


KIND = FigureKind(section="layers", tables=("specificity", "layer_pairs"), planned=planned, draw=draw)


def _rates(axes: Axes, rates: pd.DataFrame, layers: int) -> None:
    axes.set_title("share of layers whose nearest layer in another network is the same layer")
    names = [f"{label(name)} ({whose(name)})" for name in rates["measure"]]
    style.forest(axes, names, rates["rate"], rates["low"], rates["high"])
    axes.axvline(1 / layers, color=style.INK, linestyle="--", linewidth=0.9)
    for place, row in enumerate(rates.to_dict("records")):
        text = f"{row['rate']:.2f} ({row['low']:.2f}–{row['high']:.2f}), p = {row['p_value']:.2g}"
        axes.text(1.02, place, text, va="center", fontsize=7, transform=axes.get_yaxis_transform())
    axes.set(xlim=(0, 1.02), xlabel=f"rate (dashed: chance, 1 / {layers})")
