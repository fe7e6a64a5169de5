"""Rows about class purity of mapper graphs of activations (activations paper, M5 to M7).

Purity runs from 1 / classes to 1. Chance levels are those of the same graph with labels shuffled over images, so that
all positions of an image keep one label.
"""

from cnn_topology.tables.activation_graphs import GraphKey
from cnn_topology.tables.row import Row, column
from cnn_topology.tables.units import COUNT, PROBABILITY, SHARE


class PurityRow(GraphKey, table="purity"):
    """Purity and coverage of one graph, with chance levels."""

    clean: str = column("The same cloud without noise, where there is one; empty otherwise.")
    nodes: int = column("Nodes.", COUNT)
    classes: int = column("Classes.", COUNT)
    coverage: float = column("Share of the points in a node.", SHARE)
    node_wise: float = column("Mean purity of the nodes, each counted once.", SHARE)
    error: float = column("Standard error by a jackknife over halves of the images, the graph held fixed.", SHARE)
    node_error: float = column("Standard deviation of node purity over the root of their number.", SHARE)
    chance: float = column("Mean of `node_wise` over shuffled labels.", SHARE)
    chance_low: float = column("Lower end of its central 95 %.", SHARE)
    chance_high: float = column("Upper end of its central 95 %.", SHARE)
    p_value: float = column("Share of the shuffles at least as pure, the graph itself counted too.", PROBABILITY)
    class_wise: float = column("Mean purity over all points, 0 for those in no node.", SHARE)
    class_wise_chance: float = column("The same by shuffled labels.", SHARE)
    draws: int = column("Shuffles.", COUNT)


class ClassPurityRow(GraphKey, table="class_purity"):
    """The same for one class."""

    label: int = column("Label of the class, from 0.")
    class_name: str = column("Name of the class.")
    points: int = column("Points of the class.", COUNT)
    coverage: float = column("Share of them in a node.", SHARE)
    purity: float = column("Mean purity over all its points, 0 for those in no node.", SHARE)
    chance: float = column("Mean of that over shuffled labels.", SHARE)
    chance_low: float = column("Lower end of its central 95 %.", SHARE)
    chance_high: float = column("Upper end of its central 95 %.", SHARE)
    p_value: float = column("Share of the shuffles at least as pure, the graph itself counted too.", PROBABILITY)
    draws: int = column("Shuffles.", COUNT)


class PurityDrawRow(GraphKey, table="purity_draws"):
    """One number behind the chance level or the error of a graph."""

    kind: str = column("shuffled (labels, alike for all graphs on the same images) or jackknife (half of the images).")
    draw: int = column("Number of the draw, from 0.")
    node_wise: float = column("Mean purity of the nodes.", SHARE)


class PurityTestRow(Row, table="purity_tests"):
    """One statistic of the acceptance tests on purity, which `statistics.purity` names."""

    population: str = column("Population of the networks, a key of `resnets` or `modules`.")
    network: int = column("Network; -1: over all networks.")
    recipe: str = column("How the graphs are made, a key of `activation_mapper`.")
    cloud: str = column("Activation cloud, a key of `activation_clouds`.")
    other: str = column("What it is compared with.")
    layer: str = column("Layer that is compared.")
    sigma: float = column("Standard deviation of the noise added to the images.", "pixel value, 0 to 1")
    test: str = column("Name of the test.")
    statistic: float = column("Its statistic.")
    low: float = column("Lower end of its 95 % interval.")
    high: float = column("Upper end of its 95 % interval.")
    unit: str = column("Over what the interval is taken.")
    n: int = column("Networks; of the unit `sigmas` their number.", COUNT)
    null_value: float = column("Mean of the statistic over label shuffles.")
    p_value: float = column("Against these, one-sided in the direction that the paper expects.", PROBABILITY)
    draws: int = column("Shuffles.", COUNT)
