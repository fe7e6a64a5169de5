"""`cnn-topology component-sensitivity`: layers with components removed against whole ones, their own and another's."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnn_topology.activations.cloud_file import ActivationCloud, read_network
from cnn_topology.comparison.clouds import SampledCloud, median_distance, sampled, scaled_bars
from cnn_topology.comparison.measures import Measure, compare_all, measure_named
from cnn_topology.comparison.sensitivity import removal_grid, without_smallest_components
from cnn_topology.errors import InputError
from cnn_topology.plan.layer_distances import RemovalMode
from cnn_topology.plan.layer_parameters import ComponentSensitivityParameters
from cnn_topology.storage.tables import write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.layers import ComponentCurveRow
from cnn_topology.tables.rows import joined
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
    parser.add_argument("--clouds", required=True, nargs="+", type=Path, help="clouds of all layers, of both networks")
    parser.add_argument("--threads", default=1, type=int, help="threads of distances between points and diagrams")
    parser.add_argument("--output", required=True, type=Path, help="the curves of all layers (.parquet)")


def run(arguments: argparse.Namespace) -> None:
    """Compute the curve of every layer, mode and measure."""
    parameters: ComponentSensitivityParameters = arguments.parameters
    measures = [measure_named(name) for name in parameters.measures]
    networks = [parameters.network] + ([] if parameters.another is None else [parameters.another])
    found: dict[int, list[ActivationCloud]] = {n: [] for n in networks}
    for cloud in read_network(arguments.clouds, parameters.population, parameters.cloud):
        if cloud.origin.network not in found:
            raise InputError(f"a cloud of network {cloud.origin.network} was given; expected those of {networks}")
        found[cloud.origin.network].append(cloud)
    parts = []
    for layer in zip(*(found[network] for network in networks), strict=True):
        origin, wholes = layer[0].origin, [sampled(cloud) for cloud in layer]
        which = {
            "population": origin.population,
            "cloud": origin.cloud,
            "samples": len(wholes[0].ids),
            "network": origin.network,
            "layer": origin.layer,
            "depth": origin.depth,
            "channels": origin.channels,
        }
        for mode in parameters.modes:
            removed, values = component_curves(wholes, measures, mode, arguments.threads)
            for measure in measures:
                for network, curve in zip(networks, values[measure.name], strict=True):
                    # Nothing removed from a layer leaves it equal to itself: no point of the curve.
                    shown = removed > 0 if network == parameters.network else removed >= 0
                    table = ComponentCurveRow.columns(
                        **which,
                        measure=measure.name,
                        kind=measure.kind,
                        mode=mode,
                        against_network=network,
                        removed=removed[shown],
                        fraction=removed[shown] / origin.channels,
                        value=curve[shown],
                    )
                    parts.append(table)
        print(f"{origin.layer}: {', '.join(parameters.modes)}, up to {removed[-1]} components removed", flush=True)
    notes = parameters.notes(read_metadata(path) for path in arguments.clouds)
    write_table(arguments.output, joined(parts, ComponentCurveRow.schema), ComponentCurveRow.schema, notes)


def component_curves(
    wholes: Sequence[SampledCloud], measures: list[Measure], mode: RemovalMode, threads: int = 1
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Compare whole clouds with the first of them after its smallest principal components were removed.

    Against itself as the activations paper does (section 1.3); against the same layer of another seed as Ding et al.

    Parameters
    ----------
    wholes : sequence of SampledCloud
        The first loses components.
    measures : list of Measure
    mode : {'published', 'corrected'}
        Grid and centring (`comparison.sensitivity`).
    threads : int
        Of distances between points and diagrams.

    Returns
    -------
    removed : ndarray of int64, shape (1 + steps,)
        The grid after 0.
    values : dict of str to ndarray of float64, shape (wholes, 1 + steps)
        By name of the measure; the whole cloud is its first argument.
    """
    whole = wholes[0]
    removed = removal_grid(whole.points.shape[1], mode)
    reduced = without_smallest_components(whole.points, removed, centre=mode == "corrected")
    clouds = [*wholes, *(SampledCloud(points, whole.ids) for points in reduced)]
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
        prepared = taken[measure.takes]
        firsts, others = prepared[: len(wholes)], [prepared[0], *prepared[len(wholes) :]]
        steps = range(0, len(others), AT_A_TIME)
        parts = [compare_all(measure.name, firsts, others[step : step + AT_A_TIME], threads) for step in steps]
        values[measure.name] = np.concatenate(parts, axis=1)
    return np.array([0, *removed]), values
