"""`cnn-topology summary`: say in a few lines what a run found."""

from cnn_topology.plan.findings import SummaryParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.storage.atomic import atomic_path
from cnn_topology.storage.lineage import combined_notes
from cnn_topology.storage.tables import read_notes
from cnn_topology.summary.lines import summary_lines
from cnn_topology.tables.registry import read_tables


def run(job: Job) -> None:
    """Write the summary."""
    paths, parameters = job.inputs("tables"), job.parameters(SummaryParameters)
    tables, notes = read_tables(paths), combined_notes(map(read_notes, paths))
    text = "\n".join(summary_lines(tables, notes, parameters.left_out)) + "\n"
    with atomic_path(job.output("summary")) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(text, end="")
