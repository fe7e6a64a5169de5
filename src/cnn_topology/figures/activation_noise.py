"""Purity of the deepest layer and accuracy against input noise (F-I), and accuracy by class and sigma (table T-E).

Input noise (ours: the sigmas and accuracies that the activations paper printed are unknown). (a) Node-wise and
class-wise purity at the deepest layer with noise, and accuracy on the same noisy images, against the standard deviation
of Gaussian noise added to the normalized image; vertical lines: 1.96 standard errors from halves of the images and the
spread of nodes; pale band: central 95 % of label shuffles. (b) Accuracy by class. The radius of DBSCAN is that of the
cloud without noise.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import graph_rows, selection, style
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.planned import graph_groups
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables


def planned(plan: Plan) -> Planned:
    """List one figure for each cloud that has noisy ones."""
    for group in graph_groups(plan):
        for quiet, noisy in group.noisy():
            levels = {"clean": quiet, "clouds": [quiet, *noisy]}
            yield f"activation_noise_{group.name}_{quiet}", {**group.ids, **levels}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the cloud `clean` and its noisy ones, which `clouds` lists by sigma."""
    purity, graphs = (graph_rows.of_recipe(tables[name], parameters) for name in ("purity", "activation_graphs"))
    accuracy = selection.rows(tables["resnet_accuracy"], population=parameters["population"])
    accuracy = accuracy[accuracy["cloud"].isin(parameters["clouds"])]
    where = f"{parameters['population']}, {parameters['recipe']}: input noise on {parameters['clean']}"
    deepest = purity.loc[purity["sigma"] > 0, "depth"].max()
    shown, graphs = (rows[rows["depth"] == deepest] for rows in (purity, graphs))
    if shown.empty:
        raise selection.Empty(graph_rows.EMPTY)
    classes = [name for name in dict.fromkeys(accuracy["class_name"]) if name != "all"]
    figure = style.new_figure(max(2.6, 0.6 + 0.2 * (len(classes) + 1)), graph_rows.footer(notes, graphs), where)
    curves, table = figure.subplots(1, 2, width_ratios=[1.15, 1])
    style.letter(curves, "a", f"depth {graph_rows.layer_number(shown.iloc[0])}, and accuracy")
    _curves(curves, shown, accuracy[accuracy["class_name"] == "all"])
    style.letter(table, "b", "accuracy by class and σ")
    wide = accuracy.groupby(["class_name", "sigma"], sort=False)["accuracy"].mean().unstack("sigma")
    wide = wide.reindex([*classes, "all"])[sorted(wide.columns)]
    style.heat_table(table, wide.to_numpy(), [*classes, "all classes"], [f"{sigma:g}" for sigma in wide.columns])
    table.set_xlabel("σ of the noise, in units of normalized pixels")
    return figure, selection.drawn(purity=shown, accuracy=accuracy)


KIND = FigureKind(
    section="activation_graphs", tables=("purity", "activation_graphs", "resnet_accuracy"), planned=planned, draw=draw
)


def _curves(axes: Axes, purity: pd.DataFrame, accuracy: pd.DataFrame) -> None:
    mean = purity.groupby("sigma")[["node_wise", "class_wise", "chance", "chance_low", "chance_high"]].mean()
    errors = purity.groupby("sigma")[["error", "node_error"]].mean()
    error = 1.96 * np.hypot(errors["error"], errors["node_error"])
    axes.vlines(mean.index, mean["node_wise"] - error, mean["node_wise"] + error, color=style.BLUE, linewidth=0.8)
    chance, line = (mean["chance_low"], mean["chance_high"]), {"marker": "o", "label": "node-wise purity"}
    style.curve(axes, mean.index, mean["node_wise"], *chance, style.BLUE, 0.18, markersize=4, **line)
    axes.plot(mean.index, mean["class_wise"], "s--", color=style.GREEN, markersize=3.5, label="class-wise purity")
    rate = accuracy.groupby("sigma")["accuracy"].mean()
    axes.plot(rate.index, rate, "D-", color=style.VERMILION, markersize=3.5, label="accuracy")
    axes.set(xlabel="σ of the noise, in units of normalized pixels", ylabel="purity, accuracy", ylim=(0, 1.02))
    style.legend_below(axes)
