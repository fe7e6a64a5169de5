"""Rows about mapper graphs of activations (activations paper, M1 to M7); columns of the key come first."""

from cnn_topology.tables.row import Row, column
from cnn_topology.tables.units import ACTIVATION, COUNT, RATIO, SHARE


class GraphKey(Row):
    """Which graph a row is about: one layer of one network, a cloud of it, and an entry of `activation_mapper`."""

    population: str = column("Population of the network, a key of `resnets` or `modules`.")
    network: int = column("Number of the network in its population, from 0.")
    recipe: str = column("How the graph is made, a key of `activation_mapper`.")
    cloud: str = column("Activation cloud, a key of `activation_clouds`.")
    layer: str = column("Layer.")
    depth: int = column("Depth of the layer, 1 nearest the image; the paper counts from 0.")
    sampling: str = column("How positions are sampled.")
    top: int = column("Positions an image.", COUNT)
    split: str = column("Part of the image set: train or test.")
    sigma: float = column("Standard deviation of the noise added to the images.", "pixel value, 0 to 1")


class ActivationGraphRow(GraphKey, table="activation_graphs"):
    """One graph."""

    tensor: str = column("Tensor of the layer: conv, bn or relu.")
    mode: str = column("published (defects of the released code repeated) or corrected.")
    n_images: int = column("Images of the cloud.", COUNT)
    points: int = column("Points of the cloud.", COUNT)
    used: int = column("Those of them in the graph, at most `max_points`, drawn by `seed`.", COUNT)
    max_points: int = column("Most points that a graph is made of.", COUNT)
    channels: int = column("Channels of the layer.", COUNT)
    seed: int = column("Seed of that draw.")
    intervals: int = column("Intervals of the cover.", COUNT)
    overlap: float = column("Share of an interval that the next one overlaps.", SHARE)
    min_samples: int = column("DBSCAN's min_samples.", COUNT)
    eps: float = column("DBSCAN's radius.", ACTIVATION)
    eps_from: str = column("Where it is from: given, published, elbow (the rule) or clean (the cloud without noise).")
    filled_intervals: int = column("Intervals with a point.", COUNT)
    skipped_intervals: int = column("Intervals with fewer points than min_samples.", COUNT)
    nodes: int = column("Nodes.", COUNT)
    edges: int = column("Edges.", COUNT)
    components: int = column("Connected components.", COUNT)
    loops: int = column("First Betti number of the graph.", COUNT)
    leaves: int = column("Nodes with one neighbour once nodes below 20 points are dropped (ours).", COUNT)
    forks: int = column("Nodes with three or more neighbours, likewise.", COUNT)
    noise: int = column("Memberships of points in intervals that DBSCAN left out.", COUNT)
    coverage: float = column("Share of the points in a node.", SHARE)
    explanation: str = column("Why a graph has no node, one, or at most one an interval, and what to change.")


class ActivationNodeRow(GraphKey, table="activation_nodes"):
    """One node."""

    node: int = column("Number of the node, from 0.")
    component: int = column("Connected component of the node, from 0.")
    members: int = column("Points in the node.", COUNT)
    lens: float = column("Mean l2 norm of its points, scaled.", "0 to 1")
    purity: float = column("Purity of the node: 1 / classes to 1.", SHARE)
    counts: list[int] = column("Points of each class, by label.", COUNT)
    example_images: list[int] = column("Some of its images, by number in their split.")


class ActivationEdgeRow(GraphKey, table="activation_edges"):
    """One edge."""

    a: int = column("Node at one end, the smaller number.")
    b: int = column("Node at the other end.")
    shared: int = column("Points that both nodes hold.", COUNT)


class ActivationSweepRow(GraphKey, table="activation_sweep"):
    """One graph made again with one setting changed."""

    varied: str = column("What is changed: none, eps, overlap or intervals.")
    intervals: int = column("Intervals of the cover.", COUNT)
    overlap: float = column("Share of an interval that the next one overlaps.", SHARE)
    eps: float = column("DBSCAN's radius.", ACTIVATION)
    eps_factor: float = column("That radius over the graph's own.", RATIO)
    nodes: int = column("Nodes.", COUNT)
    edges: int = column("Edges.", COUNT)
    components: int = column("Connected components.", COUNT)
    loops: int = column("First Betti number of the graph.", COUNT)
    leaves: int = column("Nodes with one neighbour once nodes below 20 points are dropped.", COUNT)
    coverage: float = column("Share of the points in a node.", SHARE)
    node_wise: float = column("Mean purity of the nodes.", SHARE)
    stability: float = column("Adjusted Rand index between its components and those of the graph itself.", "-1 to 1")


class NeighbourCurveRow(GraphKey, table="neighbour_curves"):
    """One place of the sorted distances that the elbow rule reads the radius from."""

    rows: int = column("Points of the curve.", COUNT)
    share: float = column("Share of the points before this place.", SHARE)
    nearest_distance: float = column("Distance to the nearest other point, from the largest.", ACTIVATION)
    fifth_distance: float = column("Distance to the fifth nearest other point, from the largest.", ACTIVATION)


class ActivationChannelRow(GraphKey, table="activation_channels"):
    """One channel of a cloud."""

    channel: int = column("Channel, from 0.")
    mean: float = column("Mean over the points.", ACTIVATION)
    sd: float = column("Standard deviation over the points.", ACTIVATION)
