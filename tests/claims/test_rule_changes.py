"""Rules that a review made stricter: which circle a loop is, bars over their own critical values, too small clouds."""

import numpy as np
import pytest
import test_activations_claims as activations
import test_weights_claims as weights
from claim_rows import (
    FOUR,
    VGG,
    against_critical,
    circles,
    followed,
    lasting,
    loop,
    onset,
    over_training,
    pooled,
    track,
    vgg,
)

from cnn_topology.claims.words import verdict_text
from cnn_topology.statistics.significance import TOO_FEW


@pytest.mark.parametrize(("name", "population"), [("E1", "first"), ("E2", "wide"), ("E5", "gray"), ("E6b", "colour")])
def test_one_circle_that_is_not_the_primary_one_does_not_hold(name, population, of, facts):
    cloud = loop(population)
    elsewhere = [row | {"coverage": 0.3} for row in circles(cloud)]
    by_chance = [row | {"p_permuted": 0.2} for row in circles(cloud)]
    around = [[row | {"degree": degree} for row in circles(cloud)] for degree in (0, 2, None)]
    for rows in (elsewhere, by_chance, *around):
        (row,) = of(name, {"loops": [cloud], "circles": rows}, facts)
        assert (row["verdict"], row["reason"]) == ("not supported", "one loop, not shown to be the primary circle")
    (row,) = of(name, {"loops": [cloud]}, facts)
    assert (row["verdict"], row["outcome"]) == ("not tested", "")
    assert row["reason"] == "one loop, but not compared with the primary circle: ask for `circles: all`"


@pytest.mark.parametrize(("name", "population"), [("E1", "first"), ("E2", "wide"), ("E5", "gray")])
@pytest.mark.parametrize("other", [{"p_lowpass": 0.3}, {"p_block": 0.04}, {"p_lowpass": None}])
def test_a_circle_that_another_explanation_has_too_does_not_hold(name, population, other, of, facts):
    cloud = loop(population) | other
    (row,) = of(name, {"loops": [cloud], "circles": circles(cloud)}, facts)
    named = "smooth" if "p_lowpass" in other else "blocks"
    assert (row["verdict"], named in row["reason"]) == ("not supported", True)


def test_a_layer_whose_circle_smooth_fields_have_too_does_not_count(of, facts):
    def row_of(*p_values):
        loops = [loop(*which) | {"p_lowpass": p} for which, p in zip(FOUR, p_values, strict=True)]
        return of("A3a", {"loops": loops, "circles": [row for cloud in loops for row in circles(cloud)]}, facts)[0]

    assert (row_of(0.005, 0.3, 0.005, 0.02)["value"], row_of(*[0.005] * 4)["value"]) == (0.5, 1.0)
    assert row_of(0.005, 0.3, 0.005, 0.02)["reason"].startswith("2 more")


@pytest.mark.parametrize(
    ("verdicts", "stability", "counts"),
    [
        (("no loop", "no loop", "one loop", "one loop"), 0.5, True),
        (("one loop", "no loop", "no loop", "one loop"), 0.9, False),
        (("no loop", "one loop", "one loop", "one loop"), 0.4, False),
        (("no loop", "one loop", "one loop", "one loop"), None, True),
    ],
)
def test_the_primary_circle_recurs_over_snapshots_and_draws_of_networks(verdicts, stability, counts, of, facts):
    loops = [row | {"verdict_stability": stability} for row in over_training("first", verdicts)]
    loops += [loop(*which) for which in FOUR[1:]]
    (row,) = of("A3a", {"loops": loops, "circles": [row for cloud in loops for row in circles(cloud)]}, facts)
    assert (row["n"], row["value"]) == (4, 1.0 if counts else 0.75)
    assert row["reason"].startswith("1 more") is not counts


def test_two_rising_curves_alone_do_not_rise_together(of, facts):
    for partial, verdict in ((0.5, "supported"), (0.1, "not supported")):
        (row,) = of("E11", {"correlations": pooled(0.9, partial)}, facts)
        assert (row["value"], row["verdict"]) == (partial, verdict)
        assert "0.9 (0.6 to 1)" in row["statement"]
    six = [row | {"rows": 6} for row in pooled(0.9, 0.5)]
    assert of("E11", {"correlations": six}, facts)[0]["verdict"] == "cannot decide"
    assert of("E11", {"correlations": pooled(0.2, 0.9)}, facts)[0]["verdict"] == "not supported"
    assert of("E11", {"correlations": pooled(0.9, np.nan)}, facts)[0]["verdict"] == "not tested"


def test_a_layer_counts_for_the_primary_circle_only_if_its_own_loop_winds_round_it_once(of, facts):
    def row_of(*degrees):
        loops = [loop(*which) for which in FOUR]
        held = [row | {"degree": n} for cloud, n in zip(loops, degrees, strict=True) for row in circles(cloud)]
        return of("A3a", {"loops": loops, "circles": held}, facts)[0]

    assert (row_of(1, 1, 0, 2)["value"], row_of(1, 1, 0, 2)["verdict"]) == (0.5, "not supported")
    assert (row_of(1, 1, 1, 1)["value"], row_of(1, 1, 1, 1)["verdict"]) == (1.0, "supported")


def test_a_low_layer_with_another_circle_than_the_primary_one_does_not_count(of, facts):
    tables = vgg("vgg16", np.linspace(0.9, 0.1, 13), ["one loop"] * 13)
    rows = [row | {"coverage": 0.3} if row["layer"] in VGG["vgg16"][:4] else row for row in tables["circles"]]
    assert of("E9", {**tables, "circles": rows}, facts)[0]["verdict"] == "not supported"


@pytest.mark.parametrize("critical", [(0.5, 0.15), (0.1, 0.5)])
def test_bars_of_two_layers_are_compared_over_their_own_critical_values(critical, of, facts):
    longest = 0.4 if critical[1] < 0.5 else 1.5
    clouds = loop("first"), loop("first", "conv2", verdict="no loop", longest=longest)
    tracks = [followed(cloud, 1) | interval(cloud["longest"], 0.01) for cloud in clouds]
    (row,) = of("E3", {**against_critical(*clouds, critical=critical), "loop_tracks": tracks}, facts)
    # The second layer's bar is the longer one by one of the two ways of comparing.
    assert row["value"] == pytest.approx(longest * critical[0] / critical[1])
    assert row["verdict"] == "not supported"
    (row,) = of("E3", {"loops": [*clouds]}, facts)
    assert (row["verdict"], row["reason"]) == ("not tested", "the critical value of a cloud's bar is not there, or 0")


def interval(longest, half):
    return {"longest_low": longest - half, "longest_high": longest + half}


def test_a_second_layer_is_weaker_by_the_intervals_of_both_bars_alone(of, facts):
    def row_of(*clouds, half=None):
        tracks = [followed(cloud, 1) | interval(cloud["longest"], half) for cloud in clouds if half]
        (row,) = of("E3", {**against_critical(*clouds), "loop_tracks": tracks}, facts)
        return row

    noise = loop("first", "conv2", verdict="no loop", longest=0.4)
    assert row_of(loop("first"), noise)["verdict"] == "not tested"
    sure = row_of(loop("first"), noise, half=0.1)
    assert (sure["verdict"], sure["spread"]) == ("supported", "joined 95% intervals")
    assert (sure["low"], sure["high"]) == (pytest.approx(0.3 / 1.1), pytest.approx(0.5 / 0.9))
    assert row_of(loop("first"), noise, half=0.4)["verdict"] == "not supported"
    # Nothing is weaker than a layer without structure, and as many loops are no more complex.
    assert row_of(loop("first", verdict="no loop"), noise, half=0.1)["verdict"] == "not supported"
    both = [loop("first", layer, verdict="several loops") for layer in ("conv1", "conv2")]
    assert row_of(*both, half=0.1)["verdict"] == "not supported"


ELSEWHERE = pytest.mark.parametrize("elsewhere", [{"degree": 0}, {"degree": 2}, {"degree": None}, {"coverage": 0.7}])


@ELSEWHERE
def test_a_lasting_loop_that_is_not_the_primary_circle_is_no_onset_of_it(elsewhere, of, facts):
    onsets = [onset("first", 200, 100, 300), onset("gray", 2_000, 1_000, 3_000)]
    before, then = lasting("first", 0, 100, **elsewhere), lasting("first", 200) + lasting("gray", 2_000)
    for name, verdict in (("E4", "not supported"), ("E8", "not tested")):
        assert of(name, {"onset": onsets, "loop_tracks": before + then}, facts)[0]["verdict"] == "supported"
        (row,) = of(name, {"onset": onsets, "loop_tracks": then + lasting("first", 400, **elsewhere)}, facts)
        assert row["verdict"] == verdict
        assert row["reason"].endswith("is not the primary circle at every step from its onset on")


@ELSEWHERE
@pytest.mark.parametrize("population", ["first", "second"])
def test_the_bars_of_two_sets_are_compared_where_both_are_of_the_primary_circle(elsewhere, population, of, facts):
    tracks = [track("first", 1.10), track("second", 1.27)]
    assert of("E12", {"loop_tracks": tracks}, facts)[0]["verdict"] == "supported"
    (row,) = of(
        "E12", {"loop_tracks": [{**t, **(elsewhere if t["population"] == population else {})} for t in tracks]}, facts
    )
    assert (row["verdict"], row["reason"]) == ("not supported", "not both bars are of the primary circle")


@pytest.mark.parametrize(("longest", "critical"), [(1.27, 0.6), (1.12, 0.4)])
def test_bars_of_two_sets_are_compared_over_their_own_critical_values(longest, critical, of, facts):
    tracks = [track("first", 1.10), track("second", longest, critical)]
    (row,) = of("E12", {"loop_tracks": tracks}, facts)
    assert row["value"] == pytest.approx(longest / critical / (1.10 / 0.5))
    assert row["verdict"] == "not supported"
    tracks[0]["critical"] = np.nan
    assert of("E12", {"loop_tracks": tracks}, facts)[0]["verdict"] == "not tested"


def test_clouds_of_a_few_filters_do_not_say_whether_the_primary_circle_recurs(of, facts):
    small = [loop(*which, verdict="one loop" if which == FOUR[0] else TOO_FEW) for which in FOUR]
    tables = {"loops": small, "circles": [row for cloud in small for row in circles(cloud)]}
    for name in ("A3a", "A3b"):
        (row,) = of(name, tables, facts)
        assert row["n"] == 1
        assert row["statement"].endswith("1 of 4 layers count; left out: 3 with too few filters for a test.")
    (row,) = of("A3b", {**tables, "circles": circles(small[0])}, facts)
    assert row["statement"].endswith("1 of 4 layers count; left out: 3 not compared with the named circles.")
    (row,) = of("A3a", {**tables, "loops": small[1:]}, facts)
    assert (row["verdict"], row["n"]) == ("not tested", 0)


@pytest.fixture
def reduced_facts(facts):
    """Return the same run with ten of 100 networks, 700 iterations long."""
    small = {"networks": 10, "reduced": ("700 of 40,000 iterations",)}
    populations = {name: population.model_copy(update=small) for name, population in facts.populations.items()}
    few = {"reduced": ("3 of 100 networks",)}
    resnets = {name: networks.model_copy(update=few) for name, networks in facts.resnets.items()}
    grids = {
        name: grid.model_copy(update={"example": grid.example.model_copy(update=small)})
        for name, grid in facts.grids.items()
    }
    return facts.model_copy(update={"populations": populations, "resnets": resnets, "grids": grids})


SMALL = "10 of 100 networks, 700 of 40,000 iterations"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("E1", SMALL.replace(", 700", "; 700")),
        ("E13", f"first: {SMALL}; second: {SMALL}"),
        ("E14", "700 of 40,000 iterations"),
        ("A5", "700 of 40,000 iterations"),
        ("A4a", "700 of 40,000 iterations"),
        ("A3a", "5 of 7 populations: first, wide, second, gray, colour"),
        ("E9", ""),
        ("T1", "3 of 100 networks"),
    ],
)
def test_networks_fewer_or_less_trained_than_the_papers_give_a_reduced_verdict(name, said, of, facts, reduced_facts):
    cases = {**weights.CASES, **activations.CASES}
    for tables, verdict in zip(cases[name], ("supported", "not supported"), strict=True):
        (whole, *_), (row, *_) = of(name, tables, facts), of(name, tables, reduced_facts)
        assert (whole["verdict"], whole["reduced"]) == (verdict, "")
        assert row["reduced"] == said
        assert row["verdict"] == (f"{verdict}, reduced" if said else verdict)
        assert row["outcome"] == whole["outcome"]
        assert verdict_text(row).startswith(f"{verdict}, reduced ({said})" if said else verdict)


def test_an_ungiven_part_of_the_layers_of_a_pretrained_network_gives_a_reduced_verdict(of, facts):
    def row_of(name, depths):
        layers = {layer: depth for layer, depth in facts.checkpoints["vgg16"].analysed.items() if depth in depths}
        vgg16 = facts.checkpoints["vgg16"].model_copy(update={"analysed": layers})
        changed = facts.model_copy(update={"checkpoints": {**facts.checkpoints, "vgg16": vgg16}})
        return of(name, weights.CASES[name][0], changed)[0]

    # The paper begins with the second layer.
    assert row_of("E9", range(2, 14))["verdict"] == "supported"
    row = row_of("E9", range(1, 6))
    assert (row["verdict"], row["reduced"], row["n"]) == ("supported, reduced", "5 of 13 layers", 5)
    assert row_of("A3a", range(1, 6))["reduced"] == "1 of 7 populations: vgg16"


def test_layers_that_keep_a_few_filters_do_not_say_whether_circles_fade_with_depth(of, facts):
    tables = vgg("vgg16", np.linspace(0.9, 0.1, 13), ["one loop"] + ["no loop"] * 12)
    (row,) = of("E9", tables, facts)
    assert (row["n"], row["verdict"]) == (13, "supported")
    tables["loops"][0]["verdict"] = TOO_FEW
    (row,) = of("E9", tables, facts)
    assert (row["n"], row["verdict"]) == (12, "not supported")
    assert row["statement"].endswith("12 of 13 layers count; left out: 1 with too few filters for a test.")


def test_another_circle_in_one_layer_of_many_is_chance(of, facts):
    def row_of(number, p=0.01):
        names = [("vgg16", name, depth) for depth, name in enumerate(VGG["vgg16"], start=1)]
        clouds = [loop(name, layer, 0, density_k=100, density_p=0.1, depth=depth) for name, layer, depth in names]
        held = [circles(cloud, lines=0.9 * (place < number)) for place, cloud in enumerate(clouds)]
        for rows in held:
            rows[1]["p_permuted"] = p
            rows += [rows[1] | {"circle": f"secondary {way}", "coverage": 0.0} for way in ("vertical", "horizontal")]
        return of("A3b", {"loops": clouds, "circles": [row for rows in held for row in rows]}, facts)[0]

    # Of 13 layers two have one by chance in 14 of 100 cases, three in 2.
    assert [row_of(number)["verdict"] for number in (1, 2, 3)] == ["not supported", "not supported", "supported"]
    assert row_of(2)["p_value"] == pytest.approx(1 - 0.95**13 - 13 * 0.05 * 0.95**12)
    assert row_of(3, p=0.04)["value"] == 0


def test_other_data_are_not_said_to_be_reduced(of, reduced_facts):
    others = {name: networks.model_copy(update={"paper": False}) for name, networks in reduced_facts.resnets.items()}
    (row,) = of("T1", activations.CASES["T1"][0], reduced_facts.model_copy(update={"resnets": others}))
    assert (row["verdict"], row["reduced"]) == ("not tested", "")


@pytest.mark.parametrize("name", ["E5", "E6", "E6b", "E7"])
def test_another_architecture_on_cifar10_is_other_data(name, of, facts):
    changed = {
        key: population.model_copy(update={"label": "C(16, 8, 32)"}) if key in ("gray", "colour") else population
        for key, population in facts.populations.items()
    }
    row = of(name, weights.CASES[name][0], facts.model_copy(update={"populations": changed}))[0]
    assert (row["other_data"], row["verdict"], row["outcome"]) == (True, "not tested", "holds")
    assert "not C(64, 32, 64)" in row["reason"]
