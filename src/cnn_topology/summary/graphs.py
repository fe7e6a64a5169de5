"""How mapper graphs were made, and how far what they show depends on that: tables of a run's page."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from cnn_topology.plan.activation_mapper import published_eps


class PageTable(NamedTuple):
    """A table of a page: what it shows, how to read it, the names of its columns, and its cells as text."""

    title: str
    caption: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def recipe_tables(tables: Mapping[str, pa.Table]) -> Iterator[PageTable]:
    """Yield a table of the other recipes of graphs of filters, and one of the settings of those of activations.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        Of a run, by name; what they lack is left out.

    Yields
    ------
    PageTable
    """
    if "mapper_sweep" in tables and len(tables["mapper_sweep"]):
        yield PageTable(
            "Graphs of filters by other recipes",
            "The filters of a layer at its last step, made into a mapper graph in other ways: each row changes what it "
            "names and keeps the rest. Unfilled: loops of the graph that no cliques fill. Loops of a graph are a "
            "picture; the barcode is the test.",
            ("population", "layer", "recipe", "nodes", "components", "loops", "unfilled loops"),
            [_of_sweep(row) for row in _at_last_step(tables["mapper_sweep"])],
        )
    if "activation_graphs" in tables and len(tables["activation_graphs"]):
        graphs = tables["activation_graphs"].to_pandas()
        first = graphs[graphs["network"] == graphs.groupby("population")["network"].transform("min")]
        yield PageTable(
            "Settings of the graphs of activations",
            "Of the first network of each population: intervals and overlap of the cover, radius eps of DBSCAN and "
            "where it is from, beside the radius that the follow-up's released code names for such a cloud and layer, "
            "which belongs to the scale of other weights.",
            (
                *("population", "recipe", "cloud", "layer", "points", "intervals", "overlap", "eps", "eps from"),
                *("published eps", "nodes", "edges", "coverage"),
            ),
            [_of_graph(row) for row in first.to_dict("records")],
        )


def _at_last_step(sweep: pa.Table) -> list[dict[Any, Any]]:
    frame = sweep.to_pandas()
    last = frame["step"] == frame.groupby(["population", "layer"])["step"].transform("max")
    return frame[last].to_dict("records")


def _of_sweep(row: Mapping[Any, Any]) -> tuple[str, ...]:
    counts = (f"{row[name]:,}" for name in ("nodes", "components", "loops", "filled_loops"))
    return (row["population"], row["layer"], row["change"], *counts)


def _of_graph(row: Mapping[Any, Any]) -> tuple[str, ...]:
    published = None if row["sigma"] else published_eps(row["sampling"], row["top"], row["layer"])
    return (
        *(row["population"], row["recipe"], row["cloud"], row["layer"], f"{row['used']:,}", str(row["intervals"])),
        *(f"{row['overlap']:.0%}", f"{row['eps']:.4g}", row["eps_from"], "" if published is None else f"{published:g}"),
        *(f"{row['nodes']:,}", f"{row['edges']:,}", f"{row['coverage']:.3f}"),
    )
