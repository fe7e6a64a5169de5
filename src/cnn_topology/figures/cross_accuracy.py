"""Dominant bars of the sets that networks are trained on, and accuracy across sets (panel K, E12 and E13).

The longest H1 bar of networks trained on each image set, with its interval over resampled networks and the null's
critical value, and accuracy on the test images of each set (claims E12 and E13). The paper's numbers (open diamonds,
and below ours) are recollected with medium confidence and uncorroborated; another text gives about 10 % where this one
has 28 %. They stand where the sets match.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables

# The paper's numbers, uncorroborated: recollected with medium confidence ([M-med], weights.md, section 5).
PAPER_BARS = {"mnist": 1.10, "svhn": 1.27}
PAPER_ACCURACY = {("mnist", "svhn"): 0.28, ("svhn", "mnist"): 0.54}


def planned(plan: Plan) -> Planned:
    """List one figure: the first layer that is followed over training, of all populations."""
    facets = [{"population": c.population, "layer": c.layer.name} for c in plan.dynamics_clouds]
    if facets:
        first = facets[0]["layer"]
        yield "cross_accuracy", {"clouds": [shown for shown in facets if shown["layer"] == first]}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the longest bar of each of `clouds` at its last step, and the matrix of accuracies beside it."""
    clouds, lacking = selection.with_rows(tables["loop_tracks"], parameters["clouds"], "")
    accuracy = tables["cross_accuracy"].to_pandas()
    accuracy = accuracy[accuracy["population"].isin([cloud["population"] for cloud in clouds])]
    if accuracy.empty:
        raise selection.Empty("no accuracy in the table")
    pairs = zip(accuracy["trained_on"], accuracy["tested_on"], strict=True)
    accuracy = accuracy.assign(paper=[PAPER_ACCURACY.get(pair, np.nan) for pair in pairs])
    tracks = [selection.rows(tables["loop_tracks"], **cloud).sort_values("step").tail(1) for cloud in clouds]
    bars = pd.concat(tracks)
    trained_on = bars["population"].map(dict(zip(accuracy["population"], accuracy["trained_on"], strict=True)))
    bars = bars.assign(trained_on=trained_on, paper=trained_on.map(PAPER_BARS).astype(float))
    has_paper = bars["paper"].notna().any() or accuracy["paper"].notna().any()
    footer = (
        "bars: 95% interval over resampled networks; accuracies: mean and 95% interval (Student t); "
        f"networks {selection.spread(bars['networks'])}{lacking}"
        f"{'; paper: recollected, uncorroborated [M-med]' if has_paper else ''}"
    )
    figure = style.new_figure(1.0 + 0.48 * max(2, len(clouds)), selection.provenance(notes, extra=footer))
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.3])
    _bars(left, bars)
    _matrix(right, accuracy)
    return figure, selection.drawn(bars=bars, accuracy=accuracy)


KIND = FigureKind(
    section="generalization",
    tables=("cross_accuracy", "loop_tracks"),
    planned=planned,
    columns={"paper": ("The paper's number, recollected and uncorroborated; missing where there is none.", "")},
    draw=draw,
)


def _bars(axes: Axes, bars: pd.DataFrame) -> None:
    style.letter(axes, "a", "longest H1 bar, last step")
    names = [f"{name}\n({kept:,} kept)" for name, kept in zip(bars["population"], bars["kept"], strict=True)]
    places = style.forest(axes, names, bars["longest"], bars["longest_low"], bars["longest_high"], "ours")
    axes.plot(bars["critical"], places, "|", color=style.GREY, markersize=9, label="null, critical")
    if bars["paper"].notna().any():
        mark: style.Options = {"color": style.VERMILION, "fillstyle": "none", "markersize": 4, "label": "paper [M-med]"}
        axes.plot(bars["paper"], places, "D", **mark)
    axes.set_xlim(0, 1.15 * np.nanmax([*bars["longest_high"], *bars["paper"], *bars["critical"]]))
    axes.set_xlabel("length")
    style.legend_below(axes)


def _matrix(axes: Axes, accuracy: pd.DataFrame) -> None:
    style.letter(axes, "b", "accuracy, trained on (rows), tested on (columns)")
    order = list(dict.fromkeys(accuracy["population"])), list(dict.fromkeys(accuracy["tested_on"]))
    under = accuracy.assign(under=[_under(row) for row in accuracy.to_dict("records")])
    values, texts = (
        under.pivot(index="population", columns="tested_on", values=name).loc[order] for name in ("mean", "under")
    )
    cells = texts.fillna("").to_numpy().tolist()
    style.heat_table(axes, values.to_numpy(dtype=float), order[0], order[1], cells, digits=3)


def _under(row: Any) -> str:
    lines = []
    if np.isfinite(row["low"]):
        lines.append(f"({row['low']:.3f} to {row['high']:.3f}, n = {row['networks']})")
    if np.isfinite(row["paper"]):
        lines.append(f"paper {row['paper']:.2f} [M-med]")
    return "\n".join(lines)
