"""Tables that a job reads and writes, by their row types and the names of its files, and the notes of what it makes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from cnn_topology.runs.job_files import Job
from cnn_topology.storage.tables import read_notes, read_table, write_finished_table, write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.row import Row, joined

if TYPE_CHECKING:
    from cnn_topology.plan.parameters import Parameters


def read_rows(job: Job, row_type: type[Row], name: str = "") -> pa.Table:
    """Read the table that the input files of a name make together; the name is that of the table by default.

    Raises
    ------
    InputError
        If a file is missing, altered or has other columns.
    """
    paths = job.inputs(name or row_type.table_name)
    return joined([read_table(path, row_type.schema) for path in paths], row_type.schema)


def write_rows(
    job: Job,
    row_type: type[Row],
    rows: pa.Table | Sequence[pa.Table] | Sequence[Row],
    notes: Mapping[str, str],
    name: str = "",
    *,
    finished: bool = False,
) -> None:
    """Write rows, or parts of a table, as the output file of a name; the name is that of the table by default.

    Parameters
    ----------
    job : Job
    row_type : type of Row
    rows : pyarrow.Table, or sequence of pyarrow.Table or of Row
    notes : mapping of str to str
    name : str
    finished : bool
        Whether people read it: a small one is written as .csv too.
    """
    if not isinstance(rows, pa.Table):
        parts = [part for part in rows if isinstance(part, pa.Table)]
        rows = joined(parts, row_type.schema) if len(parts) == len(rows) else row_type.table(rows)
    write = write_finished_table if finished else write_table
    write(job.output(name or row_type.table_name), rows, row_type.schema, notes)


def write_tables(
    job: Job,
    row_types: Iterable[type[Row]],
    parts: Sequence[Mapping[str, pa.Table]],
    notes: Mapping[str, str],
    *,
    finished: bool = False,
) -> None:
    """Write several tables, each joined from the parts of its name."""
    for row_type in row_types:
        write_rows(job, row_type, [part[row_type.table_name] for part in parts], notes, finished=finished)


def upstream(job: Job, *names: str) -> list[dict[str, str]]:
    """Read the notes of the input files of a job, or of those of some names."""
    paths = [path for name in names or job.read for path in job.inputs(name)]
    return [read_notes(path) if path.suffix == ".parquet" else read_metadata(path) for path in paths]


def notes_of(job: Job, parameters: "Parameters", *names: str) -> dict[str, str]:
    """Build the notes of what a job makes from its parameters and its input files, or from those of some names."""
    return parameters.notes(upstream(job, *names))
