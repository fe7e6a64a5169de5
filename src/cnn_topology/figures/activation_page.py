"""The mapper graphs of one activation cloud as one interactive page: classes, purity and images of every node.

Mapper graphs of one kind of cloud of one network, of all its layers, as a page to look into (ours): every node with its
classes, its purity beside that of shuffled labels, and images that stand for it. The page loads nothing from elsewhere.
The print of the same graphs stands beside it, with how they are made.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from cnn_topology.figures import graph_layout, graph_rows, selection
from cnn_topology.figures.libraries import pd
from cnn_topology.figures.pages import SIZE, graph_page, page_graph
from cnn_topology.figures.planned import graph_groups
from cnn_topology.figures.registry import FigureKind, Notes, Parameters, Plan, Planned, Tables

# Nodes and images of a node on a page: a browser draws so many without delay, and the file stays small.
NODES, IMAGES = 1_500, 6
NOTE = (
    "The graph depends on eps, overlap and intervals. Node purity is 1 / number of distinct classes in the node; the "
    "purity of the same graph with shuffled labels is given too."
)


def planned(plan: Plan) -> Planned:
    """List one page for each cloud without noise, of its first network."""
    for group in graph_groups(plan):
        for cloud in group.clean:
            graphs = {**group.ids, "cloud": cloud, "network": group.network(cloud)}
            yield f"graphs_{group.name}_{cloud}", {**graphs, "images": group.images}


def page(parameters: Parameters, tables: Tables, notes: Notes) -> str:
    """Write the page of `cloud` of one `network`, with one graph per layer; the deepest is shown first."""
    ids = {name: parameters[name] for name in ("population", "recipe", "cloud", "network")}
    graphs = selection.rows(tables["activation_graphs"], **ids).sort_values("depth")
    classes = graph_rows.classes_of(tables["class_purity"], parameters["population"])
    pages = [_graph(row, tables) for _, row in graphs.iterrows()]
    shown = {image for graph in pages for images in graph["images"] for image in images}
    split = graphs["split"].iloc[0] if len(graphs) else ""
    pictures = selection.rows(tables["example_images"], images=parameters["images"], split=split)
    title = graph_rows.cloud_title(graphs.iloc[0]) if len(graphs) else parameters["cloud"]
    return graph_page(
        f"{parameters['population']}, network {parameters['network']}, {title}",
        "layer",
        pages,
        colours=[
            {"label": "classes", "classes": True},
            {"label": "purity", "column": "purity", "low": 0, "high": 1, "palette": "amount"},
            SIZE,
            {"label": "l2 norm, scaled", "column": "lens", "low": 0, "high": 1, "palette": "amount"},
        ],
        fields=[
            ("points", "members", None),
            ("component", "component", None),
            ("purity", "purity", 3),
            ("l2 norm, scaled", "lens", 3),
        ],
        note=NOTE if pages else "the tables hold no graph of this cloud",
        footer=selection.provenance(notes),
        classes=[(name, graph_layout.class_colour(label)) for label, name in enumerate(classes)],
        images={
            row["image"]: [
                "data:image/png;base64," + base64.b64encode(row["pixels"]).decode(),
                row["class_name"],
                graph_layout.class_colour(row["label"]),
            ]
            for row in pictures[pictures["image"].isin(shown)].to_dict("records")
        },
    )


KIND = FigureKind(
    section="activation_graphs", tables=(*graph_rows.GRAPHS, "purity", "example_images"), planned=planned, page=page
)


def _graph(row: pd.Series, tables: Tables) -> dict[str, Any]:
    nodes, edges = (graph_rows.of_graph(tables[name], row) for name in ("activation_nodes", "activation_edges"))
    nodes, edges = graph_layout.drawn_graph(nodes, edges, most_nodes=NODES)
    known = set(tables["example_images"]["image"].to_pylist())
    purity = graph_rows.of_graph(tables["purity"], row).iloc[0]
    chance = f"{purity['chance']:.3f} ({purity['chance_low']:.3f} to {purity['chance_high']:.3f})"
    return page_graph(
        nodes[["node", "component", "members", "x", "y", "purity", "lens"]],
        edges,
        option=graph_rows.layer_number(row),
        numbers={
            "nodes": f"{row['nodes']:,}",
            "edges": f"{row['edges']:,}",
            "components": f"{row['components']:,}",
            "branch ends (nodes of 20 points on)": f"{row['leaves']:,}",
            "coverage": f"{row['coverage']:.3f}",
            "node-wise purity": f"{purity['node_wise']:.3f}",
            "with shuffled labels": chance,
        },
        explanation=row["explanation"],
        left_out="" if len(nodes) == row["nodes"] else f"Drawn are the {len(nodes):,} largest nodes.",
        recipe=graph_rows.recipe_of(row.to_frame().T.infer_objects()),
        counts=[
            [[int(k), int(of[k])] for k in np.argsort(-of, kind="stable") if of[k]]
            for of in map(np.asarray, nodes["counts"])
        ],
        images=[[int(image) for image in images if image in known][:IMAGES] for images in nodes["example_images"]],
    )
