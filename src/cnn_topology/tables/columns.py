"""Types of columns, and how a schema is put together of them."""

import pyarrow as pa

TEXT, INT, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()


def schema(**columns: pa.DataType) -> pa.Schema:
    """Make a schema of columns in the order given."""
    return pa.schema(list(columns.items()))


def list_of(kind: pa.DataType) -> pa.DataType:
    """Give the type of a list, named as Parquet names what it holds: a table read back equals the one written."""
    return pa.list_(pa.field("element", kind))
