"""Schemas of the tables that compare layers by their activations (activations paper, P1 to P5).

`kind` says how a value is read: a `distance` is 0 for equal layers, a `similarity` is 1. The sliced Wasserstein
distance is in units of the activations; the other values have none.
"""

from cnn_topology.tables.columns import INT, REAL, TEXT, list_of, schema

# Which clouds a row is about: a key of `resnets`, a key of `activation_clouds`, and the measure that compares.
_MEASURED = {"population": TEXT, "cloud": TEXT, "measure": TEXT, "kind": TEXT}

# One bar of one layer of one network, in units of the activations. `points` of the cloud; `median_distance` between
# two of them, by which the scaled measure divides.
ACTIVATION_BARCODES = schema(
    population=TEXT, cloud=TEXT, network=INT, layer=TEXT, depth=INT, points=INT, median_distance=REAL,
    dimension=INT, birth=REAL, death=REAL,
)  # fmt: skip

# One pair of networks (the same twice: the layers within it): all its layers against all, row by row, the row being a
# layer of network a. A symmetric measure has each pair once, a <= b. So 1.44 million values of 100 networks are 12 MB.
NETWORK_PAIRS = schema(
    **_MEASURED, samples=INT, layers=list_of(TEXT), depths=list_of(INT), network_a=INT, network_b=INT,
    values=list_of(REAL),
)  # fmt: skip

# One layer of one network after some of its principal components were removed, against the whole layer: its own, where
# `against` is `network`, or that of another seed. Against the latter none are removed too: what the seeds differ by.
COMPONENT_CURVES = schema(
    **_MEASURED, mode=TEXT, samples=INT, network=INT, against=INT, layer=TEXT, depth=INT, channels=INT, removed=INT,
    fraction=REAL, value=REAL,
)  # fmt: skip

# One ordered pair of layers within one network (P1).
LAYER_DISTANCES = schema(
    **_MEASURED, samples=INT, network_a=INT, layer_a=TEXT, depth_a=INT, network_b=INT, layer_b=TEXT,
    depth_b=INT, value=REAL,
)  # fmt: skip

# One ordered pair of layers over all networks. `between` is `same` (P2: both layers in one network; `pairs` counts
# networks) or `different` (P3: `pairs` counts ordered pairs of networks); `low`, `high`: 5% and 95% quantiles over
# them. `nearest`: share of the pairs in which layer b of the other network is the nearest to layer a; NaN for `same`.
LAYER_PAIRS = schema(
    **_MEASURED, samples=INT, between=TEXT, pairs=INT, layer_a=TEXT, depth_a=INT, layer_b=TEXT, depth_b=INT,
    mean=REAL, sd=REAL, low=REAL, high=REAL, nearest=REAL,
)  # fmt: skip

# The specificity test of one measure, over all layers (`layer` is `all`, depth 0) or one. `pairs`: ordered pairs of
# networks; `low`, `high`: 95% interval, of the bootstrap over networks or of Wilson's score for as many cases as
# disjoint pairs of networks give, whichever reaches farther; `p_value` by exchanging layers within networks, for `all`.
SPECIFICITY = schema(
    **_MEASURED, samples=INT, networks=INT, pairs=INT, layer=TEXT, depth=INT, rate=REAL, low=REAL, high=REAL,
    chance=REAL, p_value=REAL,
)  # fmt: skip

# One point of a sensitivity curve. `threshold`: mean of the measure between this layer of different networks, `low`
# and `high` its 5% and 95% quantiles over the `pairs` of networks; `detected_at`: first fraction of removed components
# that passes the threshold, NaN if none does; `detected_low` and `detected_high` likewise for the end of the band that
# is passed first and for the other. NaN against another seed, whose curve begins at the threshold, and where there is
# one network only.
COMPONENT_SENSITIVITY = schema(
    **{name: COMPONENT_CURVES.field(name).type for name in COMPONENT_CURVES.names},
    threshold=REAL, low=REAL, high=REAL, pairs=INT, detected_at=REAL, detected_low=REAL,
    detected_high=REAL,
)  # fmt: skip

# One acceptance test of one measure: statistic, interval, n, what it is compared with, p-value. NaN: does not apply.
#   depth_order: mean over networks of Spearman's correlation of |depth a - depth b| with the distance (a similarity
#     counts negative); Student's 95% interval over n networks, cut to [-1, 1], NaN below four; null 0, p by
#     exchanging layers.
#   specificity: the rate over all layers; interval as in `specificity`; n networks; null 1 / layers, p.
#   monotone_<mode>: Spearman's correlation of components removed with the distance; median over n curves (networks x
#     layers; none of one value), low and high the least and the greatest of them; the acceptance test asks for more
#     than the null, 0.9. Curves of fewer than three points count in no test.
#   detected_<mode>: share of n curves that pass the threshold before all components are gone, with Wilson's interval.
#   another_seed_<mode>: as monotone, of the distance to the whole layer of another seed; null 0.
MEASURE_TESTS = schema(**_MEASURED, test=TEXT, statistic=REAL, low=REAL, high=REAL, n=INT, null=REAL, p_value=REAL)

# How alike two measures order the pairs of different layers (P5): Spearman's correlation within each network, mean,
# least and greatest over networks; similarities count negative, so 1 is full agreement. `p_value`: of a mean above 0,
# by exchanging the layers of one measure in the same way in every network.
MEASURE_AGREEMENT = schema(
    population=TEXT, cloud=TEXT, measure_a=TEXT, measure_b=TEXT, networks=INT, samples=INT, mean=REAL,
    low=REAL, high=REAL, p_value=REAL,
)  # fmt: skip

# The activation tensor of one image in one layer of one network; `tensor` is conv, bn or relu, `label` a class name.
ACTIVATION_TENSOR = schema(
    population=TEXT, cloud=TEXT, network=INT, layer=TEXT, depth=INT, tensor=TEXT, image=INT, label=TEXT,
    channel=INT, row=INT, column=INT, value=REAL,
)  # fmt: skip

MEASURE_TABLES = {
    "layer_distances": LAYER_DISTANCES,
    "layer_pairs": LAYER_PAIRS,
    "specificity": SPECIFICITY,
    "component_sensitivity": COMPONENT_SENSITIVITY,
    "measure_tests": MEASURE_TESTS,
    "measure_agreement": MEASURE_AGREEMENT,
}

COMPARISON_TABLES = {**MEASURE_TABLES, "activation_tensor": ACTIVATION_TENSOR}
