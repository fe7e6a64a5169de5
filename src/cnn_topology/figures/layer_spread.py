"""Distances between layers over all networks: mean and standard deviation by measure (activations paper, P2, P3).

Mean over networks of the values between layers, as colour: within one network (experiment P2 of the activations
paper), or between layers of different networks (P3). The smaller a cell, the larger the standard deviation over
networks: full without spread, a quarter as wide at the largest one, which the title of the panel holds. The sliced
Wasserstein distance is the paper's measure; the others are baselines of ours.
"""

from __future__ import annotations

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.layer_matrix import draw_values, footer, matrix_of, measure_panels, name_axes
from cnn_topology.figures.libraries import Axes, ScalarMappable, pd
from cnn_topology.figures.planned import compared_layers, numbered
from cnn_topology.figures.selection import drawn, number, rows

FACETS = 4  # measures on one page


def planned(plan: Plan) -> Planned:
    """List pages of the measures of each cloud of several networks, within a network and between networks."""
    for about, comparison in compared_layers(plan):
        for between in ("same", "different") if len(comparison.networks) > 1 else ():
            name = f"layer_spread_{between}_{about['cloud']}"
            for numbered_name, page in numbered(name, list(comparison.measures), FACETS):
                yield numbered_name, {**about, "between": between, "measures": page}


@figure(section="layers", tables=("layer_pairs",), planned=planned)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw mean and spread of `measures`, between layers of the `same` network or of `different` ones."""
    chosen = {name: parameters[name] for name in ("population", "cloud", "between")}
    found = rows(tables["layer_pairs"], **chosen)
    across = parameters["between"] == "different"
    of = "ordered pairs of different networks" if across else "networks"
    count = number(found["pairs"].iloc[0]) if len(found) else "no"
    extra = f"over {count} {of}; dark is near; small cells differ between them"
    down = style.shape(len(parameters["measures"]), 2)[0]
    figure = style.new_figure(2.9 * down, footer(notes, parameters, found, extra))
    return figure, drawn(pairs=measure_panels(figure, parameters, found, _across if across else _within))


def _within(axes: Axes, mine: pd.DataFrame) -> ScalarMappable:
    sd = matrix_of(mine, "sd").fillna(0).to_numpy()
    widest = float(sd.max())
    spread = f"largest sd {widest:.2g}" if widest else "one network has no spread"
    axes.set_title(f"{axes.get_title(loc='left')}; {spread}", pad=13)
    name_axes(axes)
    return draw_values(axes, mine, "mean", 1 - 0.75 * sd / (widest or 1))


def _across(axes: Axes, mine: pd.DataFrame) -> ScalarMappable:
    image = _within(axes, mine)
    name_axes(axes, "depth, network a")
    axes.set_xlabel("depth, network b; stage above")
    return image
