"""Dominant bars of the sets that networks are trained on, and accuracy across sets (panel K, E12 and E13).

Experiments E12 and E13: the longest H1 bar of networks trained on each image set, with its interval over resampled
networks and the null's critical value, and accuracy on the test images of each set. The paper's numbers (open diamonds,
and below ours) are recollected with medium confidence and uncorroborated; another text gives about 10 % where this one
has 28 %. They stand where the sets match.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.selection import drawn, no_cloud, provenance, rows, spread

# The paper's numbers, uncorroborated: recollected with medium confidence ([M-med], weights.md, section 5).
PAPER_BARS = {"mnist": 1.10, "svhn": 1.27}
PAPER_ACCURACY = {("mnist", "svhn"): 0.28, ("svhn", "mnist"): 0.54}


def planned(plan: Plan) -> Planned:
    """List one figure: the first layer that is followed over training, of all populations."""
    facets = [{"population": c.population, "layer": c.layer.name} for c in plan.dynamics_clouds]
    if facets:
        first = facets[0]["layer"]
        yield "cross_accuracy", {"clouds": [shown for shown in facets if shown["layer"] == first]}


@figure(
    section="generalization",
    tables=("cross_accuracy", "loop_tracks"),
    planned=planned,
    columns={"paper": ("The paper's number, recollected and uncorroborated; missing where there is none.", "")},
)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the longest bar of each of `clouds` at its last step, and the matrix of accuracies beside it."""
    accuracy = tables["cross_accuracy"].to_pandas()
    trained_on = accuracy.drop_duplicates("population").set_index("population")["trained_on"]
    found = [rows(tables["loop_tracks"], **cloud).sort_values("step").tail(1) for cloud in parameters["clouds"]]
    bars = pd.concat(found)
    bars = bars.assign(trained_on=bars["population"].map(trained_on))
    bars["paper"] = bars["trained_on"].map(PAPER_BARS).astype(float)
    accuracy = accuracy[accuracy["population"].isin([cloud["population"] for cloud in parameters["clouds"]])]
    accuracy["paper"] = [
        PAPER_ACCURACY.get(pair, np.nan) for pair in zip(accuracy["trained_on"], accuracy["tested_on"], strict=True)
    ]
    count = max(2, len(parameters["clouds"]))
    footer = ["bars: 95% interval over resampled networks", "accuracies: mean and 95% interval (Student t)"]
    footer += [f"networks {spread(bars['networks'])}"] if len(bars) else []
    if bars["paper"].notna().any() or accuracy["paper"].notna().any():
        footer.append("paper: recollected, uncorroborated [M-med]")
    figure = style.new_figure(1.0 + 0.48 * count, " · ".join([*footer, provenance(notes)]))
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.3])
    _bars(left, bars)
    _matrix(right, accuracy)
    return figure, drawn(bars=bars, accuracy=accuracy)


def _bars(axes: Axes, bars: pd.DataFrame) -> None:
    style.letter(axes, "a", "longest H1 bar, last step")
    if bars.empty:
        style.explain(axes, no_cloud())
        return
    places = np.arange(len(bars))
    axes.hlines(places, bars["longest_low"], bars["longest_high"], color=style.BLUE, linewidth=1.4)
    axes.plot(bars["longest"], places, "o", color=style.BLUE, markersize=4, label="ours")
    axes.plot(bars["critical"], places, "|", color=style.GREY, markersize=9, label="null, critical")
    if bars["paper"].notna().any():
        axes.plot(
            bars["paper"], places, "D", color=style.VERMILION, fillstyle="none", markersize=4, label="paper [M-med]"
        )
    axes.set_yticks(places, [f"{p}\n({k:,} kept)" for p, k in zip(bars["population"], bars["kept"], strict=True)])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xlim(0, 1.15 * np.nanmax([*bars["longest_high"], *bars["paper"], *bars["critical"]]))
    axes.set_xlabel("length")
    style.legend_below(axes)


def _matrix(axes: Axes, accuracy: pd.DataFrame) -> None:
    style.letter(axes, "b", "accuracy, trained on (rows), tested on (columns)")
    if accuracy.empty:
        style.explain(axes, "no accuracy in the table")
        return
    order = list(dict.fromkeys(accuracy["population"])), list(dict.fromkeys(accuracy["tested_on"]))
    values = accuracy.pivot_table(index="population", columns="tested_on", values="mean", dropna=False).loc[order]
    under = {(row["population"], row["tested_on"]): _under(row) for row in accuracy.to_dict("records")}
    below = [[under.get((row, column), "") for column in values.columns] for row in values.index]
    style.heat_table(axes, values.to_numpy(), [*values.index], [*values.columns], below, digits=3)


def _under(row: Mapping[Any, Any]) -> str:
    lines = []
    if np.isfinite(row["low"]):
        lines.append(f"({row['low']:.3f} to {row['high']:.3f}, n = {row['networks']})")
    if np.isfinite(row["paper"]):
        lines.append(f"paper {row['paper']:.2f} [M-med]")
    return "\n".join(lines)
