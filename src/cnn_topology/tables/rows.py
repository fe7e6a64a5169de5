"""Reading one cloud out of the clouds of a layer, and joining the parts of a table."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnn_topology.tables.filters import FILTER_COORDINATES


def cloud_at(clouds: pa.Table, step: int) -> tuple[pa.Table, np.ndarray]:
    """Return the rows of one step of a layer's clouds, and their filters as an array (points, 9)."""
    cloud = clouds.filter(pc.equal(clouds["step"], step))
    return cloud, np.column_stack([cloud[name].to_numpy() for name in FILTER_COORDINATES])


def joined(parts: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Join the parts of a table; no parts give a table of `schema` without rows."""
    return pa.concat_tables(parts) if parts else schema.empty_table()
