"""Class-wise purity by class and layer for each kind of cloud (table T-B)."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from matplotlib.figure import Figure

from cnn_topology.figures import style
from cnn_topology.figures.empty import empty_figure
from cnn_topology.figures.graph_rows import EMPTY, cloud_title, footer, of_recipe
from cnn_topology.figures.heat_table import MANY, heat_table
from cnn_topology.figures.selection import drawn


def draw(
    parameters: Mapping[str, Any], tables: Mapping[str, pa.Table], notes: Mapping[str, str]
) -> tuple[Figure, pa.Table]:
    """Draw class-wise purity of the clouds without noise of `population` and `recipe`."""
    purity, graphs = (of_recipe(tables[name], parameters) for name in ("class_purity", "activation_graphs"))
    purity, graphs = purity[purity["sigma"] == 0], graphs[graphs["sigma"] == 0]
    where = f"{parameters['population']}, {parameters['recipe']}: class-wise purity"
    clouds = list(dict.fromkeys(purity["cloud"]))
    if not clouds:
        return empty_figure(EMPTY, footer(notes, graphs), where)
    classes = list(purity.sort_values("label")["class"].drop_duplicates())
    beside = 1 if purity["depth"].nunique() >= MANY else 2
    rows, columns = style.shape(len(clouds), beside)
    figure = style.new_figure(rows * (0.7 + 0.2 * (len(classes) + 1)), footer(notes, graphs), where)
    for axes, cloud in zip(style.facets(figure, len(clouds), beside), clouds, strict=True):
        here = purity[purity["cloud"] == cloud]
        depths = sorted(here["depth"].unique())
        wide = here.groupby(["label", "depth"])["purity"].mean().unstack("depth").reindex(columns=depths)
        # Weighted by points, which makes it the mean over all points.
        total = here.assign(sum=here["purity"] * here["points"]).groupby("depth")[["sum", "points"]].sum()
        wide.loc[len(classes)] = total["sum"] / total["points"]
        heat_table(axes, wide.to_numpy(), [*classes, "all points"], [str(depth - 1) for depth in depths])
        style.facet_title(axes, cloud_title(here.iloc[0]), columns)
        axes.set_xlabel("layer, counted as in the paper")
    return figure, drawn(class_purity=purity.drop(columns="order"))
