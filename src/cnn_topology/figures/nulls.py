"""The longest H1 bar of noise: draws of the sphere null, and the observed clouds that are tested against them.

The longest H1 bar of pure noise: random filters on the sphere, as many as the layer has, through the same density
filter and the same cap on points (grey; one draw each), and the bars observed at the last step in the clouds that are
tested against these draws. Density filtering alone lengthens the bars of noise, so the null must be matched in N, k and
p. In brackets the median longest bar of random fields as smooth as the layer's filters. The paper has no null.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.planned import facet
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables, numbered
from cnn_topology.statistics.significance import TOO_FEW, UNTESTED
from cnn_topology.tables.loops import CLOUD, FilteringKey

BINS, NAMED = 30, 6
SIZE = ["points", "kernel_side", *FilteringKey.schema.names, "centre"]


FACETS = 12  # on one page


def planned(plan: Plan) -> Planned:
    """List pages of nulls, each with the clouds whose headline is tested against the same draws."""
    same_draws: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for clouds in plan.layer_clouds:
        points = clouds.points
        shown = same_draws.setdefault((points, clouds.layer.side, clouds.headline.at(points), clouds.centre), [])
        shown.append({**facet(clouds), "centre": clouds.centre})
    for name, page in numbered("nulls", list(same_draws.values()), FACETS):
        clouds_of_page = [shown for null in page for shown in null]
        yield name, {"clouds": clouds_of_page, "alpha": plan.config.significance.alpha}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one histogram for each null that the headlines of `clouds` use, at their last step."""
    clouds, lacking = selection.with_rows(tables["loops"], parameters["clouds"])
    centres = pd.DataFrame(clouds)[["population", "layer", "centre"]]
    observed = selection.headlines_at(tables["loops"], clouds, "last").merge(centres, on=["population", "layer"])
    critical = selection.null_of(tables["significance"], observed)
    groups = list(observed.groupby(SIZE, sort=False))
    facet_rows, columns = style.shape(len(groups))
    draws = observed[SIZE].drop_duplicates().merge(tables["nulls"].to_pandas(), on=SIZE)
    counts = draws.groupby([*SIZE, "null_name"]).size()
    footer = selection.provenance(notes, observed, counts, lacking)
    figure = style.new_figure(2.0 * facet_rows, footer)
    for (key, of_size), axes in zip(groups, style.facets(figure, len(groups)), strict=True):
        mine = draws[(draws[SIZE] == list(key)).all(axis=1)]
        limit = critical[critical["null_name"] == "sphere"].merge(of_size[CLOUD], on=CLOUD)["null_critical"]
        _histogram(axes, mine, of_size, limit, parameters["alpha"])
        axes.set_title(f"N = {key[0]:,} of {key[1]}x{key[1]}, k = {key[2]:,}, p = {key[3]:g}")
        axes.set_xlabel("longest H1 bar")
    for axes in figure.axes[::columns]:
        axes.set_ylabel("draws")
    return figure, selection.drawn(draws=draws, observed=observed)


KIND = FigureKind(section="filters", tables=("nulls", "loops", "significance"), planned=planned, draw=draw)


def _histogram(axes: Axes, draws: pd.DataFrame, clouds: pd.DataFrame, limit: pd.Series, alpha: float) -> None:
    if draws.empty:
        untested = clouds["verdict"].isin(UNTESTED).all()
        style.explain(axes, f"not tested: {TOO_FEW}" if untested else "no draw of this null in the table")
        return
    axes.hist(draws["longest"].fillna(0), bins=min(BINS, max(8, len(draws) // 6)), color=style.PALE)
    top = axes.get_ylim()[1] * 1.05
    if limit.notna().any():
        level = f"{1 - alpha:.0%} of null: {limit.max():.2f}"
        axes.axvline(limit.max(), color=style.INK, linestyle="--", linewidth=0.9, label=level)
    named = len(clouds) <= NAMED
    for place, cloud in enumerate(clouds.to_dict("records")):
        if not np.isfinite(cloud["longest"]):
            continue
        colour = style.colour(place) if named else style.BLUE
        label = f"{cloud['population']}, {cloud['layer']}: {cloud['longest']:.2f}" if named else ""
        if named and np.isfinite(cloud["lowpass_longest_median"]):
            label += f" (as smooth: {cloud['lowpass_longest_median']:.2f})"
        axes.vlines(cloud["longest"], 0, top, color=colour, linewidth=1.2 if named else 0.6, label=label)
    if not named:
        axes.plot([], [], color=style.BLUE, label=f"{len(clouds)} clouds")
    axes.set_ylim(0, top)
    axes.set_xlim(left=0)
    style.legend_below(axes)
