"""Rows of tables about one cloud: reading them out of the clouds of a layer, and saying which cloud they belong to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnn_topology.tables.schemas import FILTER_COORDINATES


def cloud_at(clouds: pa.Table, step: int) -> tuple[pa.Table, np.ndarray]:
    """Give the rows of one step of a layer's clouds, and their filters as an array (points, 9)."""
    cloud = clouds.filter(pc.equal(clouds["step"], step))
    return cloud, np.column_stack([cloud[name].to_numpy() for name in FILTER_COORDINATES])


def with_ids(which: Mapping[str, Any], columns: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """Put the columns that say which cloud this is before the others, which are equally long."""
    rows = len(next(iter(columns.values())))
    ids = {name: pa.repeat(pa.scalar(value, schema.field(name).type), rows) for name, value in which.items()}
    return pa.table({**ids, **columns})


def joined(parts: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Join the parts of a table; no parts give a table of `schema` without rows."""
    return pa.concat_tables(parts) if parts else schema.empty_table()
