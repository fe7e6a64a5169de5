"""`cnn-topology measure-tests`: what the measures say about the layers, and the tests of the measures."""

import pyarrow as pa

from cnn_topology.analysis.layer_comparison import layer_tables
from cnn_topology.plan.layer_parameters import MeasureTestParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.storage.lineage import combined_notes
from cnn_topology.storage.tables import read_notes, read_table, write_finished_table
from cnn_topology.tables.layers import ComponentCurveRow, NetworkPairRow
from cnn_topology.tables.registry import MEASURE_ROWS


def run(job: Job) -> None:
    """Gather the values of every cloud and measure, and test them."""
    parameters = job.parameters(MeasureTestParameters)
    paths, curve_paths = job.inputs("pairs"), job.inputs("curves")
    pairs = pa.concat_tables([read_table(path, NetworkPairRow.schema) for path in paths])
    curves = ComponentCurveRow.table([])
    if curve_paths:
        curves = pa.concat_tables([read_table(path, ComponentCurveRow.schema) for path in curve_paths])
    tables = layer_tables(pairs, curves, parameters)
    notes = combined_notes(read_notes(path) for path in [*paths, *curve_paths])
    for row_type in MEASURE_ROWS:
        name = row_type.table_name
        write_finished_table(job.output(name), tables[name], row_type.schema, notes)
    for row in tables["measure_tests"].to_pylist():
        print("{population}, {cloud}, {measure}, {test}: {statistic:.3f} ({low:.3f} to {high:.3f})".format(**row))
