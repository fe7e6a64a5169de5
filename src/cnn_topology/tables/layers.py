"""Rows that compare layers by their activations (activations paper, P1 to P5).

`kind` says how a value is read: a `distance` is 0 for equal layers, a `similarity` is 1. The sliced Wasserstein
distance is in units of the activations; the other values have none.
"""

from collections.abc import Sequence

from cnn_topology.tables.row import Row, column
from cnn_topology.tables.units import ACTIVATION, COEFFICIENT, COUNT, PROBABILITY, SHARE

VALUE = "units of the activations for sliced_wasserstein, bottleneck and wasserstein, none otherwise"


class MeasuredKey(Row):
    """Which clouds a row is about, and the measure that compares them."""

    population: str = column("Population of the networks, a key of `resnets` or `modules`.")
    cloud: str = column("Activation cloud, a key of `activation_clouds`.")
    measure: str = column("Measure that compares layers.")
    kind: str = column("How its values are read: distance (0 for equal layers) or similarity (1).")


class LayerKey(Row):
    """Which layer of which network a row is about, and its cloud."""

    population: str = column("Population of the network, a key of `resnets` or `modules`.")
    cloud: str = column("Activation cloud, a key of `activation_clouds`.")
    network: int = column("Number of the network in its population, from 0.")
    layer: str = column("Layer.")
    depth: int = column("Depth of the layer, 1 nearest the image; the paper counts from 0.")


class ActivationBarRow(LayerKey, table="activation_barcodes"):
    """One bar of one layer of one network."""

    points: int = column("Points of the cloud.", COUNT)
    median_distance: float = column("Median distance of two points, by which the scaled measure divides.", ACTIVATION)
    dimension: int = column("Dimension of the class: 0 a component, 1 a loop.")
    birth: float = column("Diameter at which the class appears.", ACTIVATION)
    death: float = column("Diameter at which it ends.", ACTIVATION)


class NetworkPairRow(MeasuredKey, table="network_pairs"):
    """One pair of networks: all layers of one against all of the other (the same twice: the layers within it)."""

    samples: int = column("Points behind each value.", COUNT)
    layers: Sequence[str] = column("Layers, in order of depth.")
    depths: Sequence[int] = column("Depths of these layers.")
    network_a: int = column("Network whose layers are the rows of `values`.")
    network_b: int = column("Network whose layers are its columns; not below network_a for a symmetric measure.")
    values: Sequence[float] = column("The matrix of values, row by row.", VALUE)


class ComponentCurveRow(MeasuredKey, table="component_curves"):
    """One layer after some principal components were removed, against a whole layer."""

    mode: str = column("Which components are removed first.")
    samples: int = column("Points of the clouds.", COUNT)
    network: int = column("Network whose components are removed.")
    against_network: int = column("Network whose whole layer it is compared with: the same, or one of another seed.")
    layer: str = column("Layer.")
    depth: int = column("Depth of the layer, 1 nearest the image; the paper counts from 0.")
    channels: int = column("Channels of the layer.", COUNT)
    removed: int = column("Components removed.", COUNT)
    fraction: float = column("Share of the components removed.", SHARE)
    value: float = column("The measure.", VALUE)


class ComponentSensitivityRow(ComponentCurveRow, table="component_sensitivity"):
    """One point of a sensitivity curve, with the level at which the measure notices (P4)."""

    threshold: float = column("Mean of the measure between this layer of different networks.", VALUE)
    low: float = column("5 % quantile of that measure over the pairs.", VALUE)
    high: float = column("95 % quantile of that measure over the pairs.", VALUE)
    pairs: int = column("Pairs of networks behind it.", COUNT)
    detected_at: float = column("First fraction removed that passes the threshold; NaN if none does.", SHARE)
    detected_low: float = column("The same for the end of the band that is passed first.", SHARE)
    detected_high: float = column("The same for the other end.", SHARE)


class LayerDistanceRow(MeasuredKey, table="layer_distances"):
    """One ordered pair of layers within one network (P1)."""

    samples: int = column("Points behind the value.", COUNT)
    network_a: int = column("Network of layer a.")
    layer_a: str = column("One layer.")
    depth_a: int = column("Its depth.")
    network_b: int = column("Network of layer b.")
    layer_b: str = column("The other layer.")
    depth_b: int = column("Its depth.")
    value: float = column("The measure.", VALUE)


class LayerPairRow(MeasuredKey, table="layer_pairs"):
    """One ordered pair of layers over all networks (P2, P3)."""

    samples: int = column("Points behind each value.", COUNT)
    between: str = column("same (both layers in one network) or different (in two networks).")
    pairs: int = column("Networks, or ordered pairs of networks.", COUNT)
    layer_a: str = column("One layer.")
    depth_a: int = column("Its depth.")
    layer_b: str = column("The other layer.")
    depth_b: int = column("Its depth.")
    mean: float = column("Mean of the measure.", VALUE)
    sd: float = column("Standard deviation of the measure.", VALUE)
    low: float = column("5 % quantile of the measure.", VALUE)
    high: float = column("95 % quantile of the measure.", VALUE)
    nearest_share: float = column(
        "Share of the pairs in which layer b of the other network is the nearest to layer a; NaN for `same`.", SHARE
    )


class SpecificityRow(MeasuredKey, table="specificity"):
    """The specificity test of one measure, over all layers or for one (P3)."""

    samples: int = column("Points behind each value.", COUNT)
    networks: int = column("Networks.", COUNT)
    pairs: int = column("Ordered pairs of networks.", COUNT)
    layer: str = column("Layer, or `all`.")
    depth: int = column("Its depth; 0 for `all`.")
    rate: float = column("How often the nearest layer of the other network is the same layer.", SHARE)
    low: float = column("Lower end of its 95 % interval: bootstrap over networks or Wilson, whichever is wider.", SHARE)
    high: float = column("Upper end of that interval.", SHARE)
    chance: float = column("The rate by chance.", SHARE)
    p_value: float = column("By exchanging layers within networks; for `all` alone.", PROBABILITY)


class MeasureTestRow(MeasuredKey, table="measure_tests"):
    """One acceptance test of one measure; NaN where something does not apply.

    depth_order: mean over networks of Spearman's correlation of |depth a - depth b| with the distance (a similarity
    counts negative); Student's 95 % interval over n networks, NaN below four; p by exchanging layers.
    specificity: the rate over all layers, as in `specificity`; null 1 / layers.
    monotone_<mode>: Spearman's correlation of components removed with the distance; median over n curves (networks x
    layers), low and high the least and greatest; the test asks for more than the null, 0.9; curves of fewer than three
    points do not count.
    detected_<mode>: share of n curves that pass the threshold before all components are gone, Wilson's interval.
    another_seed_<mode>: as monotone, of the distance to the whole layer of another seed; null 0.
    """

    test: str = column("Name of the test.")
    statistic: float = column("Its statistic.")
    low: float = column("Lower end of its interval, or least value.")
    high: float = column("Upper end of its interval, or greatest value.")
    n: int = column("Networks or curves.", COUNT)
    null_value: float = column("What the statistic is compared with.")
    p_value: float = column("p-value of the test.", PROBABILITY)


class MeasureAgreementRow(Row, table="measure_agreement"):
    """How alike two measures order the pairs of different layers (P5): Spearman's correlation within networks."""

    population: str = column("Population of the networks, a key of `resnets` or `modules`.")
    cloud: str = column("Activation cloud, a key of `activation_clouds`.")
    measure_a: str = column("One measure.")
    measure_b: str = column("The other measure.")
    networks: int = column("Networks.", COUNT)
    samples: int = column("Points behind each value.", COUNT)
    mean: float = column("Mean correlation over networks; similarities count negative.", COEFFICIENT)
    low: float = column("Least correlation over networks.", COEFFICIENT)
    high: float = column("Greatest correlation over networks.", COEFFICIENT)
    p_value: float = column(
        "Of a mean above 0, by exchanging the layers of one measure alike in every network.", PROBABILITY
    )
