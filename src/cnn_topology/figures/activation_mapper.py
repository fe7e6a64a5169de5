"""Mapper graphs of activations side by side: one layer over kinds of clouds, one cloud over layers or over noise.

Slots F-F, F-G and the right part of F-I of the activations paper; its printed pictures were not at hand.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure

from cnn_topology.figures import style
from cnn_topology.figures.graph_layout import class_handles, draw_pies, drawn_graph
from cnn_topology.figures.graph_rows import (
    EMPTY,
    classes_of,
    cloud_title,
    footer,
    layer_number,
    of_graph,
    titled_legend,
)
from cnn_topology.figures.selection import drawn

# Nodes in one panel: of more the largest are drawn.
MOST_NODES = 260


def draw(
    parameters: Mapping[str, Any], tables: Mapping[str, pa.Table], notes: Mapping[str, str]
) -> tuple[Figure, pa.Table]:
    """Draw the graphs of `panels`, which differ in what `by` says: cloud, layer or sigma."""
    panels, by = parameters["panels"], parameters["by"]
    found = [of_graph(tables["activation_graphs"], panel) for panel in panels]
    graphs = pd.concat(found, ignore_index=True)
    rows_of_panels, columns = style.shape(len(panels), 3)
    figure = style.new_figure(0.6 + 2.2 * rows_of_panels, footer(notes, graphs))
    shown_nodes, shown_edges = [], []
    for axes, graph in zip(style.facets(figure, len(panels), 3), found, strict=True):
        if graph.empty:
            style.explain(axes, EMPTY)
            continue
        row = graph.iloc[0]
        style.facet_title(axes, panel_title(by, row), columns)
        nodes, edges = (of_graph(tables[name], row) for name in ("activation_nodes", "activation_edges"))
        nodes, edges = drawn_graph(nodes, edges, parameters["least_node"], MOST_NODES)
        if nodes.empty:
            style.explain(axes, row["explanation"] or f"no node has {parameters['least_node']} points", 44)
            continue
        draw_pies(axes, nodes, edges)
        left_out = f"{len(nodes):,} largest of {row['nodes']:,} nodes drawn" if len(nodes) < row["nodes"] else ""
        axes.set_xlabel(
            f"{row['nodes']:,} nodes, {row['components']:,} components, {row['leaves']:,} branch ends\n"
            f"eps {row['eps']:.4g}, coverage {row['coverage']:.2f} {left_out}{_remark(row)}",
            fontsize=style.SMALL,
        )
        shown_nodes.append(nodes.drop(columns=["counts", "example_images"]))
        shown_edges.append(edges)
    if shown_nodes:
        handles = class_handles(classes_of(tables["class_purity"], panels[0]["population"]))
        titled_legend(figure, _title(by, graphs), handles, 6)
    return figure, drawn(
        graphs=graphs,
        nodes=pd.concat(shown_nodes or [pd.DataFrame()]),
        edges=pd.concat(shown_edges or [pd.DataFrame()]),
    )


def panel_title(by: str, graph: Any) -> str:
    """Describe in what a panel differs from the others."""
    if by == "layer":
        return f"layer {layer_number(graph)}"
    if by == "sigma":
        return f"σ = {graph['sigma']:g}"
    return cloud_title(graph)


def _remark(graph: Any) -> str:
    """Describe in a line that a graph shows little; the table and the page have the whole explanation."""
    if not graph["explanation"]:
        return ""
    return "\nno interval holds two nodes: lower eps" if graph["nodes"] > 1 else "\none node alone: change eps or cover"


def _title(by: str, graphs: pd.DataFrame) -> str:
    if graphs.empty:
        return EMPTY
    row = graphs.iloc[0]
    network = f"{row['population']}, network {row['network']}"
    if by == "cloud":
        return f"{network}, layer {layer_number(row)}"
    if by == "layer":
        return f"{network}, {cloud_title(row)}"
    return f"{network}, {row['cloud']} with input noise, layer {layer_number(row)}"
