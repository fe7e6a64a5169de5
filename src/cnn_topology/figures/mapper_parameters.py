"""The settings of each mapper graph of activations, beside the published radius where there is one (table T-C).

The settings of every mapper graph of activations (table T-C): intervals n, overlap, radius eps of DBSCAN with its
origin, beside the radius that the follow-up's released code names for such a cloud and layer (published). The published
radii belong to the scale of other weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.graph_rows import EMPTY, footer, layer_number, of_recipe
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import pd
from cnn_topology.figures.planned import graph_groups
from cnn_topology.figures.selection import drawn, empty_figure
from cnn_topology.plan.activation_mapper import published_eps
from cnn_topology.tables.units import ACTIVATION

COLUMNS = ("cloud", "layer", "points", "n", "overlap", "eps", "from", "published", "nodes", "edges", "coverage")
WIDTHS = (0.15, 0.15, 0.09, 0.05, 0.08, 0.08, 0.1, 0.09, 0.07, 0.07, 0.09)
LINE = 0.16  # inches


def planned(plan: Plan) -> Planned:
    """List one figure for each group of graphs."""
    for group in graph_groups(plan):
        yield f"mapper_parameters_{group.name}", {**group.ids, "clouds": group.clouds}


@figure(
    section="activation_graphs",
    tables=("activation_graphs",),
    planned=planned,
    columns={"published_eps": ("Radius that the follow-up's code names for such a cloud and layer.", ACTIVATION)},
)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """List the graphs of the first network of `population` and `recipe`."""
    graphs = of_recipe(tables["activation_graphs"], parameters)
    graphs = graphs[graphs["network"] == graphs["network"].min()]
    where = f"{parameters['population']}, {parameters['recipe']}: settings of the mapper graphs"
    if graphs.empty:
        return empty_figure(EMPTY, footer(notes, graphs), where)
    figure = style.new_figure(0.4 + LINE * (len(graphs) + 1), footer(notes, graphs), where)
    axes = figure.subplots()
    axes.axis("off")
    axes.set(xlim=(0, 1), ylim=(len(graphs) + 0.5, -0.5))
    starts = np.cumsum([0, *WIDTHS[:-1]])
    for x, name in zip(starts, COLUMNS, strict=True):
        axes.text(x, 0, name, fontsize=7, va="center", color=style.GREY)
    published = [_published(row) for row in graphs.to_dict("records")]
    for line, (row, known) in enumerate(zip(graphs.to_dict("records"), published, strict=True), start=1):
        cells = (
            row["cloud"], layer_number(row), f"{row['used']:,}", row["intervals"],
            f"{row['overlap']:.0%}", f"{row['eps']:.4g}", row["eps_from"], "–" if np.isnan(known) else f"{known:g}",
            f"{row['nodes']:,}", f"{row['edges']:,}", f"{row['coverage']:.3f}",
        )  # fmt: skip
        for x, cell in zip(starts, cells, strict=True):
            axes.text(x, line, str(cell), fontsize=7, va="center")
    return figure, drawn(graphs=graphs.assign(published_eps=pd.Series(published, graphs.index)))


def _published(row: Mapping[str, Any]) -> float:
    """Return the radius that the paper's project used for such a cloud and layer, or NaN."""
    eps = published_eps(row["sampling"], row["top"], row["layer"])
    return np.nan if eps is None or row["sigma"] else eps
