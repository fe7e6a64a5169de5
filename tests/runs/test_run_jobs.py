"""Jobs of a run read from Snakemake's dry-run, what they will cost, and how far they are."""

import os
from base64 import urlsafe_b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from cnn_topology.cli import main
from cnn_topology.commands.plan import costs_by_rule, files_by_folder
from cnn_topology.commands.status import Progress, described, progress_of, seconds_left, started_at, to_go_on
from cnn_topology.errors import InputError
from cnn_topology.forecast import filter_jobs, training_jobs
from cnn_topology.forecast.demand import LEAST_MB, NUMERIC, TORCH, Demand
from cnn_topology.plan.clouds import Filtering, Significance
from cnn_topology.plan.config import parse_config, read_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.jobs import Job, find_run
from cnn_topology.runs.starts import Failure, Start
from cnn_topology.topology.forecasting import forecast as barcode_forecast

TRAIN = Job(
    "train_a",
    ("results/t/training/a/0000.parquet", "results/t/snapshots/a/0000/00000000.safetensors"),
    "results/t/logs/train/a-0000.log",
    2,
    {"expected_s": 900.0, "mem_mb": 2000.0, "disk_mb": 500.0},
)
COLLECT = Job(
    "collect_training",
    ("results/t/tables/training.parquet",),
    "results/t/logs/collect/training.log",
    1,
    {"runtime": 30},
)


def test_costs_add_up_by_stage_and_files_by_folder():
    jobs = [TRAIN, COLLECT]
    costs = costs_by_rule(jobs)
    assert costs["train"].cpu_hours == pytest.approx(0.5)
    assert costs["train"].disk_gb == pytest.approx(0.5)
    assert costs["collect"].cpu_hours == pytest.approx(0.5)
    assert files_by_folder(jobs)["results/t/snapshots/a/0000"] == 1


def _touch(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _mark(folder, output):
    """Mark an output as Snakemake does while its job is at work."""
    _touch(folder / ".snakemake/incomplete" / urlsafe_b64encode(output.encode()).decode())


def test_states_are_read_from_files_alone(tmp_path):
    jobs = [
        Job(f"train_{name}", (f"results/t/{name}",), f"results/t/logs/train/{name}.log", 1, {"expected_s": 10})
        for name in ("done", "running", "failed", "earlier", "waiting")
    ]
    _mark(tmp_path, "results/t/running")
    for name in ("done", "running", "failed", "earlier"):
        _touch(tmp_path / f"results/t/logs/train/{name}.log", "cnn-topology train\n")
    os.utime(tmp_path / "results/t/logs/train/earlier.log", (0, 0))
    _touch(tmp_path / "results/t/done")
    took = "# took 20.00 s, 18.00 s of CPU time, 90 MB of memory at most"
    _touch(tmp_path / "results/t/logs/train/done.log", f"cnn-topology train\n{took}\n")
    start = Start(began=1.0)
    progress = progress_of(jobs, tmp_path, True, start)
    assert [[job.rule for job in state] for state in (progress.done, progress.running, progress.failed)] == [
        ["train_done"],
        ["train_running"],
        ["train_failed"],
    ]
    assert [job.rule for job in progress.waiting] == ["train_earlier", "train_waiting"]
    # Jobs took twice their forecast; half of the running one is left.
    assert seconds_left(progress, RunFolder.at(tmp_path / "results/t")) == pytest.approx(20 * 3.5)
    assert progress_of(jobs, tmp_path, False, start).waiting[0].rule == "train_running"


TOOK = "# took 9.61 s, 9.00 s of CPU time, 90 MB of memory at most\n"


def test_a_job_that_ended_well_has_not_failed_when_its_files_are_removed(tmp_path):
    """Not even where an earlier attempt of it had failed."""
    job = Job("draw", ("results/t/a.png", "results/t/b.png"), "results/t/logs/figures/draw.log")
    start = Start(failures={job.log: Failure("draw", (job.log,))})
    _touch(tmp_path / "results/t/a.png")
    _touch(tmp_path / job.log, f"cnn-topology figures\n{TOOK}")
    progress = progress_of([job], tmp_path, False, start)
    assert (progress.waiting, progress.failed, progress.total) == ([job], [], 1)  # it is made again
    assert "0 of 1 jobs done (0%), 0 running, 0 failed" in described("t", progress, 1.0, tmp_path, start)
    _touch(tmp_path / job.log, f"cnn-topology figures\n{TOOK}more\n")
    assert progress_of([job], tmp_path, False, start).failed == [job]


def test_a_job_that_ended_after_its_snakemake_was_killed_is_no_longer_running(tmp_path):
    """A job that waits in a queue has its last attempt's log still, which is older than its mark."""
    jobs = [Job("train", (f"results/t/{n}",), f"results/t/logs/train/{n}.log") for n in ("ended", "at work", "queued")]
    for job in jobs:
        _mark(tmp_path, job.outputs[0])
        _touch(tmp_path / job.outputs[0])
        _touch(tmp_path / job.log, f"cnn-topology train\n{TOOK if job is not jobs[1] else 'half way'}\n")
    os.utime(tmp_path / jobs[2].log, (0, 0))
    progress = progress_of(jobs, tmp_path, True, Start())
    assert (progress.done, progress.running) == (jobs[:1], jobs[1:])
    assert progress_of(jobs, tmp_path, False, Start()).waiting == jobs  # Snakemake makes them again


def test_after_a_failure_in_its_own_words_the_users_own_config_is_to_be_mended(tmp_path):
    job = Job("train", ("results/t/a",), "results/t/logs/train/a.log")
    _touch(tmp_path / job.log, "cnn-topology train\n")
    progress = Progress(failed=[job])
    config = Path("results/t/config.yaml")
    command = "    snakemake --cores all --configfile"  # alone on its line, which is pasted whole
    said = to_go_on(progress, config, tmp_path, "--cores all").splitlines()
    assert said[1:] == [f"{command} results/t/config.yaml"]
    _touch(tmp_path / job.log, "cnn-topology train\nresnets.p.recipe.batch_size is 50, but 40 images are used\n")
    first, then, otherwise, same = to_go_on(progress, config, tmp_path, "--cores all").splitlines()
    assert "correct it in your own config file" in first
    assert then == f"{command} YOURS.yaml"
    assert "nothing needs correction" in otherwise
    assert same == f"{command} results/t/config.yaml"


def test_marks_of_long_names_are_found_where_snakemake_puts_them(tmp_path):
    name = f"results/t/{'x' * 240}.parquet"
    coded = urlsafe_b64encode(name.encode()).decode()
    _touch(tmp_path / ".snakemake/incomplete" / f"@{coded[:254]}" / coded[254:])
    assert started_at(Job("make", (name,)), tmp_path) is not None
    assert started_at(Job("make", (name[1:],)), tmp_path) is None


def test_a_run_that_is_not_there_is_named_with_those_that_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _touch(tmp_path / "results/demo/config.yaml")
    with pytest.raises(InputError, match="dmo: no such run; under results/ there are: demo"):
        find_run("dmo")
    assert find_run("demo") == Path("results/demo")
    _touch(tmp_path / "demo/my_notes.txt")
    assert find_run("demo") == Path("results/demo")
    (tmp_path / "results/demo/config.yaml").unlink()
    with pytest.raises(InputError, match=r"results/demo: holds no config\.yaml"):
        find_run("demo")


def test_missing_config_is_explained(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["plan", "--configfile", "none.yaml"]) == 2
    said = capsys.readouterr().err
    assert "none.yaml: no such config file" in said
    assert "config/demo.yaml of the checkout" in said


def test_an_error_that_snakemake_finds_is_said_without_its_frame(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tiny["clouds"][0]["layers"] = ["conv3"]
    path = tmp_path / "my.yaml"
    path.write_text(parse_config(tiny).to_yaml())
    assert main(["plan", "--configfile", "my.yaml"]) == 2
    (said,) = [line for line in capsys.readouterr().err.splitlines() if "conv3" in line]
    assert said.startswith(f"cnn-topology plan: {path}: line ")
    assert "unknown convolution layer of a in clouds[0].layers: 'conv3'" in said


def test_the_whole_config_reads_back_as_it_was(tiny, tmp_path):
    config = parse_config(tiny)
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    assert read_config(tmp_path / "config.yaml") == config


def test_a_key_that_stands_twice_is_refused(tmp_path):
    (tmp_path / "run.yaml").write_text("version: 1\nseed: 1\nimages: {}\nseed: 2\n")
    with pytest.raises(InputError, match="the key 'seed' stands twice, in lines 2 and 4"):
        read_config(tmp_path / "run.yaml")


def test_forecasts_grow_with_what_is_asked(tiny):
    small = Plan(parse_config(tiny))
    tiny["populations"]["a"]["recipe"]["iterations"] = 1200
    tiny["populations"]["a"]["networks_per_job"] = 5
    large = Plan(parse_config(tiny))
    little, much = (training_jobs.train(plan, plan.shards[0]) for plan in (small, large))
    assert much.seconds > 50 * (little.seconds - TORCH[0])
    assert much.disk_mb == pytest.approx(2.5 * little.disk_mb)
    assert filter_jobs.barcodes(large, large.layer_clouds[0], (0,)).seconds < 60


def test_larger_kernels_take_longer_and_more_room(tiny):
    plan = Plan(parse_config(tiny))
    narrow = replace(plan.layer_clouds[0], points=5_000)
    wide = replace(narrow, layer=replace(narrow.layer, weight=(*narrow.layer.weight[:2], 7, 7)))
    steps = tuple(narrow.filterings)
    little, much = (filter_jobs.clouds(plan, layer, steps) for layer in (narrow, wide))
    assert much.disk_mb > 3 * little.disk_mb
    assert much.seconds - NUMERIC[0] > 3 * (little.seconds - NUMERIC[0])
    filtering = Filtering(k=0.03125, p=0.3, landmarks=6_000)
    looks = [filter_jobs.look(5_000, side, filtering, plan.config.significance) for side in (3, 5, 7)]
    assert 4 * looks[0] < 2 * looks[1] < looks[2]


@pytest.mark.parametrize(
    ("side", "points", "seconds"), [(3, 4_800, 0.42), (5, 1_200, 0.11), (5, 4_800, 41), (7, 1_200, 1.4), (11, 600, 1.0)]
)
def test_forecasts_of_noise_are_near_what_was_measured(side, points, seconds):
    """One barcode of points spread evenly over the sphere, on a busy core."""
    filtering = Filtering(k=0.01, p=1.0, landmarks=points)
    few, many = (filter_jobs.look(points, side, filtering, Significance(draws=draws)) for draws in (99, 1_099))
    nulls = 5
    assert seconds / 3 < (many - few) / 1_000 / nulls < 3 * seconds


def test_the_forecast_of_barcodes_has_room_for_the_loop_of_the_longest_bar(tiny):
    tiny["populations"]["a"]["networks"] = 4_000
    tiny["clouds"][0].update(landmarks=20_000, densities=[{"k": 200, "p": 1.0}], circles="headline")
    plan = Plan(parse_config(tiny))
    layer = plan.layer_clouds[0]
    points = min(20_000, layer.points)
    demand = filter_jobs.barcodes(plan, layer, (0,))
    assert points > 10_000
    assert demand.memory_mb > barcode_forecast(points).bytes / 1e6 + 2e-6 * points**2 + NUMERIC[1]


def test_a_retry_asks_for_more_and_the_least_is_asked_for():
    demand = Demand(seconds=3600, memory_mb=2000)
    assert [demand.limit_mb(attempt) for attempt in (1, 2)] == [2600, 5200]
    assert [demand.limit_minutes(attempt) for attempt in (1, 2)] == [240, 480]
    assert Demand(1, 10).limit_mb() == LEAST_MB
