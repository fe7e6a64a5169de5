"""How the loop depends on the density filter: longest bar, ratio and verdict over k x p.

How the finding depends on the density filter rho(k, p), at the last step: longest H1 bar, its ratio to the second, and
the verdict with the p-value of the longest bar (the largest over the null models, which pass through the same k and p).
The paper gives one choice per layer; a later replication found the circle to break for other choices, so the whole grid
asked for in the config is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Axes, ListedColormap, LogNorm, Normalize, Rectangle, pd, seaborn
from cnn_topology.figures.planned import facet, pages_of_clouds
from cnn_topology.figures.selection import drawn, headlines_at, no_cloud, null_of, number, provenance, rows, when
from cnn_topology.statistics.significance import DEAD_LAYER, NO_LOOP, ONE_LOOP, SEVERAL_LOOPS, TOO_FEW, WEAK_LOOP

# A colour for each of `statistics.significance.VERDICTS`. White and pale grey are what was not tested.
VERDICTS = {
    ONE_LOOP: style.SKY,
    WEAK_LOOP: style.GREEN,
    SEVERAL_LOOPS: style.ORANGE,
    NO_LOOP: "#f2f2f2",
    TOO_FEW: "white",
    DEAD_LAYER: style.PALE,
}
MAP = "cividis"


FACETS = 4  # on one page


def planned(plan: Plan) -> Planned:
    """List pages of the layers that have several k and several p at their last step."""
    facets = []
    for clouds in plan.layer_clouds:
        variants = clouds.variants[max(clouds.variants)]
        if min(len({variant.k for variant in variants}), len({variant.p for variant in variants})) > 1:
            facets.append(facet(clouds))
    return pages_of_clouds(plan, "sensitivity", facets, FACETS)


@figure(section="filters", tables=("loops", "significance"), planned=planned)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one row of three grids for each of `clouds`, at its last step, with the landmarks of its headline."""
    clouds = parameters["clouds"]
    grids = [_variants(tables["loops"], cloud) for cloud in clouds]
    together = pd.concat(grids)
    heights = [0.62 + 0.23 * max(3, grid["density_k"].nunique()) for grid in grids]
    draws = null_of(tables["significance"], together)["draws"]
    footer = provenance(notes, together, draws, extra="blank cells: not asked for, or no bar")
    figure = style.new_figure(sum(heights) + 0.4, footer)
    panels = figure.subplots(len(clouds), 3, squeeze=False, height_ratios=heights)
    longest = Normalize(0, _largest(together["longest"]))
    ratio = LogNorm(1, max(3.0, _largest(together["ratio"])))
    for cloud, grid, (left, middle, right) in zip(clouds, grids, panels, strict=True):
        where = f"{cloud['population']}, {cloud['layer']}"
        if grid.empty:
            left.set_title(where)
            for axes in (left, middle, right):
                style.explain(axes, no_cloud(cloud["last"]) if axes is middle else "")
            continue
        _heat(left, grid, "longest", longest, f"{where}, {when(cloud)}\nlongest H1 bar")
        _heat(middle, grid, "ratio", ratio, "longest / second")
        _verdict(right, grid, "verdict and p of the longest")
        left.set_ylabel("k")
    style.shared_legend(figure)
    return figure, drawn(variants=together)


def _variants(loops: pa.Table, cloud: Mapping[str, Any]) -> pd.DataFrame:
    at = headlines_at(loops, [cloud], "last")
    found = rows(loops, population=cloud["population"], layer=cloud["layer"], step=cloud["last"])
    return found[found["landmarks"].isin(at["landmarks"])].sort_values(["density_k", "density_p"])


def _heat(axes: Axes, grid: pd.DataFrame, name: str, scale: Normalize, title: str) -> None:
    values = _pivot(grid, name).astype(float)
    values = values.where(np.isfinite(values))
    # The limits stand in the scale; seaborn looks for them in the values unless told, and warns where there are none.
    _grid(axes, values, values.map(_value), title, cmap=MAP, norm=scale, vmin=scale.vmin, vmax=scale.vmax)


def _verdict(axes: Axes, grid: pd.DataFrame, title: str) -> None:
    codes = grid["verdict"].map({verdict: code for code, verdict in enumerate(VERDICTS)})
    labels = _pivot(grid, "p_longest").map(lambda p: f"{p:.2g}" if np.isfinite(p) else "–")
    colours = ListedColormap(list(VERDICTS.values()))
    _grid(axes, _pivot(grid.assign(code=codes), "code"), labels, title, cmap=colours, vmin=0, vmax=len(VERDICTS) - 1)
    name_verdicts(axes, grid["verdict"])


def name_verdicts(axes: Axes, verdicts: pd.Series) -> None:
    """Name the colours of some verdicts in the legend."""
    for verdict in (verdict for verdict in VERDICTS if (verdicts == verdict).any()):
        key = Rectangle((0, 0), 0, 0, facecolor=VERDICTS[verdict], edgecolor=style.PALE, linewidth=0.4, label=verdict)
        axes.add_patch(key)


def _pivot(grid: pd.DataFrame, name: str) -> pd.DataFrame:
    return grid.pivot_table(index="density_k", columns="density_p", values=name, dropna=False).sort_index(
        ascending=False
    )


def _grid(axes: Axes, values: pd.DataFrame, labels: pd.DataFrame, title: str, **colours: Any) -> None:
    seaborn.heatmap(
        values,
        ax=axes,
        annot=labels,
        fmt="",
        annot_kws={"fontsize": 7},
        cbar=False,
        linewidths=1,
        linecolor="white",
        xticklabels=[f"{p:g}" for p in values.columns],
        yticklabels=[number(k) for k in values.index],
        **colours,
    )
    axes.set(title=title, xlabel="p", ylabel="")
    axes.tick_params(length=0, rotation=0)


def _largest(values: pd.Series) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if len(finite) else 1.0


def _value(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"
