"""Distances between layers by each measure: of one network (activations paper, P1), and over all networks (P2, P3).

Distances between all layers by each measure: of one network, or the mean over networks, within one network or between
layers of different ones. The sliced Wasserstein distance of the H1 diagrams of the layers' clouds is the paper's
measure, in units of the activations and so dependent on their scale; the scaled one divides each diagram by the median
distance of its cloud, and CKA, SVCCA, PWCCA and Procrustes are baselines of ours on the same clouds. Each title says
whether a measure is a distance or a similarity; dark is near in both, and the scale of a similarity ends at the nearest
two different layers (a tip marks what lies beyond: equal layers, at 1). Lines separate the stages. PWCCA is not
symmetric: rows are its first argument. Of means the smaller a cell, the larger the standard deviation over networks:
full without spread, a quarter as wide at the largest one, which the title holds.
"""

from __future__ import annotations

from typing import Any

from cnn_topology.figures import selection, style
from cnn_topology.figures.layer_matrix import add_bar, draw_values, footer, label, layer_rows, matrix_of, nothing, whose
from cnn_topology.figures.planned import compared_layers
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables, numbered

FACETS = 4  # measures on one page


def planned(plan: Plan) -> Planned:
    """List pages of the measures of each cloud: of its first network, and, of several, within and between networks."""
    for about, comparison in compared_layers(plan):
        shown: dict[str, dict[str, Any]] = {"layer_heatmap": {"network": comparison.networks[0]}}
        if len(comparison.networks) > 1:
            shown |= {f"layer_spread_{between}": {"between": between} for between in ("same", "different")}
        for kind, which in shown.items():
            for name, measures in numbered(f"{kind}_{about['cloud']}", list(comparison.measures), FACETS):
                yield name, {**about, **which, "measures": measures}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the matrices of `measures`: of one `network`, or mean and spread `between` same or different networks."""
    if one := "network" in parameters:
        values = layer_rows(tables["layer_distances"], parameters, network_a=parameters["network"])
        extra = f"network {parameters['network']}; depth 1 is nearest the image; dark is near"
    else:
        values = layer_rows(tables["layer_pairs"], parameters, between=parameters["between"])
        of = "networks" if parameters["between"] == "same" else "ordered pairs of different networks"
        extra = f"over {selection.spread(values['pairs'])} {of}; dark is near; small cells differ between them"
    measures, labels = parameters["measures"], ("depth of layer; stage above", "depth of layer")
    if parameters.get("between") == "different":
        labels = ("depth, network b; stage above", "depth, network a")
    height = (3.1 if one else 2.9) * style.shape(len(measures), 2)[0]
    figure = style.new_figure(height, footer(notes, parameters, values, extra))
    for measure, axes in zip(measures, style.facets(figure, len(measures), 2), strict=True):
        mine = values[values["measure"] == measure]
        axes.set_title(title := f"{label(measure)} ({whose(measure)})", pad=14)
        if mine.empty:
            style.explain(axes, nothing(parameters))
            continue
        if one:
            image = draw_values(axes, mine, "value")
        else:
            sd = matrix_of(mine, "sd").fillna(0).to_numpy()
            spread = f"largest sd {sd.max():.2g}" if sd.max() else "one network has no spread"
            axes.set_title(f"{title}; {spread}", pad=13)
            image = draw_values(axes, mine, "mean", 1 - 0.75 * sd / (sd.max() or 1))
        axes.set_xlabel(labels[0], fontsize=7, labelpad=1)
        axes.set_ylabel(labels[1], fontsize=7, labelpad=1)
        add_bar(figure, image, axes, mine)
    return figure, selection.drawn(values=values[values["measure"].isin(measures)])


KIND = FigureKind(section="layers", tables=("layer_distances", "layer_pairs"), planned=planned, draw=draw)
