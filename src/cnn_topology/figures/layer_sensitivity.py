"""Sensitivity: measures against the fraction of principal components removed (activations paper, P4).

The sensitivity test (the activations paper's, for the sliced Wasserstein distance; the other measures are ours): a
measure between a layer and itself after its smallest principal components were removed, against the fraction removed.
`published` follows the released code (no centring, uneven grid), `corrected` centres the cloud and takes multiples of
4; where a layer is so narrow that this is one step alone, a cross stands for the curve. The grey line is the mean of
the measure between this layer of different networks, with the 5 to 95 % band over pairs of networks: a change is
noticed where a curve passes the line (dots; the bar through a dot spans where it passes the ends of the band, to 1
where it does not). Dotted: what is left of the layer against the whole layer of the next network, as Ding, Denain and
Steinhardt test it too (ours); these curves begin at what the two seeds differ by, near the line. Canonical correlations
(mean CCA, SVCCA, PWCCA) of a layer with a part of itself are 1 by construction, since what is left spans a part of the
same space: these measures cannot notice, and stay at or near 0.
"""

from __future__ import annotations

import textwrap

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.layer_matrix import footer, label, layer_rows, nothing, whose
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.planned import compared_layers
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables, numbered

# Uncentred on the uneven grid of the released code; centred on an even one.
MODES = {"published": (style.BLUE, "-"), "corrected": (style.VERMILION, "--")}


# Layers side by side: of 17, those of depth 1, 5, 9, 13, 17, which the notes on the paper propose as 0, 4, 8, 12, 16.
CURVES = 5
FACETS = 7  # measures on one page


def planned(plan: Plan) -> Planned:
    """List pages of the measures for each network of a cloud whose layers are reduced."""
    for about, comparison in compared_layers(plan):
        layers = comparison.layers
        places = sorted({round(number * (len(layers) - 1) / (CURVES - 1)) for number in range(CURVES)})
        depths = [layers[place].depth for place in places]
        for network in comparison.reduced:
            name = f"layer_sensitivity_{about['cloud']}" + ("" if len(comparison.reduced) == 1 else f"_{network}")
            for page, measures in numbered(name, list(comparison.measures), FACETS):
                yield page, {**about, "network": network, "measures": measures, "depths": depths}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw a row for each of `measures` and a column for each of `depths`."""
    measures, depths = parameters["measures"], parameters["depths"]
    found = layer_rows(tables["component_sensitivity"], parameters, network=parameters["network"])
    pairs = selection.spread(found["pairs"])
    extra = f"network {parameters['network']}; threshold over {pairs} ordered pairs of networks, band 5–95%"
    figure = style.new_figure(1.12 * len(measures) + 0.5, footer(notes, parameters, found, extra))
    panels = figure.subplots(len(measures), len(depths), squeeze=False, sharex=True)
    for measure, across in zip(measures, panels, strict=True):
        of_measure = found[found["measure"] == measure]
        for depth, axes in zip(depths, across, strict=True):
            mine = of_measure[of_measure["depth"] == depth]
            if mine.empty:
                style.explain(axes, nothing(parameters), 18)
            else:
                _curves(axes, mine)
        kind = " ".join(of_measure["kind"].unique())
        name = textwrap.fill(label(measure), 16)
        across[0].set_ylabel(f"{name}\n{kind} ({whose(measure)})", fontsize=style.SMALL - 0.5)
    for depth, top, bottom in zip(depths, panels[0], panels[-1], strict=True):
        layers = found[found["depth"] == depth]
        names = layers["layer"].str.removeprefix("block_seq.") + ", " + layers["channels"].astype(str) + " ch"
        top.set_title(f"depth {depth}\n{' '.join(names.unique())}", fontsize=7)
        bottom.set_xlabel("fraction removed", fontsize=7)
    style.shared_legend(figure)
    shown = found[found["measure"].isin(measures) & found["depth"].isin(depths)]
    return figure, selection.drawn(curves=shown)


KIND = FigureKind(section="layers", tables=("component_sensitivity",), planned=planned, draw=draw)


def _curves(axes: Axes, mine: pd.DataFrame) -> None:
    first = mine.iloc[0]
    if np.isfinite(first["threshold"]):
        axes.axhspan(first["low"], first["high"], color=style.BAND, linewidth=0, label="band over seeds")
        axes.axhline(first["threshold"], color=style.GREY, linewidth=0.8, label="threshold (mean over seeds)")
    for (mode, own), curve in mine.groupby(["mode", mine["network"] == mine["against_network"]], sort=False):
        colour, line = MODES[str(mode)]
        curve = curve.sort_values("fraction")
        if not own:
            axes.plot(curve["fraction"], curve["value"], ":", color=colour, linewidth=0.9)
            axes.plot([], [], ":", color=style.GREY, linewidth=0.9, label="against another seed")
            continue
        axes.plot(curve["fraction"], curve["value"], line, color=colour, linewidth=1.0, label=str(mode))
        if len(curve) == 1:
            axes.plot(curve["fraction"], curve["value"], "x", color=colour, markersize=3)
            axes.plot([], [], "x", color=style.GREY, markersize=3, label="one step alone")
        at = curve["detected_at"].iloc[0]
        if np.isfinite(at):
            value = curve.loc[curve["fraction"] == at, "value"].iloc[0]
            axes.plot([at], [value], "o", color=colour, markersize=3, label="first past the threshold")
            last = curve[["detected_low", "detected_high"]].iloc[0].fillna(1.0)
            axes.hlines(value, last.min(), last.max(), color=colour, linewidth=0.7)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
    axes.tick_params(labelsize=style.SMALL - 0.5, pad=1.5)
    axes.locator_params(axis="y", nbins=4)
    if (mine["kind"] == "distance").all():
        # Room below 0, so that a curve that stays there is seen.
        top = np.nanmax([*mine["value"], first["high"], 1e-12])
        axes.set_ylim(-0.06 * top, 1.08 * top)
