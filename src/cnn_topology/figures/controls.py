"""Positive and negative controls: synthetic clouds of known topology, and the untrained networks of the run.

Controls that pass through the same code as the data. Top: H1 bars of synthetic clouds whose number of loops is known
(blue: as many of the longest bars as there should be long ones); the Klein bottle has two loops with coefficients in
Z/2 and one in Z/3, which tells it from a torus. Bottom: the longest H1 bar of the untrained networks against what the
null models reach at the level of the test; a point beyond all marks would be a false alarm. The models are the paper's;
the controls are ours.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.planned import facet, pages_of_clouds
from cnn_topology.figures.selection import drawn, headlines_at, length, lengths, null_of, provenance
from cnn_topology.tables.loops import CLOUD

COLUMNS, BARS = 5, 20

# Long H1 bars over each field: the first Betti number. The Klein bottle has one loop fewer over any odd field.
EXPECTED = {
    "primary_circle": {2: 1, 3: 1},
    "quadratic_circle": {2: 1, 3: 1},
    "three_circles": {2: 5, 3: 5},
    "klein_bottle": {2: 2, 3: 1},
    "random_filters": {2: 0, 3: 0},
}


FACETS = 40  # on one page


def planned(plan: Plan) -> Planned:
    """List pages of the layers of networks trained here; without any, the synthetic controls alone."""
    trained = [facet(clouds) for clouds in plan.layer_clouds if not clouds.pretrained]
    if plan.layer_clouds and not trained:
        return [("controls", {"clouds": [], "alpha": plan.config.significance.alpha})]
    return pages_of_clouds(plan, "controls", trained, FACETS)


@figure(section="filters", tables=("controls", "loops", "significance"), planned=planned)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the H1 bars of each control and, below, the longest bar of each of `clouds` before training."""
    controls = tables["controls"].to_pandas()
    groups = list(controls.groupby(["control", "field"], sort=False))
    untrained = headlines_at(tables["loops"], [c for c in parameters["clouds"] if c["first"] == 0], "first")
    critical = null_of(tables["significance"], untrained)
    facet_rows = style.shape(len(groups), COLUMNS)[0] if groups else 1
    upper, lower = 2.05 * facet_rows, 0.75 + 0.16 * max(3, len(untrained))
    footer = provenance(notes, untrained, critical["draws"], _footer(controls))
    figure = style.new_figure(upper + lower, footer)
    grid = figure.add_gridspec(2, 1, height_ratios=[upper, lower])
    if groups:
        deaths = controls.loc[(controls["dimension"] == 1) & np.isfinite(controls["death"]), "death"]
        end = deaths.max() if len(deaths) else 1.0
        for ((control, field), bars), axes in zip(
            groups, style.facets(figure, len(groups), COLUMNS, grid[0]), strict=True
        ):
            _barcode(axes, str(control), int(field), bars, end)
    else:
        style.explain(figure.add_subplot(grid[0]), "the table of controls is empty")
    _untrained_panel(figure.add_subplot(grid[1]), untrained, critical, parameters["alpha"])
    return figure, drawn(controls=controls[controls["dimension"] == 1], untrained=untrained, null=critical)


def _barcode(axes: Axes, control: str, field: int, bars: pd.DataFrame, end: float) -> None:
    found = lengths(bars, 1).head(BARS)
    expected = EXPECTED.get(control, {}).get(field)
    if found.empty:
        style.explain(axes, "no H1 bar", characters=20)
    else:
        _bars(axes, found, expected or 0, end)
    found_lengths = [*found["length"], *[0.0] * ((expected or 0) + 1)]
    if expected is None:
        text = f"longest {length(found_lengths[0])}\n"
    elif expected:
        text = f"expected long bars: {expected}\n"
        text += f"{_ordinal(expected)} {length(found_lengths[expected - 1])}, next {length(found_lengths[expected])}"
    else:
        text = f"expected long bars: 0\nlongest {length(found_lengths[0])}"
    name = control.replace("_", " ").replace("klein", "Klein")
    axes.set_title(f"{name}, Z/{field}\n{text}", fontsize=7)


def _bars(axes: Axes, found: pd.DataFrame, long: int, end: float) -> None:
    places = np.arange(len(found))
    colours = [style.BLUE if place < long else style.INK for place in places]
    axes.hlines(places, found["birth"], found["death"].clip(upper=1.05 * end), colors=colours, linewidth=1.4)
    axes.set_ylim(BARS - 0.5, -0.5)
    axes.set_xlim(0, 1.05 * end)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("scale")


def _untrained_panel(axes: Axes, untrained: pd.DataFrame, critical: pd.DataFrame, alpha: float) -> None:
    axes.set_title("untrained networks (step 0): longest H1 bar of each headline cloud")
    if untrained.empty:
        style.explain(axes, "no layer is analysed at step 0", characters=80)
        return
    places = np.arange(len(untrained))
    for null, draws in critical.groupby("null_name"):
        merged = untrained.merge(draws, on=CLOUD, how="left")
        marker = {"sphere": "|", "permuted": "x"}.get(str(null), "+")
        axes.plot(
            merged["null_critical"],
            places,
            marker,
            color=style.GREY,
            markersize=7,
            label=f"{null} null, {1 - alpha:.0%}",
        )
    axes.plot(untrained["longest"].fillna(0), places, "o", color=style.VERMILION, markersize=4, label="longest bar")
    axes.set_yticks(places, list(untrained["population"] + ", " + untrained["layer"]))
    axes.tick_params(axis="y", labelsize=6.5, length=0)
    axes.set_ylim(len(untrained) - 0.4, -0.6)
    axes.set_xlim(0, 1.15 * np.nanmax([*untrained["longest"], *critical["null_critical"], 0.1]))
    axes.set_xlabel("length")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)


def _footer(controls: pd.DataFrame) -> str:
    if controls.empty:
        return ""
    return f"controls: {controls['points'].iloc[0]:,} points, noise of norm {controls['noise_sd'].iloc[0]:g}"


def _ordinal(number: int) -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")
