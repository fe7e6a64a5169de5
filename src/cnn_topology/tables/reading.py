"""Reading the tables of a run by the names of their files."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from cnn_topology.errors import unknown
from cnn_topology.storage.tables import read_table
from cnn_topology.tables.schemas import TABLES


def read_tables(paths: Iterable[Path]) -> dict[str, pa.Table]:
    """Read tables, each named as in `tables.schemas`.

    Raises
    ------
    InputError
        If a file is not named after a table, or is missing or altered.
    """
    found = list(paths)
    for path in found:
        if path.stem not in TABLES:
            raise unknown(f"table {path}", path.stem, TABLES)
    return {path.stem: read_table(path, TABLES[path.stem]) for path in found}
