"""The claims of the weights paper: its abstract (arXiv 1810.03234 v3) and the experiments E1 to E16 of the notes.

Every rule stands here, beside its claim, in words; the constants are named in the modules of measures. All were fixed
before any run but for those that `rule_changed` names. A rule that asks for significance means the test of the run:
familywise over the bars of a cloud, under every null of the config. A cloud with too few filters for that test counts
neither way.
"""

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
_LONGEST = "longest H1 bar of the pooled filters"
_FASTER = f"ratio of medians above 1 with its 95% interval, Holm p ≤ {LEVEL:g}"
_HIGHER = f"difference of means above 0 with its 95% interval, Holm p ≤ {LEVEL:g}"


WEIGHTS_CLAIMS = (
    *ABSTRACT_CLAIMS,
    Claim(
        claim="E1",
        statement="MNIST, M(64, 32, 64), layer 1: one circle.",
        source="section 3",
        certainty="M-high",
        statistic=_LONGEST,
        rule=_EXCLUDING_RULE,
        tables=("loops", "circles"),
        subjects=trained("network on MNIST", "mnist", "M(64, 32, 64)"),
        measure=one_circle(),
        published="β1 = 1 [F2]; bar 1.10 [M-med]",
        published_value=1.10,
    ),
    Claim(
        claim="E2",
        statement="MNIST, M(64, 8, 512), layer 1: the same circle.",
        source="section 3",
        certainty="M-med",
        statistic=_LONGEST,
        rule=_EXCLUDING_RULE,
        tables=("loops", "circles"),
        subjects=trained("network on MNIST", "mnist", "M(64, 8, 512)"),
        measure=one_circle(),
        published="β1 = 1 [M-med]",
    ),
    Claim(
        claim="E3",
        statement="MNIST, layer 2: weaker or more complex structure than layer 1.",
        source="section 3",
        certainty="M-low",
        statistic="longest bar of layer 2 over that of layer 1, each over its own critical value",
        rule="several significant loops, more than in layer 1 (more complex); or at least one in layer 1, and the "
        "upper end of the ratio below 1, as is that of the bars themselves (weaker); the interval joins the ends of "
        "both",
        tables=("loops", "significance"),
        subjects=trained("second layer of networks on MNIST", "mnist", "M(64, 32, 64)", layer="conv2"),
        measure=weaker_than_first,
    ),
    Claim(
        claim="E4",
        statement="MNIST, layer 1: the circle appears within a few hundred iterations.",
        source="section 3",
        certainty="F2",
        statistic="first step from which on the loop stays significant",
        rule=f"after step 0, upper end of the 95% interval by step {FEW_HUNDRED:,}; from then on "
        f"the primary circle: {_WOUND}",
        tables=("onset", "loop_tracks"),
        subjects=trained("network on MNIST", "mnist", "M(64, 32, 64)"),
        measure=early_onset,
        published="a few hundred [F2:gut]",
    ),
    Claim(
        claim="E5",
        statement="CIFAR-10 gray, layer 1: one circle.",
        source="section 3",
        certainty="M-med",
        statistic=_LONGEST,
        rule=_EXCLUDING_RULE,
        tables=("loops", "circles"),
        subjects=trained("network on CIFAR-10 gray", "cifar10", _CIFAR, channels=1),
        measure=one_circle(),
        published="β1 = 1 [M-med]",
    ),
    Claim(
        claim="E6",
        statement="CIFAR-10 colour, layer 1, local density: three circles, β1 = 5.",
        source="section 3",
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
    Claim(
        claim="E6b",
        statement="CIFAR-10 colour, layer 1, coarse density: the primary circle.",
        source="section 3",
        certainty="F2",
        statistic=_LONGEST,
        rule=_CIRCLE_RULE,
        tables=("loops", "circles"),
        subjects=trained("network on CIFAR-10 colour", "cifar10", _CIFAR, channels=3),
        measure=one_circle(coarse=True),
        published="β1 = 1 [F2:gut]",
    ),
    Claim(
        claim="E7",
        statement="CIFAR-10 colour, layer 2: a circle and further patterns.",
        source="section 3",
        certainty="M-low",
        statistic="number of significant H1 bars",
        rule="more than one",
        tables=("loops",),
        subjects=trained("second layer of networks on CIFAR-10 colour", "cifar10", _CIFAR, channels=3, layer="conv2"),
        measure=several_loops,
    ),
    Claim(
        claim="E8",
        statement="CIFAR-10: the circle appears about ten times later than on MNIST.",
        source="section 3",
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
        Claim(
            claim=name,
            statement=f"{model.upper()}: the primary circle in a low layer, and fewer filters near it the deeper the "
            "layer.",
            source="section 3",
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
    Claim(
        claim="E11",
        statement="MNIST: the longest bar and test accuracy rise together over training.",
        source="section 3",
        certainty="M-med",
        statistic="partial correlation over snapshots given the logarithm of the step, interval over networks",
        rule="above 0 with its 95% interval, as is the plain rank correlation, which any two rising curves have; "
        f"of {LEAST_SNAPSHOTS} snapshots or more",
        tables=("correlations",),
        subjects=trained("network on MNIST", "mnist", "M(64, 32, 64)"),
        measure=rises_with_accuracy,
    ),
    Claim(
        claim="E12",
        statement="The dominant bar is longer for the richer set: SVHN above MNIST.",
        source="section 3",
        certainty="M-med",
        statistic="longest bar on SVHN over that on MNIST, each over its own critical value",
        rule="95% intervals over networks, of these and of the bars themselves, do not overlap; that on SVHN is "
        f"significant, both are of the primary circle: {_WOUND}",
        tables=("loop_tracks",),
        subjects=crossed,
        measure=longer_bar,
        published="bars 1.27 / 1.10 [M-med]",
        published_value=1.27 / 1.10,
    ),
    Claim(
        claim="E13",
        statement="Networks trained on SVHN do better on MNIST than the reverse.",
        source="section 3",
        certainty="M-med",
        statistic="accuracy across sets, SVHN networks less MNIST networks, % points",
        rule="95% interval (Welch) above 0",
        tables=("training",),
        subjects=crossed,
        measure=cross_test_gain,
        published="54% against 28% [M-med]",
        published_value=26,
    ),
    Claim(
        claim="E14",
        statement="MNIST, first layer fixed to the primary circle: better on SVHN.",
        source="section 3",
        certainty="M-med",
        statistic="cross-test accuracy less plain network's, % points",
        rule=_HIGHER,
        tables=("comparisons",),
        subjects=improved("mnist", "a first layer fixed to the circle", "svhn"),
        measure=beats_baseline("svhn"),
        published="goes up [M-med]",
    ),
    *(
        Claim(
            claim=f"E15{letter}",
            experiment="E15",
            statement=f"{name}: angular features speed learning up.",
            source="section 3",
            certainty="F2",
            statistic=f"iterations to the target ({target}% in the notes), plain over angular",
            rule=_FASTER,
            tables=("comparisons",),
            subjects=improved(kind, "angular features"),
            measure=beats_baseline(),
            published=f"x{published:g} [F2:tadl-ko]",
            published_value=published,
        )
        for letter, kind, name, target, published in (("a", "mnist", "MNIST", 98, 2.0), ("b", "svhn", "SVHN", 80, 3.5))
    ),
    Claim(
        claim="E15c",
        experiment="E15",
        statement="MNIST with angular features: better on SVHN.",
        source="section 5",
        certainty="F2",
        statistic="cross-test accuracy less plain network's, % points",
        rule=_HIGHER,
        tables=("comparisons",),
        subjects=improved("mnist", "angular features", "svhn"),
        measure=beats_baseline("svhn"),
        published="~10% to ~22% [F2:tadl-ko]",
        published_value=12,
    ),
    *(
        Claim(
            claim=f"E16{letter}",
            experiment="E16",
            statement=f"MNIST, first layer of Klein filters: {what}.",
            source="section 3",
            certainty="F",
            statistic=statistic,
            rule=rule,
            tables=("comparisons",),
            subjects=improved("mnist", "a first layer of Klein filters", other),
            measure=beats_baseline(other),
            published="faster, better [F:abstract]",
        )
        for letter, what, other, statistic, rule in (
            ("a", "learns faster", None, "iterations to the target, plain over Klein", _FASTER),
            ("b", "better on SVHN", "svhn", "cross-test accuracy less plain network's, % points", _HIGHER),
        )
    ),
)
