"""`cnn-topology reference`: write what is generated from the config models, the row types and docstrings."""

import argparse
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.plan.reference import json_schema, key_reference
from cnn_topology.runs.api_page import api_page
from cnn_topology.storage.atomic import atomic_path
from cnn_topology.tables.dictionary import data_dictionary

TABLES = Path("docs/tables.md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments: the files lie in the checkout that a person stands in."""


def run(arguments: argparse.Namespace) -> None:
    """Write all files.

    Raises
    ------
    InputError
        If they are not there, as outside of a checkout.
    """
    if not TABLES.is_file():
        raise InputError(f"{TABLES}: no such file here; start in the checkout")
    texts = {
        Path("config/README.md"): key_reference(),
        Path("workflow/schemas/config.schema.json"): json_schema(),
        TABLES: data_dictionary(TABLES.read_text(encoding="utf-8")),
        Path("docs/api.md"): api_page(),
    }
    for path, text in texts.items():
        with atomic_path(path, checksum=False) as temporary:
            temporary.write_text(text, encoding="utf-8")
        print(path)
