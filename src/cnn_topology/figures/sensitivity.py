"""How the loop depends on the density filter: longest bar, ratio and verdict over k x p.

How the finding depends on the density filter rho(k, p), at the last step: longest H1 bar, its ratio to the second, and
the verdict with the p-value of the longest bar (the largest over the null models, which pass through the same k and p).
The paper gives one choice per layer; a later replication found the circle to break for other choices, so the whole grid
asked for in the config is shown.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, ListedColormap, LogNorm, Normalize, Rectangle, pd
from cnn_topology.figures.planned import facet, pages_of_clouds
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables
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
        filterings = clouds.filterings[max(clouds.filterings)]
        if min(len({of.k for of in filterings}), len({of.p for of in filterings})) > 1:
            facets.append(facet(clouds))
    return pages_of_clouds(plan, "sensitivity", facets, FACETS)


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one row of three grids for each of `clouds`, at its last step, with the landmarks of its headline."""
    clouds, lacking = selection.with_rows(tables["loops"], parameters["clouds"])
    grids = []
    for cloud in clouds:
        ids = {"population": cloud["population"], "layer": cloud["layer"], "step": cloud["last"]}
        headline = selection.headlines_at(tables["loops"], [cloud], "last")
        grids.append(selection.rows(tables["loops"], **ids, landmarks=headline["landmarks"].iloc[0]))
    together = pd.concat(grids)
    draws = selection.null_of(tables["significance"], together)["draws"]
    heights = [0.62 + 0.23 * max(3, grid["density_k"].nunique()) for grid in grids]
    footer = selection.provenance(notes, together, draws, extra=f"blank cells: not asked for, or no bar{lacking}")
    figure = style.new_figure(sum(heights) + 0.4, footer)
    panels = figure.subplots(len(clouds), 3, squeeze=False, height_ratios=heights)
    longest, ratio = together["longest"].max(), together["ratio"].replace(np.inf, np.nan).max()
    scales = {"longest": Normalize(0, np.nanmax([longest, 1e-9])), "ratio": LogNorm(1, np.nanmax([ratio, 3.0]))}
    for cloud, grid, (left, middle, right) in zip(clouds, grids, panels, strict=True):
        for axes, name in ((left, "longest"), (middle, "ratio")):
            values = _pivot(grid, name).replace([np.inf, -np.inf], np.nan)
            texts = values.map(lambda value: "" if np.isnan(value) else f"{value:.{2 * (value < 10)}f}")
            _grid(axes, values, texts, colours=MAP, scale=scales[name])
        codes = grid.assign(code=grid["verdict"].map(list(VERDICTS).index))
        texts = _pivot(grid, "p_longest").map(lambda p: f"{p:.2g}" if np.isfinite(p) else "–")
        colours = ListedColormap(list(VERDICTS.values()))
        _grid(right, _pivot(codes, "code"), texts, colours=colours, scale=Normalize(0, len(VERDICTS) - 1))
        name_verdicts(right, grid["verdict"])
        left.set(title=f"{cloud['population']}, {cloud['layer']}, {selection.when(cloud)}\nlongest H1 bar", ylabel="k")
        middle.set_title("longest / second")
        right.set_title("verdict and p of the longest")
    style.shared_legend(figure)
    return figure, selection.drawn(variants=together)


KIND = FigureKind(section="filters", tables=("loops", "significance"), planned=planned, draw=draw)


def name_verdicts(axes: Axes, verdicts: pd.Series) -> None:
    """Name the colours of some verdicts in the legend."""
    for verdict in (verdict for verdict in VERDICTS if (verdicts == verdict).any()):
        key = Rectangle((0, 0), 0, 0, facecolor=VERDICTS[verdict], edgecolor=style.PALE, linewidth=0.4, label=verdict)
        axes.add_patch(key)


def _pivot(grid: pd.DataFrame, name: str) -> pd.DataFrame:
    wide = grid.pivot_table(index="density_k", columns="density_p", values=name, dropna=False)
    return wide.astype(float).sort_index(ascending=False)


def _grid(axes: Axes, values: pd.DataFrame, texts: pd.DataFrame, *, colours: object, scale: Normalize) -> None:
    rows, columns = [selection.number(k) for k in values.index], [f"{p:g}" for p in values.columns]
    cells = texts.to_numpy().tolist()
    style.heat_table(axes, values.to_numpy(), rows, columns, texts=cells, colours=colours, scale=scale)
    axes.set_xlabel("p")
