"""`cnn-topology claims`: test the claims of the papers by the tables of a run."""

from cnn_topology.claims.activations import ACTIVATIONS_CLAIMS
from cnn_topology.claims.framework import evaluate
from cnn_topology.claims.weights import WEIGHTS_CLAIMS
from cnn_topology.plan.findings import ClaimParameters
from cnn_topology.runs.job import Job
from cnn_topology.tables.findings import ClaimRow
from cnn_topology.tables.registry import read_tables

PAPERS = {"weights": WEIGHTS_CLAIMS, "activations": ACTIVATIONS_CLAIMS}


def run(job: Job) -> None:
    """Test all claims."""
    parameters = job.parameters(ClaimParameters)
    tables = {name: table.to_pandas() for name, table in read_tables(job.inputs("tables")).items()}
    rows = [row for paper, claims in PAPERS.items() for row in evaluate(paper, claims, tables, parameters.facts)]
    job.write_rows(ClaimRow, rows, job.notes(parameters), finished=True)
