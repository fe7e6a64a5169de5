"""Reading one cloud out of the clouds of a layer, and joining the parts of a table."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnn_topology.tables.filters import FILTER_COORDINATES


def cloud_at(clouds: pa.Table, step: int) -> tuple[pa.Table, np.ndarray]:
    """Return the rows of one step of a layer's clouds, and their filters as an array (points, 9)."""
    cloud = clouds.filter(pc.equal(clouds["step"], step))
    return cloud, np.column_stack([cloud[name].to_numpy() for name in FILTER_COORDINATES])


def clouds_at(clouds: pa.Table, steps: Iterable[int]) -> Iterator[tuple[int, pa.Table, np.ndarray]]:
    """Yield each step at which networks are left, with the rows and the filters of `cloud_at`."""
    for step in steps:
        cloud, points = cloud_at(clouds, step)
        if len(points):
            yield step, cloud, points
        else:
            print(f"step {step}: no cloud, since every network had failed")


def joined(parts: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Join the parts of a table; no parts give a table of `schema` without rows."""
    return pa.concat_tables(parts) if parts else schema.empty_table()
