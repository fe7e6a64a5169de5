"""Positive and negative controls: H1 bars of synthetic clouds of known topology.

Controls that pass through the same code as the data: H1 bars of synthetic clouds whose number of loops is known (blue:
as many of the longest bars as there should be long ones). The Klein bottle has two loops with coefficients in Z/2 and
one in Z/3, which tells it from a torus; random filters have none. Untrained networks, another negative control, are
step 0 of the loops over training. The models are the paper's; the controls are ours.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables

COLUMNS, BARS = 5, 20

# Long H1 bars over each field: the first Betti number. The Klein bottle has one loop fewer over any odd field.
EXPECTED = {
    "primary_circle": {2: 1, 3: 1},
    "quadratic_circle": {2: 1, 3: 1},
    "three_circles": {2: 5, 3: 5},
    "klein_bottle": {2: 2, 3: 1},
    "random_filters": {2: 0, 3: 0},
}


def planned(plan: Plan) -> Planned:
    """List the figure of a run of weights."""
    return [("controls", {})] if plan.layer_clouds else []


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the H1 bars of each control."""
    controls = tables["controls"].to_pandas()
    if controls.empty:
        raise selection.Empty("the table of controls is empty")
    groups = list(controls.groupby(["control", "field"], sort=False))
    bars = controls[controls["dimension"] == 1]
    end = bars.loc[np.isfinite(bars["death"]), "death"].max()
    size = f"{controls['points'].iloc[0]:,} points, noise of norm {controls['noise_sd'].iloc[0]:g}"
    height = 2.05 * style.shape(len(groups), COLUMNS)[0]
    figure = style.new_figure(height, selection.provenance(notes, extra=size))
    for ((control, field), mine), axes in zip(groups, style.facets(figure, len(groups), COLUMNS), strict=True):
        _barcode(axes, str(control), int(field), mine, end)
    return figure, selection.drawn(controls=bars)


KIND = FigureKind(section="filters", tables=("controls",), planned=planned, draw=draw)


def _barcode(axes: Axes, control: str, field: int, bars: pd.DataFrame, end: float) -> None:
    found = selection.lengths(bars, 1).head(BARS)
    expected = EXPECTED.get(control, {}).get(field, 0)
    if found.empty:
        style.explain(axes, "no H1 bar", characters=20)
    else:
        colours = [style.BLUE] * expected + [style.INK] * (len(found) - expected)
        axes.hlines(found.index, found["birth"], found["death"].clip(upper=1.05 * end), colors=colours, linewidth=1.4)
        axes.set(ylim=(BARS - 0.5, -0.5), xlim=(0, 1.05 * end), yticks=[], xlabel="scale")
        axes.spines["left"].set_visible(False)
    longest = [selection.length(value) for value in [*found["length"], *[0.0] * (expected + 1)]]
    last = f"{_ordinal(expected)} {longest[expected - 1]}, next" if expected else "longest"
    name = control.replace("_", " ").replace("klein", "Klein")
    axes.set_title(f"{name}, Z/{field}\nexpected long bars: {expected}\n{last} {longest[expected]}", fontsize=7)


def _ordinal(number: int) -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")
