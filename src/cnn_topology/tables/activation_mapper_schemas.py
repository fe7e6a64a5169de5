"""One schema per table of the mapper half of the activations paper; columns that identify a row come first.

Purity runs from 1 / classes to 1. Chance levels are those of the same graph with labels shuffled over images, so that
all positions of an image keep one label.
"""

import pyarrow as pa

from cnn_topology.tables.columns import INT, REAL, TEXT, list_of, schema

INTEGERS = list_of(INT)


# Which graph a row belongs to: one layer of one network, a cloud of it, and the entry of `activation_mapper`.
GRAPH = {
    "population": TEXT,
    "network": INT,
    "recipe": TEXT,
    "cloud": TEXT,
    "layer": TEXT,
    "depth": INT,
    "sampling": TEXT,
    "top": INT,
    "split": TEXT,
    "sigma": REAL,
}

# One graph. `points`: of the cloud; `used`: of them in the graph, at most `most_points`, drawn by `seed`. `eps_from`:
# given, published (the paper's table), elbow (the rule), clean (of the cloud without noise). `noise`: memberships of
# points in intervals that DBSCAN left out. `leaves`, `forks`: nodes with one and with three or more neighbours once
# nodes below 20 points are dropped (ours); `explanation`: why a graph has no node, one, or at most one in each
# interval, and what to change.
ACTIVATION_GRAPHS = schema(
    **GRAPH,
    tensor=TEXT,
    mode=TEXT,
    images=INT,
    points=INT,
    used=INT,
    most_points=INT,
    channels=INT,
    seed=INT,
    intervals=INT,
    overlap=REAL,
    min_samples=INT,
    eps=REAL,
    eps_from=TEXT,
    filled_intervals=INT,
    skipped_intervals=INT,
    nodes=INT,
    edges=INT,
    components=INT,
    loops=INT,
    leaves=INT,
    forks=INT,
    noise=INT,
    coverage=REAL,
    explanation=TEXT,
)

# One node: how many points it holds, how many of each class (`counts`, by label), the mean of the l2 norm scaled to
# [0, 1], and some of its images by number in their split (`examples`, in one seeded order of all images).
ACTIVATION_NODES = pa.schema(
    [
        *GRAPH.items(),
        ("node", INT),
        ("component", INT),
        ("members", INT),
        ("lens", REAL),
        ("purity", REAL),
        ("counts", INTEGERS),
        ("examples", INTEGERS),
    ]
)

# One edge, between nodes a < b that share so many points.
ACTIVATION_EDGES = schema(**GRAPH, a=INT, b=INT, shared=INT)

# One graph: mean purity of its nodes (`node_wise`), each counted once, with its chance level: mean and central 95 %
# over `draws` shuffles; `p`: share of those at least as pure, the graph itself counted too. `error`: standard error
# of `node_wise` by a jackknife over halves of the images, the graph held fixed; `node_error`: standard deviation of
# node purity over the root of their number. `class_wise`: mean over all points, 0 for those in no node. `clean`: the
# same cloud without noise, where it has noise and there is one.
PURITY = schema(
    **GRAPH,
    clean=TEXT,
    nodes=INT,
    classes=INT,
    coverage=REAL,
    node_wise=REAL,
    error=REAL,
    node_error=REAL,
    chance=REAL,
    chance_low=REAL,
    chance_high=REAL,
    p=REAL,
    class_wise=REAL,
    class_wise_chance=REAL,
    draws=INT,
)

# The same for one class: mean point purity over all its points, 0 for those in no node, and the share in any node.
CLASS_PURITY = pa.schema(
    [
        *GRAPH.items(),
        ("label", INT),
        ("class", TEXT),
        ("points", INT),
        ("coverage", REAL),
        ("purity", REAL),
        ("chance", REAL),
        ("chance_low", REAL),
        ("chance_high", REAL),
        ("p", REAL),
        ("draws", INT),
    ]
)

# One number behind the chance level or the error of a graph. `kind`: shuffled (labels, the same shuffle for all
# graphs on the same images) or jackknife (on half of the images, the same halves).
PURITY_DRAWS = schema(**GRAPH, kind=TEXT, draw=INT, node_wise=REAL)

# One graph made anew with one setting changed (`varied`: none, eps, overlap or intervals). `stability`: adjusted Rand
# index between its components and those of the graph itself, as partitions of the points.
ACTIVATION_SWEEP = schema(
    **GRAPH,
    varied=TEXT,
    intervals=INT,
    overlap=REAL,
    eps=REAL,
    eps_factor=REAL,
    nodes=INT,
    edges=INT,
    components=INT,
    loops=INT,
    leaves=INT,
    coverage=REAL,
    node_wise=REAL,
    stability=REAL,
)

# One place of the curve of distances to the nearest and the fifth nearest other point, each sorted from the largest;
# `share`: of the rows before it.
NEIGHBOUR_CURVES = schema(**GRAPH, rows=INT, share=REAL, nearest=REAL, fifth=REAL)

# One channel of a cloud.
ACTIVATION_CHANNELS = schema(**GRAPH, channel=INT, mean=REAL, sd=REAL)

# One image that is an example of a node: `pixels` is a PNG.
EXAMPLE_IMAGES = pa.schema(
    [
        ("images", TEXT),
        ("split", TEXT),
        ("image", INT),
        ("label", INT),
        ("class", TEXT),
        ("pixels", pa.binary()),
    ]
)

# One statistic of the acceptance tests on purity (commands/purity_tests.py names them). `layer`, `other`: what is
# compared; `unit`: over what the interval is taken; `n`: networks, of `unit` sigmas their number; `null`: mean over
# label shuffles, `p` against them, one-sided in the direction that the paper expects. Network -1: over all networks.
PURITY_TESTS = schema(
    population=TEXT,
    network=INT,
    recipe=TEXT,
    cloud=TEXT,
    other=TEXT,
    layer=TEXT,
    sigma=REAL,
    test=TEXT,
    statistic=REAL,
    low=REAL,
    high=REAL,
    unit=TEXT,
    n=INT,
    null=REAL,
    p=REAL,
    draws=INT,
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
