"""`cnn-topology component-sensitivity`: every layer of a network against itself with components removed."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from cnn_topology.commands.activation_barcodes import median_distance, read_network, sampled, scaled_bars
from cnn_topology.comparison.clouds import SampledCloud
from cnn_topology.comparison.measures import Measure, compare_all, measure_named
from cnn_topology.comparison.sensitivity import removal_grid, without_smallest_components
from cnn_topology.plan.layer_distances import RemovalMode
from cnn_topology.plan.layer_parameters import ComponentSensitivityParameters
from cnn_topology.storage.tables import write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.layer_schemas import COMPONENT_CURVES
from cnn_topology.tables.rows import joined, with_ids
from cnn_topology.topology.persistence import barcode

# Reduced clouds compared at a time: what measures prepare of each (a Gram matrix of 8 MB for 1,000 images) is kept.
AT_A_TIME = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--parameters",
        required=True,
        type=ComponentSensitivityParameters.parse,
        help="JSON: cloud, network, measures, modes",
    )
    parser.add_argument("--clouds", required=True, nargs="+", type=Path, help="the network's clouds, one per layer")
    parser.add_argument("--threads", default=1, type=int, help="threads of distances between points and diagrams")
    parser.add_argument("--output", required=True, type=Path, help="the curves of all layers (.parquet)")


def run(arguments: argparse.Namespace) -> None:
    """Compute the curve of every layer, mode and measure."""
    parameters: ComponentSensitivityParameters = arguments.parameters
    measures = [measure_named(name) for name in parameters.measures]
    parts = []
    for cloud in read_network(arguments.clouds, parameters.population, parameters.cloud, parameters.network):
        origin, whole = cloud.origin, sampled(cloud)
        which = {
            "population": origin.population,
            "cloud": origin.cloud,
            "samples": len(whole.ids),
            "network": origin.network,
            "layer": origin.layer,
            "depth": origin.depth,
            "channels": origin.channels,
        }
        for mode in parameters.modes:
            removed, values = component_curves(whole, measures, mode, arguments.threads)
            for measure in measures:
                ids = {**which, "measure": measure.name, "kind": measure.kind, "mode": mode}
                columns = {
                    "removed": removed,
                    "fraction": removed / origin.channels,
                    "value": values[measure.name],
                }
                parts.append(with_ids(ids, columns, COMPONENT_CURVES).select(COMPONENT_CURVES.names))
        print(f"{origin.layer}: {', '.join(parameters.modes)}, up to {removed[-1]} components removed", flush=True)
    notes = parameters.notes(read_metadata(path) for path in arguments.clouds)
    write_table(arguments.output, joined(parts, COMPONENT_CURVES), COMPONENT_CURVES, notes)


def component_curves(
    whole: SampledCloud, measures: list[Measure], mode: RemovalMode, threads: int = 1
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Compare a cloud with itself after its smallest principal components were removed (activations paper, 1.3).

    Parameters
    ----------
    whole : SampledCloud
    measures : list of Measure
    mode : {'published', 'corrected'}
        Grid and centring (`comparison.sensitivity`).
    threads : int
        Of distances between points and diagrams.

    Returns
    -------
    removed : ndarray of int64, shape (steps,)
    values : dict of str to ndarray of float64, shape (steps,)
        By name of the measure; the whole cloud is its first argument.
    """
    removed = removal_grid(whole.points.shape[1], mode)
    reduced = without_smallest_components(whole.points, removed, centre=mode == "corrected")
    clouds = [whole, *(SampledCloud(points, whole.ids) for points in reduced)]
    taken: dict[str, list[Any]] = {"clouds": clouds}
    if any(measure.takes != "clouds" for measure in measures):
        taken["diagrams"] = [barcode(cloud.points, threads=threads).in_dimension(1) for cloud in clouds]
    if any(measure.takes == "scaled diagrams" for measure in measures):
        taken["scaled diagrams"] = [
            scaled_bars(bars, median_distance(cloud.points), "a cloud with components removed")
            for bars, cloud in zip(taken["diagrams"], clouds, strict=True)
        ]
    values = {}
    for measure in measures:
        first, *others = taken[measure.takes]
        steps = range(0, len(others), AT_A_TIME)
        parts = [compare_all(measure.name, [first], others[step : step + AT_A_TIME], threads)[0] for step in steps]
        values[measure.name] = np.concatenate(parts)
    return removed, values
