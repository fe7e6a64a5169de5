"""Mapper graphs as one interactive page that holds all it needs and loads nothing: of filters and of activations.

The picture is drawn by Bokeh's library for browsers, whose text stands in the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from cnn_topology.figures import style
from cnn_topology.figures.libraries import mpl, pd, to_hex

# A graph is sent with so many edges at most, those of most points first: a browser draws them without delay.
PAGE_EDGES = 30_000
# The parts of Bokeh that pages use, among them the drawing of many nodes by the graphics card.
LIBRARY = ("bokeh", "bokeh-api", "bokeh-gl")
SHADES = 64
# What nodes can be coloured by: name, column, lowest and highest value (none: the largest there is), and palette.
SIZE = {"label": "points, log2", "column": "log2_members", "low": 0, "high": None, "palette": "amount"}


def graph_page(
    name: str,
    choose: str,
    graphs: Sequence[Mapping[str, Any]],
    colours: Sequence[Mapping[str, Any]],
    fields: Sequence[tuple[str, str, int | None]],
    note: str,
    footer: str,
    classes: Sequence[tuple[str, str]] = (),
    images: Mapping[int, Sequence[str]] | None = None,
) -> str:
    """Write a page.

    Parameters
    ----------
    name : str
        What the graphs are of.
    choose : str
        What tells the graphs apart: ``"step"``, ``"layer"``.
    graphs : sequence of mapping
        Each from `page_graph`; the last is shown first.
    colours : sequence of mapping
        What nodes can be coloured by, such as `SIZE`, the first at the beginning; ``classes`` for pies of classes.
    fields : sequence of (str, str, int or None)
        What is told of a node: name, column, and decimal places of what is no count.
    note, footer : str
        What to know of the graphs, and the provenance, from `selection.provenance`.
    classes : sequence of (str, str)
        Name and colour of each class.
    images : mapping, optional
        By number the source, the name and the colour of example images.

    Returns
    -------
    str
        HTML. Its data stand in it as JSON; a content security policy forbids it to load anything.
    """
    from jinja2 import Environment
    from markupsafe import Markup

    content = {
        "name": name,
        "choose": choose,
        "graphs": graphs,
        "colours": colours,
        "palettes": {"angle": _palette(style.cyclic()), "amount": _palette(mpl.colormaps["viridis"])},
        "fields": fields,
        "note": note,
        "footer": footer.replace("\N{NO-BREAK SPACE}", " "),
        "classes": classes,
        "images": images or {},
    }
    # "<" is written as an escape so that no text can end the script element it stands in.
    data = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    template = files("cnn_topology.figures").joinpath("pages.html").read_text(encoding="utf-8")
    page = Environment(autoescape=True, trim_blocks=True).from_string(template)
    return page.render(name=name, choose=choose, classes=classes, data=Markup(data), library=Markup(_library()))


def _palette(colours: Any) -> list[str]:
    return [to_hex(colours(share)) for share in np.linspace(0, 1, SHADES)]


@cache
def _library() -> str:
    folder = files("bokeh").joinpath("server/static/js")
    return "\n".join(folder.joinpath(f"{part}.min.js").read_text(encoding="utf-8") for part in LIBRARY)


def page_graph(
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    *,
    option: str,
    numbers: Mapping[str, str],
    explanation: str,
    left_out: str,
    recipe: str,
    **of_nodes: Sequence[Any],
) -> dict[str, Any]:
    """Describe one graph of a page.

    Parameters
    ----------
    nodes, edges : DataFrame
        What is drawn: ``node``, ``members``, ``x``, ``y`` and columns of numbers of each node, and the nodes ``a`` and
        ``b`` of each edge.
    option : str
        What tells this graph from the others.
    numbers : mapping of str to str
        What is told of the graph.
    explanation, left_out, recipe : str
        Why it shows little, what of it is not drawn, and how it was made.
    **of_nodes : sequence
        A value of each node that is no number: ``filters``, the weights row by row; ``networks``, their numbers;
        ``counts``, label and points of each class; ``images``, keys of the images of the page.
    """
    # Large nodes first: none hides a smaller one.
    order = np.argsort(-nodes["members"].to_numpy(), kind="stable")
    nodes = nodes.assign(log2_members=np.log2(nodes["members"])).iloc[order]
    place = pd.Series(range(len(nodes)), index=nodes["node"])
    drawn = edges.sort_values("shared", ascending=False, kind="stable").head(PAGE_EDGES).sort_index()
    ends = np.column_stack([place[drawn[end]].to_numpy() for end in ("a", "b")]).astype(int)
    if len(drawn) < len(edges):
        left_out = f"{left_out} Drawn are the {len(drawn):,} edges of most points.".strip()
    return {
        "option": option,
        "numbers": list(numbers.items()),
        "explanation": explanation,
        "left_out": left_out,
        "recipe": recipe,
        "nodes": {name: values.round(4).tolist() for name, values in nodes.items()},
        "edges": ends.ravel().tolist(),
        **{name: [values[i] for i in order] for name, values in of_nodes.items()},
    }
