"""The commands `dynamics` and `cross-accuracy` on a small population whose filters come to form the primary circle."""

import copy
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from job_runs import run_job

from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.parameters import (
    BarcodeParameters,
    CloudParameters,
    CrossAccuracyParameters,
    DynamicsParameters,
    NullParameters,
)
from cnn_topology.storage.tables import read_table, write_table
from cnn_topology.storage.tensors import write_tensors
from cnn_topology.tables.dynamics import LoopTrackRow, OnsetRow
from cnn_topology.tables.filters import CircleRow
from cnn_topology.tables.generalization import CorrelationRow
from cnn_topology.tables.loops import LoopRow, SignificanceRow
from cnn_topology.tables.training import CrossAccuracyRow, TrainingRow
from cnn_topology.topology.patches import edge_patch, noisy

STEPS = (0, 4, 12, 20)
NETWORKS, FILTERS = 6, 24


@pytest.fixture(scope="module")
def followed(smallest, tmp_path_factory):
    """Return the tables of a population: noise at step 0, the circle from step 4, turned by 0.2 at each step since."""
    folder = tmp_path_factory.mktemp("dynamics")
    config = copy.deepcopy(smallest)
    population = config["populations"]["a"]
    population["architecture"]["convolutions"] = [FILTERS, 4]
    population |= {"networks": NETWORKS, "networks_per_job": NETWORKS, "snapshots": {"iterations": STEPS}}
    population["recipe"]["iterations"] = STEPS[-1]
    config["clouds"] = [{"layers": ["conv1"], "densities": [{"k": 0.05, "p": 0.6}]}]
    config["jobs"] = {"steps_per_job": 3}
    config["dynamics"] = {"bootstrap_draws": 20}
    plan = Plan(parse_config(config))
    layer = plan.layer_clouds[0]
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, NETWORKS * FILTERS)
    for place, step in enumerate(STEPS):
        points = noisy(edge_patch(angle + 0.2 * place), 0.1, rng) if step else rng.normal(size=(NETWORKS * FILTERS, 9))
        ids = {name: json.dumps(list(range(NETWORKS))) for name in ("networks", "seeds")}
        metadata = {**ids, "failed": json.dumps([False] * NETWORKS), "step": str(step), "config": "c", "seed": "7"}
        weight = points.reshape(NETWORKS, FILTERS, 1, 3, 3).astype(np.float32)
        write_tensors(folder / f"{step}.st", {"conv1.weight": weight}, metadata)
    rows = [
        {"population": "a", "network": n, "seed": n, "step": step, "epoch": 1.0, "images": images, "split": split}
        | {
            "examples": 9,
            "loss": 1.0,
            "accuracy": (0.9 if images == "digits" else 0.3) * (step > 0) + n / 100,
            "failed": False,
        }
        for n in range(NETWORKS)
        for step in STEPS
        for images, split in (("digits", "train"), ("digits", "test"), ("printed", "test"))
    ]
    write_table(
        folder / "training.parquet",
        pa.Table.from_pylist(rows, schema=TrainingRow.schema),
        TrainingRow.schema,
        {"seed": "7"},
    )
    null = str(folder / "null.parquet")
    assert run_job(NullParameters.of(plan, layer.points, layer.layer.side), {}, {"nulls": null}) == 0
    parts = {name: [] for name in ("clouds", "loops", "significance")}
    for block, steps in layer.blocks(3).items():
        paths = {
            n: str(folder / f"{n}{block}.parquet")
            for n in ("clouds", "barcodes", "loops", "significance", "filters", "circles")
        }
        snapshots = [str(folder / f"{step}.st") for step in steps]
        clouds = {"clouds": paths.pop("clouds")}
        assert run_job(CloudParameters.of(plan, layer, steps), {"snapshots": snapshots}, clouds) == 0
        assert run_job(BarcodeParameters.of(plan, layer, steps), {**clouds, "null": null}, paths) == 0
        paths |= clouds
        for name, found in parts.items():
            found.append(paths[name])
    outputs = {name: folder / f"{name}.parquet" for name in ("onset", "loop_tracks", "correlations")}
    inputs = {**parts, "training": folder / "training.parquet"}
    assert run_job(DynamicsParameters.of(plan, layer), inputs, outputs) == 0
    schemas = {"onset": OnsetRow.schema, "loop_tracks": LoopTrackRow.schema, "correlations": CorrelationRow.schema}
    return plan, folder, {name: read_table(path, schemas[name]).to_pandas() for name, path in outputs.items()}


def test_the_onset_is_where_the_circle_begins_and_lies_after_the_snapshot_before(followed):
    onset = followed[2]["onset"].iloc[0]
    assert (onset["onset"], onset["previous"], onset["snapshots"], onset["last"]) == (4, 0, 4, 20)
    assert onset["low"] == 4
    assert 0 < onset["lasting"] <= 1
    assert onset["rule"].startswith("first snapshot from which on the longest H1 bar exceeds")


def test_the_loop_is_one_and_the_same_after_the_onset(followed):
    tracks = followed[2]["loop_tracks"].set_index("step")
    assert list(tracks.index) == list(STEPS)
    assert (tracks.loc[[4, 12, 20], "degree"] == 1).all()
    assert (tracks.loc[[12, 20], "correlation"] > 0.95).all()
    assert tracks.loc[[12, 20], "turn"].to_numpy() == pytest.approx([0.2, 0.2], abs=0.08)
    # From noise to circle nothing is followed: the filters were dealt anew.
    assert tracks.loc[4, "correlation_low"] < 0.2
    assert abs(tracks.loc[20, "first_correlation"]) < 0.3
    assert np.isnan(tracks.loc[0, "previous"])
    assert tracks.loc[[12, 20], "previous"].tolist() == [4, 12]
    assert (tracks["longest_low"] <= tracks["longest_high"]).all()
    assert (tracks.loc[[4, 12, 20], "coverage"] > 3 * tracks.loc[0, "coverage"]).all()
    assert tracks["significant"].tolist() == [False, True, True, True]
    held = pd.concat(read_table(path, CircleRow.schema).to_pandas() for path in followed[1].glob("circles*.parquet"))
    # Of a loop that is no more than noise nobody asks how it winds.
    degrees = held.groupby("step")["degree"].agg(["min", "max"])
    assert degrees.loc[0].isna().all()
    assert (degrees.loc[[4, 12, 20]] == 1).all(axis=None)


def test_what_is_drawn_at_a_step_does_not_hang_on_other_steps(followed, tmp_path):
    plan, folder, tables = followed
    inputs = {name: folder / f"{name}1.parquet" for name in ("clouds", "loops", "significance")}
    inputs["training"] = folder / "training.parquet"
    outputs = {name: tmp_path / f"{name}.parquet" for name in ("onset", "loop_tracks", "correlations")}
    assert run_job(DynamicsParameters.of(plan, plan.layer_clouds[0]), inputs, outputs) == 0
    alone = read_table(outputs["loop_tracks"], LoopTrackRow.schema).to_pandas().iloc[0]
    among = tables["loop_tracks"].set_index("step", drop=False).loc[20]
    drawn = ["longest_low", "longest_high", "critical_resampled", "share_significant"]
    assert alone[drawn].tolist() == among[drawn].tolist()


def test_a_snapshot_with_too_few_filters_is_not_tested_and_ends_no_onset(followed, tmp_path):
    """Such a snapshot has no row in the table `significance`: here one in the middle, and then all of them."""
    plan, folder, tables = followed
    layer = plan.layer_clouds[0]
    found = {}
    for tested in ((0, 4, 20), ()):
        inputs = {name: [folder / f"{name}{n}.parquet" for n in (0, 1)] for name in ("clouds", "loops")}
        inputs |= {"training": [folder / "training.parquet"], "significance": []}
        for number in (0, 1):
            rows = read_table(folder / f"significance{number}.parquet", SignificanceRow.schema)
            kept = rows.filter(pc.is_in(rows["step"], pa.array(tested, pa.int64())))
            inputs["significance"].append(tmp_path / f"significance{number}.parquet")
            write_table(inputs["significance"][-1], kept, SignificanceRow.schema, {"seed": "7"})
        outputs = {name: tmp_path / f"{name}.parquet" for name in ("onset", "loop_tracks", "correlations")}
        assert run_job(DynamicsParameters.of(plan, layer), inputs, outputs) == 0
        (onset,) = read_table(outputs["onset"], OnsetRow.schema).to_pylist()
        tracks = {row["step"]: row for row in read_table(outputs["loop_tracks"], LoopTrackRow.schema).to_pylist()}
        found[tested] = onset, tracks
    onset, tracks = found[0, 4, 20]
    assert (onset["onset"], onset["snapshots"], onset["last"]) == (4, 3, 20)
    of_tests = ("critical", "significant", "critical_resampled", "share_significant")
    assert [tracks[12][name] for name in of_tests] == [None] * 4
    assert None not in [tracks[20][name] for name in of_tests]
    assert tracks[12]["longest"] == tables["loop_tracks"].set_index("step").loc[12, "longest"]
    onset, tracks = found[()]
    assert [onset[name] for name in ("snapshots", "onset", "low", "high", "lasting")] == [0, None, None, None, None]
    assert {track["critical"] for track in tracks.values()} == {None}


def test_a_snapshot_at_which_the_layer_is_dead_is_not_followed(followed, tmp_path):
    plan, folder, _ = followed
    inputs = {name: [folder / f"{name}{n}.parquet" for n in (0, 1)] for name in ("clouds", "significance")}
    for dead in ((12,), STEPS):
        inputs |= {"training": [folder / "training.parquet"], "loops": []}
        for number in (0, 1):
            rows = read_table(folder / f"loops{number}.parquet", LoopRow.schema).to_pylist()
            killed = [row | ({"verdict": "dead layer"} if row["step"] in dead else {}) for row in rows]
            inputs["loops"].append(tmp_path / f"loops{number}.parquet")
            write_table(
                inputs["loops"][-1], pa.Table.from_pylist(killed, LoopRow.schema), LoopRow.schema, {"seed": "7"}
            )
        outputs = {name: tmp_path / f"{name}.parquet" for name in ("onset", "loop_tracks", "correlations")}
        assert run_job(DynamicsParameters.of(plan, plan.layer_clouds[0]), inputs, outputs) == 0
        tracks = read_table(outputs["loop_tracks"], LoopTrackRow.schema).to_pylist()
        assert [row["step"] for row in tracks] == [step for step in STEPS if step not in dead]
        (onset,) = read_table(outputs["onset"], OnsetRow.schema).to_pylist()
        assert onset["snapshots"] == len(STEPS) - len(dead)


def test_the_pooled_bar_is_held_against_each_outcome_without_a_p_value(followed):
    found = followed[2]["correlations"]
    assert set(found["outcome"]) == {"test_accuracy", "gap", "cross_accuracy"}
    assert set(found["scope"]) == {"pooled"}
    assert found[["p_value", "p_adjusted"]].isna().all().all()
    r = found.query("outcome == 'test_accuracy' and method == 'pearson'")["statistic"].iloc[0]
    tracks = followed[2]["loop_tracks"]
    assert r == pytest.approx(np.corrcoef(tracks["longest"], [0, 1, 1, 1])[0, 1])


def test_cross_accuracy_has_own_images_first_and_the_interval_of_the_mean(followed, tmp_path):
    plan, folder, _ = followed
    output = tmp_path / "cross.parquet"
    inputs = {"training": folder / "training.parquet"}
    assert run_job(CrossAccuracyParameters.of(plan), inputs, {"cross_accuracy": output}) == 0
    table = read_table(output, CrossAccuracyRow.schema).to_pandas()
    assert table["tested_on"].tolist() == ["digits", "printed"]
    assert table["networks"].tolist() == [NETWORKS] * 2
    own = table.iloc[0]
    values = 0.9 + np.arange(NETWORKS) / 100
    assert own["mean"] == pytest.approx(values.mean())
    assert own["high"] - own["mean"] == pytest.approx(2.5706 * values.std(ddof=1) / np.sqrt(NETWORKS), rel=1e-4)
