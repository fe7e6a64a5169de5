"""What `plan` prints: times that a person can read, and how long this machine takes with and without a GPU."""

import re

from cnn_topology.commands.plan import described
from cnn_topology.forecast.demand import CORES_PER_GPU
from cnn_topology.runs.jobs import Job


def job(stage, seconds, **resources):
    log = f"results/r/logs/{stage}/a.log"
    return Job(stage, [f"results/r/{stage}.parquet"], log, 1, {"expected_s": seconds, "mem_mb": 500} | resources)


def test_a_run_is_told_in_minutes_with_and_without_a_gpu():
    jobs = [job("train", 1_800), job("train", 1_800), job("nulls", 600), job("images", 0.2, disk_mb=0.1)]
    text = described("r", jobs, cores=2)
    assert "run r: 4 jobs" in text
    # Half an hour of two trainings on two cores, and five minutes of the rest.
    assert "2 cores: 35 min without a GPU" in text
    assert f"{(3_600 / CORES_PER_GPU + 300) / 60:.0f} min with one" in text
    rows = dict(re.findall(r"^([a-z]+) +([0-9].*)$", text, re.M))
    assert rows["train"].split("  ")[0] == "2"
    assert "60 min" in rows["train"]
    assert "1 s" in rows["images"]
    assert "0.00" not in text


def test_training_that_is_planned_for_a_gpu_takes_longer_without_one():
    text = described("r", [job("train", 60, gpu=1)], cores=1)
    assert f"{60 * CORES_PER_GPU / 60:.0f} min without a GPU, 60 s with one" in text
