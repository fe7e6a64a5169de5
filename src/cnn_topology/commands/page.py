"""`cnn-topology page`: write one interactive page of mapper graphs from tables."""

import argparse
import json
from pathlib import Path

from cnn_topology.commands.figure import read_spec
from cnn_topology.figures import activation_page, mapper_page
from cnn_topology.plan.lineage import combined_notes
from cnn_topology.storage.atomic import atomic_path
from cnn_topology.storage.tables import read_notes
from cnn_topology.tables.reading import read_tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--spec",
        required=True,
        type=json.loads,
        help="JSON: that of the figure of kind mapper, or of kind activation_page",
    )
    parser.add_argument("--tables", required=True, nargs="+", type=Path, help="the tables it reads, named as such")
    parser.add_argument("--output", required=True, type=Path, help="the page (.html)")


def run(arguments: argparse.Namespace) -> None:
    """Write the page."""
    spec, tables = read_spec(arguments.spec), read_tables(arguments.tables)
    page = {"mapper": mapper_page.page, "activation_page": activation_page.page}[spec.kind]
    text = page(spec.parameters, tables, combined_notes(read_notes(path) for path in arguments.tables))
    with atomic_path(arguments.output) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(f"{arguments.output}: {len(text) / 1e6:.1f} MB")
