"""Loops over training: the two longest H1 bars against their null, and test accuracy below (panels H to J).

The two longest H1 bars of each layer over training, for the density filter that comes first in the config. The grey
band reaches to the longest bar that the null models (sphere, permuted) attain at the level of the test; onset is the
first step from which the longest bar stays significant at every later step. Below: test accuracy on the population's
own images, mean and range over networks. That loops appear and change in training is the paper's claim; the band and
the onset are ours. Steps are spaced logarithmically, with step 0 (untrained) at the left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.planned import facet, pages_of_clouds
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables
from cnn_topology.statistics.significance import TOO_FEW, UNTESTED, onset
from cnn_topology.tables.units import SHARE

FACETS = 9  # on one page


def planned(plan: Plan) -> Planned:
    """List pages of the layers that are analysed at several steps."""
    facets = [
        {**facet(clouds), "images": plan.config.populations[clouds.population].images}
        for clouds in plan.layer_clouds
        if len(clouds.filterings) > 1
    ]
    return pages_of_clouds(plan, "evolution", facets, FACETS)


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the headline filtering of each of `clouds` over its steps; `alpha` is the level of the null band."""
    clouds, lacking = selection.with_rows(tables["loops"], parameters["clouds"], "")
    each = [selection.headlines(tables["loops"], cloud) for cloud in clouds]
    together = pd.concat(each)
    critical = selection.null_of(tables["significance"], together)
    accuracy = [_accuracy(tables["training"], cloud) for cloud in clouds]
    facet_rows, columns = style.shape(len(clouds))
    # Networks that others trained come without their accuracies.
    halves = 2 if len(tables["training"]) else 1
    extra = ("accuracy: mean, band from worst to best network" if halves == 2 else "") + lacking
    footer = selection.provenance(notes, together, critical["draws"], extra)
    figure = style.new_figure(2.45 * facet_rows + 0.35, footer)
    grid = figure.add_gridspec(halves * facet_rows, columns, height_ratios=[2, 1][:halves] * facet_rows)
    longest = np.nanmax([together["longest"].max(), critical["null_critical"].max(), 0.1])
    for place, (cloud, loops, tested) in enumerate(zip(clouds, each, accuracy, strict=True)):
        row, column = divmod(place, columns)
        bars, *below = (figure.add_subplot(grid[halves * row + half, column]) for half in range(halves))
        style.facet_title(bars, f"{cloud['population']}, {cloud['layer']}", columns)
        mine = critical[(critical["population"] == cloud["population"]) & (critical["layer"] == cloud["layer"])]
        _bars(bars, loops, mine, parameters["alpha"])
        bars.set_ylim(0, 1.12 * longest)
        for axes in below:
            bars.tick_params(labelbottom=False)
            _accuracy_panel(axes, tested)
        for axes in (bars, *below):
            style.step_axis(axes, [*loops["step"], *tested["step"]])
        if column == 0:
            bars.set_ylabel("H1 bar length")
            for axes in below:
                axes.set_ylabel("test\naccuracy")
        if place + columns >= len(clouds):
            [bars, *below][-1].set_xlabel("training step")
    style.shared_legend(figure)
    mean = pd.concat([t.assign(layer=c["layer"]) for t, c in zip(accuracy, clouds, strict=True)])
    return figure, selection.drawn(loops=together, null=critical, accuracy=mean)


KIND = FigureKind(
    section="filters",
    tables=("loops", "significance", "training"),
    planned=planned,
    columns={"low": ("Least accuracy of a network.", SHARE), "high": ("Greatest accuracy of a network.", SHARE)},
    draw=draw,
)


def _bars(axes: Axes, loops: pd.DataFrame, critical: pd.DataFrame, alpha: float) -> None:
    if len(critical):
        band = critical.groupby("step")["null_critical"].max()
        axes.fill_between(band.index, 0, band, color=style.BAND, linewidth=0)
        for null, draws in critical.groupby("null_name"):
            axes.plot(draws["step"], draws["null_critical"], **style.null_line(str(null), alpha))
    for name, colour, marker in (("longest", style.BLUE, "o"), ("second", style.ORANGE, "s")):
        axes.plot(loops["step"], loops[name].fillna(0), color=colour, marker=marker, markersize=2.6, label=name)
    tested = loops[~loops["verdict"].isin(UNTESTED)]
    start = onset(list(tested["step"]), (tested["p_longest"] <= alpha).tolist())
    text = f"not tested: {TOO_FEW}" if tested.empty else "no lasting loop"
    if start is not None:
        axes.axvline(start, ymax=0.88, color=style.VERMILION, linewidth=0.8)
        text = f"onset: step {start:,}"
    axes.text(0.02, 0.98, text, transform=axes.transAxes, va="top", fontsize=7, color=style.VERMILION)


def _accuracy(training: pa.Table, cloud: Mapping[str, Any]) -> pd.DataFrame:
    """Average test accuracy on the population's own images over the networks that did not fail."""
    log = selection.rows(training, population=cloud["population"], images=cloud.get("images"), split="test")
    grouped = selection.unfailed(log).groupby(["population", "step"])["accuracy"]
    return grouped.agg(accuracy="mean", low="min", high="max", networks="count").reset_index()


def _accuracy_panel(axes: Axes, tested: pd.DataFrame) -> None:
    if tested.empty:
        style.explain(axes, "no test accuracy in the table")
        return
    x, y, low, high = (tested[name] for name in ("step", "accuracy", "low", "high"))
    style.curve(axes, x, y, low, high, style.GREEN, marker=".", markersize=3)
    axes.set(ylim=(0, 1.05), yticks=[0, 0.5, 1])
