"""`cnn-topology reference`: write what is generated from the config models."""

import argparse
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.plan.reference import json_schema, key_reference
from cnn_topology.storage.atomic import atomic_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--keys", type=Path, default=Path("config/README.md"), help="the key reference")
    parser.add_argument(
        "--schema", type=Path, default=Path("workflow/schemas/config.schema.json"), help="the JSON schema"
    )


def run(arguments: argparse.Namespace) -> None:
    """Write both files.

    Raises
    ------
    InputError
        If the folder of one is not there, as outside of a checkout.
    """
    for path in (arguments.keys, arguments.schema):
        if not path.parent.is_dir():
            raise InputError(
                f"{path}: no folder {path.parent} here; start in the checkout, or name a file in another one"
            )
    for path, text in ((arguments.keys, key_reference()), (arguments.schema, json_schema())):
        with atomic_path(path, checksum=False) as temporary:
            temporary.write_text(text)
        print(path)
