"""`cnn-topology measure-tests`: what the measures say about the layers, and the tests of the measures."""

from cnn_topology.analysis.layer_comparison import layer_tables
from cnn_topology.plan.activation_parameters import MeasureTestParameters
from cnn_topology.runs.job import Job
from cnn_topology.storage.notes import combined_notes
from cnn_topology.tables.layers import ComponentCurveRow, NetworkPairRow
from cnn_topology.tables.registry import MEASURE_ROWS


def run(job: Job) -> None:
    """Gather the values of every cloud and measure, and test them."""
    parameters = job.parameters(MeasureTestParameters)
    pairs, curves = job.read_rows(NetworkPairRow, "pairs"), job.read_rows(ComponentCurveRow, "curves")
    tables = layer_tables(pairs, curves, parameters)
    job.write_tables(MEASURE_ROWS, [tables], combined_notes(job.upstream()), finished=True)
