"""Rows about single filters and the named circles (weights paper, sections 3 and 5), and clouds read out of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cnn_topology.tables.loops import CloudKey
from cnn_topology.tables.row import Row, column, matching
from cnn_topology.tables.units import COUNT, ITERATIONS, LENGTH, PROBABILITY, RADIANS, RATIO, SHARE

CIRCLE_ARCS = tuple(f"arc{number:02d}" for number in range(36))


class CloudFilterRow(Row, table="clouds"):
    """One filter of a layer at a step: centred, unit norm, before any density filter; a constant one is all 0."""

    step: int = column("Training step.", ITERATIONS)
    network: int = column("Network that the filter belongs to.")
    out_channel: int = column("Output channel of the filter, from 0.")
    in_channel: int = column("Input channel of the filter, from 0.")
    norm: float = column("What normalizing divided the centred filter by.")
    mean_entry: float = column("Mean of the entries, which centring took away; 0 where centred by coordinate.")
    coordinates: Sequence[float] = column("Entries of the filter, row by row.", LENGTH)


def neighbour_column(k: int | float) -> str:
    """Return the name of the column with the distance to the k-th neighbour, k as in the config: count or share."""
    return f"neighbour_{k}"


def cloud_schema(neighbours: Sequence[int | float]) -> pa.Schema:
    """Return the schema of a cloud that holds the distance to the k-th neighbour for each k asked for."""
    fields = [
        pa.field(
            neighbour_column(k), pa.float64(), metadata={"description": f"Distance to neighbour {k}.", "unit": LENGTH}
        )
        for k in neighbours
    ]
    return pa.schema([*CloudFilterRow.schema, *fields])


class FilterRow(CloudKey, table="filters"):
    """One filter that the headline density filter keeps, and where it lies on the Klein bottle."""

    network: int = column("Network that the filter belongs to.")
    out_channel: int = column("Output channel of the filter, from 0.")
    in_channel: int = column("Input channel of the filter, from 0.")
    neighbour_distance: float = column("Distance to its k-th neighbour.", LENGTH)
    coordinates: Sequence[float] = column(
        "Entries of the centred unit-norm filter, row by row.", LENGTH, kind=pa.float32()
    )
    plane1: float = column("First principal coordinate among the kept filters.", LENGTH)
    plane2: float = column("Second principal coordinate among the kept filters.", LENGTH)
    theta1: float = column("First angle of the nearest point of the Klein bottle.", RADIANS)
    theta2: float = column("Second angle of the nearest point of the Klein bottle.", RADIANS)
    residual: float = column("Distance to that point.", LENGTH)
    model: str = column("Nearest of the named circles.")


class CircleRow(CloudKey, table="circles"):
    """One cloud against one of the four named circles of the Klein bottle.

    Where the verdict on the cloud is `too few filters`, what is compared with shuffled filters is null.
    """

    circle: str = column("Name of the circle.")
    kept: int = column("Filters that the density filter keeps.", COUNT)
    near_distance: float = column("Largest distance at which a filter counts as near.", LENGTH)
    within: int = column("Kept filters near the circle.", COUNT)
    nearest: int = column("Those of them to which no other named circle is nearer.", COUNT)
    permuted: float | None = column("`nearest` by chance: mean over filters of the layer with shuffled entries.", COUNT)
    sphere: float = column("`nearest` by chance: expected of filters drawn from the sphere.", COUNT)
    shuffles: int = column("Shuffles behind `permuted`.", COUNT)
    p_permuted: float | None = column("Rank p-value of `nearest` among the shuffles.", PROBABILITY)
    coverage: float = column("Share of the 36 arcs with a near filter.", SHARE)
    permuted_coverage: float | None = column("That share by chance: mean over the shuffles.", SHARE)
    significant_bars: int | None = column("H1 bars of the cloud longer than the critical value of every null.", COUNT)
    degree: int | None = column(
        "How often the loop of the longest bar winds round the primary circle; null where no bar is significant.",
        "turns",
    )
    fifth: float = column("Length of the fifth longest H1 bar.", LENGTH)
    sixth: float = column("Length of the sixth longest H1 bar.", LENGTH)
    near_bottle: float = column("Share of the kept filters that lie near the Klein bottle.", SHARE)
    off_circles: float = column(
        "Density of these off the three circles, over that on all of the bottle: 1 where even over its angles.",
        RATIO,
    )
    shape: str | None = column(
        "Known shape that the kept filters lie on: Klein bottle, three circles, primary circle, or undecided; null "
        "where no bar is significant."
    )
    arcs: Sequence[int] = column("Near filters in this arc of 10 degrees.", COUNT, names=CIRCLE_ARCS)


class StepCloud(NamedTuple):
    """The cloud of a layer at one step.

    `rows` of the filters that are not constant, their `points` as an array (points, entries), how many are `constant`,
    and of how many `networks` all are.
    """

    rows: pa.Table
    points: np.ndarray
    constant: int
    networks: int


def cloud_at(clouds: pa.Table, step: int) -> StepCloud:
    """Return the cloud of one step of a layer."""
    import pyarrow.compute as pc  # slow to load, and not needed while rules are parsed

    rows = matching(clouds, step=step)
    # All filters of a layer have as many entries.
    points = rows["coordinates"].combine_chunks().flatten().to_numpy().reshape(len(rows), -1 if len(rows) else 0)
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
