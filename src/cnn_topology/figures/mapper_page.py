"""The mapper graphs of one layer as one interactive page that holds all it needs and loads nothing."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.colors import to_hex

from cnn_topology.figures import style
from cnn_topology.figures.mapper import drawn_part, recipe
from cnn_topology.figures.selection import cloud_verdict, headlines, no_cloud, of_cloud, provenance
from cnn_topology.tables.filters import FILTER_COORDINATES

# Edges of one graph that a browser draws without delay while it is dragged.
EDGES = 30_000

NOTE = (
    "The graph's loops are a picture, not the test: they swing with resolution, gain and cut. The barcode is the test."
)


def page(parameters: Mapping[str, Any], tables: Mapping[str, pa.Table], notes: Mapping[str, str]) -> str:
    """Write the page of the graphs of `population` and `layer`, one per step that has one; the last is shown first.

    Parameters
    ----------
    parameters, tables, notes
        As for the figure of kind `mapper`.

    Returns
    -------
    str
        HTML. Its data stand in it as JSON; a content security policy forbids it to load anything.
    """
    graphs, shown = [], []
    clouds = headlines(tables["loops"], parameters)
    for _, cloud in clouds.iterrows():
        found = of_cloud(tables["mapper_graphs"], cloud)
        if len(found):
            nodes, edges = (of_cloud(tables[name], cloud) for name in ("mapper_nodes", "mapper_edges"))
            graphs.append(_graph(found.iloc[0], cloud, *drawn_part(nodes, edges, parameters["least_node"], EDGES)))
            shown.append(cloud)
    footer = provenance(notes, pd.DataFrame(shown).assign(used=lambda rows: rows["kept"]) if shown else None)
    content = {
        "name": f"{parameters['population']}, {parameters['layer']}",
        "choose": "step",
        "graphs": graphs,
        "note": NOTE if graphs else no_cloud(),
        "footer": footer.replace("\N{NO-BREAK SPACE}", " "),
    }
    return filled(content)


def filled(content: Mapping[str, Any]) -> str:
    """Put the content of a page into the template; one template serves graphs of filters and of activations.

    Parameters
    ----------
    content : mapping
        ``name``; ``choose``, what tells the graphs apart; ``note``; ``footer``; ``graphs``, each with ``option``,
        ``numbers``, ``explanation``, ``left_out``, ``recipe``, ``edges`` and ``nodes``; a node has ``node``,
        ``component``, ``members``, ``x``, ``y``, ``rows`` and either ``colour`` and ``filter`` or ``pie`` and
        ``images``, keys of ``images`` of the content: (source, name, colour).
    """
    # "<" is written as an escape so that no text can end the script element it stands in.
    text = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    template = files("cnn_topology.figures").joinpath("mapper_page.html").read_text(encoding="utf-8")
    return template.replace("/*DATA*/", text)


def _graph(graph: pd.Series, cloud: pd.Series, nodes: pd.DataFrame, edges: pd.DataFrame) -> dict[str, Any]:
    means = nodes[list(FILTER_COORDINATES)].to_numpy(dtype=float).round(4).tolist()
    place = {node: number for number, node in enumerate(nodes["node"])}
    numbers = {
        "nodes": f"{graph['nodes']:,}",
        "edges": f"{graph['edges']:,}",
        "components": f"{graph['components']:,}",
        "loops of the graph alone": f"{graph['loops']:,}",
        "loops no cliques fill": f"{graph['filled_loops']:,}",
        "barcode": cloud_verdict(cloud),
    }
    whole = len(nodes) == graph["nodes"] and len(edges) == graph["edges"]
    return {
        "option": f"{graph['step']:,}",
        "numbers": list(numbers.items()),
        "explanation": graph["explanation"],
        "left_out": "" if whole else f"Drawn are {len(nodes):,} nodes and {len(edges):,} edges, the largest of each.",
        "recipe": recipe(graph),
        "nodes": [
            {
                "node": row["node"],
                "component": row["component"],
                "members": row["members"],
                "x": round(row["lens1"], 4),
                "y": round(row["lens2"], 4),
                "colour": to_hex(style.CYCLIC(row["edge_angle"] / (2 * np.pi))),
                "filter": mean,
                "rows": [
                    ["edge angle", f"{row['edge_angle'] / np.pi:.2f} π"],
                    ["lens", f"{row['lens1']:.3f}, {row['lens2']:.3f}"],
                    ["mean filter", "; ".join(", ".join(f"{w:.2f}" for w in mean[i : i + 3]) for i in (0, 3, 6))],
                ],
            }
            for row, mean in zip(nodes.to_dict("records"), means, strict=True)
        ],
        "edges": [[place[a], place[b]] for a, b in edges[["a", "b"]].itertuples(index=False)],
    }
