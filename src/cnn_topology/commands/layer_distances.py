"""`cnn-topology layer-distances`: all layers of some networks against all layers of others, by every measure asked."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnn_topology.activations.cloud_file import read_network
from cnn_topology.comparison.clouds import sampled, scaled_bars
from cnn_topology.comparison.measures import Measure, compare_all, measure_named
from cnn_topology.errors import InputError
from cnn_topology.plan.layer_parameters import LayerDistanceParameters
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.layers import ActivationBarRow, NetworkPairRow
from cnn_topology.tables.rows import joined


@dataclass(frozen=True, eq=False)
class Layers:
    """What a measure takes of every layer of every network, with the names of the layers, nearest the image first."""

    names: tuple[str, ...]
    depths: tuple[int, ...]
    samples: int
    of_network: dict[int, list[Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--parameters", required=True, type=LayerDistanceParameters.parse, help="JSON: cloud, measures, networks"
    )
    parser.add_argument("--clouds", nargs="*", default=[], type=Path, help="clouds of all layers of all networks")
    parser.add_argument("--barcodes", nargs="*", default=[], type=Path, help="bars of all networks, for diagrams")
    parser.add_argument("--threads", default=1, type=int, help="threads of the sliced Wasserstein distance")
    parser.add_argument(
        "--output", required=True, type=Path, help="the values, one row per pair of networks (.parquet)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Compare all pairs of networks of the block."""
    parameters: LayerDistanceParameters = arguments.parameters
    found: dict[str, Layers] = {}
    parts = []
    for name in parameters.measures:
        measure = measure_named(name)
        if measure.takes not in found:
            found[measure.takes] = _read(measure, parameters, arguments)
        layers = found[measure.takes]
        part = network_pairs(measure, layers, parameters, arguments.threads)
        parts.append(part)
        print(f"{name} ({measure.kind}): {part.num_rows} pairs of networks, {len(layers.names)} layers", flush=True)
    upstream = [read_metadata(path) for path in arguments.clouds]
    upstream += [read_notes(path) for path in arguments.barcodes]
    schema = NetworkPairRow.schema
    write_table(arguments.output, joined(parts, schema), schema, parameters.notes(upstream))


def network_pairs(measure: Measure, layers: Layers, parameters: LayerDistanceParameters, threads: int = 1) -> pa.Table:
    """Compare all layers of the networks of the rows with those of the columns.

    Returns
    -------
    pyarrow.Table
        Rows of `network_pairs`. Equal sides hold each pair once; a measure that is not symmetric both ways.
    """
    rows, columns = parameters.rows, parameters.columns
    first = [layer for network in rows for layer in layers.of_network[network]]
    if rows == columns:
        values = compare_all(measure.name, first, threads=threads)
        pairs = _blocks(values, rows, columns, len(layers.names))
        if measure.symmetric:
            pairs = {pair: block for pair, block in pairs.items() if pair[0] <= pair[1]}
    else:
        second = [layer for network in columns for layer in layers.of_network[network]]
        pairs = _blocks(compare_all(measure.name, first, second, threads), rows, columns, len(layers.names))
        if not measure.symmetric:
            pairs |= _blocks(compare_all(measure.name, second, first, threads), columns, rows, len(layers.names))
    return NetworkPairRow.table(
        NetworkPairRow(
            population=parameters.population,
            cloud=parameters.cloud,
            measure=measure.name,
            kind=measure.kind,
            samples=layers.samples,
            layers=layers.names,
            depths=layers.depths,
            network_a=a,
            network_b=b,
            values=block.ravel().tolist(),
        )
        for (a, b), block in sorted(pairs.items())
    )


def _blocks(
    values: np.ndarray, rows: tuple[int, ...], columns: tuple[int, ...], layers: int
) -> dict[tuple[int, int], np.ndarray]:
    """Cut the matrix of all layers of all networks into one block per pair of networks."""
    return {
        (a, b): values[i * layers : (i + 1) * layers, j * layers : (j + 1) * layers]
        for i, a in enumerate(rows)
        for j, b in enumerate(columns)
    }


def _read(measure: Measure, parameters: LayerDistanceParameters, arguments: argparse.Namespace) -> Layers:
    """Read clouds or bars of all networks of a block."""
    names: dict[int, list[tuple[int, str]]] = {}
    of_network: dict[int, list[Any]] = {}
    samples = set()
    if measure.takes == "clouds":
        for cloud in read_network(arguments.clouds, parameters.population, parameters.cloud):
            origin = cloud.origin
            names.setdefault(origin.network, []).append((origin.depth, origin.layer))
            of_network.setdefault(origin.network, []).append(sampled(cloud))
            samples.add(len(cloud.points))
    else:
        for path in arguments.barcodes:
            for which, bars in bars_by_layer(read_table(path, ActivationBarRow.schema)):
                if (which["population"], which["cloud"]) != (parameters.population, parameters.cloud):
                    raise InputError(f"{path} holds bars of {which['cloud']} of {which['population']}")
                where = f"{path}, layer {which['layer']}"
                if measure.takes == "scaled diagrams":
                    bars = scaled_bars(bars, which["median_distance"], where)
                names.setdefault(which["network"], []).append((which["depth"], which["layer"]))
                of_network.setdefault(which["network"], []).append(bars)
                samples.add(which["points"])
    asked = {*parameters.rows, *parameters.columns}
    missing = sorted(asked - set(names))
    if missing:
        raise InputError(
            f"{parameters.population}, cloud {parameters.cloud}: no file of network {missing[0]} was given"
        )
    layers = names[min(asked)]
    for network in sorted(asked):
        if names[network] != layers:
            raise InputError(
                f"{parameters.population}: networks {min(asked)} and {network} have other layers: "
                f"{', '.join(name for _, name in layers)} against {', '.join(name for _, name in names[network])}"
            )
    if len(samples) > 1:
        raise InputError(
            f"{parameters.population}, cloud {parameters.cloud}: clouds hold {min(samples)} and {max(samples)} points: "
            "a distance between them would compare sizes, not layers; draw all of the same images"
        )
    return Layers(tuple(name for _, name in layers), tuple(depth for depth, _ in layers), samples.pop(), of_network)


def bars_by_layer(table: pa.Table) -> list[tuple[dict[str, Any], np.ndarray]]:
    """Split a table of bars by layer, nearest the image first: what each is, and its finite H1 bars."""
    keys = ["population", "cloud", "network", "layer", "depth", "points", "median_distance"]
    loops = table.filter(pc.equal(table["dimension"], 1))
    found = []
    for which in sorted(table.group_by(keys).aggregate([]).to_pylist(), key=lambda row: (row["network"], row["depth"])):
        mine = pc.and_(pc.equal(loops["network"], which["network"]), pc.equal(loops["depth"], which["depth"]))
        bars = loops.filter(mine)
        found.append((which, np.column_stack([bars["birth"].to_numpy(), bars["death"].to_numpy()])))
    return found
