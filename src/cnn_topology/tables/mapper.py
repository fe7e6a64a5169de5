"""Rows about mapper graphs of clouds of filters (weights paper, sections 3 and 4)."""

from collections.abc import Sequence

import pyarrow as pa

from cnn_topology.tables.loops import CloudKey
from cnn_topology.tables.row import column
from cnn_topology.tables.units import COUNT, LENGTH, RADIANS, RATIO


class MapperGraphRow(CloudKey, table="mapper_graphs"):
    """One mapper graph of the cloud of a headline."""

    kept: int = column("Filters that the density filter keeps.", COUNT)
    used: int = column("Those of them in the graph, at most `max_points`, drawn by `seed`.", COUNT)
    max_points: int = column("Most points that a graph is made of.", COUNT)
    seed: int = column("Seed of that draw.")
    resolution: int = column("Intervals of the cover in each lens.", COUNT)
    gain: float = column("Overlap of the cover: length of an interval over the step between two.", RATIO)
    equalized: bool = column("Whether intervals hold equally many points.")
    metric: str = column("Metric of the clustering.")
    scaled_lens: bool = column("Whether the lens is computed of the scaled coordinates.")
    cut: str = column("Rule that cuts the dendrogram of a cube: first_gap.")
    cut_at: float = column("Fraction of the range of heights that a gap has.")
    from_zero: bool = column("Whether the range of heights begins at zero.")
    cubes: int = column("Cubes of the cover with a point.", COUNT)
    nodes: int = column("Nodes.", COUNT)
    edges: int = column("Edges.", COUNT)
    components: int = column("Connected components.", COUNT)
    loops: int = column("First Betti number of the graph.", COUNT)
    filled_loops: int = column("First Betti number of its flag complex (triangles filled).", COUNT)
    noise: int = column("Memberships of points in cubes that no node has.", COUNT)
    explanation: str = column("Why the graph has no node or one; empty otherwise.")


class MapperSweepRow(MapperGraphRow, table="mapper_sweep"):
    """The graph of the same cloud made in another way."""

    change: str = column("What differs from the graph that is drawn; `as drawn` is that graph.")


class MapperNodeRow(CloudKey, table="mapper_nodes"):
    """One node of a mapper graph of filters."""

    node: int = column("Number of the node, from 0.")
    component: int = column("Connected component of the node, from 0.")
    members: int = column("Filters in the node.", COUNT)
    of_networks: Sequence[int] = column("Numbers of the networks that these filters are of, ascending.")
    lens1: float = column("Mean first lens of its filters.")
    lens2: float = column("Mean second lens of its filters.")
    coordinates: Sequence[float] = column("Entries of the mean filter, row by row.", LENGTH, kind=pa.float32())
    theta1: float = column("First Klein angle of the mean filter.", RADIANS)
    theta2: float = column("Second Klein angle of the mean filter.", RADIANS)


class MapperEdgeRow(CloudKey, table="mapper_edges"):
    """One edge of a mapper graph of filters."""

    a: int = column("Node at one end, the smaller number.")
    b: int = column("Node at the other end.")
    shared: int = column("Filters that both nodes hold.", COUNT)
