"""How the loop depends on the density filter: longest bar, ratio and verdict over k x p."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cnn_topology.figures import style
from cnn_topology.figures.selection import drawn, headlines_at, no_cloud, number, provenance, rows

VERDICTS = {"one circle": style.SKY, "several loops": style.ORANGE, "no loop": "#f2f2f2"}
MAP = "cividis"


def draw(
    parameters: Mapping[str, Any], tables: Mapping[str, pa.Table], notes: Mapping[str, str]
) -> tuple[Figure, pa.Table]:
    """Draw one row of three grids for each of `clouds`, at its last step, with the landmarks of its headline."""
    clouds = parameters["clouds"]
    grids = [_variants(tables["loops"], cloud) for cloud in clouds]
    together = pd.concat(grids)
    heights = [0.62 + 0.23 * max(3, grid["k"].nunique()) for grid in grids]
    figure = style.new_figure(
        sum(heights) + 0.4, provenance(notes, together, extra="blank cells: not asked for, or no bar")
    )
    panels = figure.subplots(len(clouds), 3, squeeze=False, height_ratios=heights)
    longest = Normalize(0, _largest(together["longest"]))
    ratio = LogNorm(1, max(3.0, _largest(together["ratio"])))
    for cloud, grid, (left, middle, right) in zip(clouds, grids, panels, strict=True):
        where = f"{cloud['population']}, {cloud['layer']}"
        if grid.empty:
            style.letter(left, "", where)
            for axes in (left, middle, right):
                style.explain(axes, no_cloud(cloud["last"]) if axes is middle else "")
            continue
        _heat(left, grid, "longest", longest, f"{where}, step {cloud['last']:,}\nlongest $H_1$ bar")
        _heat(middle, grid, "ratio", ratio, "longest / second")
        _verdict(right, grid, "verdict and p of the longest")
        left.set_ylabel("k")
    style.shared_legend(figure)
    return figure, drawn(variants=together)


def _variants(loops: pa.Table, cloud: Mapping[str, Any]) -> pd.DataFrame:
    at = headlines_at(loops, [cloud], "last")
    found = rows(loops, population=cloud["population"], layer=cloud["layer"], step=cloud["last"])
    return found[found["landmarks"].isin(at["landmarks"])].sort_values(["k", "p"])


def _heat(axes: Axes, grid: pd.DataFrame, name: str, scale: Normalize, title: str) -> None:
    values = grid.pivot_table(index="k", columns="p", values=name, dropna=False).sort_index(ascending=False)
    axes.imshow(np.ma.masked_invalid(values.to_numpy(float)), cmap=MAP, norm=scale, aspect="auto")
    for (row, column), value in np.ndenumerate(values.to_numpy(float)):
        if np.isfinite(value):
            colour = "white" if scale(value) < 0.5 else "black"
            axes.text(column, row, _value(value), ha="center", va="center", fontsize=7, color=colour)
    _frame(axes, grid, title)


def _verdict(axes: Axes, grid: pd.DataFrame, title: str) -> None:
    ks, ps = sorted(grid["k"].unique(), reverse=True), sorted(grid["p"].unique())
    axes.set_xlim(-0.5, len(ps) - 0.5)
    axes.set_ylim(len(ks) - 0.5, -0.5)
    for variant in grid.to_dict("records"):
        x, y = ps.index(variant["p"]), ks.index(variant["k"])
        colour = VERDICTS.get(variant["verdict"], "white")
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, color=colour, linewidth=0, label=variant["verdict"]))
        p_value = f"{variant['p_longest']:.2g}" if np.isfinite(variant["p_longest"]) else "–"
        axes.text(x, y, p_value, ha="center", va="center", fontsize=7)
    _frame(axes, grid, title)


def _frame(axes: Axes, grid: pd.DataFrame, title: str) -> None:
    ks, ps = sorted(grid["k"].unique(), reverse=True), sorted(grid["p"].unique())
    axes.set_title(title)
    axes.set_xticks(range(len(ps)), [f"{p:g}" for p in ps])
    axes.set_yticks(range(len(ks)), [number(k) for k in ks])
    axes.set_xlabel("p")
    axes.tick_params(length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    for edge in range(1, len(ps)):
        axes.axvline(edge - 0.5, color="white", linewidth=1)
    for edge in range(1, len(ks)):
        axes.axhline(edge - 0.5, color="white", linewidth=1)


def _largest(values: pd.Series) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if len(finite) else 1.0


def _value(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"
