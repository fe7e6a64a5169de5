"""Class-wise purity by class and layer for each kind of cloud (table T-B), with its chance level and coverage."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure

from cnn_topology.figures import style
from cnn_topology.figures.empty import empty_figure
from cnn_topology.figures.graph_registry import BESIDE
from cnn_topology.figures.graph_rows import EMPTY, cloud_title, footer, of_recipe
from cnn_topology.figures.heat_table import MANY, heat_table
from cnn_topology.figures.selection import drawn

# Layers up to which a cell has room for zeros and spaces.
WIDE = 5
MEANS = ("purity", "chance", "coverage")


def draw(
    parameters: Mapping[str, Any], tables: Mapping[str, pa.Table], notes: Mapping[str, str]
) -> tuple[Figure, pa.Table]:
    """Draw class-wise purity of the clouds without noise of `population` and `recipe`."""
    purity, graphs = (of_recipe(tables[name], parameters) for name in ("class_purity", "activation_graphs"))
    purity, graphs = purity[purity["sigma"] == 0], graphs[graphs["sigma"] == 0]
    where = f"{parameters['population']}, {parameters['recipe']}: class-wise purity (chance level; coverage)"
    clouds = list(dict.fromkeys(purity["cloud"]))
    if not clouds:
        return empty_figure(EMPTY, footer(notes, graphs), where)
    classes = list(purity.sort_values("label")["class_name"].drop_duplicates())
    layers = purity["depth"].nunique()
    beside = 2 if layers <= BESIDE else 1
    rows, columns = style.shape(len(clouds), beside)
    draws = f"chance: labels shuffled over images, {int(purity['draws'].max())} draws"
    row = 0.32 if layers >= MANY else 0.23  # inches
    figure = style.new_figure(rows * (0.7 + row * (len(classes) + 1)), footer(notes, graphs, [draws]), where)
    for axes, cloud in zip(style.facets(figure, len(clouds), beside), clouds, strict=True):
        here = purity[purity["cloud"] == cloud]
        depths = sorted(here["depth"].unique())
        wide, chance, covered = (_by_class(here, name) for name in MEANS)
        below = [
            [_small(*pair, layers) for pair in zip(*line, strict=True)]
            for line in zip(chance.to_numpy(), covered.to_numpy(), strict=True)
        ]
        heat_table(axes, wide.to_numpy(), [*classes, "all points"], [str(depth - 1) for depth in depths], below)
        style.facet_title(axes, cloud_title(here.iloc[0]), columns)
        axes.set_xlabel("layer, counted as in the paper")
    return figure, drawn(class_purity=purity.drop(columns="order"))


def _small(chance: float, covered: float, layers: int) -> str:
    """Write chance level and coverage for a cell, the shorter the more layers there are."""
    if layers >= MANY:
        return f"({chance:.2f})\n{covered:.2f}"
    text = f"({chance:.2f}; {covered:.2f})"
    return text if layers <= WIDE else text.replace("1.00", "1").replace("0.", ".").replace(" ", "")


def _by_class(here: pd.DataFrame, name: str) -> pd.DataFrame:
    """Average over networks by class and depth; the last row is the mean over the points of all classes."""
    wide = here.groupby(["label", "depth"])[name].mean().unstack("depth").sort_index(axis="columns")
    total = here.assign(sum=here[name] * here["points"]).groupby("depth")[["sum", "points"]].sum()
    wide.loc[wide.index.max() + 1] = total["sum"] / total["points"]
    return wide
