"""Places for the nodes of a mapper graph, nodes as pies of their classes, and which part of a large graph is drawn.

Stress majorization (Gansner, Koren, North 2004): distances in the picture come close to steps in the graph, so that
chains stay chains and branches stand out. Each component is laid out by itself and the components are set in rows, the
largest first. Start and order are fixed: the same graph gives the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.libraries import (
    Axes,
    Line2D,
    LineCollection,
    PolyCollection,
    connected_components,
    coo_array,
    pd,
    shortest_path,
)
from cnn_topology.tables.units import COUNT

# Ten colours that people with any common colour blindness tell apart (Paul Tol, "muted"); further classes share grey.
CLASS_COLOURS = (
    "#CC6677", "#332288", "#DDCC77", "#117733", "#88CCEE", "#882255", "#44AA99", "#999933", "#AA4499", "#661100",
)  # fmt: skip
OTHERS = "#BBBBBB"
# Steps of majorization; the picture hardly changes after half of them.
STEPS = 60
# Room around a component, in steps of the graph.
MARGIN = 0.9


# Meaning and unit of what is drawn of a graph besides its rows in the tables.
NODE_COLUMNS = {
    "x": ("Place of the node from left to right.", "steps of the graph"),
    "y": ("Place of the node upwards.", "steps of the graph"),
    "part": ("Component among the nodes that are drawn, from 0 for the largest.", ""),
    "class_points": ("Points of the class in the node, which its slice stands for.", COUNT),
}


def class_colour(label: int) -> str:
    """Return the colour of a class by its label."""
    return CLASS_COLOURS[label] if label < len(CLASS_COLOURS) else OTHERS


def drawn_graph(
    nodes: pd.DataFrame, edges: pd.DataFrame, most_nodes: int, aspect: float = 1.25
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose the part of a graph that is drawn and place it.

    Parameters
    ----------
    nodes, edges : DataFrame
        Rows of `activation_nodes` and `activation_edges` of one graph.
    most_nodes : int
        The largest nodes, at most so many, are drawn.
    aspect : float
        Width over height of the picture.

    Returns
    -------
    nodes : DataFrame
        By node, with ``x`` and ``y`` in steps of the graph and ``part``, the component among what is drawn, from 0
        for the largest.
    edges : DataFrame
        Between these nodes.
    """
    largest = nodes.sort_values(["members", "node"], ascending=[False, True]).head(most_nodes)
    kept = largest.sort_values("node").reset_index(drop=True)
    edges = edges[edges["a"].isin(kept["node"]) & edges["b"].isin(kept["node"])].reset_index(drop=True)
    place = {node: number for number, node in enumerate(kept["node"])}
    pairs = np.array([[place[a], place[b]] for a, b in edges[["a", "b"]].itertuples(index=False)], dtype=int)
    places, part = placed(len(kept), pairs.reshape(-1, 2), aspect)
    return kept.assign(x=places[:, 0], y=places[:, 1], part=part), edges


def placed(count: int, pairs: np.ndarray, aspect: float) -> tuple[np.ndarray, np.ndarray]:
    """Place `count` nodes joined by `pairs`.

    Parameters
    ----------
    count : int
    pairs : ndarray of int, shape (edges, 2)
    aspect : float
        Width over height that the rows of components aim at.

    Returns
    -------
    places : ndarray, shape (count, 2)
        In steps of the graph.
    part : ndarray of int64, shape (count,)
        Component of each node, from 0 for the one with the most nodes.
    """
    if not count:
        return np.empty((0, 2)), np.empty(0, dtype=np.int64)
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count)).tocsr()
    _, found = connected_components(links, directed=False)
    sizes = np.bincount(found)
    order = np.argsort(-sizes, kind="stable")
    part = np.argsort(order, kind="stable")[found].astype(np.int64)
    boxes = []
    for number in range(len(sizes)):
        members = np.flatnonzero(part == number)
        boxes.append((members, _component(shortest_path(links[members][:, members], directed=False, unweighted=True))))
    return _in_rows(count, boxes, aspect), part


def _component(steps: np.ndarray) -> np.ndarray:
    """Place one component by its distances in the graph, its longest side lying flat, its corner at the margin."""
    count = len(steps)
    if count == 1:
        return np.full((1, 2), MARGIN)
    # Classical scaling as a start; without a second direction a little bend, which a line needs to unfold.
    squared = steps**2
    centred = -0.5 * (squared - squared.mean(0) - squared.mean(1)[:, None] + squared.mean())
    values, vectors = np.linalg.eigh(centred)
    places = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 1e-6))
    places += 1e-3 * np.random.default_rng(0).normal(size=places.shape)
    weights = np.where(steps > 0, 1 / np.maximum(squared, 1), 0.0)
    laplacian = np.diag(weights.sum(1)) - weights
    inverse = np.linalg.inv(laplacian + 1 / count)
    for _ in range(STEPS if count > 2 else 0):
        apart = np.linalg.norm(places[:, None] - places[None], axis=2)
        pull = -weights * steps / np.maximum(apart, 1e-9)
        np.fill_diagonal(pull, 0)
        np.fill_diagonal(pull, -pull.sum(1))
        places = inverse @ (pull @ places)
    places = places - places.mean(0)
    _, _, axes = np.linalg.svd(places, full_matrices=False)
    places = places @ axes.T
    # Signs that do not depend on the solver: the first node lies left and below.
    places = places * np.where(places[0] > 0, -1, 1)
    return places - places.min(0) + MARGIN


def _in_rows(count: int, boxes: Sequence[tuple[np.ndarray, np.ndarray]], aspect: float) -> np.ndarray:
    """Set components side by side in rows about as wide as `aspect` times their height together."""
    sizes = np.array([places.max(0) + MARGIN for _, places in boxes])
    width = max(sizes[:, 0].max(), np.sqrt(aspect * (sizes[:, 0] * sizes[:, 1]).sum()))
    result = np.empty((count, 2))
    x = y = height = 0.0
    for (members, places), (wide, high) in zip(boxes, sizes, strict=True):
        if x > 0 and x + wide > width:
            x, y, height = 0.0, y - height, 0.0
        result[members] = places + np.array([x, y - high])
        x, height = x + wide, max(height, high)
    return result


def draw_pies(axes: Axes, nodes: pd.DataFrame, edges: pd.DataFrame, largest: float = 0.45) -> None:
    """Draw a placed graph: edges in grey, each node as a pie of its classes, its area by the logarithm of its size.

    Parameters
    ----------
    axes : Axes
    nodes, edges : DataFrame
        From `drawn_graph`; nodes with the column ``counts``.
    largest : float
        Radius of the largest node, in steps of the graph.
    """
    many = len(nodes) > 150
    draw_edges(axes, nodes, edges, linewidths=0.5, zorder=1, rasterized=many)
    radius = radii(nodes["members"].to_numpy(), largest)
    polygons, colours = [], []
    for (x, y), r, counts in zip(nodes[["x", "y"]].to_numpy(), radius, nodes["counts"], strict=True):
        ends = np.concatenate([[0], np.cumsum(counts) / np.sum(counts)])
        for label in np.flatnonzero(counts):
            corners = max(3, int(np.ceil(28 * counts[label] / np.sum(counts))) + 1)
            angle = np.pi / 2 - 2 * np.pi * np.linspace(ends[label], ends[label + 1], corners)
            arc = np.column_stack([x + r * np.cos(angle), y + r * np.sin(angle)])
            polygons.append(arc if counts[label] == np.sum(counts) else np.vstack([[x, y], arc]))
            colours.append(class_colour(int(label)))
    axes.add_collection(PolyCollection(polygons, facecolors=colours, linewidths=0, zorder=2, rasterized=many))
    low, high = nodes[["x", "y"]].min().to_numpy() - 0.8, nodes[["x", "y"]].max().to_numpy() + 0.8
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set_visible(False)


def draw_edges(axes: Axes, nodes: pd.DataFrame, edges: pd.DataFrame, **look: Any) -> None:
    """Draw the edges of a placed graph in grey; `look` is what a LineCollection takes."""
    place = nodes.set_index("node")[["x", "y"]]
    lines = np.stack([place.loc[edges[end]].to_numpy() for end in ("a", "b")], axis=1)
    axes.add_collection(LineCollection(list(lines), colors=style.GREY, **look))


def radii(members: np.ndarray, largest: float) -> np.ndarray:
    """Return each node a radius, its area growing with 1 + log2 of its points."""
    area = 1 + np.log2(members)
    return largest * np.sqrt(area / area.max())


def class_handles(classes: Sequence[str]) -> list[Line2D]:
    """Build the entries of a legend of classes."""
    names = [*classes[: len(CLASS_COLOURS)], *(["other classes"] if len(classes) > len(CLASS_COLOURS) else [])]
    return [
        Line2D([], [], marker="o", linestyle="", markersize=5, color=class_colour(label), label=name)
        for label, name in enumerate(names)
    ]


def class_rows(nodes: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return a row for each class in each node: the slices of the pies."""
    slices = nodes[["cloud", "layer", "node", "counts"]].explode("counts").rename(columns={"counts": "class_points"})
    label = slices.groupby(level=0).cumcount()
    named = slices.assign(label=label, class_name=label.map(dict(enumerate(classes))))
    return named[named["class_points"] > 0].astype({"class_points": int})
