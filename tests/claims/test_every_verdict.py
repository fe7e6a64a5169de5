"""Claims on clouds that were not tested: no verdict on the claim, whatever the bars are, and a reason."""

import numpy as np
import pandas as pd
import pytest
import test_weights_claims as weights
from claim_rows import FOUR, VGG, circles, followed, lasting, local, loop, onset, over_training, track

from cnn_topology.claims.framework import evaluate
from cnn_topology.claims.weights import WEIGHTS_CLAIMS
from cnn_topology.statistics.significance import TOO_FEW, VERDICTS

# The claims whose rules read the verdict on a cloud or when a loop sets in.
ABOUT_LOOPS = [c.claim for c in WEIGHTS_CLAIMS if {"loops", "onset", "loop_tracks"} & set(c.tables)]
UNTESTED = {"verdict": TOO_FEW, "significant_bars": None, "p_longest": None}


def untested(tables):
    """Return the same tables as they are when every cloud has too few filters."""
    blank = {"p_permuted": None, "permuted": None, "significant_bars": None, "shape": None, "degree": None}
    return {
        **tables,
        "loops": [row | UNTESTED for row in tables.get("loops", [])],
        "circles": [row | blank for row in tables.get("circles", [])],
        "significance": [],
        "onset": [row | {"snapshots": 0, "onset": None, "low": None} for row in tables.get("onset", [])],
        "loop_tracks": [row | {"critical": np.nan, "significant": None} for row in tables.get("loop_tracks", [])],
    }


@pytest.mark.parametrize("name", ABOUT_LOOPS)
def test_a_claim_on_clouds_that_were_not_tested_has_no_verdict(name, of, facts):
    for tables in weights.CASES[name]:
        for row in of(name, untested(tables), facts):
            assert (row["verdict"], row["outcome"]) == ("not tested", "")
            assert row["reason"]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_claim_reads_every_verdict(verdict, frames, facts):
    clouds = [loop(*which, verdict=verdict) for which in FOUR] + local("no loop", 0)
    clouds += over_training("wide", [verdict, "no loop", verdict, verdict])
    tables = {"loops": clouds, "circles": [row for cloud in clouds for row in circles(cloud)]}
    tables["loop_tracks"] = [followed(cloud, 1) for cloud in clouds] + [track("second", 1.0)]
    tables["onset"] = [onset("first", 200), onset("gray", 2_000)]
    rows = evaluate("weights", WEIGHTS_CLAIMS, frames(tables), facts)
    assert {row.claim for row in rows} == {claim.claim for claim in WEIGHTS_CLAIMS}


def test_a_layer_with_too_few_filters_counts_in_no_share_of_layers(of, facts):
    ends = [loop("first", step=0, verdict="no loop"), loop("first")]
    few = [loop("gray", step=step) | UNTESTED for step in (0, 40_000)]
    (row,) = of("A2", {"loops": ends + few}, facts)
    assert (row["n"], row["value"]) == (1, 1.0)
    deep = [loop("vgg16", layer, 0, depth=depth) for depth, layer in enumerate(VGG["vgg16"], start=1)]
    (row,) = of("A1", {"loops": deep}, facts)
    assert (row["n"], row["verdict"]) == (13, "supported")
    (row,) = of("A1", {"loops": [deep[0] | UNTESTED, *deep[1:]]}, facts)
    assert (row["n"], row["value"], row["verdict"]) == (12, 1.0, "not tested")


def test_a_snapshot_that_was_not_tested_does_not_end_an_onset(of, facts):
    few = [row | {"critical": np.nan, "degree": 0} for row in lasting("first", 400)]
    tables = {"onset": [onset("first", 200, 100, 300)], "loop_tracks": [*lasting("first", 200), *few]}
    assert of("E4", tables, facts)[0]["verdict"] == "supported"


def test_a_share_of_layers_that_is_too_small_is_told_with_the_power_in_the_smallest(of, facts):
    few = [loop("vgg16", layer, 0, "no loop", depth=d, kept=60 + d) for d, layer in enumerate(VGG["vgg16"], start=1)]
    tables = {"loops": few, "circles": [row for cloud in few for row in circles(cloud)]}
    for name in ("A1", "A3a"):
        (row,) = of(name, tables, facts)
        assert (row["verdict"], row["reason"].count("n = ")) == ("not supported", 2)


def test_a_missing_number_of_a_test_is_no_number_in_the_table(of, facts):
    (row,) = of("E1", {"loops": [loop("first") | UNTESTED], "circles": circles(loop("first"))}, facts)
    assert pd.isna(row["p_value"])
    assert "200 kept of 19,200 at k = 200" in row["reason"]


@pytest.mark.parametrize(("name", "models"), [("E6", 1), ("E7", 2), ("E1", 2)])
def test_what_is_not_found_is_told_with_the_power_of_its_own_models(name, models, of, facts):
    clouds = [*local("no loop", 0), loop("first", verdict="no loop"), loop("colour", "conv2", verdict="no loop")]
    (row,) = of(name, {"loops": clouds, "circles": [row for cloud in clouds for row in circles(cloud)]}, facts)
    assert row["verdict"] == "not supported"
    assert row["reason"].count("n = ") == models
    assert ("three circles" in row["reason"]) is (name == "E6")
    larger = [cloud | {"kernel_side": 5} for cloud in clouds]  # nothing was simulated for these
    (row,) = of(name, {"loops": larger, "circles": [row for cloud in larger for row in circles(cloud)]}, facts)
    assert row["reason"].count("n = ") == 0
