"""Whether measures agree on which layers are near, and follow their order (activations paper, P1 and P5)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cnn_topology.figures import style
from cnn_topology.figures.layer_matrix import footer, label, nothing
from cnn_topology.figures.selection import drawn, number, rows

# Blue is disagreement, red agreement, white neither: readable with any common colour blindness.
COLOURS, SCALE = "RdBu_r", Normalize(-1, 1)


def draw(
    parameters: Mapping[str, Any], tables: Mapping[str, pa.Table], notes: Mapping[str, str]
) -> tuple[Figure, pa.Table]:
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
    axes.imshow(lower[1:, :-1], cmap=COLOURS, norm=SCALE, extent=(-0.5, size - 1.5, size - 0.5, 0.5), aspect="auto")
    axes.set_xticks(
        range(size - 1), [label(name) for name in measures[:-1]], rotation=35, ha="right", rotation_mode="anchor"
    )
    axes.set_yticks(range(1, size), [label(name) for name in measures[1:]])
    axes.tick_params(length=0, labelsize=style.SMALL)
    for spine in axes.spines.values():
        spine.set_visible(False)


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
