"""`cnn-topology figures`: draw figures from tables, and write their interactive pages."""

import argparse
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from cnn_topology.errors import InputError, unknown
from cnn_topology.figures.drawing import draw, page
from cnn_topology.figures.kinds import PAGES, PAGES_ALONE, FigureSpec
from cnn_topology.figures.style import save
from cnn_topology.storage.atomic import atomic_path
from cnn_topology.storage.lineage import combined_notes
from cnn_topology.storage.tables import read_notes
from cnn_topology.tables.registry import read_tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--specs", required=True, type=json.loads, help="JSON: a list of name, kind, tables, parameters"
    )
    parser.add_argument("--tables", nargs="*", default=[], type=Path, help="the tables they read, named as such")
    parser.add_argument("--folder", required=True, type=Path, help="where the figures go: NAME.pdf, .png, .html ...")
    parser.add_argument("--only", metavar="NAME", help="draw this one alone")


def run(arguments: argparse.Namespace) -> None:
    """Draw the figures."""
    specs = {spec.name: spec for spec in map(read_spec, arguments.specs)}
    if arguments.only:
        if arguments.only not in specs:
            raise unknown("figure in --only", arguments.only, specs)
        specs = {arguments.only: specs[arguments.only]}
    tables = read_tables(arguments.tables)
    notes_of = {path.stem: read_notes(path) for path in arguments.tables}
    for spec in specs.values():
        of_tables = [notes_of[name] for name in spec.tables if name in notes_of]
        # A figure that reads no table is the same in every run: a hash of nothing would look like one of the run's.
        notes = combined_notes(of_tables) if of_tables else {}
        if spec.kind not in PAGES_ALONE:
            figure, drawn = draw(spec, tables, notes)
            save(figure, arguments.folder, spec.name, drawn, notes)
        if spec.kind in PAGES:
            text = page(spec, tables, notes)
            with atomic_path(arguments.folder / f"{spec.name}.html") as temporary:
                temporary.write_text(text, encoding="utf-8")


def read_spec(content: dict[str, Any]) -> FigureSpec:
    """Read what a rule says of a figure.

    Raises
    ------
    InputError
        If a key is missing or not known.
    """
    keys = {field.name for field in fields(FigureSpec)}
    if not isinstance(content, dict) or set(content) != keys:
        raise InputError(f"--specs: expected JSON objects with the keys {', '.join(sorted(keys))}, found {content!r}")
    return FigureSpec(**content)
