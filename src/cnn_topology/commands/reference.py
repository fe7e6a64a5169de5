"""`cnn-topology reference`: write what is generated from the config models, the row types and docstrings."""

import argparse
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.plan.reference import json_schema, key_reference
from cnn_topology.runs.api_page import api_page
from cnn_topology.storage.atomic import atomic_path
from cnn_topology.tables.dictionary import data_dictionary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--keys", type=Path, default=Path("config/README.md"), help="the key reference")
    parser.add_argument(
        "--schema", type=Path, default=Path("workflow/schemas/config.schema.json"), help="the JSON schema"
    )
    parser.add_argument("--tables", type=Path, default=Path("docs/tables.md"), help="the data dictionary")
    parser.add_argument("--api", type=Path, default=Path("docs/api.md"), help="the names for use from Python")


def run(arguments: argparse.Namespace) -> None:
    """Write all files.

    Raises
    ------
    InputError
        If the folder of one is not there, as outside of a checkout.
    """
    texts = {
        arguments.keys: key_reference(),
        arguments.schema: json_schema(),
        arguments.tables: data_dictionary(),
        arguments.api: api_page(),
    }
    for path in texts:
        if not path.parent.is_dir():
            raise InputError(
                f"{path}: no folder {path.parent} here; start in the checkout, or name a file in another one"
            )
    for path, text in texts.items():
        with atomic_path(path, checksum=False) as temporary:
            temporary.write_text(text)
        print(path)
