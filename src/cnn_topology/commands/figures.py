"""`cnn-topology figures`: draw figures from tables, and write their interactive pages and captions."""

from cnn_topology.figures.drawing import draw, page
from cnn_topology.figures.registry import FigureParameters
from cnn_topology.figures.style import save
from cnn_topology.runs.job import Job
from cnn_topology.storage.atomic import write_text
from cnn_topology.storage.notes import combined_notes
from cnn_topology.storage.tables import read_notes
from cnn_topology.tables.registry import read_tables


def run(job: Job) -> None:
    """Draw the figures."""
    specs, folder = job.parameters(FigureParameters).specs, job.outputs("figures")[0].parent
    kinds = [spec.declared for spec in specs]
    # A figure that is drawn alone reads fewer tables than its section.
    needed = {table for kind in kinds for table in kind.tables}
    paths = [path for path in job.inputs("tables") if path.stem in needed]
    tables, notes_of = read_tables(paths), {path.stem: read_notes(path) for path in paths}
    for spec, kind in zip(specs, kinds, strict=True):
        notes = combined_notes([notes_of[name] for name in kind.tables if name in notes_of])
        if kind.draw:
            figure, drawn = draw(spec, tables, notes)
            save(figure, folder, spec.name, drawn, notes)
        if kind.page:
            write_text(folder / f"{spec.name}.html", page(spec, tables, notes))
        write_text(folder / f"{spec.name}.txt", f"{kind.caption}\n")
