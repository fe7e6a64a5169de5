"""Schemas of the tables that compare layers by their activations (activations paper, P1 to P5).

`kind` says how a value is read: a `distance` is 0 for equal layers, a `similarity` is 1. The sliced Wasserstein
distance is in units of the activations; the other values have none.
"""

import pyarrow as pa

_TEXT, _INT, _REAL = pa.string(), pa.int64(), pa.float64()


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


def _list(kind: pa.DataType) -> pa.DataType:
    # Parquet names what a list holds so; a table read back equals the one written.
    return pa.list_(pa.field("element", kind))


# Which clouds a row is about: a key of `resnets`, a key of `activation_clouds`, and the measure that compares.
_MEASURED = {"population": _TEXT, "cloud": _TEXT, "measure": _TEXT, "kind": _TEXT}

# One bar of one layer of one network, in units of the activations. `points` of the cloud; `median_distance` between
# two of them, by which the scaled measure divides.
ACTIVATION_BARCODES = _schema(
    population=_TEXT, cloud=_TEXT, network=_INT, layer=_TEXT, depth=_INT, points=_INT, median_distance=_REAL,
    dimension=_INT, birth=_REAL, death=_REAL,
)  # fmt: skip

# One pair of networks (the same twice: the layers within it): all its layers against all, row by row, the row being a
# layer of network a. A symmetric measure has each pair once, a <= b. So 1.44 million values of 100 networks are 12 MB.
NETWORK_PAIRS = _schema(
    **_MEASURED, samples=_INT, layers=_list(_TEXT), depths=_list(_INT), network_a=_INT, network_b=_INT,
    values=_list(_REAL),
)  # fmt: skip

# One layer of one network after some of its principal components were removed, against the whole layer.
COMPONENT_CURVES = _schema(
    **_MEASURED, mode=_TEXT, samples=_INT, network=_INT, layer=_TEXT, depth=_INT, channels=_INT, removed=_INT,
    fraction=_REAL, value=_REAL,
)  # fmt: skip

# One ordered pair of layers within one network (P1).
LAYER_DISTANCES = _schema(
    **_MEASURED, samples=_INT, network_a=_INT, layer_a=_TEXT, depth_a=_INT, network_b=_INT, layer_b=_TEXT,
    depth_b=_INT, value=_REAL,
)  # fmt: skip

# One ordered pair of layers over all networks. `between` is `same` (P2: both layers in one network; `pairs` counts
# networks) or `different` (P3: `pairs` counts ordered pairs of networks); `low`, `high`: 5% and 95% quantiles over
# them. `nearest`: share of the pairs in which layer b of the other network is the nearest to layer a; NaN for `same`.
LAYER_PAIRS = _schema(
    **_MEASURED, samples=_INT, between=_TEXT, pairs=_INT, layer_a=_TEXT, depth_a=_INT, layer_b=_TEXT, depth_b=_INT,
    mean=_REAL, sd=_REAL, low=_REAL, high=_REAL, nearest=_REAL,
)  # fmt: skip

# The specificity test of one measure, over all layers (`layer` is `all`, depth 0) or one. `pairs`: ordered pairs of
# networks; `low`, `high`: 95% interval, of the bootstrap over networks or of Wilson's score for as many cases as
# disjoint pairs of networks give, whichever reaches farther; `p_value` by exchanging layers within networks, for `all`.
SPECIFICITY = _schema(
    **_MEASURED, samples=_INT, networks=_INT, pairs=_INT, layer=_TEXT, depth=_INT, rate=_REAL, low=_REAL, high=_REAL,
    chance=_REAL, p_value=_REAL,
)  # fmt: skip

# One point of a sensitivity curve. `threshold`: mean of the measure between this layer of different networks, `low`
# and `high` its 5% and 95% quantiles over the `pairs` of networks; `detected_at`: first fraction of removed components
# that passes the threshold, NaN if none does. All four are NaN where there is one network only.
COMPONENT_SENSITIVITY = _schema(
    **{name: COMPONENT_CURVES.field(name).type for name in COMPONENT_CURVES.names},
    threshold=_REAL, low=_REAL, high=_REAL, pairs=_INT, detected_at=_REAL,
)  # fmt: skip

# One acceptance test of one measure: statistic, interval, n, what it is compared with, p-value. NaN: does not apply.
#   depth_order: mean over networks of Spearman's correlation of |depth a - depth b| with the distance (a similarity
#     counts negative); 95% bootstrap interval over n networks; null 0, p by exchanging layers.
#   specificity: the rate over all layers; interval as in `specificity`; n networks; null 1 / layers, p.
#   monotone_<mode>: Spearman's correlation of components removed with the distance; median over n curves (networks x
#     layers), low and high the least and the greatest of them; the acceptance test asks for more than the null, 0.9.
#   detected_<mode>: share of n curves that pass the threshold before all components are gone, with Wilson's interval.
MEASURE_TESTS = _schema(
    **_MEASURED, test=_TEXT, statistic=_REAL, low=_REAL, high=_REAL, n=_INT, null=_REAL, p_value=_REAL
)

# How alike two measures order the pairs of different layers (P5): Spearman's correlation within each network, mean,
# least and greatest over networks; similarities count negative, so 1 is full agreement.
MEASURE_AGREEMENT = _schema(
    population=_TEXT, cloud=_TEXT, measure_a=_TEXT, measure_b=_TEXT, networks=_INT, samples=_INT, mean=_REAL,
    low=_REAL, high=_REAL,
)  # fmt: skip

# The activation tensor of one image in one layer of one network; `tensor` is conv, bn or relu, `label` a class name.
ACTIVATION_TENSOR = _schema(
    population=_TEXT, cloud=_TEXT, network=_INT, layer=_TEXT, depth=_INT, tensor=_TEXT, image=_INT, label=_TEXT,
    channel=_INT, row=_INT, column=_INT, value=_REAL,
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
