"""A table is one class: its fields are the columns, with type, meaning and unit.

The class makes the rows, so that a misspelt or missing column is an error of types; it is the schema that files are
checked by; and its meanings stand in every file as metadata of the columns and in `docs/tables.md`.
"""

import dataclasses
import types
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Self, Union, dataclass_transform, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa

from cnn_topology.errors import unknown

_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), bytes: pa.binary()}
_SCALARS = (str, bytes, bool, int, float, np.generic, type(None))


def column(
    meaning: str,
    unit: str = "",
    *,
    names: Sequence[str] = (),
    kind: pa.DataType | None = None,
    default: Any = dataclasses.MISSING,
) -> Any:
    """Describe a column of a table; the type follows from the annotation of the field.

    Parameters
    ----------
    meaning : str
        One line for a person who reads the table.
    unit : str
        Unit or range of its values; empty for names and identifiers.
    names : sequence of str
        Of a field that holds one value for each of several columns: the names of these.
    kind : pyarrow.DataType, optional
        Type of the column where it is not the usual one of the annotation.
    default : object, optional
        Value where a row does not say one; only None, for a value that such a row does not have.
    """
    metadata = {"meaning": meaning, "unit": unit, "names": tuple(names), "kind": kind}
    return dataclasses.field(metadata=metadata, default=default)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(column,))
class Row:
    """One row of a table; ``class LoopRow(Row, table="loops")`` declares one.

    Attributes
    ----------
    table_name : str
        Name of the table, which is that of its file; empty for a base class that tables share.
    schema : pyarrow.Schema
        Columns with their types, each with its `description` and `unit` as metadata.
    """

    table_name: ClassVar[str]
    schema: ClassVar[pa.Schema]

    def __init_subclass__(cls, table: str = "") -> None:
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        cls.table_name = table
        cls.schema = pa.schema([field for spec, kind, _ in _columns(cls) for field in _fields(spec, kind)])

    @classmethod
    def columns(cls, **columns: Any) -> pa.Table:
        """Return a table from its columns.

        Parameters
        ----------
        **columns : array-like or scalar
            One entry for each field: an array with a value a row, (rows, n) for a field that fills n columns, or one
            value that all rows have.

        Returns
        -------
        pyarrow.Table
            With the schema of this class.

        Raises
        ------
        TypeError
            If a column is missing or is none of this table, or a value is missing where the table needs one.
        """
        expected = {spec.name: (spec, kind, optional) for spec, kind, optional in _columns(cls)}
        for name in columns:
            if name not in expected:
                raise TypeError(str(unknown(f"column of {cls.__name__}", name, expected)))
        if missing := sorted(expected.keys() - columns.keys()):
            raise TypeError(f"{cls.__name__} lacks the column {missing[0]}")
        lengths = {len(values) for values in columns.values() if not isinstance(values, _SCALARS)}
        if len(lengths) != 1:
            raise TypeError(f"{cls.__name__}: columns have different lengths: {sorted(lengths) or 'none has one'}")
        rows = lengths.pop()
        arrays: list[pa.Array] = []
        for name, (spec, kind, optional) in expected.items():
            arrays += _arrays(columns[name], spec, kind, rows)
            if not optional and any(array.null_count for array in arrays[-max(1, len(spec.metadata["names"])) :]):
                raise TypeError(f"{cls.__name__}.{name}: a row has no value")
        return pa.table(arrays, schema=cls.schema)

    @classmethod
    def table(cls, rows: Iterable[Self]) -> pa.Table:
        """Return the table of some rows, in their order.

        Raises
        ------
        TypeError
            If an entry is no row of this table, or a value is missing where the table needs one.
        """
        listed = list(rows)
        if strangers := {type(row).__name__ for row in listed if type(row) is not cls}:
            raise TypeError(f"{sorted(strangers)[0]} is no row of {cls.__name__}")
        return cls.columns(**{spec.name: [getattr(row, spec.name) for row in listed] for spec in _specs(cls)})


def _specs(cls: type[Row]) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)  # type: ignore[arg-type]  # a dataclass from `__init_subclass__` on


def _columns(cls: type[Row]) -> Iterator[tuple[dataclasses.Field[Any], pa.DataType, bool]]:
    """Yield each field of a table with the type of its columns and whether a row may lack it."""
    hints = get_type_hints(cls)
    for spec in _specs(cls):
        kinds = get_args(hints[spec.name]) if get_origin(hints[spec.name]) in (Union, types.UnionType) else ()
        optional = type(None) in kinds
        hint = next((kind for kind in kinds if kind is not type(None)), hints[spec.name])
        element = get_args(hint)[0] if get_args(hint) else hint
        kind = spec.metadata["kind"] or _TYPES[element]
        # Parquet names what a list holds `element`: a table read back equals the one that was written.
        is_list = bool(get_args(hint)) and not spec.metadata["names"]
        yield spec, pa.list_(pa.field("element", kind)) if is_list else kind, optional


def _fields(spec: dataclasses.Field[Any], kind: pa.DataType) -> list[pa.Field]:
    metadata = {"description": spec.metadata["meaning"], "unit": spec.metadata["unit"]}
    return [pa.field(name, kind, metadata=metadata) for name in spec.metadata["names"] or (spec.name,)]


def _arrays(values: Any, spec: dataclasses.Field[Any], kind: pa.DataType, rows: int) -> list[pa.Array]:
    """Return the columns of one field."""
    names = spec.metadata["names"]
    if names:
        parts = np.reshape(values, (rows, len(names)))
        return [pa.array(parts[:, place], kind) for place in range(len(names))]
    if isinstance(values, _SCALARS):
        return [pa.repeat(pa.scalar(values).cast(kind) if values is not None else pa.scalar(None, kind), rows)]
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, np.ndarray) and values.ndim == 2:  # as many entries in each row
        ends = np.arange(rows + 1, dtype=np.int32) * values.shape[1]
        values = pa.ListArray.from_arrays(pa.array(ends), pa.array(values.ravel()))
    if pa.types.is_integer(kind) and not isinstance(values, pa.Array):
        values = pa.array(values)  # the cast refuses fractions, which `pa.array(values, kind)` cuts off
    return [values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)]


def joined(parts: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Join the parts of a table; no parts give a table of `schema` without rows."""
    return pa.concat_tables(parts) if parts else schema.empty_table()


def matching(table: pa.Table, **equal: Any) -> pa.Table:
    """Return the rows of a table in which each named column has the given value."""
    import pyarrow.compute as pc  # slow to load, and not needed while rules are parsed

    for name, value in equal.items():
        table = table.filter(pc.equal(table[name], pa.scalar(value, table.schema.field(name).type)))
    return table
