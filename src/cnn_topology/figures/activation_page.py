"""The mapper graphs of one activation cloud as one interactive page: classes, purity and images of every node."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cnn_topology.figures.graph_layout import class_colour, drawn_graph
from cnn_topology.figures.graph_rows import classes_of, cloud_title, layer_number, of_graph, recipe_of
from cnn_topology.figures.mapper_page import filled
from cnn_topology.figures.selection import provenance, rows

# Nodes and images of a node on a page: a browser draws so many without delay, and the file stays small.
NODES, IMAGES = 1_500, 6
NOTE = (
    "The graph depends on eps, overlap and intervals. Node purity is 1 / number of distinct classes in the node; the "
    "purity of the same graph with shuffled labels is given too."
)


def page(parameters: Mapping[str, Any], tables: Mapping[str, pa.Table], notes: Mapping[str, str]) -> str:
    """Write the page of one cloud of one network, with one graph per layer; the deepest is shown first.

    Parameters
    ----------
    parameters : mapping
        ``population``, ``recipe``, ``cloud``, ``network``, ``images`` (name of the image set), ``least_node``.
    tables, notes
        As for `drawing.page`.

    Returns
    -------
    str
        HTML. Its data and images stand in it; a content security policy forbids it to load anything.
    """
    ids = {name: parameters[name] for name in ("population", "recipe", "cloud", "network")}
    graphs = rows(tables["activation_graphs"], **ids).sort_values("depth")
    classes = classes_of(tables["class_purity"], parameters["population"])
    pages = [_graph(row, tables, classes, parameters["least_node"]) for _, row in graphs.iterrows()]
    shown = {image for graph in pages for node in graph["nodes"] for image in node["images"]}
    split = graphs["split"].iloc[0] if len(graphs) else ""
    pictures = rows(tables["example_images"], images=parameters["images"], split=split)
    title = cloud_title(graphs.iloc[0]) if len(graphs) else parameters["cloud"]
    return filled(
        {
            "name": f"{parameters['population']}, network {parameters['network']}, {title}",
            "choose": "layer",
            "graphs": pages,
            "classes": [[name, class_colour(label)] for label, name in enumerate(classes)],
            "images": {
                row["image"]: [
                    "data:image/png;base64," + base64.b64encode(row["pixels"]).decode(),
                    row["class_name"],
                    class_colour(row["label"]),
                ]
                for row in pictures[pictures["image"].isin(shown)].to_dict("records")
            },
            "note": NOTE if pages else "the tables hold no graph of this cloud",
            "footer": provenance(notes).replace("\N{NO-BREAK SPACE}", " "),
        }
    )


def _graph(row: pd.Series, tables: Mapping[str, pa.Table], classes: list[str], least_node: int) -> dict[str, Any]:
    nodes, edges = (of_graph(tables[name], row) for name in ("activation_nodes", "activation_edges"))
    nodes, edges = drawn_graph(nodes, edges, least_node, NODES)
    known = set(tables["example_images"]["image"].to_pylist())
    purity = of_graph(tables["purity"], row).iloc[0]
    place = {node: number for number, node in enumerate(nodes["node"])}
    middle = nodes[["x", "y"]].agg(["min", "max"]).mean() if len(nodes) else pd.Series({"x": 0.0, "y": 0.0})
    numbers = {
        "nodes": f"{row['nodes']:,}",
        "edges": f"{row['edges']:,}",
        "components": f"{row['components']:,}",
        "branch ends (nodes of 20 points on)": f"{row['leaves']:,}",
        "coverage": f"{row['coverage']:.3f}",
        "node-wise purity": f"{purity['node_wise']:.3f}",
        "with shuffled labels": f"{purity['chance']:.3f} ({purity['chance_low']:.3f} to {purity['chance_high']:.3f})",
    }
    return {
        "option": layer_number(row),
        "numbers": list(numbers.items()),
        "explanation": row["explanation"],
        "left_out": "" if len(nodes) == row["nodes"] else f"Drawn are the {len(nodes):,} largest nodes.",
        "recipe": recipe_of(row.to_frame().T.infer_objects()),
        "nodes": [
            {
                "node": node["node"],
                "component": node["component"],
                "members": node["members"],
                "x": round(node["x"] - middle["x"], 3),
                "y": round(node["y"] - middle["y"], 3),
                "pie": [[class_colour(int(k)), int(node["counts"][k])] for k in np.flatnonzero(node["counts"])],
                "images": [int(image) for image in node["example_images"] if image in known][:IMAGES],
                "rows": [
                    ["purity", f"{node['purity']:.3f}"],
                    ["l2 norm, scaled", f"{node['lens']:.3f}"],
                    *(
                        [classes[k], f"{node['counts'][k]:,} ({node['counts'][k] / node['members']:.0%})"]
                        for k in np.argsort(-np.asarray(node["counts"]), kind="stable")
                        if node["counts"][k]
                    ),
                ],
            }
            for node in nodes.to_dict("records")
        ],
        "edges": [[place[a], place[b]] for a, b in edges[["a", "b"]].itertuples(index=False)],
    }
