"""What other hardware changes, tried by other settings of the same processor: vector units left unused, threads added.

The same networks give the same analysis within the stated tolerance; training drifts, by roundings of float32 at first.
"""

import os
import re
import subprocess
import sys
from collections import ChainMap
from contextlib import chdir

import numpy as np
import pytest
from job_runs import write_job

from cnn_topology.cli import main
from cnn_topology.commands.compare import compare_tables
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.parameters import (
    BarcodeParameters,
    CloudParameters,
    ImagesParameters,
    NullParameters,
    TrainParameters,
)
from cnn_topology.training.snapshots import read_snapshot

# As a processor without AVX-512, for each library that chooses by what it finds; and two threads where they are used.
# NumPy 2.4 calls these vector units by other names than NumPy before it, and passes over the names that it lacks.
OTHER = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL",
    "OPENBLAS_CORETYPE": "Haswell",
    "ATEN_CPU_CAPABILITY": "default",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "MKL_CBWR": "COMPATIBLE",
    "OMP_NUM_THREADS": "2",
}
# Weights are about 0.1 to 1; the last place of float32 is 6e-8 of a value, and twelve steps add to it.
DRIFT = 1e-5
IN_USE = """
import numpy, scipy.linalg, threadpoolctl, torch
from numpy.lib.introspect import opt_func_info
print({kind["current"] for kinds in opt_func_info().values() for kind in kinds.values()})
print({library.get("architecture") for library in threadpoolctl.threadpool_info()})
print(torch.backends.cpu.get_cpu_capability())
"""


def _job(folder, settings, *described, threads=1, **others):
    file = write_job(folder / "job.json", *described, **others)
    if not settings:
        with chdir(folder):
            assert main(["job", str(file), "--threads", str(threads)]) == 0
        return
    environment = {**os.environ, **settings}
    command = [sys.executable, "-m", "cnn_topology.cli", "job", str(file), "--threads", str(threads)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_other_settings_take_the_vector_units_from_each_library_that_names_them():
    command = [sys.executable, "-c", IN_USE]
    done = subprocess.run(command, env={**os.environ, **OTHER}, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 3
    assert not re.search("AVX512|X86_V4|SkylakeX|Cooperlake|SapphireRapids", done.stdout), done.stdout


@pytest.fixture(scope="module")
def plan(smallest):
    return Plan(parse_config({**smallest, "generalization": None}))


@pytest.fixture(scope="module")
def trained(plan, tmp_path_factory):
    """Return the folders of two trainings of the same networks, under the usual and under other settings."""
    folder = tmp_path_factory.mktemp("hardware")
    block = ImagesParameters(run_seed=plan.config.seed, name="digits", images=plan.config.images["digits"])
    _job(folder, {}, block, {}, {"images": "images.safetensors"})
    block, steps = TrainParameters.of(plan, plan.shards[0]), plan.steps("a")
    inputs = {"images": "images.safetensors", "cross_test": [], "matched": []}
    for name, settings in (("usual", {}), ("other", OTHER)):
        snapshots = [f"{name}/{step:08d}.safetensors" for step in steps]
        outputs = {"snapshots": snapshots, "log_table": f"{name}/tables/training.parquet"}
        threads = settings.get("OMP_NUM_THREADS", 1)
        _job(folder, settings, block, inputs, outputs, threads=threads, resume=f"{name}/resume")
    return folder


def test_training_drifts_by_roundings_alone_over_a_few_steps(trained, plan):
    gaps = {}
    for step in plan.steps("a"):
        usual, other = (
            read_snapshot(trained / f"{name}/{step:08d}.safetensors").tensors for name in ("usual", "other")
        )
        gaps[step] = max(float(np.abs(usual[tensor] - other[tensor]).max()) for tensor in usual)
    assert gaps[0] == 0  # weights are drawn alike everywhere
    assert max(gaps.values()) < DRIFT
    (training,) = compare_tables(trained / "usual", trained / "other")
    assert training.state in ("identical", "within"), training


def test_the_same_networks_give_the_same_barcodes_and_verdicts_elsewhere(trained, plan):
    layer, steps = plan.layer_clouds[0], plan.steps("a")
    snapshots = [f"usual/{step:08d}.safetensors" for step in steps]
    for name, settings in (("one", {}), ("two", OTHER)):
        made = ("nulls", "clouds", "barcodes", "loops", "significance", "filters", "circles")
        nulls, clouds, *tables = ({table: f"{name}/tables/{table}.parquet"} for table in made)
        _job(trained, settings, NullParameters.of(plan, layer.points, layer.layer.side), {}, nulls)
        _job(trained, settings, CloudParameters.of(plan, layer, steps), {"snapshots": snapshots}, clouds)
        inputs = {**clouds, "null": nulls["nulls"]}
        _job(trained, settings, BarcodeParameters.of(plan, layer, steps), inputs, dict(ChainMap(*tables)))
    found = {table.table: table for table in compare_tables(trained / "one", trained / "two")}
    assert len(found) == 7
    assert [table for table in found.values() if table.state == "different"] == []
