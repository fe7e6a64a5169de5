"""Mapper graphs of activations side by side: one layer over kinds of clouds, one cloud over layers or over noise.

Mapper graphs of the activations of one network (the activations paper's printed graphs were not at hand: all shown is
ours). One panel per kind of cloud at the deepest layer, per layer of one kind of cloud, or per strength of the input
noise. The l2 norm of an activation, scaled to [0, 1], is covered by overlapping intervals; in each DBSCAN finds
clusters, which are the nodes; edges join nodes that share points. Nodes are pies of their classes, their area growing
with the logarithm of their points; places come from a layout with a fixed start and mean nothing beyond the graph.
Depth counts layers from 1, nearest the image (the paper counts from 0). Under each graph: its components, branch ends
(nodes with one neighbour once nodes below 20 points are dropped; ours), the radius of DBSCAN, and the share of points
in any node. Radii of graphs with noise are those of the cloud without noise. The page with the ending html shows every
node with its classes, purity and images.
"""

from __future__ import annotations

from typing import Any

from cnn_topology.figures import graph_layout, graph_rows, selection, style
from cnn_topology.figures.libraries import pd
from cnn_topology.figures.planned import MOST_PANELS, graph_groups
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables

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


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw the graphs of `panels`, which differ in what `by` says: cloud, layer or sigma."""
    by = parameters["by"]
    found = [graph_rows.of_graph(tables["activation_graphs"], panel) for panel in parameters["panels"]]
    graphs = pd.concat(found, ignore_index=True)
    if graphs.empty:
        raise selection.Empty(graph_rows.EMPTY)
    rows, columns = style.shape(len(graphs), 3)
    figure = style.new_figure(0.6 + 2.2 * rows, graph_rows.footer(notes, graphs))
    shown_nodes, shown_edges = [], []
    for axes, (_, row) in zip(style.facets(figure, len(graphs), 3), graphs.iterrows(), strict=True):
        style.facet_title(axes, _differs(by, row), columns)
        nodes, edges = (graph_rows.of_graph(tables[name], row) for name in ("activation_nodes", "activation_edges"))
        nodes, edges = graph_layout.drawn_graph(nodes, edges, most_nodes=MOST_NODES)
        if nodes.empty:
            style.explain(axes, row["explanation"], 44)
            continue
        graph_layout.draw_pies(axes, nodes, edges)
        left_out = f"{len(nodes):,} largest of {row['nodes']:,} nodes drawn" if len(nodes) < row["nodes"] else ""
        axes.set_xlabel(
            f"{row['nodes']:,} nodes, {row['components']:,} components, {row['leaves']:,} branch ends\n"
            f"eps {row['eps']:.4g}, coverage {row['coverage']:.2f} {left_out}{_remark(row)}",
            fontsize=style.SMALL,
        )
        shown_nodes.append(nodes)
        shown_edges.append(edges)
    first = graphs.iloc[0]
    classes = graph_rows.classes_of(tables["class_purity"], first["population"])
    what = {
        "cloud": f"depth {graph_rows.layer_number(first)}",
        "layer": graph_rows.cloud_title(first),
        "sigma": f"{first['cloud']} with input noise, depth {graph_rows.layer_number(first)}",
    }
    title = f"{first['population']}, network {first['network']}, {what[by]}"
    graph_rows.titled_legend(figure, title, graph_layout.class_handles(classes), 6)
    return figure, selection.drawn(
        graphs=graphs,
        nodes=[nodes.drop(columns=["counts", "example_images"]) for nodes in shown_nodes],
        classes=[graph_layout.class_rows(nodes, classes) for nodes in shown_nodes],
        edges=shown_edges,
    )


KIND = FigureKind(
    section="activation_graphs",
    tables=graph_rows.GRAPHS,
    planned=planned,
    columns=graph_layout.NODE_COLUMNS,
    draw=draw,
)


def _differs(by: str, graph: Any) -> str:
    """Describe in what a panel differs from the others."""
    if by == "layer":
        return f"depth {graph_rows.layer_number(graph)}"
    return f"σ = {graph['sigma']:g}" if by == "sigma" else graph_rows.cloud_title(graph)


def _remark(graph: Any) -> str:
    """Describe in a line that a graph shows little; the table and the page have the whole explanation."""
    if not graph["explanation"]:
        return ""
    return "\nno interval holds two nodes: lower eps" if graph["nodes"] > 1 else "\none node alone: change eps or cover"
