"""`cnn-topology layer-distances`: all layers of some networks against all layers of others, by every measure asked."""

from cnn_topology.activations.cloud_file import read_network
from cnn_topology.analysis.network_pairs import network_pairs, prepared_layers
from cnn_topology.comparison.measures import measure_named
from cnn_topology.plan.layer_parameters import LayerDistanceParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.layers import ActivationBarRow, NetworkPairRow
from cnn_topology.tables.rows import joined


def run(job: Job) -> None:
    """Compare all pairs of networks of the block."""
    parameters = job.parameters(LayerDistanceParameters)
    paths, parts_of_bars = job.inputs("clouds"), job.inputs("barcodes")
    clouds = read_network(paths, parameters.population, parameters.cloud)
    bars = [read_table(path, ActivationBarRow.schema) for path in parts_of_bars]
    measures = [measure_named(name) for name in parameters.measures]
    one_of = {measure.takes: measure for measure in measures}
    layers = {takes: prepared_layers(measure, clouds, bars, parameters) for takes, measure in one_of.items()}
    parts = []
    for measure in measures:
        part = network_pairs(measure, layers[measure.takes], parameters, job.threads)
        parts.append(part)
        count = len(layers[measure.takes].names)
        print(f"{measure.name} ({measure.kind}): {part.num_rows} pairs of networks, {count} layers", flush=True)
    upstream = [*map(read_metadata, paths), *map(read_notes, parts_of_bars)]
    schema = NetworkPairRow.schema
    write_table(job.output("network_pairs"), joined(parts, schema), schema, parameters.notes(upstream))
