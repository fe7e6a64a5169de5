"""The claims of the activations paper: what its text says (section 1.7 of the notes), and five acceptance tests.

Its printed numbers are not at hand: the slots for them stay empty. The acceptance tests are proposals of the notes
(section 3, [P]) in the place of those numbers.

All rules were fixed before any run but for those that `rule_changed` names.
"""

from functools import partial

from cnn_topology.claims.activation_measures import (
    MARGIN,
    agrees_with_known,
    classes_are_organised,
    layer_test,
    no_faster_than_accuracy,
    purity_test,
    too_few_layers,
    too_few_pairs,
)
from cnn_topology.claims.framework import INTERVAL, RANGE, WILSON, Claim
from cnn_topology.claims.subjects import residual
from cnn_topology.comparison.layer_order import DEPTH_ORDER_LEVEL
from cnn_topology.comparison.sensitivity import MONOTONE
from cnn_topology.statistics.significance import LEVEL

# What several claims share.
_of_ph = partial(Claim, subjects=residual("ph"))
_of_mapper = partial(Claim, subjects=residual("mapper"))
_distance = partial(_of_ph, certainty="P", tables=("measure_tests",))
_purity = partial(_of_mapper, certainty="P", tables=("purity_tests",))

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
    _of_ph(
        claim="S1",
        experiment="P1, P5",
        statement="Sliced Wasserstein distances of layers agree broadly with known measures of similarity.",
        source="section 1.7",
        certainty="text",
        statistic="rank correlation over pairs of layers with each known measure: mean, least and greatest",
        rule=f"above 0 with every one, permutation p ≤ {LEVEL} (exchanging layers)",
        tables=("measure_agreement",),
        measure=agrees_with_known,
    ),
    _of_mapper(
        claim="S2",
        experiment="M5",
        statement="Mapper graphs show how classes are organised: their nodes are purer than chance, and "
        "classes of a kind lie together.",
        source="section 1.7",
        certainty="text",
        statistic="node-wise purity at the deepest layer less that of shuffled labels: mean, least and greatest over "
        "graphs",
        rule=f"p ≤ {LEVEL} for every graph; animals share nodes and neighbouring ones with animals, vehicles with "
        f"vehicles, more than both do with each other, exact p ≤ {LEVEL} of all choices of four classes of ten",
        tables=("purity", "class_purity", "activation_nodes", "activation_edges"),
        measure=classes_are_organised,
    ),
    _purity(
        claim="S3",
        experiment="M5",
        statement="At middle layers foreground sampling separates classes better than random sampling.",
        source="section 1.7",
        certainty="summary",
        statistic="node-wise purity of foreground less random clouds, mean over the middle layers",
        rule=f"{_ABOVE}, p ≤ {LEVEL} against these",
        measure=purity_test("foreground_over_random", layer="mid"),
    ),
    _distance(
        claim="T1",
        experiment="P1",
        statement="Adjacent layers are nearer than distant ones.",
        source="acceptance test 1",
        statistic="rank correlation of the difference in depth and the sliced Wasserstein distance",
        rule=f"above 0, permutation p < {DEPTH_ORDER_LEVEL}",
        measure=layer_test(
            "depth_order",
            lambda row: row["statistic"] > 0 and row["p_value"] < DEPTH_ORDER_LEVEL,
            too_few=too_few_layers,
        ),
    ),
    _distance(
        claim="T2",
        experiment="P3",
        statement="The same layer of another network is the nearest more often than by chance.",
        source="acceptance test 2",
        statistic="share of ordered pairs of networks and layers",
        rule="above 1 / layers with its 95% interval: over networks, and no narrower than Wilson's for the layers of "
        "disjoint pairs of them, taken as independent",
        measure=layer_test(
            "specificity", lambda row: row["low"] > row["null_value"], spread=WILSON, too_few=too_few_pairs
        ),
    ),
    *(
        _distance(
            claim=f"T3{letter}",
            experiment="P4",
            statement=f"{statement} ({mode} removal).",
            source="acceptance test 3",
            statistic=statistic,
            rule=rule,
            measure=layer_test(f"{test}_{mode}", holds, "curves", spread),
        )
        for letter, mode, (test, statement, statistic, rule, holds, spread) in (
            ("a", "published", _GROWS),
            ("b", "published", _DETECTED),
            ("c", "corrected", _GROWS),
            ("d", "corrected", _DETECTED),
        )
    ),
    _purity(
        claim="T4a",
        experiment="M5",
        statement="Node-wise purity at a deep layer (16 in the notes) is above that at a shallow one (4), for every "
        "cloud.",
        source="acceptance test 4",
        statistic="difference of node-wise purity, the least over clouds; where a run lacks one of these layers, "
        "that of the deepest and the shallowest it analyses",
        rule=f"{_ABOVE}, p ≤ {LEVEL} against these",
        measure=purity_test("deeper_is_purer"),
    ),
    _purity(
        claim="T4b",
        experiment="M5",
        statement="At middle layers foreground is purer than random, and random than background.",
        source="acceptance test 4",
        statistic="differences of node-wise purity, mean over the middle layers; the least",
        rule=f"both {_ABOVE}, p ≤ {LEVEL} against these",
        measure=purity_test("foreground_over_random", "random_over_background", layer="mid"),
    ),
    _purity(
        claim="T5a",
        experiment="M6",
        statement="Purity at the deepest layer falls as input noise grows.",
        source="acceptance test 5",
        statistic="rank correlation of noise and loss of purity",
        rule=f"above 0, p ≤ {LEVEL} over all orders",
        measure=purity_test("purity_falls_with_sigma"),
    ),
    _purity(
        claim="T5b",
        experiment="M6",
        statement="Under noise purity falls no faster than accuracy.",
        source="acceptance test 5",
        statistic="share of purity left less share of accuracy left, both above chance; the least",
        rule=f"at every noise the 95% interval above -{MARGIN:g} and not below 0; it fails where it is below 0 at "
        "any; else not tested",
        measure=no_faster_than_accuracy,
    ),
)
