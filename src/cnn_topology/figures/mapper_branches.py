"""One mapper graph of activations with the classes and example images at the ends of its branches (slot F-H).

One mapper graph of activations and what stands at the ends of its branches (slot F-H; ours). Lettered are its ten
largest branch ends, nodes with one neighbour. Each: its points, its commonest classes, and three of its images, the
first in one seeded order of all images, underlined in the colour of their class. The released code measures no
bifurcation.
"""

from __future__ import annotations

import io
import textwrap
from typing import Any

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.graph_layout import (
    NODE_COLUMNS,
    class_colour,
    class_handles,
    class_rows,
    draw_pies,
    drawn_graph,
    radii,
)
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
from cnn_topology.figures.libraries import Axes, Image, pd
from cnn_topology.figures.planned import graph_groups
from cnn_topology.figures.selection import drawn, empty_figure, rows

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


@figure(
    section="activation_graphs",
    tables=(*GRAPHS, "example_images"),
    planned=planned,
    columns={**NODE_COLUMNS, "radius": ("Radius of the node's pie.", "steps of the graph")},
)
def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw one graph, and its largest branch ends."""
    graphs = of_graph(tables["activation_graphs"], parameters)
    if graphs.empty:
        return empty_figure(EMPTY, footer(notes, graphs))
    graph = graphs.iloc[0]
    where = f"{graph['population']}, network {graph['network']}, {cloud_title(graph)}"
    figure = style.new_figure(4.9, footer(notes, graphs))
    nodes, edges = (of_graph(tables[name], graph) for name in ("activation_nodes", "activation_edges"))
    nodes, edges = drawn_graph(nodes, edges, most_nodes=NODES, aspect=2.6)
    if nodes.empty:
        style.explain(figure.subplots(), graph["explanation"] or EMPTY, 60)
        return figure, drawn(graphs=graphs)
    nodes["radius"] = radii(nodes["members"].to_numpy(), LARGEST)
    ends = branch_ends(nodes, edges).head(ENDS)
    told = f"{len(nodes):,} nodes" + ("" if len(ends) else ", no branch ends")
    classes = classes_of(tables["class_purity"], graph["population"])
    # Five ends above the graph and five below, in the order in which they stand from left to right.
    grid = figure.add_gridspec(3, 1, height_ratios=[1, 2.6, 1])
    main = figure.add_subplot(grid[1])
    draw_pies(main, nodes, edges, LARGEST)
    main.set_xlabel(textwrap.fill(graph["explanation"], 110), fontsize=style.SMALL)
    half = (len(ends) + 1) // 2
    by_height = ends.sort_values("y", ascending=False)
    images = rows(tables["example_images"], images=parameters["images"], split=graph["split"])
    pixels = images.set_index("image")[["label", "pixels"]]
    for place, part in ((grid[0], by_height.head(half)), (grid[2], by_height.tail(len(ends) - half))):
        row = place.subgridspec(1, max(1, half))
        for number, end in enumerate(part.sort_values("x").to_dict("records")):
            axes = figure.add_subplot(row[number])
            letter = chr(ord("A") + list(ends["node"]).index(end["node"]))
            _end(axes, letter, end, classes, pixels)
            # Above the pie, in the units of the picture.
            main.text(end["x"], end["y"] + end["radius"] + 0.05, letter, ha="center", va="bottom", weight="bold")
    titled_legend(figure, f"{where}, layer {layer_number(graph)}: {told}", class_handles(classes), 6)
    shown = nodes.drop(columns=["counts", "example_images"])
    return figure, drawn(graphs=graphs, nodes=shown, classes=class_rows(nodes, classes), edges=edges)


def branch_ends(nodes: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    """Return the nodes with exactly one neighbour, the largest first."""
    degree = np.bincount(np.searchsorted(nodes["node"], edges[["a", "b"]].to_numpy().ravel()), minlength=len(nodes))
    return nodes[degree == 1].sort_values(["members", "node"], ascending=[False, True])


def _end(axes: Axes, letter: str, end: Any, classes: list[str], pixels: pd.DataFrame) -> None:
    """Show what a node at a branch end holds: its commonest classes and some of its images."""
    counts = np.asarray(end["counts"])
    common = [i for i in np.argsort(-counts, kind="stable")[:NAMED] if counts[i]]
    names = ", ".join(f"{classes[i]} {counts[i] / counts.sum():.0%}" for i in common)
    axes.set_title(f"{letter}: {end['members']:,} points\n{names}", fontsize=style.SMALL, loc="center")
    axes.set(xlim=(0, IMAGES), ylim=(0, 1), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set_visible(False)
    known = [image for image in end["example_images"] if image in pixels.index][:IMAGES]
    for number, image in enumerate(known):
        label, content = pixels.loc[image]
        extent = (number + 0.05, number + 0.95, 0.05, 0.95)
        axes.imshow(np.asarray(Image.open(io.BytesIO(content))), extent=extent, cmap="gray", vmin=0, vmax=255)
        axes.plot([number + 0.05, number + 0.95], [0, 0], color=class_colour(int(label)), linewidth=2.5)
    axes.set(xlim=(0, IMAGES), ylim=(-0.06, 1))
