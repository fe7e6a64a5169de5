"""`cnn-topology layer-distances`: all layers of some networks against all layers of others, by every measure asked."""

from cnn_topology.activations.cloud_file import read_network
from cnn_topology.analysis.network_pairs import network_pairs, prepared_layers
from cnn_topology.comparison.measures import measure_named
from cnn_topology.plan.activation_parameters import LayerDistanceParameters
from cnn_topology.runs.job import Job
from cnn_topology.storage.tables import read_table
from cnn_topology.tables.layers import ActivationBarRow, NetworkPairRow


def run(job: Job) -> None:
    """Compare all pairs of networks of the block."""
    parameters = job.parameters(LayerDistanceParameters)
    clouds = read_network(job.inputs("clouds"), parameters.population, parameters.cloud)
    bars = [read_table(path, ActivationBarRow.schema) for path in job.inputs("barcodes")]
    measures = [measure_named(name) for name in parameters.measures]
    one_of = {measure.takes: measure for measure in measures}
    layers = {takes: prepared_layers(measure, clouds, bars, parameters) for takes, measure in one_of.items()}
    parts = []
    for measure in measures:
        print(measure.name, flush=True)
        parts.append(network_pairs(measure, layers[measure.takes], parameters, job.threads))
    job.write_rows(NetworkPairRow, parts, job.notes(parameters))
