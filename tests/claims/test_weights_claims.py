"""Claims of the weights paper are supported where their rule holds, not where it fails, else not tested."""

import numpy as np
import pytest
from claim_rows import (
    FOUR,
    accuracies,
    against_critical,
    both,
    circles,
    compared,
    correlation,
    followed,
    lasting,
    local,
    loop,
    one_circle,
    onset,
    over_training,
    pooled,
    track,
    vgg,
)

from cnn_topology.claims.framework import INTERVAL, JOINED
from cnn_topology.claims.weights import WEIGHTS_CLAIMS

NONE_TO_CIRCLE = ("no loop", "one weak loop", "one loop", "one loop")
GAIN = ("iterations_to_target", "cross_accuracy")
# For each claim: tables in which it holds, and tables in which it fails.
CASES = {
    "A1": (
        {"loops": [loop("first"), *vgg("vgg16", [0.5] * 13, ["one loop"] * 13)["loops"]]},
        {"loops": vgg("vgg16", [0.5] * 13, ["one loop"] * 5 + ["no loop"] * 8)["loops"]},
    ),
    "A2": (
        {"loops": [row for name, layer in FOUR for row in over_training(name, NONE_TO_CIRCLE, layer)]},
        {"loops": [row for name, layer in FOUR for row in over_training(name, ["one loop"] * 4, layer)]},
    ),
    "A3a": (
        {
            "loops": [loop(*which) for which in FOUR],
            "circles": [row for which in FOUR for row in circles(loop(*which))],
        },
        {
            "loops": [loop(*which, verdict="no loop") for which in FOUR],
            "circles": [row for which in FOUR for row in circles(loop(*which))],
        },
    ),
    "A3b": (
        {
            "loops": [loop(name) for name in ("first", "second", "gray", "wide", "colour")],
            "circles": [
                *(row for name in ("first", "second", "gray") for row in circles(loop(name))),
                *(row for name in ("wide", "colour") for row in circles(loop(name), lines=0.9)),
            ],
        },
        {
            "loops": [loop(name) for name in ("first", "second", "gray")],
            "circles": [row for name in ("first", "second", "gray") for row in circles(loop(name))],
        },
    ),
    "A4a": (
        {"correlations": [correlation("spearman", 0.01)]},
        {"correlations": [correlation("spearman", 0.03, layer=layer) for layer in ("conv1", "conv2")]},
    ),
    "A4b": (
        {"correlations": [correlation("partial_spearman", 0.01)]},
        {"correlations": [correlation("partial_spearman", 0.2), correlation("partial_spearman", 0.001, "baseline")]},
    ),
    "A5": (
        {"comparisons": [compared("angular-1", against, GAIN[0], 2.0) for against in ("plain-1", "random-1")]},
        {
            "comparisons": [
                compared("angular-1", "plain-1", GAIN[0], 2.0),
                compared("angular-1", "random-1", GAIN[0], 1.1, p=0.6),
            ]
        },
    ),
    "E1": (one_circle("first"), {"loops": [loop("first", verdict="one weak loop")]}),
    "E2": (one_circle("wide"), {"loops": [loop("wide", verdict="several loops")]}),
    "E3": (
        against_critical(loop("first"), loop("first", "conv2", verdict="several loops", longest=1.5)),
        against_critical(loop("first"), loop("first", "conv2", longest=1.5)),
    ),
    "E4": (
        {"onset": [onset("first", 200, 100, 300)], "loop_tracks": lasting("first", 200, 2_000)},
        {"onset": [onset("first", 200, 100, 2_000)], "loop_tracks": lasting("first", 200, 2_000)},
    ),
    "E5": (one_circle("gray"), {"loops": [loop("gray", verdict="no loop")]}),
    "E6": (
        {"loops": local("several loops", 5), "circles": circles(local("several loops", 5)[1], shape="three circles")},
        {"loops": local("several loops", 5), "circles": circles(local("several loops", 5)[1], shape="Klein bottle")},
    ),
    "E6b": (
        {"loops": local("several loops", 5), "circles": circles(loop("colour"))},
        {"loops": [loop("colour", verdict="no loop"), *local("one loop", 1)[1:]]},
    ),
    "E7": (
        {"loops": [loop("colour", "conv2", verdict="several loops")]},
        {"loops": [loop("colour", "conv2")]},
    ),
    "E8": (
        {
            "onset": [onset("first", 200, 100, 300), onset("gray", 2_000, 1_000, 3_000)],
            "loop_tracks": lasting("first", 200) + lasting("gray", 2_000),
        },
        {
            "onset": [onset("first", 200), onset("gray", 2_000)],
            "loop_tracks": lasting("first", 200) + lasting("gray", 2_000),
        },
    ),
    "E9": (
        vgg("vgg16", np.linspace(0.9, 0.1, 13), ["one loop"] * 13),
        vgg("vgg16", np.linspace(0.1, 0.9, 13), ["one loop"] * 13),
    ),
    "E10": (
        vgg("vgg19", np.linspace(0.9, 0.1, 16), ["no loop", *["one loop"] * 15]),
        vgg("vgg19", np.linspace(0.9, 0.1, 16), ["no loop"] * 16),
    ),
    "E11": ({"correlations": pooled(0.9, 0.5)}, {"correlations": pooled(0.9, 0.2)}),
    "E12": (
        {"loop_tracks": [track("first", 1.10), track("second", 1.27)]},
        {"loop_tracks": [track("first", 1.10), track("second", 1.12)]},
    ),
    "E13": (
        {"training": [*accuracies("first", "two", 0.28), *accuracies("second", "one", 0.54)]},
        {"training": [*accuracies("first", "two", 0.54), *accuracies("second", "one", 0.28)]},
    ),
    "E14": (
        {"comparisons": both(compared("circle-1", "plain-1", GAIN[1], 0.1))},
        {"comparisons": both(compared("circle-1", "plain-1", GAIN[1], 0.1, p=0.06))},
    ),
    "E15a": (
        {"comparisons": [compared("angular-1", "plain-1", GAIN[0], 2.0)]},
        {"comparisons": [compared("angular-1", "plain-1", GAIN[0], 0.5)]},
    ),
    "E15b": (
        {"comparisons": [compared("angular-2", "plain-2", GAIN[0], np.inf, low=1.5)]},
        {"comparisons": [compared("angular-2", "plain-2", GAIN[0], 1.2, p=0.5)]},
    ),
    "E15c": (
        {"comparisons": [compared("angular-1", "plain-1", GAIN[1], 0.12)]},
        {"comparisons": [compared("angular-1", "plain-1", GAIN[1], -0.12)]},
    ),
    "E16a": (
        {"comparisons": [compared("klein-1", "plain-1", GAIN[0], 2.0)]},
        {"comparisons": [compared("klein-1", "plain-1", GAIN[0], 1.0, p=1.0)]},
    ),
    "E16b": (
        {"comparisons": [compared("klein-1", "plain-1", GAIN[1], 0.05)]},
        {"comparisons": [compared("klein-1", "plain-1", GAIN[1], 0.05, low=-0.01)]},
    ),
}  # fmt: skip

BLOCKS = {"A4a", "A4b"}
LAYERS = {"A1", "A2", "A3a", "A3b", "E9", "E10"}
# Those whose table or statistic has no interval.
WITHOUT = {"A5", "E1", "E2", "E3", "E5", "E6", "E6b", "E7", "E9", "E10"}


def test_every_claim_has_a_case():
    assert set(CASES) == {claim.claim for claim in WEIGHTS_CLAIMS}
    assert {f"E{n}" for n in range(1, 17)} <= {claim.experiment or claim.claim for claim in WEIGHTS_CLAIMS}
    assert {f"A{n}" for n in range(1, 6)} <= {claim.claim[:2] for claim in WEIGHTS_CLAIMS}


@pytest.mark.parametrize("name", CASES)
def test_a_row_says_what_n_counts_and_what_its_two_ends_are(name, of, facts):
    row, *_ = of(name, CASES[name][0], facts)
    assert row["unit"] == ("layers" if name in LAYERS else "populations" if name in BLOCKS else "networks")
    assert row["spread"] == ("" if name in WITHOUT else JOINED if name in ("E8", "E12") else INTERVAL)


@pytest.mark.parametrize("name", ["E1", "E3", "E4", "E11", "E12", "E13", "E14", "E15a", "E15b", "E16a", "A4a", "A5"])
def test_other_data_never_test_a_claim(name, of, other_data_facts):
    for tables, outcome in zip(CASES[name], ("holds", "fails"), strict=True):
        row = of(name, tables, other_data_facts)[0]
        assert row["other_data"]
        assert (row["verdict"], row["outcome"]) == ("not tested", outcome)
        assert row["reason"].startswith("other data or networks than the paper's: ")
        assert "digits" not in row["statement"]


def test_the_papers_own_data_go_before_others(of, facts):
    handwritten = facts.populations["first"].model_copy(update={"images": "digits"})
    images = {**facts.images, "digits": facts.images["one"].model_copy(update={"own": False})}
    changed = facts.model_copy(update={"populations": {"d": handwritten, **facts.populations}, "images": images})
    tables = {**one_circle("first"), "loops": [loop("first"), loop("d", verdict="no loop")]}
    (row,) = of("E1", tables, changed)
    assert (row["populations"], row["other_data"], row["verdict"]) == ("first", False, "supported")


@pytest.mark.parametrize("name", ["E1", "E4", "E5", "E6", "E8", "E12", "E13", "E14", "E15c", "E16b", "A5"])
def test_a_copy_of_the_papers_data_has_the_rules_applied_and_no_verdict(name, of, copied_facts):
    for tables, outcome in zip(CASES[name], ("holds", "fails"), strict=True):
        row = of(name, tables, copied_facts)[0]
        assert (row["other_data"], row["verdict"], row["outcome"]) == (True, "not tested", outcome)


@pytest.mark.parametrize("name", ["E12", "E13", "E14", "E15c", "E16b", "A5"])
def test_a_claim_across_two_sets_needs_the_papers_data_on_both_sides(name, of, facts):
    images = {**facts.images, "two": facts.images["two"].model_copy(update={"own": False})}
    row = of(name, CASES[name][0], facts.model_copy(update={"images": images}))[0]
    assert (row["other_data"], row["verdict"], row["outcome"]) == (True, "not tested", "holds")
    images["two"] = images["two"].model_copy(update={"stands_for": ""})
    row = of(name, CASES[name][0], facts.model_copy(update={"images": images}))[0]
    assert (row["verdict"], row["outcome"]) == ("not tested", "holds" if name == "A5" else "")


def test_accuracy_across_sets_is_read_on_the_set_of_the_claim(of, facts):
    other = facts.images["one"].model_copy(update={"stands_for": "", "own": False})
    changed = facts.populations["circle-1"].model_copy(update={"cross_test": ("leaves", "two")})
    changed = facts.model_copy(
        update={
            "images": {"leaves": other, **facts.images},
            "populations": {**facts.populations, "circle-1": changed},
        }
    )
    gains = [
        compared("circle-1", "plain-1", GAIN[1], value, images=images)
        for images, value in (("leaves", 0.5), ("two", 0.05))
    ]
    (row,) = of("E14", {"comparisons": gains}, changed)
    assert row["value"] == pytest.approx(5)


def test_another_architecture_on_the_papers_data_is_other_data(of, facts):
    other = facts.populations["wide"]
    changed = facts.model_copy(update={"populations": {"wide": other}})
    (row,) = of("E1", one_circle("wide"), changed)
    assert (row["verdict"], row["outcome"]) == ("not tested", "holds")
    assert "not M(64, 32, 64)" in row["reason"]


def test_three_layers_cannot_decide_what_holds_of_most_whatever_they_show(of, facts):
    """Wilson's interval of 3 of 3 layers reaches down to 0.44; that of 4 of 4 does not reach a half."""
    for verdict in ("one loop", "no loop"):
        for count, decided in ((3, False), (4, True)):
            loops = [loop(*which, verdict=verdict) for which in FOUR[:count]]
            held = [row for which in FOUR[:count] for row in circles(loop(*which))]
            (row,) = of("A3a", {"loops": loops, "circles": held}, facts)
            assert (row["verdict"] == "cannot decide") != decided
            assert row["n"] == count
            assert decided or "at least 4" in row["reason"]


def test_two_layers_cannot_decide_whether_some_have_another_circle(of, facts):
    """Of two layers at most one can: one in twenty is no rare chance in two tries."""
    for count, verdict in ((2, "cannot decide"), (3, "supported")):
        loops = [loop(*which) for which in FOUR[:count]]
        rest = [row for one in loops[1:] for row in circles(one, lines=0.9)]
        (row,) = of("A3b", {"loops": loops, "circles": [*circles(loops[0]), *rest]}, facts)
        assert row["verdict"] == verdict
        assert verdict == "supported" or "at least 3" in row["reason"]


@pytest.mark.parametrize("name", ["E14", "A5"])
def test_few_networks_cannot_decide_what_is_compared_many_times(name, of, facts):
    """Of 6 comparisons of 5 and 5 networks none can have a p-value of Holm below 6 x 2 / 252."""
    for networks, verdict in ((5, "cannot decide"), (6, "supported")):
        tables = {"comparisons": [dict(row) for row in CASES[name][0]["comparisons"]]}
        group = tables["comparisons"][0]["group_name"]
        tables["comparisons"] += [
            compared(f"{variant}-1", "plain-1", "x", 1.0, group_name=group) for variant in "abcdef"
        ]
        for row in tables["comparisons"]:
            row |= {"n": networks, "n_against": networks}
        row = of(name, tables, facts)[0]
        assert row["verdict"] == verdict
        assert verdict == "supported" or "at least 6 networks" in row["reason"]


def test_three_layers_cannot_decide_a_trend(of, facts):
    (row,) = of("E9", vgg("vgg16", [0.9, 0.5, 0.1], ["one loop"] * 3), facts)
    assert (row["verdict"], row["n"]) == ("cannot decide", 3)
    assert "at least 4" in row["reason"]


def test_a_layer_centred_in_another_way_does_not_count_as_a_layer(of, facts):
    tables = CASES["A3a"][0]
    other = loop("first", verdict="no loop", layer="conv1-coordinate", depth=1)
    more = {"loops": [*tables["loops"], other], "circles": [*tables["circles"], *circles(other)]}
    (row,) = of("A3a", more, facts)
    assert (row["n"], row["verdict"]) == (4, "supported")


def test_a_loop_that_never_lasts_has_no_onset(of, facts):
    (row,) = of("E4", {"onset": [onset("first", None, None, None)]}, facts)
    assert (row["verdict"], row["reason"]) == ("not supported", "no loop that lasts")
    tables = {"onset": [onset("first", 200, 100, None)], "loop_tracks": lasting("first", 200)}
    (row,) = of("E4", tables, facts)
    assert (row["verdict"], row["high"]) == ("not supported", np.inf)
    (row,) = of("E8", {"onset": [onset("first", 0), onset("gray", 300)]}, facts)
    assert row["verdict"] == "not tested"


def test_the_interval_of_a_circle_is_that_of_its_followed_loop(of, facts):
    (row,) = of("E1", {**one_circle("first"), "loop_tracks": [followed(loop("first"), 1)]}, facts)
    assert (row["value"], row["low"], row["high"]) == (1.0, 0.95, 1.05)


def test_an_improvement_without_controls_is_not_tested(of, facts):
    tables = {"comparisons": [compared("angular-1", "plain-1", GAIN[0], 2.0)]}
    row = of("A5", tables, facts)[0]
    assert (row["verdict"], row["reason"]) == ("not tested", "the group has no controls")


def test_a_speed_that_is_not_known_is_not_tested(of, facts):
    tables = {"comparisons": [compared("angular-1", "plain-1", GAIN[0], np.nan)]}
    (row,) = of("E15a", tables, facts)
    assert row["verdict"] == "not tested"
    assert "never reach the target" in row["reason"]


def test_a_variant_that_was_not_held_against_every_control_has_not_beaten_it(of, facts):
    rows = [compared("angular-1", against, GAIN[0], 2.0) for against in ("plain-1", "random-1")]
    rows += [compared("circle-1", "plain-1", GAIN[0], 2.0, p=1e-4)]
    assert of("A5", {"comparisons": rows}, facts)[0]["value"] == 1
    slower = [compared("angular-1", against, GAIN[0], 0.5) for against in ("plain-1", "random-1")]
    assert of("A5", {"comparisons": slower}, facts)[0]["p_value"] == 1


def test_bars_of_no_length_give_no_ratio(of, facts):
    tables = {"loop_tracks": [track("first", 1.10), track("second", 1.27)]}
    tables["loop_tracks"][0]["longest_low"] = 0.0
    assert of("E12", tables, facts)[0]["high"] == np.inf
    tables["loop_tracks"][0] |= {"longest": 0.0, "longest_high": 0.0}
    assert of("E12", tables, facts)[0]["reason"] == "a cloud has no H1 bar at all"
    loops = [loop("first", longest=0.0, verdict="no loop"), loop("first", "conv2", verdict="no loop", longest=0.0)]
    assert of("E3", {"loops": loops}, facts)[0]["reason"] == "a cloud has no H1 bar at all"
