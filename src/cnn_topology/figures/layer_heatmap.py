"""Distances between the layers of one network: a matrix for each measure (activations paper, P1).

Distances between all layers of one network by each measure (experiment P1 of the activations paper). The sliced
Wasserstein distance of the H1 diagrams of the layers' clouds is the paper's measure, in units of the activations and so
dependent on their scale; the scaled one divides each diagram by the median distance of its cloud, and CKA, SVCCA, PWCCA
and Procrustes are baselines of ours on the same clouds. Each title says whether a measure is a distance or a
similarity; dark is near in both, and the scale of a similarity ends at the nearest two different layers (a tip marks
what lies beyond: equal layers, at 1). Lines separate the stages. PWCCA is not symmetric: rows are its first argument.
"""

from __future__ import annotations

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.layer_matrix import draw_values, footer, measure_panels, name_axes
from cnn_topology.figures.libraries import Axes, ScalarMappable, pd
from cnn_topology.figures.planned import compared_layers, numbered
from cnn_topology.figures.selection import drawn, rows

COLUMNS = 2


FACETS = 4  # measures on one page


def planned(plan: Plan) -> Planned:
    """List pages of the measures of each cloud, for its first network."""
    for about, comparison in compared_layers(plan):
        for name, page in numbered(f"layer_heatmap_{about['cloud']}", list(comparison.measures), FACETS):
            yield name, {**about, "network": comparison.networks[0], "measures": page}


@figure(section="layers", tables=("layer_distances",), planned=planned)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the matrices of `measures` for one `network` of a `population`."""
    chosen = {name: parameters[name] for name in ("population", "cloud")}
    network = parameters["network"]
    found = rows(tables["layer_distances"], **chosen, network_a=network)
    down = style.shape(len(parameters["measures"]), 2)[0]
    extra = f"network {network}; depth 1 is nearest the image; dark is near"
    figure = style.new_figure(3.1 * down, footer(notes, parameters, found, extra))
    return figure, drawn(values=measure_panels(figure, parameters, found, _panel))


def _panel(axes: Axes, mine: pd.DataFrame) -> ScalarMappable:
    name_axes(axes)
    return draw_values(axes, mine, "value")
