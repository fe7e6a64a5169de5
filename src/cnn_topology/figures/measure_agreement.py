"""Whether measures agree on which layers are near, and follow their order (activations paper, P1 and P5).

Whether measures agree (ours; the activations paper places its measure among the others in words). Left: Spearman's
correlation of two measures over the pairs of different layers within each network, mean with least and greatest over
networks; similarities count negative; the table has p, by exchanging the layers of one measure. Right: correlation of
each measure with the distance in depth, with, from four networks on, the 95% interval of its mean over networks, and p
from exchanging the layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.layer_matrix import footer, label, nothing
from cnn_topology.figures.libraries import Axes, Normalize, pd
from cnn_topology.figures.planned import compared_layers
from cnn_topology.figures.selection import drawn, number, rows

# Blue is disagreement, red agreement, white neither: readable with any common colour blindness.
COLOURS = "RdBu_r"


def planned(plan: Plan) -> Planned:
    """List one figure for each cloud with several measures."""
    for about, comparison in compared_layers(plan):
        if len(comparison.measures) > 1:
            yield f"measure_agreement_{about['cloud']}", {**about, "measures": list(comparison.measures)}


@figure(section="layers", tables=("measure_agreement", "measure_tests"), planned=planned)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the correlation of each two of `measures`, and of each with the distance in depth."""
    chosen = {name: parameters[name] for name in ("population", "cloud")}
    measures = parameters["measures"]
    found = rows(tables["measure_agreement"], **chosen)
    order = rows(tables["measure_tests"], **chosen, test="depth_order").set_index("measure", drop=False)
    count = number(order["n"].iloc[0]) if len(order) else "no"
    extra = f"{count} networks; mean (least to greatest) over networks; 95% intervals of the mean (4 networks and more)"
    figure = style.new_figure(0.55 + 0.42 * len(measures), footer(notes, parameters, found, extra))
    left, right = figure.subplots(1, 2, width_ratios=[2.2, 1])
    _matrix(left, found, measures, parameters)
    _order(right, order.loc[[name for name in measures if name in order.index]], parameters)
    return figure, drawn(agreement=found, order=order.reset_index(drop=True))


def _matrix(axes: Axes, found: pd.DataFrame, measures: list[str], parameters: Mapping[str, Any]) -> None:
    style.letter(axes, "a", "agreement of two measures (Spearman)")
    if found.empty:
        style.explain(axes, nothing(parameters))
        return
    size = len(measures)
    values = np.eye(size)
    for row in found.to_dict("records"):
        if row["measure_a"] in measures and row["measure_b"] in measures:
            i, j = sorted((measures.index(row["measure_a"]), measures.index(row["measure_b"])))
            values[i, j] = values[j, i] = row["mean"]
            dark = "white" if abs(row["mean"]) > 0.6 else style.INK
            # Signs and digits of seven measures would touch with the zeros before the points.
            text = f"{row['mean']:.2f}\n({row['low']:.2f}, {row['high']:.2f})".replace("0.", ".").replace("-", "−")
            axes.text(i, j, text, ha="center", va="center", color=dark, fontsize=5.5)
    lower = np.where(np.tri(size, k=-1, dtype=bool), values, np.nan)
    axes.imshow(
        lower[1:, :-1], cmap=COLOURS, norm=Normalize(-1, 1), extent=(-0.5, size - 1.5, size - 0.5, 0.5), aspect="auto"
    )
    axes.set_xticks(
        range(size - 1), [label(name) for name in measures[:-1]], rotation=35, ha="right", rotation_mode="anchor"
    )
    axes.set_yticks(range(1, size), [label(name) for name in measures[1:]])
    axes.tick_params(length=0, labelsize=style.SMALL)
    axes.spines[:].set_visible(False)


def _order(axes: Axes, order: pd.DataFrame, parameters: Mapping[str, Any]) -> None:
    style.letter(axes, "b", "agreement with depth")
    if order.empty:
        style.explain(axes, nothing(parameters), 22)
        return
    places = np.arange(len(order))
    low = order["low"].fillna(order["statistic"])
    high = order["high"].fillna(order["statistic"])
    axes.hlines(places, low, high, color=style.BLUE, linewidth=1.4)
    axes.plot(order["statistic"], places, "o", color=style.BLUE, markersize=3.5)
    axes.axvline(0, color=style.INK, linestyle="--", linewidth=0.8)
    labels = [f"{label(row['measure'])}\np = {row['p_value']:.2g}" for row in order.to_dict("records")]
    axes.set_yticks(places, labels)
    axes.tick_params(axis="y", length=0, labelsize=style.SMALL - 0.5)
    axes.set_ylim(len(order) - 0.5, -0.7)
    axes.set_xlim(min(-0.1, low.min() - 0.1), 1.05)
    axes.set_xlabel("Spearman", fontsize=7)
