"""One mapper graph of activations with the classes and example images at the ends of its branches (slot F-H).

One mapper graph of activations and what stands at the ends of its branches (ours). Lettered are its ten largest branch
ends, nodes with one neighbour. Each: its points, its commonest classes, and three of its images, the first in one
seeded order of all images, underlined in the colour of their class. The released code measures no bifurcation.
"""

from __future__ import annotations

import io
import textwrap
from typing import Any

import numpy as np

from cnn_topology.figures import graph_layout, graph_rows, selection, style
from cnn_topology.figures.libraries import Axes, Image, pd
from cnn_topology.figures.planned import graph_groups
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables

# Of more nodes the largest are drawn.
NODES = 1_500
# Ends that are shown with images, images of each, and classes named.
ENDS, IMAGES, NAMED = 10, 3, 2
# Radius of the largest node, in steps of the graph.
LARGEST = 0.36


def planned(plan: Plan) -> Planned:
    """List one figure for each group: the deepest layer of its first cloud."""
    for group in graph_groups(plan):
        if group.first:
            graph = group.graph(group.first, group.shown_layers[-1])
            yield f"mapper_branches_{group.name}", {**graph, "images": group.images}


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one graph, and its largest branch ends."""
    graphs = graph_rows.of_graph(tables["activation_graphs"], parameters)
    if graphs.empty:
        raise selection.Empty(graph_rows.EMPTY)
    graph = graphs.iloc[0]
    nodes, edges = (graph_rows.of_graph(tables[name], graph) for name in ("activation_nodes", "activation_edges"))
    nodes, edges = graph_layout.drawn_graph(nodes, edges, most_nodes=NODES, aspect=2.6)
    if nodes.empty:
        raise selection.Empty(graph["explanation"] or graph_rows.EMPTY)
    nodes["radius"] = graph_layout.radii(nodes["members"].to_numpy(), LARGEST)
    ends = branch_ends(nodes, edges).head(ENDS)
    ends = ends.assign(letter=[chr(ord("A") + place) for place in range(len(ends))])
    classes = graph_rows.classes_of(tables["class_purity"], graph["population"])
    images = selection.rows(tables["example_images"], images=parameters["images"], split=graph["split"])
    pixels = images.set_index("image")[["label", "pixels"]]
    figure = style.new_figure(4.9, graph_rows.footer(notes, graphs))
    # Five ends above the graph and five below, in the order in which they stand from left to right.
    grid = figure.add_gridspec(3, 1, height_ratios=[1, 2.6, 1])
    main = figure.add_subplot(grid[1])
    graph_layout.draw_pies(main, nodes, edges, LARGEST)
    main.set_xlabel(textwrap.fill(graph["explanation"], 110), fontsize=style.SMALL)
    half = (len(ends) + 1) // 2
    by_height = ends.sort_values("y", ascending=False)
    for place, part in ((grid[0], by_height.head(half)), (grid[2], by_height.tail(len(ends) - half))):
        row = place.subgridspec(1, max(1, half))
        for number, end in enumerate(part.sort_values("x").to_dict("records")):
            _end(figure.add_subplot(row[number]), end, classes, pixels)
            # Above the pie, in the units of the picture.
            above = end["y"] + end["radius"] + 0.05
            main.text(end["x"], above, end["letter"], ha="center", va="bottom", weight="bold")
    what = f"{graph['population']}, network {graph['network']}, {graph_rows.cloud_title(graph)}"
    told = f"depth {graph_rows.layer_number(graph)}: {len(nodes):,} nodes" + ("" if len(ends) else ", no branch ends")
    graph_rows.titled_legend(figure, f"{what}, {told}", graph_layout.class_handles(classes), 6)
    shown, slices = nodes.drop(columns=["counts", "example_images"]), graph_layout.class_rows(nodes, classes)
    return figure, selection.drawn(graphs=graphs, nodes=shown, classes=slices, edges=edges)


KIND = FigureKind(
    section="activation_graphs",
    tables=(*graph_rows.GRAPHS, "example_images"),
    planned=planned,
    columns={**graph_layout.NODE_COLUMNS, "radius": ("Radius of the node's pie.", "steps of the graph")},
    draw=draw,
)


def branch_ends(nodes: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    """Return the nodes with exactly one neighbour, the largest first."""
    degree = np.bincount(np.searchsorted(nodes["node"], edges[["a", "b"]].to_numpy().ravel()), minlength=len(nodes))
    return nodes[degree == 1].sort_values(["members", "node"], ascending=[False, True])


def _end(axes: Axes, end: Any, classes: list[str], pixels: pd.DataFrame) -> None:
    """Show what a node at a branch end holds: its commonest classes and some of its images."""
    counts = np.asarray(end["counts"])
    common = [i for i in np.argsort(-counts, kind="stable")[:NAMED] if counts[i]]
    names = ", ".join(f"{classes[i]} {counts[i] / counts.sum():.0%}" for i in common)
    axes.set_title(f"{end['letter']}: {end['members']:,} points\n{names}", fontsize=style.SMALL, loc="center")
    axes.spines[:].set_visible(False)
    known = [image for image in end["example_images"] if image in pixels.index][:IMAGES]
    for number, image in enumerate(known):
        label, content = pixels.loc[image]
        extent = (number + 0.05, number + 0.95, 0.05, 0.95)
        axes.imshow(np.asarray(Image.open(io.BytesIO(content))), extent=extent, cmap="gray", vmin=0, vmax=255)
        axes.plot([number + 0.05, number + 0.95], [0, 0], color=graph_layout.class_colour(int(label)), linewidth=2.5)
    axes.set(xlim=(0, IMAGES), ylim=(-0.06, 1), xticks=[], yticks=[], aspect="equal")
