"""The mapper graph of one layer after training beside its barcode, with mean filters around the loop.

The picture and the test of the weights paper side by side: filters of one layer that the density filter rho(k, p)
keeps, pooled over the networks of one population at the last step. (a) Their mapper graph, with PCA-1 and PCA-2 as
lenses. Each node is a cluster of filters, at their mean lens, its area growing with the logarithm of their number and
its colour the edge angle of their mean filter; edges join nodes that share filters. Around it, the mean filter of one
node for each of 16 directions, with its number of filters: the largest node of the outer half. The page of the same
name with the ending html shows the mean filter of every node. (b) The longest H1 bars of the same filters; the grey
band is as long as the longest bar that the nulls reach. The graph's loops change with resolution, gain and the cut of
the clustering, which the sources leave partly open: they are a picture, and the barcode is the test.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cnn_topology.figures import selection, style
from cnn_topology.figures.cloud import draw_loops
from cnn_topology.figures.glyphs import bare, draw_filter
from cnn_topology.figures.graph_layout import draw_edges
from cnn_topology.figures.libraries import Axes, PathCollection, pd
from cnn_topology.figures.pages import SIZE, graph_page, page_graph
from cnn_topology.figures.planned import facet
from cnn_topology.figures.registry import Drawing, FigureKind, Notes, Parameters, Plan, Planned, Tables
from cnn_topology.tables.loops import CLOUD

# Edges in the picture: more give a grey disc. Those with the most shared points are drawn.
EDGES = 12_000
NOTE = (
    "The graph's loops are a picture, not the test: they change with resolution, gain and cut. The barcode is the test."
)
# Sectors of the lens plane of which one node each is shown by its mean filter, and where those filters stand.
SECTORS, RING, SIDE = 16, 1.25, 0.29


def planned(plan: Plan) -> Planned:
    """List one figure for each layer."""
    if plan.config.mapper:
        for clouds in plan.layer_clouds:
            name = f"mapper_{clouds.population}_{clouds.layer.name}"
            yield name, {**facet(clouds), "alpha": plan.config.significance.alpha}


def page(parameters: Parameters, tables: Tables, notes: Notes) -> str:
    """Write the page of the graphs of `population` and `layer`, one per step that has one; the last is shown first."""
    clouds = selection.headlines(tables["loops"], parameters)
    clouds = clouds.merge(tables["mapper_graphs"].to_pandas()[CLOUD], on=CLOUD)
    graphs, parts = [], ("mapper_graphs", "mapper_nodes", "mapper_edges")
    for _, cloud in clouds.iterrows():
        graph, nodes, edges = (selection.of_cloud(tables[name], cloud) for name in parts)
        graphs.append(_page_graph(graph.iloc[0], cloud, *drawn_part(nodes, edges, len(edges))))
    return graph_page(
        f"{parameters['population']}, {parameters['layer']}",
        "step",
        graphs,
        colours=[
            {"label": "edge angle / π", "column": "angle", "low": 0, "high": 2, "palette": "angle"},
            SIZE,
            {"label": "share of the networks", "column": "share", "low": 0, "high": 1, "palette": "amount"},
            {"label": "first lens", "column": "x", "low": -1, "high": 1, "palette": "amount"},
        ],
        fields=[
            ("filters", "members", None),
            ("component", "component", None),
            ("share of the networks", "share", 2),
            ("edge angle / π", "angle", 2),
            ("first lens", "x", 3),
            ("second lens", "y", 3),
        ],
        note=NOTE if graphs else selection.NO_CLOUD,
        # The graph has all points that the density filter keeps; the landmarks are those of the barcode.
        footer=selection.provenance(notes, clouds.assign(used=clouds["kept"])),
    )


def draw(parameters: Parameters, tables: Tables, notes: Notes) -> Drawing:
    """Draw graph and barcode of `population` and `layer` at the step `last`; `alpha` is the level of the null band."""
    where = f"{parameters['population']}, {parameters['layer']}, {selection.when(parameters)}"
    found, cloud = selection.headline_at(tables["loops"], parameters)
    of = {name: selection.of_cloud(tables[name], cloud) for name in KIND.tables[1:]}
    graphs, nulls, bars = of["mapper_graphs"], of["significance"], of["barcodes"]
    if graphs.empty:
        raise selection.Empty(selection.NO_CLOUD)
    graph = graphs.iloc[0]
    nodes, edges = drawn_part(of["mapper_nodes"], of["mapper_edges"])
    footer = selection.provenance(notes, found, nulls["draws"], extra=recipe(graph))
    figure = style.new_figure(4.5, footer, selection.cloud_title(cloud, where))
    grid = figure.add_gridspec(2, 2, width_ratios=[1.6, 1], height_ratios=[2.6, 1])
    axes, barcode, keys = (figure.add_subplot(place) for place in (grid[:, 0], grid[0, 1], grid[1, 1]))
    style.letter(axes, "a", f"mapper graph (the picture): {loops_line(graph)}")
    keys.axis("off")
    if graph["explanation"] or nodes.empty:
        style.explain(axes, graph["explanation"], 60)
        nodes = nodes.assign(sector=-1)
    else:
        nodes = placed(nodes)
        _keys(keys, _graph(axes, nodes, edges), nodes)
        _around(axes, nodes)
    loops = draw_loops(barcode, bars[bars["field"] == bars["field"].min()], nulls, parameters["alpha"], cloud)
    barcode.set_xlim(left=0)
    style.letter(barcode, "b", "barcode (the test): longest H1 bars")
    told = graphs.assign(verdict=cloud["verdict"], p_longest=cloud["p_longest"])
    means = selection.entry_rows(nodes[nodes["sector"] >= 0], "node")
    shown = nodes.drop(columns=["coordinates", "of_networks"])
    return figure, selection.drawn(graph=told, nodes=shown, means=means, edges=edges, h1=loops, null=nulls)


KIND = FigureKind(
    section="filter_graphs",
    tables=("loops", "barcodes", "significance", "mapper_graphs", "mapper_nodes", "mapper_edges"),
    planned=planned,
    page=page,
    columns={
        "x": ("Place of the node from left to right.", "radius of the farthest node"),
        "y": ("Place of the node upwards.", "radius of the farthest node"),
        "sector": ("Number of the sector whose mean filter this node shows; -1 for none.", ""),
    },
    draw=draw,
)


def drawn_part(nodes: pd.DataFrame, edges: pd.DataFrame, most_edges: int = EDGES) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Choose what is drawn: all nodes, and of the edges those with the most shared points.

    Parameters
    ----------
    nodes, edges : DataFrame
        Rows of `mapper_nodes` and `mapper_edges` of one graph.
    most_edges : int
        Of edges with equally many shared points the first ones are taken.

    Returns
    -------
    nodes : DataFrame
        With the column ``edge_angle`` of the mean filter, by node.
    edges : DataFrame
        In their order.
    """
    nodes = nodes.sort_values("node").reset_index(drop=True)
    strongest = edges.sort_values("shared", ascending=False, kind="stable").head(most_edges).sort_index()
    return nodes.assign(edge_angle=selection.edge_angle(nodes)), strongest.reset_index(drop=True)


def placed(nodes: pd.DataFrame) -> pd.DataFrame:
    """Place nodes at their mean lens, scaled so that the farthest lies on the unit circle, and choose those to show.

    Returns
    -------
    DataFrame
        With ``x``, ``y`` and ``sector``: the number of the sector whose chosen node this is, or -1. Chosen is the node
        with the most points among the outer half of the nodes of the sector; the first one of equals.
    """
    lens = nodes[["lens1", "lens2"]].to_numpy()
    radius = np.hypot(*lens.T)
    x, y = lens.T / (radius.max() or 1.0)
    width = 2 * np.pi / SECTORS
    sectors = np.mod(np.floor(np.arctan2(y, x) / width + 0.5), SECTORS).astype(int)
    chosen = np.full(len(nodes), -1)
    for sector in np.unique(sectors):
        inside = np.flatnonzero(sectors == sector)
        outer = inside[radius[inside] >= np.median(radius[inside])]
        chosen[outer[np.argmax(nodes["members"].to_numpy()[outer])]] = sector
    return nodes.assign(x=x, y=y, sector=chosen)


def loops_line(graph: Any) -> str:
    """Describe in a line how large a graph is, and the first Betti number of its flag complex."""
    loops = int(graph["filled_loops"])
    return f"{graph['nodes']:,} nodes, {loops:,} loop{'s' * (loops != 1)} that no cliques fill"


def recipe(graph: Any) -> str:
    """Describe how a graph was made."""
    parts = [f"Mapper({graph['resolution']}, {graph['gain']:g})" + (", equalized" if graph["equalized"] else "")]
    parts.append(f"lens PCA of the {'scaled ' if graph['scaled_lens'] else ''}cloud")
    parts.append(f"metric {graph['metric']}")
    parts.append(f"single linkage cut at first gap {graph['cut_at']:g}{' from zero' if graph['from_zero'] else ''}")
    if graph["used"] < graph["kept"]:
        parts.append(f"{graph['used']:,} of {graph['kept']:,} kept points drawn by seed {graph['seed']}")
    return ", ".join(parts)


def _graph(axes: Axes, nodes: pd.DataFrame, edges: pd.DataFrame) -> PathCollection:
    alpha = float(np.clip(900 / max(1, len(edges)), 0.12, 0.8))
    draw_edges(axes, nodes, edges, linewidths=0.35, alpha=alpha, rasterized=True)
    order = np.argsort(-nodes["members"].to_numpy(), kind="stable")  # small nodes on top
    shown = nodes.iloc[order]
    return axes.scatter(
        shown["x"],
        shown["y"],
        c=shown["edge_angle"],
        cmap=style.cyclic(),
        vmin=0,
        vmax=2 * np.pi,
        s=areas(shown["members"], len(shown)),
        edgecolors="white",
        linewidths=0.2,
        zorder=2,
        rasterized=len(shown) > 3_000,
    )


def areas(members: Any, nodes: int) -> np.ndarray:
    """Return the area of each node, points squared: it grows with the logarithm of its size; smaller where many are."""
    return float(np.clip(1_000 / max(1, nodes), 0.6, 5)) * (1 + np.log2(np.asarray(members, dtype=float)))


def _around(axes: Axes, nodes: pd.DataFrame) -> None:
    shown = nodes[nodes["sector"] >= 0]
    weights = selection.entries_of(shown)
    limit = float(np.abs(weights).max())
    for row, mean in zip(shown.to_dict("records"), weights, strict=True):
        angle = 2 * np.pi * row["sector"] / SECTORS
        x, y = RING * np.cos(angle), RING * np.sin(angle)
        axes.plot([row["x"], x], [row["y"], y], color=style.INK, linewidth=0.5, zorder=2.5)
        axes.plot(row["x"], row["y"], "o", markersize=3.2, markerfacecolor="none", markeredgecolor=style.INK, zorder=3)
        draw_filter(axes, mean, x, y, SIDE, limit, style.angle_colour(row["edge_angle"]), frame=1.6)
        # Just beyond the frame, which reaches farther along a diagonal.
        far = 1 + (SIDE / 2 / max(abs(np.cos(angle)), abs(np.sin(angle))) + 0.08) / RING
        axes.text(far * x, far * y, f"{row['members']:,}", ha="center", va="center", fontsize=6, color=style.GREY)
    bare(axes, RING + 0.31)


def _keys(axes: Axes, points: PathCollection, nodes: pd.DataFrame) -> None:
    """Draw the keys to colour and size of nodes."""
    style.angle_bar(axes.inset_axes((0, 0.2, 0.75, 0.08)), points, "edge angle of the mean filter")
    largest = int(nodes["members"].max())
    sizes = sorted({1, max(1, round(largest**0.5)), largest})
    for size, area in zip(sizes, areas(sizes, len(nodes)), strict=True):
        axes.scatter([], [], s=area, color=style.GREY, linewidths=0, label=f"{size:,}")
    at: style.Options = {"loc": "lower left", "bbox_to_anchor": (0, 0.42), "borderpad": 0, "borderaxespad": 0}
    axes.legend(**at, ncols=3, title="points of a node", title_fontsize=7, alignment="left", handlelength=0.8)


def _page_graph(graph: pd.Series, cloud: pd.Series, nodes: pd.DataFrame, edges: pd.DataFrame) -> dict[str, Any]:
    columns = {"lens1": "x", "lens2": "y", "node": "node", "component": "component", "members": "members"}
    return page_graph(
        nodes[list(columns)]
        .rename(columns=columns)
        .assign(angle=nodes["edge_angle"] / np.pi, share=nodes["of_networks"].map(len) / cloud["networks"]),
        edges,
        option=f"{graph['step']:,}",
        numbers={
            "nodes": f"{graph['nodes']:,}",
            "edges": f"{graph['edges']:,}",
            "components": f"{graph['components']:,}",
            "loops of the graph alone": f"{graph['loops']:,}",
            "loops no cliques fill": f"{graph['filled_loops']:,}",
            "barcode": f"{cloud['verdict']}{selection.p_in_brackets(cloud)}",
        },
        explanation=graph["explanation"],
        left_out="",
        recipe=recipe(graph),
        filters=selection.entries_of(nodes).round(3).tolist(),
        networks=[networks.tolist() for networks in nodes["of_networks"]],
    )
