"""The claims of the weights paper: its abstract (arXiv 1810.03234 v3) and the experiments E1 to E16 of the notes.

Every rule stands here, beside its claim, in words; the constants are named in the modules of measures. All were fixed
before any run but for those that `rule_changed` names. A rule that asks for significance means the test of the run:
familywise over the bars of a cloud, under every null of the config. A cloud with too few filters for that test counts
neither way.
"""

from functools import partial

from cnn_topology.claims.abstract import ABSTRACT_CLAIMS, EXCLUDED, IS_PRIMARY
from cnn_topology.claims.accuracy_measures import beats_baseline, cross_test_gain
from cnn_topology.claims.circle_measures import fades_with_depth
from cnn_topology.claims.framework import Claim
from cnn_topology.claims.loop_measures import DIVIDE, one_circle, several_loops, three_circles, weaker_than_first
from cnn_topology.claims.subjects import crossed, improved, onset_pair, pretrained, trained
from cnn_topology.claims.training_measures import (
    FEW_HUNDRED,
    LEAST_SNAPSHOTS,
    TENFOLD,
    early_onset,
    later_onset,
    longer_bar,
    rises_with_accuracy,
)
from cnn_topology.statistics.shapes import COVERED, EACH_CIRCLE
from cnn_topology.statistics.significance import LEVEL, ONE_LOOP_RATIO

_WOUND = f"{COVERED:.0%} of it covered, wound round once"
_CIRCLE_RULE = f"one significant bar, at least {ONE_LOOP_RATIO:g} times the second (verdict `one loop`); {IS_PRIMARY}"
_EXCLUDING_RULE = f"{_CIRCLE_RULE}; {EXCLUDED}"
_CIFAR = "C(64, 32, 64)"

# What several claims share.
_experiment = partial(Claim, source="section 3")
_circle = partial(_experiment, statistic="longest H1 bar of the pooled filters", tables=("loops", "circles"))
_compared = partial(_experiment, tables=("comparisons",))
_speed = partial(
    _compared,
    rule=f"ratio of medians above 1 with its 95% interval, Holm p ≤ {LEVEL:g}",
    measure=beats_baseline(),
)
_cross_test = partial(
    _compared,
    statistic="cross-test accuracy less plain network's, % points",
    rule=f"difference of means above 0 with its 95% interval, Holm p ≤ {LEVEL:g}",
    measure=beats_baseline("svhn"),
)

WEIGHTS_CLAIMS = (
    *ABSTRACT_CLAIMS,
    _circle(
        claim="E1",
        statement="MNIST, M(64, 32, 64), layer 1: one circle.",
        certainty="M-high",
        rule=_EXCLUDING_RULE,
        subjects=trained("network on MNIST", "mnist", "M(64, 32, 64)"),
        measure=one_circle(),
        published="β1 = 1 [F2]; bar 1.10 [M-med]",
        published_value=1.10,
    ),
    _circle(
        claim="E2",
        statement="MNIST, M(64, 8, 512), layer 1: the same circle.",
        certainty="M-med",
        rule=_EXCLUDING_RULE,
        subjects=trained("network on MNIST", "mnist", "M(64, 8, 512)"),
        measure=one_circle(),
        published="β1 = 1 [M-med]",
    ),
    _experiment(
        claim="E3",
        statement="MNIST, layer 2: weaker or more complex structure than layer 1.",
        certainty="M-low",
        statistic="longest bar of layer 2 over that of layer 1, each over its own critical value",
        rule="several significant loops, more than in layer 1 (more complex); or at least one in layer 1, and the "
        "upper end of the ratio below 1, as is that of the bars themselves (weaker); the interval joins the ends of "
        "both",
        tables=("loops", "significance"),
        subjects=trained("second layer of networks on MNIST", "mnist", "M(64, 32, 64)", layer="conv2"),
        measure=weaker_than_first,
    ),
    _experiment(
        claim="E4",
        statement="MNIST, layer 1: the circle appears within a few hundred iterations.",
        certainty="F2",
        statistic="first step from which on the loop stays significant",
        rule=f"after step 0, upper end of the 95% interval by step {FEW_HUNDRED:,}; from then on "
        f"the primary circle: {_WOUND}",
        tables=("onset", "loop_tracks"),
        subjects=trained("network on MNIST", "mnist", "M(64, 32, 64)"),
        measure=early_onset,
        published="a few hundred [F2:gut]",
    ),
    _circle(
        claim="E5",
        statement="CIFAR-10 gray, layer 1: one circle.",
        certainty="M-med",
        rule=_EXCLUDING_RULE,
        subjects=trained("network on CIFAR-10 gray", "cifar10", _CIFAR, channels=1),
        measure=one_circle(),
        published="β1 = 1 [M-med]",
    ),
    _experiment(
        claim="E6",
        statement="CIFAR-10 colour, layer 1, local density: three circles, β1 = 5.",
        certainty="F2",
        statistic=f"number of significant H1 bars, k below {DIVIDE:.2%} of the points",
        rule="a significant loop, and known shape `three circles`: two thirds of the kept filters near the Klein "
        f"bottle, few of them off the three circles, {EACH_CIRCLE:.0%} of the directions of each circle covered",
        tables=("loops", "circles"),
        subjects=trained("network on CIFAR-10 colour", "cifar10", _CIFAR, channels=3),
        measure=three_circles,
        published="β1 = 5 [F2:tadl-ko]",
        published_value=5,
    ),
    _circle(
        claim="E6b",
        statement="CIFAR-10 colour, layer 1, coarse density: the primary circle.",
        certainty="F2",
        rule=_CIRCLE_RULE,
        subjects=trained("network on CIFAR-10 colour", "cifar10", _CIFAR, channels=3),
        measure=one_circle(coarse=True),
        published="β1 = 1 [F2:gut]",
    ),
    _experiment(
        claim="E7",
        statement="CIFAR-10 colour, layer 2: a circle and further patterns.",
        certainty="M-low",
        statistic="number of significant H1 bars",
        rule="more than one",
        tables=("loops",),
        subjects=trained("second layer of networks on CIFAR-10 colour", "cifar10", _CIFAR, channels=3, layer="conv2"),
        measure=several_loops,
    ),
    _experiment(
        claim="E8",
        statement="CIFAR-10: the circle appears about ten times later than on MNIST.",
        certainty="F2",
        statistic="onset on CIFAR-10 gray over onset on MNIST",
        rule=f"between {TENFOLD[0]:g} and {TENFOLD[1]:g}, lower end of the interval above 1; the "
        "interval joins the ends of both; from its "
        f"onset on each is the primary circle: {_WOUND}",
        tables=("onset", "loop_tracks"),
        subjects=onset_pair,
        measure=later_onset,
        published="about 10 [F2:gut]",
        published_value=10,
    ),
    *(
        _experiment(
            claim=name,
            statement=f"{model.upper()}: the primary circle in a low layer, and fewer filters near it the deeper the "
            "layer.",
            certainty=certainty,
            statistic="rank correlation of depth and share of filters near the primary circle",
            rule=f"below 0, permutation p ≤ {LEVEL:g}, and in one of the four lowest layers `one loop`, the "
            "primary; of layers with enough filters for a test",
            tables=("loops", "circles"),
            subjects=pretrained(model),
            measure=fades_with_depth,
        )
        for name, model, certainty in (("E9", "vgg16", "F2"), ("E10", "vgg19", "M-med"))
    ),
    _experiment(
        claim="E11",
        statement="MNIST: the longest bar and test accuracy rise together over training.",
        certainty="M-med",
        statistic="partial correlation over snapshots given the logarithm of the step, interval over networks",
        rule="above 0 with its 95% interval, as is the plain rank correlation, which any two rising curves have; "
        f"of {LEAST_SNAPSHOTS} snapshots or more",
        tables=("correlations",),
        subjects=trained("network on MNIST", "mnist", "M(64, 32, 64)"),
        measure=rises_with_accuracy,
    ),
    _experiment(
        claim="E12",
        statement="The dominant bar is longer for the richer set: SVHN above MNIST.",
        certainty="M-med",
        statistic="longest bar on SVHN over that on MNIST, each over its own critical value",
        rule="95% intervals over networks, of these and of the bars themselves, do not overlap; that on SVHN is "
        f"significant, both are of the primary circle: {_WOUND}",
        tables=("loop_tracks",),
        subjects=crossed("pair of networks on MNIST and SVHN"),
        measure=longer_bar,
        published="bars 1.27 / 1.10 [M-med]",
        published_value=1.27 / 1.10,
    ),
    _experiment(
        claim="E13",
        statement="Networks trained on SVHN do better on MNIST than the reverse.",
        certainty="M-med",
        statistic="accuracy across sets, SVHN networks less MNIST networks, % points",
        rule="95% interval (Welch) above 0",
        tables=("training",),
        subjects=crossed("pair of networks on MNIST and SVHN, tested on each other's set"),
        measure=cross_test_gain,
        published="54% against 28% [M-med]",
        published_value=26,
    ),
    _cross_test(
        claim="E14",
        statement="MNIST, first layer fixed to the primary circle: better on SVHN.",
        certainty="M-med",
        subjects=improved("mnist", "a first layer fixed to the circle", "svhn"),
        published="goes up [M-med]",
    ),
    *(
        _speed(
            claim=f"E15{letter}",
            experiment="E15",
            statement=f"{name}: angular features speed learning up.",
            certainty="F2",
            statistic=f"iterations to the target ({target}% in the notes), plain over angular",
            subjects=improved(kind, "angular features"),
            published=f"x{published:g} [F2:tadl-ko]",
            published_value=published,
        )
        for letter, kind, name, target, published in (("a", "mnist", "MNIST", 98, 2.0), ("b", "svhn", "SVHN", 80, 3.5))
    ),
    _cross_test(
        claim="E15c",
        experiment="E15",
        statement="MNIST with angular features: better on SVHN.",
        source="section 5",
        certainty="F2",
        subjects=improved("mnist", "angular features", "svhn"),
        published="~10% to ~22% [F2:tadl-ko]",
        published_value=12,
    ),
    _speed(
        claim="E16a",
        experiment="E16",
        statement="MNIST, first layer of Klein filters: learns faster.",
        certainty="F",
        statistic="iterations to the target, plain over Klein",
        subjects=improved("mnist", "a first layer of Klein filters"),
        published="faster, better [F:abstract]",
    ),
    _cross_test(
        claim="E16b",
        experiment="E16",
        statement="MNIST, first layer of Klein filters: better on SVHN.",
        certainty="F",
        subjects=improved("mnist", "a first layer of Klein filters", "svhn"),
        published="faster, better [F:abstract]",
    ),
)
