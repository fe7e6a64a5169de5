"""`cnn-topology layer-distances`: all layers of some networks against all layers of others, by every measure asked."""

import argparse
from pathlib import Path

from cnn_topology.activations.cloud_file import read_network
from cnn_topology.analysis.network_pairs import network_pairs, prepared_layers
from cnn_topology.comparison.measures import measure_named
from cnn_topology.plan.layer_parameters import LayerDistanceParameters
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.layers import ActivationBarRow, NetworkPairRow
from cnn_topology.tables.rows import joined


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
    clouds = read_network(arguments.clouds, parameters.population, parameters.cloud)
    bars = [read_table(path, ActivationBarRow.schema) for path in arguments.barcodes]
    measures = [measure_named(name) for name in parameters.measures]
    one_of = {measure.takes: measure for measure in measures}
    layers = {takes: prepared_layers(measure, clouds, bars, parameters) for takes, measure in one_of.items()}
    parts = []
    for measure in measures:
        part = network_pairs(measure, layers[measure.takes], parameters, arguments.threads)
        parts.append(part)
        count = len(layers[measure.takes].names)
        print(f"{measure.name} ({measure.kind}): {part.num_rows} pairs of networks, {count} layers", flush=True)
    upstream = [read_metadata(path) for path in arguments.clouds]
    upstream += [read_notes(path) for path in arguments.barcodes]
    schema = NetworkPairRow.schema
    write_table(arguments.output, joined(parts, schema), schema, parameters.notes(upstream))
