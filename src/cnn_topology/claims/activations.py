"""The claims of the activations paper: what its text says (section 1.7 of the notes), and five acceptance tests.

Its printed numbers are not at hand: the slots for them stay empty. The acceptance tests are proposals of the notes
(section 3, [P]) in the place of those numbers.

All rules were fixed before any run but for those that `stricter` names.
"""

from cnn_topology.claims.activation_measures import (
    DEPTH_ORDER_LEVEL,
    MARGIN,
    agrees_with_known,
    classes_are_organised,
    layer_test,
    no_faster_than_accuracy,
    purity_test,
)
from cnn_topology.claims.framework import INTERVAL, RANGE, WILSON, Claim
from cnn_topology.claims.subjects import residual
from cnn_topology.comparison.sensitivity import MONOTONE
from cnn_topology.statistics.significance import LEVEL

_PH = residual("ph")
_MAPPER = residual("mapper")
_NO_PH = "no networks of variant ph in this run"
_NO_MAPPER = "no networks of variant mapper in this run"

_ABOVE = "above 0 and above the difference of shuffled labels with its 95% interval"
_GROWS = (
    "monotone",
    "The distance grows as components are removed",
    "rank correlation of components removed and distance: median, least and greatest over curves of 3 steps or more",
    "median above 0.9",
    lambda row: row["statistic"] > MONOTONE,
    RANGE,
)
_DETECTED = (
    "detected",
    "It passes its threshold before all components are gone",
    "share of curves of 3 steps or more",
    "every such curve",
    lambda row: row["statistic"] == 1,
    INTERVAL,
)

ACTIVATIONS_CLAIMS = (
    Claim(
        "S1",
        "P1, P5",
        "Sliced Wasserstein distances of layers agree broadly with known measures of similarity.",
        "section 1.7",
        "text",
        "rank correlation over pairs of layers with each known measure: mean, least and greatest",
        f"above 0 with every one, permutation p ≤ {LEVEL} (exchanging layers)",
        ("measure_agreement",),
        _PH,
        _NO_PH,
        agrees_with_known,
    ),
    Claim(
        "S2",
        "M5",
        "Mapper graphs show how classes are organised: their nodes are purer than chance.",
        "section 1.7",
        "text",
        "node-wise purity at the deepest layer less that of shuffled labels: mean, least and greatest over graphs",
        f"p ≤ {LEVEL} for every graph; whether branches separate classes is left to the eye",
        ("purity",),
        _MAPPER,
        _NO_MAPPER,
        classes_are_organised,
    ),
    Claim(
        "S3",
        "M5",
        "At middle layers foreground sampling separates classes better than random sampling.",
        "section 1.7",
        "summary",
        "node-wise purity of foreground less random clouds, mean over the middle layers",
        f"{_ABOVE}, p ≤ {LEVEL} against these",
        ("purity_tests",),
        _MAPPER,
        _NO_MAPPER,
        purity_test("foreground_over_random", layer="mid"),
    ),
    Claim(
        "T1",
        "P1",
        "Adjacent layers are nearer than distant ones.",
        "acceptance test 1",
        "P",
        "rank correlation of the difference in depth and the sliced Wasserstein distance",
        f"above 0, permutation p < {DEPTH_ORDER_LEVEL}",
        ("measure_tests",),
        _PH,
        _NO_PH,
        layer_test("depth_order", lambda row: row["statistic"] > 0 and row["p_value"] < DEPTH_ORDER_LEVEL),
    ),
    Claim(
        "T2",
        "P3",
        "The same layer of another network is the nearest more often than by chance.",
        "acceptance test 2",
        "P",
        "share of ordered pairs of networks and layers",
        "above 1 / layers with its 95% interval: over networks, and no narrower than Wilson's for the layers of "
        "disjoint pairs of them, taken as independent",
        ("measure_tests",),
        _PH,
        _NO_PH,
        layer_test("specificity", lambda row: row["low"] > row["null_value"], spread=WILSON),
    ),
    *(
        Claim(
            f"T3{letter}",
            "P4",
            f"{statement} ({mode} removal).",
            "acceptance test 3",
            "P",
            statistic,
            rule,
            ("measure_tests",),
            _PH,
            _NO_PH,
            layer_test(f"{test}_{mode}", holds, "curves", spread),
        )
        for letter, mode, (test, statement, statistic, rule, holds, spread) in (
            ("a", "published", _GROWS),
            ("b", "published", _DETECTED),
            ("c", "corrected", _GROWS),
            ("d", "corrected", _DETECTED),
        )
    ),
    Claim(
        "T4a",
        "M5",
        "Node-wise purity at a deep layer (16 in the notes) is above that at a shallow one (4), for every cloud.",
        "acceptance test 4",
        "P",
        "difference of node-wise purity, the least over clouds; where a run lacks one of these layers, that of the "
        "deepest and the shallowest it analyses",
        f"{_ABOVE}, p ≤ {LEVEL} against these",
        ("purity_tests",),
        _MAPPER,
        _NO_MAPPER,
        purity_test("deeper_is_purer"),
    ),
    Claim(
        "T4b",
        "M5",
        "At middle layers foreground is purer than random, and random than background.",
        "acceptance test 4",
        "P",
        "differences of node-wise purity, mean over the middle layers; the least",
        f"both {_ABOVE}, p ≤ {LEVEL} against these",
        ("purity_tests",),
        _MAPPER,
        _NO_MAPPER,
        purity_test("foreground_over_random", "random_over_background", layer="mid"),
    ),
    Claim(
        "T5a",
        "M6",
        "Purity at the deepest layer falls as input noise grows.",
        "acceptance test 5",
        "P",
        "rank correlation of noise and loss of purity",
        f"above 0, p ≤ {LEVEL} over all orders",
        ("purity_tests",),
        _MAPPER,
        _NO_MAPPER,
        purity_test("purity_falls_with_sigma"),
    ),
    Claim(
        "T5b",
        "M6",
        "Under noise purity falls no faster than accuracy.",
        "acceptance test 5",
        "P",
        "share of purity left less share of accuracy left, both above chance; the least",
        f"at every noise the 95% interval above -{MARGIN:g} and not below 0; it fails where it is below 0 at any; else "
        "not tested",
        ("purity_tests",),
        _MAPPER,
        _NO_MAPPER,
        no_faster_than_accuracy,
    ),
)
