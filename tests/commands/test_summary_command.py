"""`cnn-topology summary` says what the tables that a run has hold, and nothing of those that it lacks."""

import re

import numpy as np
import pyarrow as pa
import pytest
from job_runs import run_job

from cnn_topology.plan.findings import RunFacts, SummaryParameters
from cnn_topology.statistics.significance import LOOPS, UNTESTED, VERDICTS
from cnn_topology.storage.tables import write_table
from cnn_topology.summary.tables import LAYERS, found_tables
from cnn_topology.tables.registry import TABLES

NOTES = {"config": "abc", "data": "digits:1234567890", "seed": "7"}
CLAIM = {"paper": "activations", "claim": "T1", "statement": "Adjacent layers are nearer.", "populations": "a"}
CLAIM |= {
    "outcome": "holds",
    "verdict": "supported",
    "reason": "",
    "value": 0.5,
    "p_value": 0.01,
    "n": 3,
    "unit": "networks",
    "spread": "",
}
FACTS = RunFacts(
    alpha=0.01,
    nulls=("sphere",),
    draws=199,
    **{name: {} for name in ("images", "populations", "checkpoints", "resnets", "improvements", "grids")},
)
WEIGHTS = {"population": "m", "step": 600, "split": "test", "failed": False}


def filled(name, row):
    """Fill a row of a table: what it does not say is NaN, empty or 0; a name that is no column is a mistake."""
    assert set(row) <= set(TABLES[name].schema.names), set(row) - set(TABLES[name].schema.names)
    blank = {pa.float64(): np.nan, pa.string(): "", pa.int64(): 0, pa.bool_(): False}
    return {field.name: blank.get(field.type) for field in TABLES[name].schema} | row


@pytest.fixture
def summary(tmp_path, capsys):
    """Return the function that writes tables of some rows and returns the lines of their summary, as words."""

    def of(remarks=(), **tables):
        for name, rows in tables.items():
            table = pa.Table.from_pylist([filled(name, row) for row in rows], schema=TABLES[name].schema)
            write_table(tmp_path / f"{name}.parquet", table, TABLES[name].schema, NOTES)
        inputs = {"tables": [tmp_path / f"{name}.parquet" for name in tables]}
        parameters = SummaryParameters(run_seed=7, facts=FACTS, remarks=remarks)
        assert run_job(parameters, inputs, {"summary": tmp_path / "summary.txt"}) == 0
        text = (tmp_path / "summary.txt").read_text(encoding="utf-8")
        assert capsys.readouterr().out == text
        lines = text.splitlines()[text.splitlines().index("") + 1 :]
        return [[cell.strip() for cell in re.split(r" {2,}", line.strip())] for line in lines]

    return of


def trained(network, accuracy, kept=True, epoch=7, population="a"):
    return {"population": population, "network": network, "images": "digits", "epoch": epoch} | {
        "test_accuracy": accuracy,
        "is_kept": kept,
    }


def test_residual_networks_are_told_by_the_epoch_that_they_keep(summary):
    rows = [trained(0, 0.1, kept=False, epoch=1), trained(0, 0.9), trained(1, 0.8), trained(0, 0.7, population="b")]
    given = [trained(0, np.nan, epoch=0, population="c")]
    undecided = CLAIM | {"claim": "T2", "outcome": "", "verdict": "cannot decide", "reason": "needs at least 4 layers"}
    missing = CLAIM | {"claim": "T3", "outcome": "", "verdict": "not tested"}
    lines = summary(resnet_training=[*rows, *given], claims=[CLAIM, undecided, missing])
    assert lines[1:5] == [
        ["networks", "tested on", "trained for", "test accuracy", "n"],
        ["a", "digits", "7 epochs", "85.0% (80.0% to 90.0%)", "2"],
        ["b", "digits", "7 epochs", "70.0%", "1"],
        ["c", "digits", "not in this run", "not measured", "1"],
    ]
    assert lines[6][0].endswith(": provenance.json")
    assert lines[7][0].startswith("claims of the activations paper (1 more")
    assert lines[8] == ["T1", "supported; 0.5, p = 0.01, n = 3 networks. Adjacent layers are nearer. (a)"]
    assert lines[9][1].startswith("cannot decide: needs at least 4 layers")
    assert len(lines) == 10


def row_of(measure, test, statistic, null, p=np.nan, n=3):
    return {"population": "a", "cloud": "top", "measure": measure, "test": test, "statistic": statistic} | {
        "low": statistic - 0.125,
        "high": statistic + 0.125,
        "null_value": null,
        "p_value": p,
        "n": n,
    }


def test_each_measure_is_told_by_depth_order_and_specificity_against_chance(summary):
    rows = [
        row_of("sliced_wasserstein", "depth_order", 0.25, 0, 0.01),
        row_of("sliced_wasserstein", "specificity", 0.5, 0.2, 0.002),
        row_of("sliced_wasserstein", "monotone_published", 1, 0.9, n=17),
        row_of("cka", "depth_order", np.nan, 0),
        row_of("cka", "specificity", 0.375, 0.2, 0.03),
    ]
    lines = summary(measure_tests=rows)
    swd = ["0.5 (0.375 to 0.625), p = 0.002", "0.2", "0.25 (0.125 to 0.375), p = 0.01"]
    assert lines[2] == ["a, top", "sliced wasserstein", *swd, "3"]
    assert lines[3] == ["a, top", "cka", "0.375 (0.25 to 0.5), p = 0.03", "0.2", "–", "3"]


def test_measures_of_one_network_have_no_specificity(summary):
    lines = summary(measure_tests=[row_of("cka", "depth_order", 0.25, 0, 0.01, n=1)])
    assert lines[1] == ["networks, cloud", "measure", "order of depth (0 by chance)", "n"]


def pure(cloud, layer, depth, purity, chance, p, network=0):
    return {"population": "b", "recipe": "elbow", "network": network, "cloud": cloud, "layer": layer} | {
        "depth": depth,
        "node_wise": purity,
        "chance": chance,
        "p_value": p,
    }


def test_purity_is_told_by_layer_with_its_chance(summary):
    rows = [
        pure("fg", "late", 9, 0.75, 0.25, 0.005),
        pure("fg", "early", 2, 0.25, 0.125, 0.05),
        pure("fg", "early", 2, 0.5, 0.375, 0.05, network=1),
        pure("fg", "early", 2, np.nan, np.nan, np.nan, network=2),
        pure("random", "early", 2, np.nan, np.nan, np.nan),
        pure("random", "late", 9, 0.5, 0.5, 0.4),
    ]
    lines = summary(purity=rows, remarks=["b: something"])
    assert lines[2:6] == [
        ["b, elbow", "fg", "early", "0.38", "0.25", "2 of 2", "1"],
        ["b, elbow", "random", "early", "no node", "0 of 0", "1"],
        ["b, elbow", "fg", "late", "0.75", "0.25", "1 of 1"],
        ["b, elbow", "random", "late", "0.50", "0.50", "0 of 1"],
    ]
    assert ["note: b: something"] in lines


def test_populations_without_clouds_are_told_by_their_accuracy(summary):
    rows = [
        {**WEIGHTS, "network": 0, "images": "x", "accuracy": 0.9},
        {**WEIGHTS, "network": 1, "images": "x", "accuracy": 0.8},
        {**WEIGHTS, "network": 0, "images": "y", "accuracy": 0.4},
        {**WEIGHTS, "network": 1, "images": "y", "accuracy": 0.6},
        {**WEIGHTS, "network": 0, "images": "x", "accuracy": 0.1, "step": 0},
        {**WEIGHTS, "network": 2, "images": "x", "accuracy": np.nan, "failed": True},
        {**WEIGHTS, "network": 0, "images": "x", "accuracy": 1.0, "split": "train"},
    ]
    assert summary(training=rows)[1:4] == [
        ["networks", "tested on", "trained for", "test accuracy", "n", "failed"],
        ["m", "x", "600 steps", "85.0% (80.0% to 90.0%)", "2", "1"],
        ["m", "y", "600 steps", "50.0% (40.0% to 60.0%)", "2", "1"],
    ]


def layer_of(layer, depth, verdict, beside, population="theirs"):
    return {"population": population, "layer": layer, "depth": depth, "step": 0, "headline": True, "networks": 3} | {
        "density_k": 100,
        "density_p": 0.1,
        "points": 1_024,
        "kept": 102,
        "used": 102,
        "longest": 0.5,
        "second": 0.125,
        "p_longest": 0.01,
        "p_covariance": beside,
        "p_lowpass": 0.04,
        "lowpass_longest_median": 0.25,
        "p_block": None,
        "verdict_stability": 0.75,
        "stability_draws": 99,
        "verdict": verdict,
    }


def test_a_run_of_checkpoints_alone_tells_of_their_layers(summary):
    lines = summary(loops=[layer_of("0", 1, "one loop", 0.25), layer_of("2", 2, "no loop", 0.5)])
    names, first, second = (" ".join(line) for line in lines[1:4])
    columns = "population layer verdict longest second p stable p, smooth p, covariance networks filters kept filter"
    assert names == columns
    assert first == "theirs 0 one loop 0.500 0.125 0.01 75% 0.04 0.25 3 102 of 1,024 rho(100, 0.1)"
    assert second == "theirs 2 no loop 0.500 0.125 0.01 75% 3 102 of 1,024 rho(100, 0.1)"


def test_the_words_on_the_layers_are_those_of_their_columns():
    rows = [filled("loops", layer_of("2", 2, "no loop", 0.5) | {"used": 50, "step": 600})]
    tables = {"loops": pa.Table.from_pylist(rows, schema=TABLES["loops"].schema)}
    (layers,) = (table for table in found_tables(tables, 0.01) if table.title == LAYERS)
    cells = dict(zip(layers.columns, layers.rows[0], strict=True))
    assert (cells["landmarks"], cells["step"]) == ("50", "600")
    assert "p, smooth" not in layers.caption
    assert "landmarks: " in layers.caption


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_layer_is_told_with_its_verdict_and_p_values_where_it_was_tested(summary, verdict):
    untested = dict.fromkeys(("p_longest", "p_covariance", "p_lowpass", "verdict_stability", "significant_bars"))
    given = layer_of("1", 2, verdict, 0.25) | {"significant_bars": 1} | (untested if verdict in UNTESTED else {})
    others = layer_of("0", 1, "one loop", 0.25) | {"significant_bars": 1}
    line = " ".join(summary(loops=[others, given], significance=[])[3])
    assert line.startswith(f"theirs 1 {verdict} 0.500 0.125 ")
    assert ("0.01" in line) is (verdict not in UNTESTED)
    assert ("0.25" in line) is (verdict in LOOPS)


def test_a_layer_that_was_never_tested_has_no_onset_and_no_want_of_one(summary):
    lines = summary(onset=[onset_of("conv1", None, None, None, None) | {"snapshots": 0}])
    assert lines[2] == ["m", "conv1", "too few filters"]


def onset_of(layer, onset, low, high, lasting):
    return {"population": "m", "layer": layer, "last": 600, "draws": 100, "networks": 12, "snapshots": 7} | {
        "onset": onset,
        "low": low,
        "high": high,
        "lasting": lasting,
    }


def test_onset_is_told_with_its_interval_which_may_end_after_training(summary):
    lines = summary(onset=[onset_of("conv1", 200, 100, None, 0.75), onset_of("conv2", None, 400, None, 0.05)])
    assert lines[2:4] == [
        ["m", "conv1", "200", "100 to after 600", "75% of 100", "12"],
        ["m", "conv2", "never", "400 to after 600", "5% of 100", "12"],
    ]


def correlation(predictor, statistic, p, **changes):
    row = {
        "group_name": "grid",
        "scope": "grid",
        "layer": "conv1",
        "predictor": predictor,
        "predictor_kind": "topological",
    }
    row |= {"outcome": "test_accuracy", "method": "spearman", "networks": 16, "statistic": statistic, "low": -0.5}
    return (
        row | {"high": 0.75, "p_adjusted": p, "reliability": np.nan, "exchanged": "8 populations as blocks"} | changes
    )


def test_the_best_topological_predictor_of_accuracy_is_told_adjusted_for_layers(summary):
    rows = [
        correlation("longest", 0.5, 0.25),
        correlation("total_persistence", 0.25, 0.125, reliability=0.5),
        correlation("longest", 0.125, 0.75, layer="conv2"),
        correlation("sd", 0.9, 0.001, predictor_kind="baseline"),
        correlation("longest", 0.9, 0.001, outcome="gap"),
        correlation("longest", 0.9, 0.001, scope="networks", group_name="m"),
        correlation("second", 0.25, 0.5, scope="networks", group_name="m", method="partial_spearman", given="step"),
        correlation("longest", 0.9, np.nan, scope="networks", group_name="none"),
        correlation("longest", 0.9, 0.001, group_name="wide"),
        correlation("second", 0.25, 0.5, group_name="wide", method="partial_spearman", given="width"),
    ]
    n = "16 (8 populations as blocks)"
    assert summary(correlations=rows)[2:6] == [
        ["grid", "total persistence of conv1", "0.25 (−0.5 to 0.75), p = 0.25", "0.50", n],
        ["m", "second of conv1", "step", "0.25 (−0.5 to 0.75), p = 0.5", n],
        ["none", "none was tested"],
        ["wide", "second of conv1", "width", "0.25 (−0.5 to 0.75), p = 0.5", n],
    ]


def speed(population, role, estimate, **changes):
    row = {"group_name": "g", "population": population, "role": role, "against": "plain", "against_role": "baseline"}
    row |= {
        "metric": "iterations_to_target",
        "images": "x",
        "target": 0.8,
        "n": 4,
        "n_against": 5,
        "estimate": estimate,
    }
    return row | {"low": 0.5, "high": 3.0, "p_holm": 0.25, "family": 9} | changes


def test_each_variant_and_control_is_told_by_its_speed_against_the_baseline(summary):
    rows = [
        speed("circle", "variant", 1.5),
        speed("random", "control", np.nan, n_censored=3, n_censored_against=4),
        speed("circle", "variant", 2.0, against="random", against_role="control"),
        speed("circle", "variant", 2.0, metric="accuracy"),
    ]
    lines = summary(comparisons=rows)
    assert lines[2:4] == [
        ["g", "circle", "plain", "0.8 on x", "1.5 (0.5 to 3), p = 0.25", "4 and 5", "9"],
        ["g", "random (control)", "plain", "0.8 on x", "most of both never reach it", "4 and 5", "9", "3 and 4"],
    ]


def graph_of(cloud, sampling, points, top=1, layer="late"):
    return {"population": "b", "cloud": cloud, "sampling": sampling, "n_images": 300, "top": top, "layer": layer} | {
        "points": points
    }


def test_clouds_that_lose_images_without_a_foreground_say_so(summary):
    rows = [
        graph_of("front", "foreground", 162),
        graph_of("front", "foreground", 162, layer="early"),
        graph_of("five", "foreground", 810, top=5),
        graph_of("back", "background", 300),
        graph_of("any", "random", 200),
    ]
    assert summary(activation_graphs=rows)[2:4] == [
        ["b, front", "foreground", "162 of 300"],
        ["b, five", "foreground", "162 of 300"],
    ]


def test_a_table_of_another_name_is_refused(tmp_path, capsys):
    parameters, tables = SummaryParameters(run_seed=7, facts=FACTS, remarks=()), [tmp_path / "purty.parquet"]
    assert run_job(parameters, {"tables": tables}, {"summary": tmp_path / "summary.txt"}) == 2
    assert "did you mean 'purity'" in capsys.readouterr().err
