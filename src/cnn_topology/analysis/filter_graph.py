"""One cloud of filters, from its points to the rows of tables on its mapper graph (weights paper, steps 6 and 7)."""

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.errors import InputError
from cnn_topology.mapper.clustering import FirstGap
from cnn_topology.mapper.cover import GainCover
from cnn_topology.mapper.graph import MapperGraph
from cnn_topology.mapper.homology import components, filled_loops, loops
from cnn_topology.mapper.lenses import NoVariance
from cnn_topology.mapper.metric import drawn_rows
from cnn_topology.mapper.recipes import mapper_of_filters
from cnn_topology.mapper.summaries import explain, mean_points
from cnn_topology.plan.mapper import MapperRecipe
from cnn_topology.plan.parameters import MapperParameters
from cnn_topology.tables.loops import CloudKey
from cnn_topology.tables.mapper import MapperEdgeRow, MapperGraphRow, MapperNodeRow, MapperSweepRow
from cnn_topology.topology.klein import klein_angles

# What is counted of a graph.
COUNTS = ("cubes", "nodes", "edges", "components", "loops", "filled_loops", "noise")
# What to do about filters without variance: they are a fact about the layer, which its barcode says as well.
DEGENERATE = (
    "Such filters form no shape in the plane. To change that, keep more of them (a larger p in `clouds`) or take "
    "weights from before the layer collapsed."
)


def mapper_tables(
    key: CloudKey, points: np.ndarray, networks: np.ndarray, recipe: MapperRecipe, seed: int
) -> dict[str, pa.Table]:
    """Build the mapper graph of one cloud and its tables.

    Parameters
    ----------
    key : CloudKey
    points : ndarray, shape (points, entries)
        Filters after the density filter.
    networks : ndarray of int, shape (points,)
        Network of each filter.
    recipe : MapperRecipe
    seed : int
        Of the draw of `max_points` filters where there are more.

    Returns
    -------
    dict of str to pyarrow.Table
        ``mapper_graphs`` (one row), ``mapper_nodes`` and ``mapper_edges``. Filters that do not vary in two directions,
        as those of a layer that has collapsed, have no nodes: the row says why, and the rest of the run goes on.

    Raises
    ------
    InputError
        If the graph is forecast not to fit in memory.
    """
    rows = drawn_rows(len(points), recipe.max_points, seed)
    used = points[rows]
    row = {**vars(key), "kept": len(points), **_about(recipe, used, seed)}
    try:
        graph = _graph(used, recipe)
    except NoVariance as error:
        row |= _none(f"The mapper graph of {len(used)} points has no node: {error}. {DEGENERATE}")
        return {
            "mapper_graphs": MapperGraphRow.table([MapperGraphRow(**row)]),
            "mapper_nodes": MapperNodeRow.table([]),
            "mapper_edges": MapperEdgeRow.table([]),
        }
    except InputError as error:
        place = f"mapper graph of {key.population}, {key.layer}, step {key.step}"
        raise InputError(f"{place}: {error}; `mapper: null` leaves mapper graphs out of the run") from error
    return {
        "mapper_graphs": MapperGraphRow.table([MapperGraphRow(**row, **_counts(graph))]),
        "mapper_nodes": _nodes(key, graph, used, networks[rows]),
        "mapper_edges": MapperEdgeRow.columns(
            **vars(key), a=graph.edges[:, 0], b=graph.edges[:, 1], shared=graph.shared
        ),
    }


def sweep_table(
    key: CloudKey, points: np.ndarray, drawn: pa.Table, parameters: MapperParameters, seed: int
) -> pa.Table:
    """Count what the graph of a cloud holds when it is made in each of the other ways.

    Parameters
    ----------
    key, points, seed
        As `mapper_tables`.
    drawn : pyarrow.Table
        Its ``mapper_graphs``: the first row.
    parameters : MapperParameters
        With the recipe and its `sweep`; without one the table has no rows.

    Returns
    -------
    pyarrow.Table
        A way in which no graph can be made has no nodes and says why.
    """
    if not parameters.sweep:
        return MapperSweepRow.table([])
    rows = [MapperSweepRow(**drawn.to_pylist()[0], change="as drawn")]
    for change in parameters.sweep:
        recipe = change.of(parameters.recipe)
        used = points[drawn_rows(len(points), recipe.max_points, seed)]
        try:
            counts = _counts(_graph(used, recipe))
        except InputError as error:
            counts = _none(str(error))
        about = {**vars(key), "kept": len(points), **_about(recipe, used, seed)}
        rows.append(MapperSweepRow(**about, **counts, change=change.words()))
    return MapperSweepRow.table(rows)


def _graph(points: np.ndarray, recipe: MapperRecipe) -> MapperGraph:
    cover = GainCover(recipe.resolution, recipe.gain, recipe.equalized)
    return mapper_of_filters(points, cover, FirstGap(from_zero=recipe.gap_from_zero), recipe.metric, recipe.scaled_lens)


def _about(recipe: MapperRecipe, used: np.ndarray, seed: int) -> dict[str, Any]:
    return {
        "used": len(used),
        "seed": seed,
        **recipe.model_dump(include={"max_points", "resolution", "gain", "equalized", "metric", "scaled_lens"}),
        "cut": "first_gap",
        "cut_at": FirstGap.fraction,
        "from_zero": recipe.gap_from_zero,
    }


def _counts(graph: MapperGraph) -> dict[str, Any]:
    return {
        "cubes": graph.cubes,
        "nodes": graph.nodes,
        "edges": len(graph.edges),
        "components": len(np.unique(components(graph))),
        "loops": loops(graph),
        "filled_loops": filled_loops(graph),
        "noise": graph.noise,
        "explanation": explain(graph),
    }


def _none(explanation: str) -> dict[str, Any]:
    return {**dict.fromkeys(COUNTS, 0), "explanation": explanation}


def _nodes(key: CloudKey, graph: MapperGraph, points: np.ndarray, networks: np.ndarray) -> pa.Table:
    means = mean_points(graph, points)
    theta1, theta2 = klein_angles(means)
    return MapperNodeRow.columns(
        **vars(key),
        node=np.arange(graph.nodes),
        component=components(graph),
        members=graph.sizes,
        of_networks=[np.unique(networks[graph.members[start:end]]) for start, end in pairwise(graph.starts)],
        lens1=graph.lens[:, 0],
        lens2=graph.lens[:, 1],
        coordinates=means.astype(np.float32),
        theta1=theta1,
        theta2=theta2,
    )
