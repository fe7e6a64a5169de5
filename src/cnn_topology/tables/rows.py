"""Reading one cloud out of the clouds of a layer, and joining the parts of a table."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnn_topology.tables.filters import FILTER_COORDINATES


class StepCloud(NamedTuple):
    """The cloud of a layer at one step.

    `rows` of the filters that are not constant, their `points` as an array (points, 9), how many are `constant`, and of
    how many `networks` all are.
    """

    rows: pa.Table
    points: np.ndarray
    constant: int
    networks: int


def cloud_at(clouds: pa.Table, step: int) -> StepCloud:
    """Return the cloud of one step of a layer."""
    rows = clouds.filter(pc.equal(clouds["step"], step))
    points = np.column_stack([rows[name].to_numpy() for name in FILTER_COORDINATES])
    alive = points.any(axis=1)
    return StepCloud(
        rows.filter(pa.array(alive)), points[alive], int(np.sum(~alive)), pc.count_distinct(rows["network"]).as_py()
    )


def clouds_at(clouds: pa.Table, steps: Iterable[int]) -> Iterator[tuple[int, StepCloud]]:
    """Yield each step at which networks are left, with its cloud."""
    for step in steps:
        cloud = cloud_at(clouds, step)
        if len(cloud.points) + cloud.constant:
            yield step, cloud
        else:
            print(f"step {step}: no cloud, since every network had failed")


def joined(parts: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Join the parts of a table; no parts give a table of `schema` without rows."""
    return pa.concat_tables(parts) if parts else schema.empty_table()
