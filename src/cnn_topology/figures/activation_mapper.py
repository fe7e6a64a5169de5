"""Mapper graphs of activations side by side: one layer over kinds of clouds, one cloud over layers or over noise.

Mapper graphs of the activations of one network (slots F-F, F-G, the right part of F-I and, for a network of ImageNet,
F-J of the activations paper, whose printed graphs were not at hand: all shown is ours). One panel per kind of cloud at
the deepest layer, per layer of one kind of cloud, or per strength of the input noise. The l2 norm of an activation,
scaled to [0, 1], is covered by overlapping intervals; in each DBSCAN finds clusters, which are the nodes; edges join
nodes that share points. Nodes are pies of their classes, their area growing with the logarithm of their points; places
come from a layout with a fixed start and mean nothing beyond the graph. Layers are counted as in the paper. Under each
graph: its components, branch ends (nodes with one neighbour once nodes below 20 points are dropped; ours), the radius
of DBSCAN, and the share of points in any node. Radii of graphs with noise are those of the cloud without noise. The
page with the ending html shows every node with its classes, purity and images.
"""

from __future__ import annotations

from typing import Any

from cnn_topology.figures import style
from cnn_topology.figures.graph_layout import NODE_COLUMNS, class_handles, class_rows, draw_pies, drawn_graph
from cnn_topology.figures.graph_rows import (
    EMPTY,
    GRAPHS,
    classes_of,
    cloud_title,
    footer,
    layer_number,
    of_graph,
    titled_legend,
)
from cnn_topology.figures.kinds import Drawing, Notes, Parameters, Plan, Planned, Tables, figure
from cnn_topology.figures.libraries import pd
from cnn_topology.figures.planned import MOST_PANELS, graph_groups
from cnn_topology.figures.selection import drawn

# Nodes in one panel: of more the largest are drawn.
MOST_NODES = 260


def planned(plan: Plan) -> Planned:
    """List three figures for each group: over its clouds, over the layers of one, and over each cloud's noise."""
    for group in graph_groups(plan):
        if group.first:
            shown = {
                "cloud": [group.graph(cloud, group.layers(cloud)[-1]) for cloud in group.clean[:MOST_PANELS]],
                "layer": [group.graph(group.first, layer) for layer in group.shown_layers],
            }
            for by, panels in shown.items():
                yield f"mapper_{by}s_{group.name}", {"by": by, "panels": panels}
        for quiet, noisy in group.noisy():
            panels = [group.graph(cloud, group.layers(noisy[0])[-1]) for cloud in (quiet, *noisy)]
            yield f"mapper_noise_{group.name}_{quiet}", {"by": "sigma", "panels": panels}


@figure(
    section="activation_graphs",
    tables=GRAPHS,
    planned=planned,
    columns=NODE_COLUMNS,
)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
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
        nodes, edges = drawn_graph(nodes, edges, most_nodes=MOST_NODES)
        if nodes.empty:
            style.explain(axes, row["explanation"], 44)
            continue
        draw_pies(axes, nodes, edges)
        left_out = f"{len(nodes):,} largest of {row['nodes']:,} nodes drawn" if len(nodes) < row["nodes"] else ""
        axes.set_xlabel(
            f"{row['nodes']:,} nodes, {row['components']:,} components, {row['leaves']:,} branch ends\n"
            f"eps {row['eps']:.4g}, coverage {row['coverage']:.2f} {left_out}{_remark(row)}",
            fontsize=style.SMALL,
        )
        shown_nodes.append(nodes)
        shown_edges.append(edges)
    classes = classes_of(tables["class_purity"], panels[0]["population"])
    if shown_nodes:
        titled_legend(figure, _title(by, graphs), class_handles(classes), 6)
    return figure, drawn(
        graphs=graphs,
        nodes=[nodes.drop(columns=["counts", "example_images"]) for nodes in shown_nodes],
        classes=[class_rows(nodes, classes) for nodes in shown_nodes],
        edges=shown_edges,
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
