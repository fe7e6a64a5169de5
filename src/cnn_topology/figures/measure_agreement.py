"""Whether measures agree on which layers are near, and follow their order (activations paper, P1 and P5).

Whether measures agree (ours; the activations paper places its measure among the others in words). Left: Spearman's
correlation of two measures over the pairs of different layers within each network, mean with least and greatest over
networks; similarities count negative; the table has p, by exchanging the layers of one measure. Right: correlation of
each measure with the distance in depth, with, from four networks on, the 95% interval of its mean over networks, and p
from exchanging the layers.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.layer_matrix import footer, label, layer_rows
from cnn_topology.figures.libraries import Axes, Normalize, pd
from cnn_topology.figures.planned import compared_layers
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables


def planned(plan: Plan) -> Planned:
    """List one figure for each cloud with several measures."""
    for about, comparison in compared_layers(plan):
        if len(comparison.measures) > 1:
            yield f"measure_agreement_{about['cloud']}", {**about, "measures": list(comparison.measures)}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the correlation of each two of `measures`, and of each with the distance in depth."""
    measures = parameters["measures"]
    found = layer_rows(tables["measure_agreement"], parameters)
    order = layer_rows(tables["measure_tests"], parameters, test="depth_order").set_index("measure", drop=False)
    order = order.loc[[name for name in measures if name in order.index]]
    count = selection.spread(order["n"])
    extra = f"{count} networks; mean (least to greatest) over networks; 95% intervals of the mean (4 networks and more)"
    figure = style.new_figure(0.55 + 0.42 * len(measures), footer(notes, parameters, found, extra))
    left, right = figure.subplots(1, 2, width_ratios=[2.2, 1])
    _matrix(left, found, measures)
    _order(right, order)
    return figure, selection.drawn(agreement=found, order=order.reset_index(drop=True))


KIND = FigureKind(section="layers", tables=("measure_agreement", "measure_tests"), planned=planned, draw=draw)


def _matrix(axes: Axes, found: pd.DataFrame, measures: list[str]) -> None:
    size = len(measures)
    values, texts = np.full((size, size), np.nan), [[""] * size for _ in measures]
    for row in found.to_dict("records"):
        if row["measure_a"] in measures and row["measure_b"] in measures:
            i, j = sorted((measures.index(row["measure_a"]), measures.index(row["measure_b"])))
            values[j, i] = row["mean"]
            # Signs and digits of seven measures would touch with the zeros before the points.
            text = f"{row['mean']:.2f}\n({row['low']:.2f}, {row['high']:.2f})"
            texts[j][i] = text.replace("0.", ".").replace("-", "\N{MINUS SIGN}")
    names = [label(name) for name in measures]
    shown = [row[:-1] for row in texts[1:]]
    # Blue is disagreement, red agreement, white neither: readable with any common colour blindness.
    scale = Normalize(-1, 1)
    style.heat_table(axes, values[1:, :-1], names[1:], names[:-1], texts=shown, colours="RdBu_r", scale=scale)
    axes.set_xticks(range(size - 1), names[:-1], rotation=35, ha="right", rotation_mode="anchor")
    axes.tick_params(labelsize=style.SMALL)
    style.letter(axes, "a", "agreement of two measures (Spearman)")


def _order(axes: Axes, order: pd.DataFrame) -> None:
    style.letter(axes, "b", "agreement with depth")
    low, high = (order[end].fillna(order["statistic"]) for end in ("low", "high"))
    names = [f"{label(row['measure'])}\np = {row['p_value']:.2g}" for row in order.to_dict("records")]
    style.forest(axes, names, order["statistic"], low, high)
    axes.axvline(0, color=style.INK, linestyle="--", linewidth=0.8)
    axes.tick_params(axis="y", labelsize=style.SMALL - 0.5)
    axes.set_xlim(min(-0.1, low.min() - 0.1), 1.05)
    axes.set_xlabel("Spearman", fontsize=7)
