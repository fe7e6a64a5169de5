"""Mapper graphs as one interactive page that holds all it needs and loads nothing: of filters and of activations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

from cnn_topology.figures.libraries import pd


def graph_page(content: Mapping[str, Any], footer: str) -> str:
    """Write a page.

    Parameters
    ----------
    content : mapping
        ``name``; ``choose``, what tells the graphs apart; ``note``; ``graphs``, each from `page_graph`; of activations
        also ``classes``, (name, colour) of each, and ``images`` by key: (source, name, colour).
    footer : str
        The provenance, from `selection.provenance`.

    Returns
    -------
    str
        HTML. Its data stand in it as JSON; a content security policy forbids it to load anything.
    """
    content = {**content, "footer": footer.replace("\N{NO-BREAK SPACE}", " ")}
    # "<" is written as an escape so that no text can end the script element it stands in.
    text = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    template = files("cnn_topology.figures").joinpath("pages.html").read_text(encoding="utf-8")
    return template.replace("/*DATA*/", text)


def page_graph(
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    details: Iterable[Mapping[str, Any]],
    *,
    option: str,
    numbers: Mapping[str, str],
    explanation: str,
    left_out: str,
    recipe: str,
) -> dict[str, Any]:
    """Describe one graph of a page.

    Parameters
    ----------
    nodes, edges : DataFrame
        What is drawn: ``node``, ``component``, ``members`` of each node, and the nodes ``a`` and ``b`` of each edge.
    details : iterable of mapping
        Of each node ``x``, ``y``, ``rows`` (name and value of what is told of it) and either ``colour`` and ``filter``
        or ``pie`` and ``images``, keys of the images of the page.
    option : str
        What tells this graph from the others.
    numbers : mapping of str to str
        What is told of the graph.
    explanation, left_out, recipe : str
        Why it shows little, what of it is not drawn, and how it was made.
    """
    place = {node: number for number, node in enumerate(nodes["node"])}
    shared = nodes[["node", "component", "members"]].to_dict("records")
    return {
        "option": option,
        "numbers": list(numbers.items()),
        "explanation": explanation,
        "left_out": left_out,
        "recipe": recipe,
        "nodes": [{**row, **detail} for row, detail in zip(shared, details, strict=True)],
        "edges": [[place[a], place[b]] for a, b in edges[["a", "b"]].itertuples(index=False)],
    }
