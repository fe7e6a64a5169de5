"""`cnn-topology activation-mapper`: mapper graphs and purity of some layers of one activation cloud of one network."""

import pyarrow as pa

from cnn_topology.activations.cloud_file import read_cloud
from cnn_topology.analysis.activation_graph import graph_tables
from cnn_topology.errors import InputError
from cnn_topology.plan.activation_graphs import ActivationMapperParameters
from cnn_topology.runs.job import Job
from cnn_topology.tables.activation_graphs import ActivationGraphRow
from cnn_topology.tables.registry import GRAPH_ROWS


def run(job: Job) -> None:
    """Build the graph of every layer of the block."""
    parameters = job.parameters(ActivationMapperParameters)
    # The radius that was found on the cloud without noise.
    clean = {row["layer"]: row["eps"] for row in job.read_rows(ActivationGraphRow, "clean").to_pylist()}
    parts: list[dict[str, pa.Table]] = []
    for (layer, settings), path in zip(parameters.job.settings.items(), job.inputs("clouds"), strict=True):
        cloud = read_cloud(path)
        if cloud.origin.layer.name != layer:
            raise InputError(f"{path}: holds layer {cloud.origin.layer.name}, the parameters say {layer}")
        if settings.eps_from == "clean":
            settings = settings.model_copy(update={"eps": clean[layer]})
        made = graph_tables(cloud, parameters, settings)
        (graph,) = made["activation_graphs"].to_pylist()
        told = "{layer}: eps {eps:g} ({eps_from}), {nodes} nodes, {edges} edges. {explanation}"
        print(told.format(**graph), flush=True)
        parts.append(made)
    job.write_tables(GRAPH_ROWS, parts, job.notes(parameters))
