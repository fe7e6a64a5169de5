"""Rows about mapper graphs of activations: choosing them, naming what they are of, and the footer of their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from cnn_topology.figures import selection, style
from cnn_topology.figures.libraries import Artist, Figure, pd
from cnn_topology.figures.selection import provenance, rows, spread

# The tables that a drawing of graphs reads.
GRAPHS = ("activation_graphs", "activation_nodes", "activation_edges", "class_purity")
GRAPH = ["population", "network", "recipe", "cloud", "layer"]
ORIGINS = {"given": "given", "published": "published", "elbow": "by the elbow rule", "clean": "of the clean cloud"}
EMPTY = "the tables hold no graph of it"


def of_graph(table: pa.Table, graph: Any) -> pd.DataFrame:
    """Return the rows of a table that belong to one graph."""
    return rows(table, **{name: graph[name] for name in GRAPH})


def of_recipe(table: pa.Table, parameters: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of a population and an entry of `activation_mapper`, in the order of clouds and layers shown.

    Raises
    ------
    Empty
        If there is none.
    """
    found = rows(table, population=parameters["population"], recipe=parameters["recipe"])
    found["order"] = found["cloud"].map({name: i for i, name in enumerate(parameters["clouds"])})
    found = found.dropna(subset="order").sort_values(["order", "depth", "network"], kind="stable")
    if found.empty:
        raise selection.Empty(EMPTY)
    return found.drop(columns="order")


def classes_of(class_purity: pa.Table, population: str) -> list[str]:
    """Return the class names of the images of a population, by label."""
    found = rows(class_purity, population=population).drop_duplicates("label").sort_values("label")
    return list(found["class_name"])


def kind_of(graph: Any) -> str:
    """Name a cloud by how its points were drawn."""
    top = f" top {graph['top']}" if graph["sampling"] in ("foreground", "background") else ""
    noise = f", noise σ = {graph['sigma']:g}" if graph["sigma"] else ""
    return f"{graph['sampling']}{top}{noise}"


def cloud_title(graph: Any) -> str:
    """Name a cloud by its name and by how its points were drawn, unless the name says it."""
    kind = kind_of(graph)
    return kind if kind == graph["cloud"] else f"{graph['cloud']}: {kind}"


def layer_number(graph: Any) -> str:
    """Name a layer with its depth, 1 nearest the image, as tables and other figures count."""
    return f"{graph['depth']}: {graph['layer'].removeprefix('block_seq.')}"


def recipe_of(graphs: pd.DataFrame) -> str:
    """Describe how some graphs were made."""
    eps = " and ".join(dict.fromkeys(ORIGINS[origin] for origin in graphs["eps_from"]))
    parts = [
        f"lens l2 norm in {spread(graphs['intervals'])} intervals, overlap {spread(graphs['overlap'])}",
        f"DBSCAN eps {spread(graphs['eps'])} {eps}, min_samples {spread(graphs['min_samples'])}",
    ]
    if (graphs["used"] < graphs["points"]).any():
        parts.append(f"at most {spread(graphs['max_points'])} points, drawn by seed")
    return ", ".join(parts)


def footer(notes: Mapping[str, str], graphs: pd.DataFrame, extra: Sequence[str] = ()) -> str:
    """Write the footer: recipe, points, networks, split, seed and hashes."""
    images = f"images {spread(graphs['n_images'])} ({graphs['split'].iloc[0]})"
    points = f"points N {spread(graphs['used'])}"
    networks = f"networks {graphs['network'].nunique()}, {images}"
    # Lines break between words of these parts, which are long.
    return " · ".join([*extra, recipe_of(graphs), points, networks, provenance(notes)])


def titled_legend(figure: Figure, title: str, handles: Sequence[Artist], columns: int = 10) -> None:
    """Set the title of a figure with a legend under it, above all panels; the figure has no other title."""
    figure.legend(
        handles=list(handles),
        title=style.as_title(title),
        title_fontsize=9,
        alignment="left",
        loc="outside upper left",
        ncols=max(1, min(len(handles), columns)),
        columnspacing=1.1,
        handletextpad=0.4,
        borderaxespad=0.3,
    )
