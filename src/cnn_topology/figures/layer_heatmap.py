"""Distances between the layers of one network: a matrix for each measure (activations paper, P1)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure

from cnn_topology.figures import style
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
from cnn_topology.figures.selection import drawn, rows

COLUMNS = 2


def draw(
    parameters: Mapping[str, Any], tables: Mapping[str, pa.Table], notes: Mapping[str, str]
) -> tuple[Figure, pa.Table]:
    """Draw the matrices of `measures` for one `network` of a `population`."""
    chosen = {name: parameters[name] for name in ("population", "cloud")}
    network, measures = parameters["network"], parameters["measures"]
    found = rows(tables["layer_distances"], **chosen, network_a=network)
    down = style.shape(len(measures), COLUMNS)[0]
    extra = f"network {network}; depth 1 is nearest the image; dark is near"
    figure = style.new_figure(3.1 * down, footer(notes, parameters, found, extra))
    shown = []
    for measure, axes in zip(measures, style.facets(figure, len(measures), COLUMNS), strict=True):
        mine = found[found["measure"] == measure]
        axes.set_title(f"{label(measure)} ({whose(measure)})", pad=14)
        if mine.empty:
            style.explain(axes, nothing(parameters))
            continue
        kind = mine["kind"].iloc[0]
        matrix = matrix_of(mine, "value")
        image = draw_matrix(axes, matrix, stages(mine), scale_of(kind, matrix), NEAR_IS_DARK[kind])
        name_axes(axes)
        add_bar(figure, image, axes, reading(measure, kind), 0.8)
        shown.append(mine)
    return figure, drawn(values=pd.concat(shown) if shown else found)
