"""`cnn-topology reference`: write what is generated from the config models."""

import argparse
from pathlib import Path

from cnn_topology.plan.reference import json_schema, key_reference
from cnn_topology.storage.atomic import atomic_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--keys", type=Path, default=Path("config/README.md"), help="the key reference")
    parser.add_argument(
        "--schema", type=Path, default=Path("workflow/schemas/config.schema.json"), help="the JSON schema"
    )


def run(arguments: argparse.Namespace) -> None:
    """Write both files."""
    for path, text in ((arguments.keys, key_reference()), (arguments.schema, json_schema())):
        with atomic_path(path, checksum=False) as temporary:
            temporary.write_text(text)
        print(path)
