"""One cloud of activations, from its points to the rows of all tables on its mapper graph (activations paper)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.activations.cloud_file import ActivationCloud
from cnn_topology.errors import InputError
from cnn_topology.mapper.cover import OverlapCover
from cnn_topology.mapper.graph import MapperGraph
from cnn_topology.mapper.homology import components, loops, stability
from cnn_topology.mapper.metric import drawn_rows, elbow_of, elbow_rows
from cnn_topology.mapper.neighbourhoods import nearest_distances
from cnn_topology.mapper.purity import (
    class_purity,
    jackknife_purity,
    label_counts,
    node_purity,
    node_wise,
    shuffled_purity,
)
from cnn_topology.mapper.recipes import mapper_of_activations
from cnn_topology.mapper.summaries import branches, coverage, examples, explain
from cnn_topology.plan.activation_graphs import ActivationMapperParameters
from cnn_topology.plan.activations import GraphRecipe, GraphSettings
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.intervals import PERCENTILES, jackknife_error
from cnn_topology.statistics.significance import rank_p_value
from cnn_topology.tables.activation_graphs import (
    ActivationChannelRow,
    ActivationEdgeRow,
    ActivationGraphRow,
    ActivationNodeRow,
    ActivationSweepRow,
    NeighbourCurveRow,
)
from cnn_topology.tables.purity import ClassPurityRow, PurityDrawRow, PurityRow
from cnn_topology.tables.registry import GRAPH_ROWS

# Places of the curve of neighbour distances that are kept, and images of a node.
CURVE, EXAMPLES = 200, 12


def graph_tables(
    cloud: ActivationCloud, parameters: ActivationMapperParameters, settings: GraphSettings
) -> dict[str, pa.Table]:
    """Build the graph of one cloud and the tables of all that is known of it.

    Parameters
    ----------
    cloud : ActivationCloud
    parameters : ActivationMapperParameters
        Of the job: names and the recipe that all layers share.
    settings : GraphSettings
        Of this layer; without eps where the elbow rule finds it.

    Returns
    -------
    dict of str to pyarrow.Table
        One for each of `GRAPH_ROWS`.

    Raises
    ------
    InputError
        If the cloud has fewer points than min_samples, its l2 norm does not vary, the elbow rule finds no radius, or
        the graph is forecast not to fit in memory.
    """
    origin, layer = cloud.origin, cloud.origin.layer.name
    # A noisy cloud takes the seed of the clean one: where both are cut, they are cut to the same rows.
    name = parameters.job.clean or parameters.job.cloud
    seed = derive_seed(parameters.run_seed, "activation-mapper", origin.population, origin.network, name, layer)
    key = {
        **origin.columns,
        "recipe": parameters.job.recipe,
        **origin.drawn.model_dump(include={"sampling", "top", "split", "sigma"}),
    }
    try:
        return _tables(cloud, key, parameters, settings, seed)
    except InputError as error:
        raise InputError(
            f"activation_mapper.{parameters.job.recipe}, cloud {origin.cloud} of {origin.population} {origin.network}, "
            f"{layer}: {error}; leave it out by `layers`, or describe it in an entry of its own"
        ) from error


def _tables(
    cloud: ActivationCloud,
    key: Mapping[str, Any],
    parameters: ActivationMapperParameters,
    settings: GraphSettings,
    seed: int,
) -> dict[str, pa.Table]:
    recipe, origin = parameters.graphs, cloud.origin
    count = len(cloud.points)
    if count < recipe.min_samples:
        raise InputError(
            f"it has {count} points, fewer than min_samples = {recipe.min_samples}: take more images "
            f"(activation_clouds.{origin.cloud}.n_images) or lower min_samples"
        )
    rows = drawn_rows(count, recipe.max_points, seed)
    points, ids, labels = cloud.points[rows], cloud.ids[rows], cloud.labels[rows]
    curve = NeighbourCurveRow.table([])
    eps = settings.eps
    if settings.eps_from != "clean":
        distances = nearest_distances(elbow_rows(points, seed), min(5, len(points) - 1))
        curve = _curve(key, distances)
        eps = elbow_of(distances[:, 0]) if eps is None else eps
    settings = settings.model_copy(update={"eps": eps})
    graph = _graph(points, settings, recipe)
    row = ActivationGraphRow(
        **key,
        tensor=origin.tensor,
        mode=origin.drawn.mode,
        n_images=origin.images,
        points=len(cloud.points),
        used=len(points),
        max_points=recipe.max_points,
        channels=origin.layer.channels,
        seed=seed,
        **settings.model_dump(),
        min_samples=recipe.min_samples,
        filled_intervals=graph.cubes,
        skipped_intervals=graph.skipped_cubes,
        noise=graph.noise,
        **_shape(graph),
        forks=branches(graph)[1],
        explanation=explain(graph),
    )
    counts = label_counts(graph, labels, len(origin.classes))
    # One order of all images for every graph on this split: nodes share examples where they share images.
    order = derive_seed(parameters.run_seed, "examples", origin.drawn.split)
    tables = (
        ActivationGraphRow.table([row]),
        ActivationNodeRow.columns(
            **key,
            node=np.arange(graph.nodes),
            component=components(graph),
            members=graph.sizes,
            lens=graph.lens[:, 0],
            purity=node_purity(counts),
            counts=counts.tolist(),
            example_images=examples(graph, ids, EXAMPLES, order),
        ),
        ActivationEdgeRow.columns(**key, a=graph.edges[:, 0], b=graph.edges[:, 1], shared=graph.shared),
        *_purity(key, cloud, graph, ids, labels, parameters),
        ActivationSweepRow.table(_sweep(key, points, labels, len(origin.classes), graph, settings, recipe)),
        curve,
        ActivationChannelRow.columns(
            **key,
            channel=np.arange(points.shape[1]),
            mean=points.mean(axis=0, dtype=np.float64),
            sd=points.std(axis=0, dtype=np.float64),
        ),
    )
    return {row_type.table_name: table for row_type, table in zip(GRAPH_ROWS, tables, strict=True)}


def _graph(points: np.ndarray, settings: GraphSettings, recipe: GraphRecipe) -> MapperGraph:
    assert settings.eps is not None
    cover, memory = OverlapCover(settings.intervals, settings.overlap), round(1e9 * recipe.max_memory_gb)
    return mapper_of_activations(points, cover, settings.eps, recipe.min_samples, memory)


def _shape(graph: MapperGraph) -> dict[str, Any]:
    """Count what a graph has, for its own row or that of a sweep."""
    return {
        "nodes": graph.nodes,
        "edges": len(graph.edges),
        "components": len(np.unique(components(graph))),
        "loops": loops(graph),
        "leaves": branches(graph)[0],
        "coverage": coverage(graph),
    }


def _purity(
    key: Mapping[str, Any],
    cloud: ActivationCloud,
    graph: MapperGraph,
    ids: np.ndarray,
    labels: np.ndarray,
    parameters: ActivationMapperParameters,
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Measure purity with its chance level and its error: the tables purity, class_purity and purity_draws."""
    classes, draws = len(cloud.origin.classes), parameters.graphs.label_shuffles
    # The same shuffles and halves for all graphs on the same images.
    seed = derive_seed(parameters.run_seed, "purity", cloud.origin.population, cloud.origin.drawn.split)
    shuffled, of_classes = shuffled_purity(graph, ids, labels, classes, draws, seed)
    halves = jackknife_purity(graph, ids, labels, classes, seed)
    observed, of_class = node_wise(graph, labels, classes), class_purity(graph, labels, classes)
    of_nodes = node_purity(label_counts(graph, labels, classes))
    held = np.zeros(graph.points, dtype=bool)
    held[graph.members] = True
    sizes = np.bincount(labels, minlength=classes)
    low, high = np.quantile(shuffled, PERCENTILES)
    class_low, class_high = np.quantile(of_classes, PERCENTILES, axis=0)
    purity = PurityRow(
        **key,
        clean=parameters.job.clean or "",
        nodes=graph.nodes,
        classes=classes,
        coverage=coverage(graph),
        node_wise=observed,
        error=jackknife_error(halves),
        node_error=of_nodes.std(ddof=1) / np.sqrt(graph.nodes) if graph.nodes > 1 else np.nan,
        chance=shuffled.mean(),
        chance_low=low,
        chance_high=high,
        p_value=rank_p_value(observed, shuffled),
        class_wise=np.average(of_class[sizes > 0], weights=sizes[sizes > 0]),
        class_wise_chance=np.average(of_classes[:, sizes > 0].mean(axis=0), weights=sizes[sizes > 0]),
        draws=draws,
    )
    by_class = ClassPurityRow.columns(
        **key,
        label=np.arange(classes),
        class_name=list(cloud.origin.classes),
        points=sizes,
        coverage=np.bincount(labels, weights=held, minlength=classes) / np.where(sizes, sizes, np.nan),
        purity=of_class,
        chance=of_classes.mean(axis=0),
        chance_low=class_low,
        chance_high=class_high,
        p_value=[rank_p_value(value, null) for value, null in zip(of_class, of_classes.T, strict=True)],
        draws=draws,
    )
    drawn = PurityDrawRow.columns(
        **key,
        kind=["shuffled"] * draws + ["jackknife"] * len(halves),
        draw=np.concatenate([np.arange(draws), np.arange(len(halves))]),
        node_wise=np.concatenate([shuffled, halves]),
    )
    return PurityRow.table([purity]), by_class, drawn


def _sweep(
    key: Mapping[str, Any],
    points: np.ndarray,
    labels: np.ndarray,
    classes: int,
    graph: MapperGraph,
    settings: GraphSettings,
    recipe: GraphRecipe,
) -> list[ActivationSweepRow]:
    """Build the graph anew with one setting changed at a time; the first row is the graph itself."""
    if recipe.sweep is None:
        return []
    assert settings.eps is not None
    varied: list[tuple[str, dict[str, Any], float]] = [("none", {}, 1.0)]
    varied += [("eps", {"eps": settings.eps * factor}, factor) for factor in recipe.sweep.eps_factors]
    varied += [("overlap", {"overlap": value}, 1.0) for value in recipe.sweep.overlaps]
    varied += [("intervals", {"intervals": value}, 1.0) for value in recipe.sweep.intervals]
    rows = []
    for name, change, factor in varied:
        changed = settings.model_copy(update=change)
        other = _graph(points, changed, recipe) if change else graph
        rows.append(
            ActivationSweepRow(
                **key,
                varied=name,
                **changed.model_dump(exclude={"eps_from"}),
                eps_factor=factor,
                **_shape(other),
                node_wise=node_wise(other, labels, classes),
                stability=stability(graph, other),
            )
        )
    return rows


def _curve(key: Mapping[str, Any], distances: np.ndarray) -> pa.Table:
    """Take places of the falling curves of distances, closer together where the curve is steep."""
    rows, k = distances.shape
    falling = np.sort(distances, axis=0)[::-1]
    place = np.unique(np.round(np.linspace(0, 1, CURVE) ** 2 * (rows - 1)).astype(int))
    return NeighbourCurveRow.columns(
        **key,
        rows=rows,
        share=place / rows,
        nearest_distance=falling[place, 0],
        fifth_distance=falling[place, 4] if k == 5 else np.nan,
    )
