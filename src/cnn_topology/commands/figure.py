"""`cnn-topology figure`: draw one figure from tables."""

import argparse
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from cnn_topology.errors import InputError
from cnn_topology.figures.drawing import draw
from cnn_topology.figures.kinds import FigureSpec
from cnn_topology.figures.style import save
from cnn_topology.plan.lineage import combined_notes
from cnn_topology.storage.tables import read_notes
from cnn_topology.tables.reading import read_tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--spec", required=True, type=json.loads, help="JSON: name, kind, tables, parameters")
    parser.add_argument("--tables", nargs="*", default=[], type=Path, help="the tables it reads, named as such")
    parser.add_argument("--output", required=True, nargs=3, type=Path, help="the figure as .pdf and .png, its data")


def run(arguments: argparse.Namespace) -> None:
    """Draw the figure."""
    spec, tables = read_spec(arguments.spec), read_tables(arguments.tables)
    notes = combined_notes(read_notes(path) for path in arguments.tables)
    figure, drawn = draw(spec, tables, notes)
    save(figure, arguments.output[0].parent, arguments.output[0].stem, drawn, notes)


def read_spec(content: dict[str, Any]) -> FigureSpec:
    """Read what a rule says of a figure.

    Raises
    ------
    InputError
        If a key is missing or not known.
    """
    keys = {field.name for field in fields(FigureSpec)}
    if not isinstance(content, dict) or set(content) != keys:
        raise InputError(f"--spec: expected a JSON object with the keys {', '.join(sorted(keys))}, found {content!r}")
    return FigureSpec(**content)
