"""The claims of the weights paper's abstract (arXiv 1810.03234 v3), A1 to A5; A4b is ours."""

from functools import partial

from cnn_topology.claims.accuracy_measures import some_improvement, topology_predicts
from cnn_topology.claims.circle_measures import other_loops_occur, primary_circle_recurs
from cnn_topology.claims.framework import Claim
from cnn_topology.claims.loop_measures import MOST_SIMPLE_LOOPS, changes_in_training, simple_shapes
from cnn_topology.claims.subjects import all_improved, every_network, grids
from cnn_topology.plan.clouds import LEAST_TESTED
from cnn_topology.statistics.shapes import CHANCE, COVERED
from cnn_topology.statistics.significance import LEVEL

# Of a headline cloud; the tests are named in `loop_measures.not_excluded`.
EXCLUDED = "longer than loops of fields as smooth, and with channels shuffled as blocks (p ≤ level of the run each)"
IS_PRIMARY = f"{COVERED:.0%} of the primary circle covered, p ≤ {CHANCE:g} against shuffled filters, wound round once"

_claim = partial(Claim, experiment="abstract", certainty="F")

ABSTRACT_CLAIMS = (
    _claim(
        claim="A1",
        statement="Spatial filters of convolutional layers at depths 1 to 13 have a simple global shape.",
        source="abstract, 1",
        statistic=f"share of layers with 1 to {MOST_SIMPLE_LOOPS} significant loops",
        rule="lower end of Wilson's 95% interval above 1/2, all depths 1 to 13 analysed",
        tables=("loops",),
        subjects=every_network,
        measure=simple_shapes,
    ),
    _claim(
        claim="A2",
        statement="That shape changes in the course of training.",
        source="abstract, 2",
        statistic="layers with a loop at some step: share whose verdict differs before and after training",
        rule="lower end of Wilson's 95% interval above 1/2",
        tables=("loops",),
        subjects=every_network,
        measure=changes_in_training,
    ),
    _claim(
        claim="A3a",
        statement="A circle of rotating edges recurs over all networks, depths and training stages.",
        source="abstract, 3",
        statistic="share of layers whose loop is the primary circle",
        rule=f"lower end of Wilson's 95% interval above 1/2; of a layer that counts: a significant loop, {IS_PRIMARY}; "
        f"{EXCLUDED}; so after training and at more than half of the snapshots after the start; the same verdict in "
        "half of the draws of its networks or more",
        tables=("loops", "circles"),
        subjects=every_network,
        measure=primary_circle_recurs,
    ),
    _claim(
        claim="A3b",
        statement="A second, less frequent complex circle mixes lines, edges and non-linear patterns.",
        source="abstract, 3",
        statistic=f"share of layers with a significant loop and {COVERED:.0%} of another named circle covered, "
        f"p ≤ {CHANCE:g} (Bonferroni over the circles of a layer)",
        rule=f"more layers than chance gives, {CHANCE:g} of them (binomial p ≤ {LEVEL:g}), and fewer than have "
        "the primary circle; what the paper's second circle is, is not known",
        tables=("loops", "circles"),
        subjects=every_network,
        measure=other_loops_occur,
    ),
    *(
        _claim(
            claim=f"A4{letter}",
            statement=f"Topological structure correlates with the ability to generalize{beyond}.",
            source="abstract, 4" if letter == "a" else "ours",
            certainty="F" if letter == "a" else "P",
            statistic=f"{what} of the best topological predictor with test accuracy, generalization gap or accuracy "
            "across sets, over populations whose networks are pooled",
            rule=f"p ≤ {LEVEL:g}, adjusted for all predictors, layers and outcomes; pools keep {LEAST_TESTED} "
            "filters or more",
            tables=("correlations", "generalization"),
            subjects=grids,
            measure=topology_predicts(beyond_weights=letter == "b"),
        )
        for letter, beyond, what in (
            ("a", "", "rank correlation, given width where the grid varies it,"),
            (
                "b",
                ", beyond what plain weight statistics say",
                "partial rank correlation, given all that the grid varies, weight norm and statistics,",
            ),
        )
    ),
    _claim(
        claim="A5",
        statement="Topological information can be used to improve a network.",
        source="abstract, 5",
        statistic="variants faster or better in cross-tests than the plain network and every control",
        rule=f"at least one, Holm p ≤ {LEVEL:g} against each",
        tables=("comparisons",),
        subjects=all_improved,
        measure=some_improvement,
    ),
)
