"""Distances between layers over all networks: mean and standard deviation by measure (activations paper, P2, P3).

Mean over networks of the values between layers, as colour: within one network (experiment P2 of the activations
paper), or between layers of different networks (P3). The smaller a cell, the larger the standard deviation over
networks: full without spread, a quarter as wide at the largest one, which the title of the panel holds. The sliced
Wasserstein distance is the paper's measure; the others are baselines of ours.
"""

from __future__ import annotations

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.layer_matrix import (
    NEAR_IS_DARK,
    add_bar,
    draw_matrix,
    footer,
    label,
    matrix_of,
    name_axes,
    nothing,
    reading,
    scale_of,
    stages,
    whose,
)
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
    measures, across = parameters["measures"], parameters["between"] == "different"
    of = "ordered pairs of different networks" if across else "networks"
    count = number(found["pairs"].iloc[0]) if len(found) else "no"
    height, _ = style.shape(len(measures), 2)
    figure = style.new_figure(
        2.9 * height,
        footer(notes, parameters, found, f"over {count} {of}; dark is near; small cells differ between them"),
    )
    shown = []
    for measure, axes in zip(measures, style.facets(figure, len(measures), 2), strict=True):
        mine = found[found["measure"] == measure]
        if mine.empty:
            axes.set_title(f"{label(measure)} ({whose(measure)})")
            style.explain(axes, nothing(parameters))
            continue
        kind, stage = mine["kind"].iloc[0], stages(mine)
        mean, sd = matrix_of(mine, "mean"), matrix_of(mine, "sd").fillna(0).to_numpy()
        widest = float(sd.max())
        spread = f"largest sd {widest:.2g}" if widest else "one network has no spread"
        axes.set_title(f"{label(measure)} ({whose(measure)}); {spread}", pad=13)
        sides = 1 - 0.75 * sd / (widest or 1)
        image = draw_matrix(axes, mean, stage, scale_of(kind, mean), NEAR_IS_DARK[kind], sides)
        name_axes(axes, "depth, network a" if across else "depth of layer")
        if across:
            axes.set_xlabel("depth, network b; stage above")
        add_bar(figure, image, axes, reading(measure, kind), 0.8)
        shown.append(mine)
    return figure, drawn(pairs=shown)
