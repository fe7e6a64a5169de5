"""`cnn-topology figures`: draw figures from tables, and write their interactive pages and captions."""

import argparse
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from cnn_topology.errors import InputError, unknown
from cnn_topology.figures.drawing import draw, page
from cnn_topology.figures.kinds import FigureSpec
from cnn_topology.figures.registry import kinds
from cnn_topology.figures.style import save
from cnn_topology.storage.atomic import atomic_path
from cnn_topology.storage.lineage import combined_notes
from cnn_topology.storage.tables import read_notes
from cnn_topology.tables.registry import read_tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--specs", required=True, type=json.loads, help="JSON: a list of name, kind, parameters")
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
        kind = spec.declared
        notes = combined_notes([notes_of[name] for name in kind.tables if name in notes_of])
        if kind.draw:
            figure, drawn = draw(spec, tables, notes)
            save(figure, arguments.folder, spec.name, drawn, notes)
        texts = {"html": page(spec, tables, notes)} if kind.page else {}
        for suffix, text in {**texts, "txt": f"{kind.caption}\n"}.items():
            with atomic_path(arguments.folder / f"{spec.name}.{suffix}") as temporary:
                temporary.write_text(text, encoding="utf-8")


def read_spec(content: dict[str, Any]) -> FigureSpec:
    """Read what a rule says of a figure.

    Raises
    ------
    InputError
        If a key is missing or not known, or its kind is unknown.
    """
    keys = {field.name for field in fields(FigureSpec)}
    if not isinstance(content, dict) or set(content) != keys:
        raise InputError(f"--specs: expected JSON objects with the keys {', '.join(sorted(keys))}, found {content!r}")
    spec = FigureSpec(**content)
    if spec.kind not in kinds():
        raise unknown("kind of figure", spec.kind, kinds())
    return spec
