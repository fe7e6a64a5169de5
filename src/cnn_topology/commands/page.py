"""`cnn-topology page`: write the page of a run: what was found, the claims, all figures by question."""

import cnn_topology
from cnn_topology.plan.findings import PageParameters
from cnn_topology.runs.job import Job
from cnn_topology.storage.atomic import atomic_path
from cnn_topology.storage.notes import combined_notes
from cnn_topology.summary.page import PageFigure, run_page
from cnn_topology.tables.registry import read_tables


def run(job: Job) -> None:
    """Write the page."""
    parameters = job.parameters(PageParameters)
    folder = job.output("page").parent / "figures"
    figures = [
        PageFigure(
            shown.name,
            shown.question,
            (folder / f"{shown.name}.txt").read_text(encoding="utf-8").strip(),
            folder / f"{shown.name}.png" if shown.printed else None,
            shown.interactive,
        )
        for shown in parameters.figures
    ]
    notes = combined_notes(job.upstream("tables")) if job.inputs("tables") else {}
    tables = read_tables(job.inputs("tables"))
    text = run_page(parameters.run, parameters.facts, tables, figures, notes, cnn_topology.__version__)
    with atomic_path(job.output("page")) as temporary:
        temporary.write_text(text, encoding="utf-8")
