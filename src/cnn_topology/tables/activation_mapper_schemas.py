"""One schema per table of the mapper half of the activations paper; columns that identify a row come first.

Purity runs from 1 / classes to 1. Chance levels are those of the same graph with labels shuffled over images, so that
all positions of an image keep one label.
"""

import pyarrow as pa

_TEXT, _INT, _REAL = pa.string(), pa.int64(), pa.float64()
# Named as Parquet names it, so that a column is the same after reading.
INTEGERS = pa.list_(pa.field("element", pa.int64()))


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


# Which graph a row belongs to: one layer of one network, a cloud of it, and the entry of `activation_mapper`.
GRAPH = {
    "population": _TEXT,
    "network": _INT,
    "recipe": _TEXT,
    "cloud": _TEXT,
    "layer": _TEXT,
    "depth": _INT,
    "sampling": _TEXT,
    "top": _INT,
    "split": _TEXT,
    "sigma": _REAL,
}

# One graph. `points`: of the cloud; `used`: of them in the graph, at most `most_points`, drawn by `seed`. `eps_from`:
# given, published (the paper's table), elbow (the rule), clean (of the cloud without noise). `noise`: memberships of
# points in intervals that DBSCAN left out. `leaves`, `forks`: nodes with one and with three or more neighbours once
# nodes below 20 points are dropped (ours); `explanation`: why a graph has no node or one, and what to change.
ACTIVATION_GRAPHS = _schema(
    **GRAPH,
    tensor=_TEXT,
    mode=_TEXT,
    images=_INT,
    points=_INT,
    used=_INT,
    most_points=_INT,
    channels=_INT,
    seed=_INT,
    intervals=_INT,
    overlap=_REAL,
    min_samples=_INT,
    eps=_REAL,
    eps_from=_TEXT,
    filled_intervals=_INT,
    skipped_intervals=_INT,
    nodes=_INT,
    edges=_INT,
    components=_INT,
    loops=_INT,
    leaves=_INT,
    forks=_INT,
    noise=_INT,
    coverage=_REAL,
    explanation=_TEXT,
)

# One node: how many points it holds, how many of each class (`counts`, by label), the mean of the l2 norm scaled to
# [0, 1], and some of its images by number in their split (`examples`, in one seeded order of all images).
ACTIVATION_NODES = pa.schema(
    [
        *GRAPH.items(),
        ("node", _INT),
        ("component", _INT),
        ("members", _INT),
        ("lens", _REAL),
        ("purity", _REAL),
        ("counts", INTEGERS),
        ("examples", INTEGERS),
    ]
)

# One edge, between nodes a < b that share so many points.
ACTIVATION_EDGES = _schema(**GRAPH, a=_INT, b=_INT, shared=_INT)

# One graph: mean purity of its nodes (`node_wise`), each counted once, with its chance level: mean and central 95 %
# over `draws` shuffles; `p`: share of those at least as pure, the graph itself counted too. `error`: standard error
# of `node_wise` by a jackknife over halves of the images, the graph held fixed; `node_error`: standard deviation of
# node purity over the root of their number. `class_wise`: mean over all points, 0 for those in no node. `clean`: the
# same cloud without noise, where it has noise and there is one.
PURITY = _schema(
    **GRAPH,
    clean=_TEXT,
    nodes=_INT,
    classes=_INT,
    coverage=_REAL,
    node_wise=_REAL,
    error=_REAL,
    node_error=_REAL,
    chance=_REAL,
    chance_low=_REAL,
    chance_high=_REAL,
    p=_REAL,
    class_wise=_REAL,
    class_wise_chance=_REAL,
    draws=_INT,
)

# The same for one class: mean point purity over all its points, 0 for those in no node, and the share in any node.
CLASS_PURITY = pa.schema(
    [
        *GRAPH.items(),
        ("label", _INT),
        ("class", _TEXT),
        ("points", _INT),
        ("coverage", _REAL),
        ("purity", _REAL),
        ("chance", _REAL),
        ("chance_low", _REAL),
        ("chance_high", _REAL),
        ("p", _REAL),
        ("draws", _INT),
    ]
)

# One number behind the chance level or the error of a graph. `kind`: shuffled (labels, the same shuffle for all
# graphs on the same images) or jackknife (on half of the images, the same halves).
PURITY_DRAWS = _schema(**GRAPH, kind=_TEXT, draw=_INT, node_wise=_REAL)

# One graph made anew with one setting changed (`varied`: none, eps, overlap or intervals). `stability`: adjusted Rand
# index between its components and those of the graph itself, as partitions of the points.
ACTIVATION_SWEEP = _schema(
    **GRAPH,
    varied=_TEXT,
    intervals=_INT,
    overlap=_REAL,
    eps=_REAL,
    eps_factor=_REAL,
    nodes=_INT,
    edges=_INT,
    components=_INT,
    loops=_INT,
    leaves=_INT,
    coverage=_REAL,
    node_wise=_REAL,
    stability=_REAL,
)

# One place of the curve of distances to the nearest and the fifth nearest other point, each sorted from the largest;
# `share`: of the rows before it.
NEIGHBOUR_CURVES = _schema(**GRAPH, rows=_INT, share=_REAL, nearest=_REAL, fifth=_REAL)

# One channel of a cloud.
ACTIVATION_CHANNELS = _schema(**GRAPH, channel=_INT, mean=_REAL, sd=_REAL)

# One image that is an example of a node: `pixels` is a PNG.
EXAMPLE_IMAGES = pa.schema(
    [
        ("images", _TEXT),
        ("split", _TEXT),
        ("image", _INT),
        ("label", _INT),
        ("class", _TEXT),
        ("pixels", pa.binary()),
    ]
)

# One statistic of the acceptance tests on purity (commands/purity_tests.py names them). `layer`, `other`: what is
# compared; `unit`: over what the interval is taken, `n` its number; `null`: mean over label shuffles, `p` against
# them, one-sided in the direction that the paper expects. Network -1: over all networks.
PURITY_TESTS = _schema(
    population=_TEXT,
    network=_INT,
    recipe=_TEXT,
    cloud=_TEXT,
    other=_TEXT,
    layer=_TEXT,
    sigma=_REAL,
    test=_TEXT,
    statistic=_REAL,
    low=_REAL,
    high=_REAL,
    unit=_TEXT,
    n=_INT,
    null=_REAL,
    p=_REAL,
    draws=_INT,
)

# Tables joined from one part per network, cloud and block of layers.
GRAPH_TABLES = {
    "activation_graphs": ACTIVATION_GRAPHS,
    "activation_nodes": ACTIVATION_NODES,
    "activation_edges": ACTIVATION_EDGES,
    "purity": PURITY,
    "class_purity": CLASS_PURITY,
    "purity_draws": PURITY_DRAWS,
    "activation_sweep": ACTIVATION_SWEEP,
    "neighbour_curves": NEIGHBOUR_CURVES,
    "activation_channels": ACTIVATION_CHANNELS,
}
ACTIVATION_MAPPER_TABLES = {**GRAPH_TABLES, "example_images": EXAMPLE_IMAGES, "purity_tests": PURITY_TESTS}
