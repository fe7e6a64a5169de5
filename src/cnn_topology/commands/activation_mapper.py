"""`cnn-topology activation-mapper`: mapper graphs and purity of some layers of one activation cloud of one network."""

from pathlib import Path

import pyarrow as pa

from cnn_topology.activations.cloud_file import read_cloud
from cnn_topology.analysis.activation_graph import graph_tables
from cnn_topology.errors import InputError
from cnn_topology.plan.activation_graphs import ActivationMapperParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.activation_graphs import (
    ActivationGraphRow,
)
from cnn_topology.tables.registry import GRAPH_ROWS
from cnn_topology.tables.rows import joined


def run(job: Job) -> None:
    """Build the graph of every layer of the block."""
    parameters = job.parameters(ActivationMapperParameters)
    clean = _clean_radii(job.inputs("clean"))
    parts: list[dict[str, pa.Table]] = []
    for (layer, settings), path in zip(parameters.layers.items(), job.inputs("clouds"), strict=True):
        cloud = read_cloud(path)
        if cloud.origin.layer != layer:
            raise InputError(f"{path}: holds layer {cloud.origin.layer}, the parameters say {layer}")
        if settings.eps_from == "clean":
            settings = settings.model_copy(update={"eps": clean[layer]})
        made = graph_tables(cloud, parameters, settings)
        row = made["activation_graphs"].to_pylist()[0]
        purity = made["purity"].to_pylist()[0]
        print(
            f"{layer}: eps {row['eps']:g} ({row['eps_from']}), {row['nodes']} nodes, {row['edges']} edges, "
            f"coverage {row['coverage']:.2f}, node-wise purity {purity['node_wise']:.3f} "
            f"(chance {purity['chance']:.3f}){'. ' + row['explanation'] if row['explanation'] else ''}",
            flush=True,
        )
        parts.append(made)
    upstream = [*map(read_metadata, job.inputs("clouds")), *map(read_notes, job.inputs("clean"))]
    notes = parameters.notes(upstream)
    for row_type in GRAPH_ROWS:
        name = row_type.table_name
        table = joined([part[name] for part in parts], row_type.schema)
        write_table(job.output(name), table, row_type.schema, notes)


def _clean_radii(paths: list[Path]) -> dict[str, float]:
    """Read the radius that was found on the cloud without noise for each layer."""
    tables = [read_table(path, ActivationGraphRow.schema) for path in paths]
    return {row["layer"]: row["eps"] for table in tables for row in table.to_pylist()}
