"""Parquet tables with a fixed schema, written atomically, with a SHA-256 of the content that reading checks."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from cnn_topology.errors import InputError
from cnn_topology.storage.atomic import atomic_path, checksum_path
from cnn_topology.storage.notes import check_there, damaged, opened, sealed

CHECKSUM = "sha256"
# Finished tables of up to so many rows are also written as text, for people and spreadsheets.
TEXT_ROWS = 5_000
# A spreadsheet runs a cell that begins so, a name of a class for example, as a formula.
FORMULA = r"\A[=+\-@\t\r]"


def checksum(table: pa.Table) -> str:
    """Compute the SHA-256 of a table's columns, independent of its chunks and its metadata."""
    sink = _HashSink()
    # What columns mean is told in their metadata: a better word for it changes no content.
    plain = pa.table(table.combine_chunks().columns, names=table.column_names)
    # What memory holds under a null is arbitrary, and Parquet does not keep it: of such a column only the values that
    # are there count, and where they are.
    gaps = {name: plain[name] for name in plain.column_names if plain[name].null_count}
    parts = [plain.drop_columns(list(gaps))]
    parts += [pa.table({name: column}) for name, gap in gaps.items() for column in (gap.is_valid(), gap.drop_null())]
    with pa.PythonFile(sink, mode="w") as file:
        for part in parts:
            with pa.ipc.new_stream(file, part.schema) as stream:
                stream.write_table(part.combine_chunks())
    return sink.digest.hexdigest()


class _HashSink(io.RawIOBase):
    """The write end of a file that keeps nothing but the hash of what was written."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return len(data)


def write_table(path: Path, table: pa.Table, schema: pa.Schema, metadata: Mapping[str, str] | None = None) -> None:
    """Write a table atomically under `schema`, with metadata (seeds, hashes) and a checksum.

    Raises
    ------
    InputError
        If the table does not fit the schema, the disk is full or the folder cannot be written.
    """
    if set(table.column_names) != set(schema.names):
        raise InputError(f"{path}: columns {sorted(table.column_names)} do not fit the schema {sorted(schema.names)}")
    try:
        fitted = table.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as error:
        raise InputError(f"{path}: the table does not fit its schema: {error}") from error
    notes = sealed({**(metadata or {}), CHECKSUM: checksum(fitted)})
    with atomic_path(path) as temporary:
        pq.write_table(fitted.replace_schema_metadata(notes), temporary, compression="zstd")


def write_finished_table(
    path: Path, table: pa.Table, schema: pa.Schema, metadata: Mapping[str, str] | None = None
) -> None:
    """Write a table that people read, as `write_table`; a small one without nested columns also as .csv beside it.

    Raises
    ------
    InputError
        As `write_table`.
    """
    copy = path.with_suffix(".csv")
    if table.num_rows <= TEXT_ROWS and not any(pa.types.is_nested(field.type) for field in schema):
        write_csv(copy, table)
    else:  # that of an earlier, smaller table would pass for this one
        for stale in (copy, checksum_path(copy)):
            stale.unlink(missing_ok=True)
    # The Parquet file last: it is the rule's output, so all is there when it is.
    write_table(path, table, schema, metadata)


def write_csv(path: Path, table: pa.Table) -> None:
    """Write a small table as text, with an apostrophe before what a spreadsheet would take for a formula.

    Parameters
    ----------
    path : Path
        The file.
    table : Table
        Without nested columns.

    Raises
    ------
    InputError
        If the disk is full or the folder cannot be written.
    """
    import pyarrow.compute as pc  # slow to load, and not needed while rules are parsed

    columns = [
        pc.replace_substring_regex(column, FORMULA, r"'\0") if pa.types.is_string(column.type) else column
        for column in table.columns
    ]
    with atomic_path(path) as temporary:
        pyarrow.csv.write_csv(pa.table(columns, names=table.column_names), temporary)


def read_table(path: Path | str, schema: pa.Schema | None = None) -> pa.Table:
    """Read a table of a run and check it against its checksum and, where given, its schema.

    Parameters
    ----------
    path : Path or str
        A file ``results/<run>/tables/<table>.parquet``.
    schema : pyarrow.Schema, optional
        Columns and types that the table must have.

    Returns
    -------
    pyarrow.Table
        ``.to_pandas()`` makes a data frame of it.

    Raises
    ------
    InputError
        If the file is missing, cut short, altered, or has other columns than `schema`; names all that differ.

    Notes
    -----
    A file of this project alone; any reader of Parquet opens it too, without the checks.

    Examples
    --------
    After `make demo`:

    >>> import cnn_topology as ct
    >>> loops = ct.read_table("results/demo/tables/loops.parquet")
    >>> {"layer", "step", "longest", "verdict"} <= set(loops.column_names)
    True
    >>> frame = loops.to_pandas()
    """
    path = Path(path)
    check_there(path)
    try:
        # Memory mapping off and pre-buffering off: small tables by the hundred, read once each.
        table = pq.ParquetFile(path).read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(path, error) from error
    expected = _notes(table.schema, path).get(CHECKSUM)
    found = checksum(table)
    if expected != found:
        raise damaged(path, f"its content has SHA-256 {found}, its metadata says {expected or 'nothing'}")
    if schema is not None and (difference := schema_difference(table.schema, schema, ("the file", "this version"))):
        raise InputError(
            f"{path}: {difference}. Another version of this program wrote it: start the run again (Snakemake makes "
            "anew what changed), or read it with the version that its `provenance.json` names."
        )
    return table


def schema_difference(one: pa.Schema, other: pa.Schema, where: tuple[str, str]) -> str:
    """Describe in which columns two schemas differ; empty if in none.

    Parameters
    ----------
    one, other : pyarrow.Schema
    where : (str, str)
        What they are of, ``("the first run", "the second run")``.
    """
    mine, others = ({field.name: str(field.type) for field in schema} for schema in (one, other))
    lone = [
        [f"{name} ({kind})" for name, kind in columns.items() if name not in mine or name not in others]
        for columns in (mine, others)
    ]
    differences = [f"only {place} has {', '.join(names)}" for place, names in zip(where, lone, strict=True) if names]
    differences += [
        f"{name} is {mine[name]} in {where[0]} and {others[name]} in {where[1]}"
        for name in mine
        if name in others and mine[name] != others[name]
    ]
    if not differences and one.names != other.names:
        return f"the columns stand in another order in {where[1]}"
    return "; ".join(differences)


def read_notes(path: Path) -> dict[str, str]:
    """Read the string metadata of a table alone.

    Raises
    ------
    InputError
        If the file is missing, cut short or altered.
    """
    check_there(path)
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise damaged(path, error) from error
    return _notes(schema, path)


def _notes(schema: pa.Schema, path: Path) -> dict[str, str]:
    try:
        notes = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    except UnicodeDecodeError as error:
        raise damaged(path, error) from error
    return opened({key: value for key, value in notes.items() if not key.startswith("ARROW:")}, path)
