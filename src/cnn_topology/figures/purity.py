"""Node-wise purity by kind of cloud and layer (table T-A), and against depth with its chance level (ours).

Node-wise purity of mapper graphs of activations (the paper's printed numbers are unknown) and its course over depth
(ours). A node is as pure as the inverse of the number of classes in it; the mean counts small nodes like large ones.
(a) By kind of cloud and layer, in brackets the mean over label shuffles and the coverage. (b) Against depth; vertical
lines: with one network 1.96 standard errors from halves of the images with the graph held fixed and from the spread
over nodes, with several the range over networks; pale bands: central 95 % of shuffles of labels over images.
"""

from __future__ import annotations

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.graph_rows import footer, kind_of, layer_number, of_recipe
from cnn_topology.figures.libraries import Axes, pd
from cnn_topology.figures.planned import of_clean_clouds
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables
from cnn_topology.figures.selection import drawn


def planned(plan: Plan) -> Planned:
    """List one figure for each group of graphs."""
    return of_clean_clouds(plan, "purity")


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw purity of the clouds without noise of `population` and `recipe`."""
    purity, graphs = (of_recipe(tables[name], parameters) for name in KIND.tables)
    where = f"{parameters['population']}, {parameters['recipe']}: node-wise purity"
    clouds = list(dict.fromkeys(purity["cloud"]))
    draws = f"chance: labels shuffled over images, {int(purity['draws'].max())} draws"
    depths = sorted(purity["depth"].unique())
    many = len(depths) >= style.MANY
    # Of many layers the names stand upright.
    high = 0.5 + 0.42 * len(clouds) + 0.8 * many
    figure = style.new_figure(0.4 + high + 2.6, footer(notes, graphs, [draws]), where)
    grid = figure.add_gridspec(2, 1, height_ratios=[high, 2.6])
    table, curves = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    style.letter(
        table, "a", "mean over networks " + ("(chance level), coverage" if many else "(chance level; coverage)")
    )
    means = purity.groupby(["cloud", "depth"], sort=False)[["node_wise", "chance", "coverage"]].mean()
    wide = means["node_wise"].unstack("depth").reindex(index=clouds, columns=depths)
    chance, covered = (means[name].map("{:.2f}".format) for name in ("chance", "coverage"))
    texts = "(" + chance + ")\n" + covered if many else "(" + chance + "; " + covered + ")"
    small = texts.unstack("depth").reindex(index=clouds, columns=depths).fillna("").to_numpy().tolist()
    kinds = purity.drop_duplicates("cloud").set_index("cloud")
    # A cloud that is called by its kind is named once.
    names = ["\n".join(dict.fromkeys((cloud, kind_of(kinds.loc[cloud])))) for cloud in clouds]
    layers = purity.drop_duplicates("depth").set_index("depth")["layer"]
    between = ": " if many else "\n"
    columns = [layer_number({"depth": d, "layer": layers[d]}).replace(": ", between) for d in depths]
    style.heat_table(table, wide.to_numpy(), names, columns, small)
    style.letter(curves, "b", "against depth; pale: chance, central 95 % of shuffles")
    for number, cloud in enumerate(clouds):
        _curve(curves, purity[purity["cloud"] == cloud], cloud, number)
    curves.set(xlabel="depth of layer, 1 nearest the image", ylabel="node-wise purity")
    # Room above 1 for the legend.
    beside = min(len(clouds), 6)
    curves.set_ylim(0, 1.03 + 0.11 * -(-len(clouds) // beside))
    curves.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    curves.set_xticks(depths)
    curves.legend(loc="upper left", ncols=beside)
    return figure, drawn(purity=purity)


KIND = FigureKind(section="activation_graphs", tables=("purity", "activation_graphs"), planned=planned, draw=draw)


def _curve(axes: Axes, rows: pd.DataFrame, cloud: str, number: int) -> None:
    colour, marker = style.colour(number), "osD^vPX"[number % 7]
    mean = rows.groupby("depth")[["node_wise", "chance_low", "chance_high"]].mean()
    x = mean.index.to_numpy() + 0.06 * (number - 1.5)
    line: style.Options = {"marker": marker, "markersize": 3.5, "label": cloud}
    style.curve(axes, x, mean["node_wise"], mean["chance_low"], mean["chance_high"], colour, 0.18, **line)
    if rows["network"].nunique() > 1:
        low, high = (rows.groupby("depth")["node_wise"].agg(f) for f in ("min", "max"))
    else:
        error = 1.96 * np.hypot(rows.groupby("depth")["error"].mean(), rows.groupby("depth")["node_error"].mean())
        low, high = (mean["node_wise"] - error).clip(lower=0), (mean["node_wise"] + error).clip(upper=1)
    axes.vlines(x, low, high, color=colour, linewidth=0.8)
