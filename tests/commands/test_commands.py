"""The commands behind the rules: what a person meets who calls them by hand, and clouds that networks have left."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from job_runs import run_job

import cnn_topology as ct
from cnn_topology.figures.registry import FigureParameters, FigureSpec
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.parameters import BarcodeParameters, CloudParameters, CollectParameters, NullParameters
from cnn_topology.statistics.significance import TOO_FEW
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.storage.tensors import write_tensors
from cnn_topology.tables.filters import CircleRow, FilterRow
from cnn_topology.tables.loops import BarRow, LoopRow, SignificanceRow
from cnn_topology.tables.registry import TABLES
from cnn_topology.training.snapshots import read_snapshot

CENTRES = ("filter", "coordinate")


def _snapshots(folder, failed_at, width=6, alive=None):
    """Write the snapshots of five networks at steps 0 and 4; at `failed_at` all or some of them have failed.

    Of each network `alive` filters are not constant; all are unless it is given.
    """
    paths, rng = [], np.random.default_rng(0)
    for step in (0, 4):
        failed = failed_at.get(step, [False] * 5)
        weight = rng.standard_normal((5, width, 1, 3, 3)).astype(np.float32)
        if alive is not None:
            weight[:, alive:] = 0
        weight[failed] = np.nan
        ids = {"networks": "[0, 1, 2, 3, 4]", "seeds": "[0, 1, 2, 3, 4]", "step": str(step)}
        metadata = {**ids, "failed": json.dumps(failed), "config": "c", "data": "d", "seed": "7"}
        paths.append(folder / f"{step}.safetensors")
        write_tensors(paths[-1], {"conv1.weight": weight}, metadata)
    return paths


def _analysed(tiny, folder, failed_at, alive=None):
    plan = Plan(parse_config(tiny))
    layer = plan.layer_clouds[0]
    width = tiny["populations"]["a"]["architecture"]["convolutions"][0]
    clouds, null = folder / "clouds.parquet", folder / "null.parquet"
    snapshots = _snapshots(folder, failed_at, width, alive)
    assert run_job(CloudParameters.of(plan, layer, (0, 4)), {"snapshots": snapshots}, {"clouds": clouds}) == 0
    assert run_job(NullParameters.of(plan, layer.points, layer.layer.side), {}, {"nulls": null}) == 0
    outputs = {name: folder / f"{name}.parquet" for name in ("barcodes", "loops", "significance", "filters", "circles")}
    assert run_job(BarcodeParameters.of(plan, layer, (0, 4)), {"clouds": clouds, "null": null}, outputs) == 0
    schemas = {
        "barcodes": BarRow.schema,
        "loops": LoopRow.schema,
        "significance": SignificanceRow.schema,
        "filters": FilterRow.schema,
        "circles": CircleRow.schema,
    }
    return {name: read_table(path, schemas[name]).to_pandas() for name, path in outputs.items()}


@pytest.mark.parametrize("centre", CENTRES)
def test_a_notebook_computes_the_rows_of_a_run_from_its_weights(centre, wide, tmp_path):
    wide["clouds"][0]["centre"] = centre
    tables = _analysed(wide, tmp_path, {4: [False, True, False, False, False]})
    snapshot = read_snapshot(tmp_path / "4.safetensors", ["conv1.weight"])
    filters, _ = ct.spatial_filters(snapshot.tensors["conv1.weight"][~np.array(snapshot.failed)], stacked=True)
    (row,) = tables["loops"].query("step == 4").to_dict("records")
    same = {"k": 0.05, "p": 0.3, "seed": wide["seed"], "cloud": (row["population"], row["layer"], 4), "draws": 19}
    result = ct.loops(filters, **same, alpha=0.05, also=("covariance",), centre=centre)
    computed = ("longest", "second", "ratio", "significant_bars", "p_longest", "p_ratio", "p_bobrowski_skraba")
    for name in (*computed, "verdict"):
        assert getattr(result, name) == row[name], name
    assert result.longest_bar == (row["longest_birth"], row["longest_death"])
    assert result.also["covariance"].p_two_sided == row["p_covariance"]
    assert ct.loops(filters, **{**same, "seed": 8}, alpha=0.05, centre=centre).tests != result.tests
    # Of filters that are normalized already every bit stays.
    cloud, _ = ct.centre_and_normalize(filters, centre)
    assert ct.loops(cloud, **same, alpha=0.05, centre=centre).tests == result.tests
    rows = tables["circles"].query("step == 4")
    test = ct.circles(filters, **same, centre=centre)
    assert rows["circle"].tolist() == list(test.names)
    assert rows["nearest"].tolist() == test.found.counts().tolist()
    for name in ("permuted", "permuted_coverage", "p_permuted"):
        assert rows[name].tolist() == getattr(test, name).tolist()


def test_a_step_without_any_network_left_has_no_cloud_and_stops_nothing(tiny, tmp_path, capsys):
    tables = _analysed(tiny, tmp_path, {4: [True] * 5})
    assert tables["loops"]["step"].tolist() == [0]
    assert "by step 4 every network had failed" in capsys.readouterr().out


@pytest.fixture
def wide(tiny):
    """Return the same run with so many filters that clouds of them are tested: 300, of five networks."""
    tiny["populations"]["a"]["architecture"]["convolutions"] = [60, 4]
    tiny["clouds"] = [{"layers": ["conv1"], "densities": [{"k": 0.05, "p": 0.3}]}]
    return tiny


def test_networks_that_failed_are_left_out_and_the_null_fits_those_that_remain(wide, tmp_path):
    tables = _analysed(wide, tmp_path, {4: [False, True, False, False, False]})
    loops = tables["loops"].set_index("step")
    assert loops["networks"].tolist() == [5, 4]
    assert loops["points"].tolist() == [300, 240]
    assert loops["density_k"].tolist() == [15, 12]
    assert set(tables["filters"].query("step == 4")["network"]) <= {0, 2, 3, 4}
    assert tables["significance"].groupby("step")["draws"].unique().tolist() == [[19], [19]]


def test_a_capped_k_is_that_of_the_networks_that_remain(wide, tmp_path):
    """Fewer filters are left than the plan counts: a tenth of them is less, and the tables say which k it was."""
    densities = [{"k": 99, "p": 0.6}, {"k": 5, "p": 0.6}]
    wide["clouds"] = [{"layers": ["conv1"], "on_too_few": "cap", "densities": densities, "circles": "all"}]
    tables = _analysed(wide, tmp_path, {4: [False, True, True, False, False]})
    for name in ("loops", "significance", "circles"):
        found = tables[name].groupby("step")["density_k"].unique()
        assert {step: found[step].tolist() for step in (0, 4)} == {0: [30, 5], 4: [18, 5]}
    assert tables["loops"].groupby("step")["points"].max().tolist() == [300, 180]


@pytest.mark.parametrize(
    ("density", "failed", "alive", "points"),
    [
        ({"k": 100, "p": 0.1}, 0, None, 300),  # as planned
        ({"k": 0.05, "p": 0.3}, 4, None, 60),  # networks failed
        ({"k": 100, "p": 0.3}, 4, None, 60),  # and fewer filters are left than k
        ({"k": 0.05, "p": 1.0}, 4, 2, 2),  # two filters are not constant
        ({"k": 0.05, "p": 1.0}, 0, 1, 5),
    ],
)
def test_a_cloud_with_too_few_filters_has_no_p_value_and_no_draw(
    density, failed, alive, points, wide, tmp_path, monkeypatch
):
    def refuse(*_, **__):
        raise AssertionError("a null was drawn for a cloud that is not tested")

    monkeypatch.setattr("cnn_topology.analysis.filter_cloud.draws_of_null", refuse)
    wide["clouds"] = [{"layers": ["conv1"], "densities": [density]}]
    tables = _analysed(wide, tmp_path, {step: [n < failed for n in range(5)] for step in (0, 4)}, alive)
    loops, circles = tables["loops"], tables["circles"]
    assert loops["points"].tolist() == [points, points]
    assert (loops["verdict"] == TOO_FEW).all()
    tested = ["significant_bars", "p_longest", "p_ratio", "p_bobrowski_skraba", "p_covariance", "p_hollowness"]
    assert loops[tested].isna().all(axis=None)
    assert loops[["longest", "second", "bars"]].notna().all(axis=None)
    assert tables["barcodes"]["p_value"].isna().all()
    assert tables["significance"].empty
    tested = ["p_permuted", "permuted", "permuted_coverage", "significant_bars", "shape", "degree"]
    assert circles[tested].isna().all(axis=None)
    # Nulls, not NaN, whatever reads them.
    assert read_table(tmp_path / "loops.parquet", LoopRow.schema)["p_longest"].null_count == 2


def test_an_unknown_kind_of_figure_gives_one_clear_line(capsys):
    parameters = FigureParameters(run_seed=7, specs=(FigureSpec("x", "clouds", {}),))
    assert run_job(parameters, {"tables": []}, {"figures": ["x.pdf"]}) == 2
    assert "unknown kind of figure: 'clouds' (did you mean 'cloud'?)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("loops", "none.parquet: no such file"),
        ("lops", "unknown table lops.parquet: 'lops' (did you mean 'loops'?)"),
    ],
)
def test_parts_that_are_not_there_and_unknown_tables_give_one_clear_line(table, expected, capsys):
    assert run_job(CollectParameters(run_seed=7), {table: ["none.parquet"]}, {"tables": [f"{table}.parquet"]}) == 2
    assert expected in capsys.readouterr().err


def test_a_layer_centred_in_another_way_is_made_of_the_same_weights(tiny, tmp_path):
    tiny["clouds"] = [{"layers": ["conv1"], "densities": [{"k": 0.2, "p": 0.6}], "centre": c} for c in CENTRES]
    plan = Plan(parse_config(tiny))
    snapshots, found = _snapshots(tmp_path, {}), {}
    for clouds in plan.layer_clouds:
        path = tmp_path / f"{clouds.layer.name}.parquet"
        assert run_job(CloudParameters.of(plan, clouds, (0, 4)), {"snapshots": snapshots}, {"clouds": path}) == 0
        table = read_table(path).to_pandas()
        found[clouds.centre] = np.stack(table[table["step"] == 4]["coordinates"])
    weights = read_snapshot(tmp_path / "4.safetensors").tensors["conv1.weight"].reshape(30, 9).astype(float)
    for centre, axis in zip(CENTRES, (1, 0), strict=True):
        centred = weights - weights.mean(axis=axis, keepdims=True)
        np.testing.assert_allclose(found[centre], centred / np.linalg.norm(centred, axis=1, keepdims=True))


def test_tables_are_joined_from_parts_of_one_name_in_the_folder_of_each(tmp_path, capsys):
    for name in ("nulls", "training"):
        for part in ("a/0000.parquet", "b/0000.parquet"):
            row = pa.table({field.name: pa.array([None], field.type) for field in TABLES[name].schema})
            write_table(tmp_path / name / part, row, TABLES[name].schema, {"data": part[0]})
    outputs = [tmp_path / f"tables/{name}.parquet" for name in ("nulls", "training")]
    parts = {name: [tmp_path / name / f"{part}/0000.parquet" for part in "ab"] for name in ("nulls", "training")}
    assert run_job(CollectParameters(run_seed=7), parts, {"tables": outputs}) == 0
    assert "nulls: 2 rows from 2 parts" in capsys.readouterr().out
    for name, output in zip(("nulls", "training"), outputs, strict=True):
        assert read_table(Path(output), TABLES[name].schema).num_rows == 2
        assert read_notes(Path(output))["data"] == "a,b"


def test_joined_loops_have_q_values_over_the_last_headline_of_each_tested_layer(tmp_path):
    schema = TABLES["loops"].schema
    names = ("population", "layer", "step", "headline", "p_longest")
    parts = {
        "a/0000.parquet": [
            ("a", "conv1", 0, True, 0.5),
            ("a", "conv1", 4, True, 0.01),
            ("a", "conv1", 4, False, 0.001),
        ],
        "b/0000.parquet": [("b", "conv1", 4, True, 0.03), ("b", "conv2", 4, True, None)],
    }
    for part, rows in parts.items():
        table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=schema)
        write_table(tmp_path / part, table, schema, {"data": "a"})
    output = tmp_path / "loops.parquet"
    assert (
        run_job(CollectParameters(run_seed=7), {"loops": [tmp_path / part for part in parts]}, {"tables": output}) == 0
    )
    assert read_table(output, schema)["q_longest"].to_pylist() == [None, 0.02, None, 0.03, None]
