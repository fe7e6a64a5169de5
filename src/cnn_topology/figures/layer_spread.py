"""Distances between layers over all networks: mean and standard deviation by measure (activations paper, P2, P3).

Mean and standard deviation over networks of the values between layers: within one network (experiment P2 of the
activations paper), or between layers of different networks (P3). The sliced Wasserstein distance is the paper's
measure; the others are baselines of ours.
"""

from __future__ import annotations

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.layer_matrix import (
    NEAR_IS_DARK,
    SPREAD,
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
from cnn_topology.figures.libraries import Normalize
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
    figure = style.new_figure(
        2.35 * len(measures), footer(notes, parameters, found, f"over {count} {of}; dark is near")
    )
    shown = []
    for measure, (left, right) in zip(measures, figure.subplots(len(measures), 2, squeeze=False), strict=True):
        mine = found[found["measure"] == measure]
        left.set_title(f"{label(measure)} ({whose(measure)}): mean", pad=13)
        right.set_title("standard deviation", pad=13)
        if mine.empty:
            style.explain(left, nothing(parameters))
            style.explain(right, "")
            continue
        kind, stage = mine["kind"].iloc[0], stages(mine)
        mean, sd = matrix_of(mine, "mean"), matrix_of(mine, "sd")
        panels = [(left, mean, scale_of(kind, mean), NEAR_IS_DARK[kind], reading(measure, kind))]
        if sd.notna().to_numpy().all():
            widest = max(float(sd.to_numpy().max()), 1e-12)
            panels.append((right, sd, Normalize(0, widest), SPREAD, "standard deviation"))
        else:
            style.explain(right, "one network has no spread")
        for axes, matrix, scale, colours, said in panels:
            image = draw_matrix(axes, matrix, stage, scale, colours)
            name_axes(axes, "depth, network a" if across else "depth of layer")
            if across:
                axes.set_xlabel("depth, network b; stage above")
            add_bar(figure, image, axes, said, 0.85)
        shown.append(mine)
    return figure, drawn(pairs=shown)
