"""What `plan` prints: times that a person can read, and how long this machine takes with and without a GPU."""

import re

import pytest

from cnn_topology.cli import main
from cnn_topology.commands.plan import PARTITIONS, described, on_slurm, without_partition
from cnn_topology.errors import InputError
from cnn_topology.forecast.demand import CORES_PER_GPU
from cnn_topology.runs.jobs import Job


def job(stage, seconds, **resources):
    log = f"results/r/logs/{stage}/a.log"
    return Job(stage, [f"results/r/{stage}.parquet"], log, 1, {"expected_s": seconds, "mem_mb": 500} | resources)


def test_a_config_without_its_option_is_refused_by_how_the_verb_is_called(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["plan", "config/demo.yaml"])
    assert ended.value.code == 2
    assert {"plan", "--configfile", "config/demo.yaml"} <= {*re.findall(r"[\w./-]+", capsys.readouterr().err)}


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


def test_jobs_that_fit_no_partition_are_told_with_line_key_and_values(tmp_path):
    partitions = tmp_path / "partitions.yaml"
    partitions.write_text(
        "partitions:\n  short:\n    max_runtime: 0-01:00:00\n    max_gpu: 1\n  large:\n    max_mem_mb: 900\n"
    )
    fits = [job("nulls", 1, mem_mb=5_000, runtime=60), job("page", 1, mem_mb=900, runtime=600)]
    assert without_partition(fits, partitions) == []
    assert str(partitions) in on_slurm(fits, partitions)
    larger = [job("train", 1, runtime=61, gpu=1), job("train", 1, runtime=90, gpu=1, mem_mb=901)]
    (line,) = without_partition([*fits, *larger], partitions)
    facts = ["train, 2 jobs", "runtime 90 where short.max_runtime is 60 (line 3)", "mem_mb 901", "900 (line 6)"]
    facts.append("gpu 1 where large.max_gpu is 0 (line 5)")
    assert [fact for fact in facts if fact not in line] == []
    assert line in on_slurm(larger, partitions)


@pytest.mark.parametrize(("written", "minutes"), [("72h", 4_320), ("2d12h", 3_600), ("3-00", 4_320), ('"90"', 90)])
def test_times_of_partitions_are_read_as_the_plugin_reads_them(written, minutes, tmp_path):
    partitions = tmp_path / "partitions.yaml"
    partitions.write_text(f"partitions: {{only: {{max_runtime: {written}}}}}\n")
    assert without_partition([job("train", 1, runtime=minutes)], partitions) == []
    assert len(without_partition([job("train", 1, runtime=minutes + 1)], partitions)) == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "--partitions"),
        ("cpu: {max_gpu: 1}\n", "partitions"),
        ("partitions:\n  cpu:\n    max_gpu: some\n", "line 3: partitions.cpu.max_gpu = some"),
        ("partitions:\n  cpu: {max_runtime: .}\n", "line 2: partitions.cpu.max_runtime = ."),
    ],
)
def test_partitions_that_cannot_be_read_are_refused_by_file_line_and_key(content, expected, tmp_path):
    partitions = tmp_path / "partitions.yaml"
    if content:
        partitions.write_text(content)
    with pytest.raises(InputError) as refused:
        without_partition([job("train", 1)], partitions)
    assert str(refused.value).startswith(str(partitions))
    assert expected in str(refused.value)


def test_the_profile_of_the_checkout_has_partitions():
    assert without_partition([job("train", 1, runtime=60, gpu=1)], PARTITIONS) == []
