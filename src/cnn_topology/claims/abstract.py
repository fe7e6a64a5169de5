"""The claims of the weights paper's abstract (arXiv 1810.03234 v3), A1 to A5; A4b is ours."""

from cnn_topology.claims.accuracy_measures import some_improvement, topology_predicts
from cnn_topology.claims.circle_measures import other_loops_occur, primary_circle_recurs
from cnn_topology.claims.framework import Claim
from cnn_topology.claims.loop_measures import changes_in_training, simple_shapes
from cnn_topology.claims.subjects import all_improved, every_network, grids

IS_PRIMARY = "80% of the primary circle covered, p ≤ 0.05 against shuffled filters, wound round once"

ABSTRACT_CLAIMS = (
    Claim(
        "A1",
        "abstract",
        "Spatial filters of convolutional layers at depths 1 to 13 have a simple global shape.",
        "abstract, 1",
        "F",
        "share of layers with 1 to 5 significant loops",
        "lower end of Wilson's 95% interval above 1/2, all depths 1 to 13 analysed",
        ("loops",),
        every_network,
        "no layer is analysed",
        simple_shapes(range(1, 14)),
    ),
    Claim(
        "A2",
        "abstract",
        "That shape changes in the course of training.",
        "abstract, 2",
        "F",
        "layers with a loop at some step: share whose verdict differs before and after training",
        "lower end of Wilson's 95% interval above 1/2",
        ("loops",),
        every_network,
        "no layer is analysed",
        changes_in_training,
    ),
    Claim(
        "A3a",
        "abstract",
        "A circle of rotating edges recurs over all networks, depths and training stages.",
        "abstract, 3",
        "F",
        "share of layers whose loop, after training, is the primary circle",
        f"lower end of Wilson's 95% interval above 1/2; of a layer that counts: a significant loop, {IS_PRIMARY}",
        ("loops", "circles"),
        every_network,
        "no layer is analysed",
        primary_circle_recurs,
    ),
    Claim(
        "A3b",
        "abstract",
        "A second, less frequent complex circle mixes lines, edges and non-linear patterns.",
        "abstract, 3",
        "F",
        "share of layers with a significant loop and 80% of another named circle covered, p ≤ 0.05 (Bonferroni over "
        "the circles of a layer)",
        "more layers than chance gives, 0.05 of them (binomial p ≤ 0.05), and fewer than have the primary circle; what "
        "the paper's second circle is, is not known (U20)",
        ("loops", "circles"),
        every_network,
        "no layer is analysed",
        other_loops_occur,
    ),
    *(
        Claim(
            f"A4{letter}",
            "abstract",
            f"Topological structure correlates with the ability to generalize{beyond}.",
            "abstract, 4" if letter == "a" else "ours",
            "F" if letter == "a" else "P",
            f"{what} of the best topological predictor with test accuracy over networks",
            "p ≤ 0.05, adjusted for all predictors and layers",
            ("correlations", "generalization"),
            grids,
            "no grid of populations in this run",
            topology_predicts("test_accuracy", beyond_weights=letter == "b"),
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
    Claim(
        "A5",
        "abstract",
        "Topological information can be used to improve a network.",
        "abstract, 5",
        "F",
        "variants faster or better in cross-tests than the plain network and every control",
        "at least one, Holm p ≤ 0.05 against each",
        ("comparisons",),
        all_improved,
        "no comparison of improved networks in this run",
        some_improvement,
    ),
)
