"""How mapper graphs of activations change with radius, overlap and intervals, one at a time (ours).

How far a mapper graph of activations depends on its settings (ours): radius, overlap and intervals changed one at a
time, at the deepest layer. (a) Adjusted Rand index between the components of the changed graph and those of the graph
itself, as partitions of the points: 1 is the same, 0 unrelated. (b) Node-wise purity. (c) Coverage. (d) Branch ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnn_topology.figures import graph_rows, selection, style
from cnn_topology.figures.libraries import Normalize
from cnn_topology.figures.planned import graph_groups
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables

QUANTITIES = (
    ("stability", "adjusted Rand index with the graph itself"),
    ("node_wise", "node-wise purity"),
    ("coverage", "coverage"),
    ("leaves", "branch ends"),
)


def planned(plan: Plan) -> Planned:
    """List one figure for each group of graphs that are made in several ways."""
    for group in graph_groups(plan):
        if group.graphs.plan.config.activation_mapper[group.recipe].sweep is not None:
            yield f"graph_sweep_{group.name}", {**group.ids, "clouds": group.clouds}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the sweeps of the deepest layer of each cloud of the first network."""
    sweep, graphs = (graph_rows.of_recipe(tables[name], parameters) for name in KIND.tables)
    sweep = sweep[(sweep["network"] == sweep["network"].min()) & (sweep["depth"] == sweep["depth"].max())]
    graphs = graphs.merge(sweep[["network", "cloud", "layer"]].drop_duplicates())
    sweep = sweep.assign(setting=[_setting(row) for row in sweep.to_dict("records")])
    settings, clouds = list(dict.fromkeys(sweep["setting"])), list(dict.fromkeys(sweep["cloud"]))
    where = f"{parameters['population']}, {parameters['recipe']}, {sweep['layer'].iloc[0]}"
    height, footer = 2 * (0.75 + 0.24 * len(settings)), graph_rows.footer(notes, graphs)
    figure = style.new_figure(height, footer, f"{where}: one setting changed at a time")
    for number, (axes, (name, title)) in enumerate(zip(figure.subplots(2, 2).flat, QUANTITIES, strict=True)):
        wide = sweep.pivot_table(index="setting", columns="cloud", values=name, sort=False, dropna=False)
        values = wide.reindex(index=settings, columns=clouds).to_numpy(dtype=float)
        counts = name == "leaves"
        scale = Normalize(0, max(1.0, float(np.nanmax(values)))) if counts else None
        style.heat_table(axes, values, settings, clouds, scale=scale, digits=0 if counts else 2)
        slant = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if len(clouds) > 4 else {}
        axes.set_xticks(range(len(clouds)), clouds, fontsize=style.SMALL, **slant)
        style.letter(axes, "abcd"[number], title)
    return figure, selection.drawn(sweep=sweep)


KIND = FigureKind(
    section="activation_graphs",
    tables=("activation_sweep", "activation_graphs"),
    planned=planned,
    columns={"setting": ("What is changed, as the row is named.", "")},
    draw=draw,
)


def _setting(row: Mapping[str, Any]) -> str:
    return {
        "none": "as it is",
        "eps": f"eps × {row['eps_factor']:g}",
        "overlap": f"overlap {row['overlap']:.0%}",
        "intervals": f"{row['intervals']} intervals",
    }[row["varied"]]
