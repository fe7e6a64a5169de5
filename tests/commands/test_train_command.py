"""`cnn-topology train` with a first layer matched to a trained population."""

import json

import numpy as np
import pytest
from job_runs import run_job

from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.parameters import ImagesParameters, TrainParameters
from cnn_topology.storage.tensors import write_tensors
from cnn_topology.training.snapshots import read_snapshot


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("train")


@pytest.fixture(scope="module")
def plan(smallest, folder):
    population = smallest["populations"]["a"]
    first_layer = {"kind": "fixed_circle", "matched_to": "a", "bias": "zero"}
    fixed = {**population, "architecture": {**population["architecture"], "first_layer": first_layer}}
    plan = Plan(parse_config({**smallest, "populations": {"a": population, "fixed": fixed}}))
    assert run_job(ImagesParameters.of(plan, "digits"), {}, {"images": folder / "digits.safetensors"}) == 0
    return plan


def train(plan, folder, population, matched):
    shard = plan.shards_of(population)[0]
    paths = [folder / population / f"{step:08d}.safetensors" for step in plan.steps(population)]
    inputs = {"images": folder / "digits.safetensors", "cross_test": [], "matched": matched}
    outputs = {"snapshots": paths, "log_table": folder / f"{population}.parquet"}
    return run_job(TrainParameters.of(plan, shard), inputs, outputs, resume=str(folder / "resume")), paths


def test_the_norm_of_a_fixed_layer_is_that_of_the_trained_filters_it_is_matched_to(plan, folder):
    code, (*_, trained) = train(plan, folder, "a", [])
    assert code == 0
    code, (first, *_, last) = train(plan, folder, "fixed", [trained])
    assert code == 0
    norm = np.linalg.norm(read_snapshot(trained).tensors["conv1.weight"], axis=(-2, -1)).mean()
    before, after = (read_snapshot(path).tensors["conv1.weight"] for path in (first, last))
    np.testing.assert_allclose(np.linalg.norm(before, axis=(-2, -1)), norm, rtol=1e-6)
    assert before.tobytes() == after.tobytes()


def test_a_population_without_a_network_left_gives_no_norm(plan, folder, capsys):
    gone = {"networks": "[0]", "seeds": "[0]", "step": "12", "failed": json.dumps([True])}
    write_tensors(folder / "gone.safetensors", {"conv1.weight": np.full((1, 6, 1, 3, 3), np.nan, "f4")}, gone)
    code, _ = train(plan, folder, "fixed", [folder / "gone.safetensors"])
    assert code == 2
    assert "every network of a had failed; give `norm` a number" in capsys.readouterr().err
