"""`cnn-topology figure`: draw one figure from tables."""

import argparse
import json
from pathlib import Path

from cnn_topology.figures.registry import FigureSpec, draw
from cnn_topology.figures.style import save
from cnn_topology.plan.parameters import combined_notes
from cnn_topology.storage.tables import read_notes, read_table
from cnn_topology.tables.schemas import TABLES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--spec", required=True, type=json.loads, help="JSON: name, kind, tables, parameters")
    parser.add_argument("--tables", nargs="*", default=[], type=Path, help="the tables it reads, named as such")
    parser.add_argument("--output", required=True, nargs=3, type=Path, help="the figure as .pdf and .png, its data")


def run(arguments: argparse.Namespace) -> None:
    """Draw the figure."""
    spec = FigureSpec(**arguments.spec)
    tables = {path.stem: read_table(path, TABLES[path.stem]) for path in arguments.tables}
    notes = combined_notes(read_notes(path) for path in arguments.tables)
    figure, drawn = draw(spec, tables, notes)
    save(figure, arguments.output[0].parent, spec.name, drawn, notes)
