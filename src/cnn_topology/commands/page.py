"""`cnn-topology page`: write the page of a run: what was found, the claims, all figures by question."""

from cnn_topology.plan.findings import PageParameters
from cnn_topology.runs.job import Job
from cnn_topology.storage.atomic import write_text
from cnn_topology.summary.page import run_page
from cnn_topology.tables.registry import read_tables


def run(job: Job) -> None:
    """Write the page."""
    parameters = job.parameters(PageParameters)
    tables, folder = read_tables(job.inputs("tables")), job.output("page").parent / "figures"
    text = run_page(parameters.run, parameters.facts, tables, parameters.figures, folder, parameters.run_seed)
    write_text(job.output("page"), text)
