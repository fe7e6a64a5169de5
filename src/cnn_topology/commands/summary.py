"""`cnn-topology summary`: print in a few lines what a run found."""

from cnn_topology.plan.findings import SummaryParameters
from cnn_topology.runs.job import Job
from cnn_topology.storage.atomic import write_text
from cnn_topology.summary.lines import summary_lines
from cnn_topology.tables.registry import read_tables


def run(job: Job) -> None:
    """Write the summary."""
    tables, parameters = read_tables(job.inputs("tables")), job.parameters(SummaryParameters)
    lines = summary_lines(parameters.facts, tables, parameters.remarks)
    text = "\n".join(lines) + "\n"
    write_text(job.output("summary"), text)
    print(text, end="")
