"""Runs that are killed, run out of disk, meet read-only folders, second starts and odd clocks end as undisturbed ones.

Each test asserts that its fault took place. FAULT_SEED draws other kills; `make soak` deals out fifty, fills a disk and
sets file times back and forth.
"""

import copy
import os
import random
import re
import shutil
import signal
import subprocess
import time

import pytest
from processes import descendants, ended, frozen, wait_for, workers
from whole_runs import Run

SEED = int(os.environ.get("FAULT_SEED", "0"))


@pytest.fixture(scope="module")
def config(smallest):
    """Return the config of a run of some twenty jobs: trained, gathered, tested, collected, drawn."""
    kept = ("version", "name", "seed", "images", "populations", "significance", "controls")
    config = copy.deepcopy({key: smallest[key] for key in kept})
    config["populations"]["a"]["networks_per_job"] = 3
    return {
        **config,
        "clouds": smallest["clouds"][:1],
        "mapper": None,
        "figures": ["evolution"],
        "jobs": {"steps_per_job": 2},
    }


@pytest.fixture(scope="module")
def undisturbed(config, made_once):
    """Return the files of the run when nothing happens to it."""
    folder = made_once("undisturbed", lambda folder: Run(folder, config).finish())
    return Run(folder, config).artefacts()


def _same(run, undisturbed):
    made = run.artefacts()
    assert sorted(made) == sorted(undisturbed)
    assert [name for name, content in undisturbed.items() if made[name] != content] == []


def _kill(run, process, everything, jobs, rng):
    """Kill a worker, or Snakemake with all below it at once, as a power cut would, when so many jobs have ended.

    Returns what was killed: one worker at least, alive and at work at that moment; nothing where the run ended before.
    """
    seen = False
    while process.poll() is None:
        seen = seen or bool(workers(process.pid))
        if seen and run.said().count("Finished jobid") >= jobs:
            time.sleep(rng.uniform(0, 2))  # a job takes so long on an idle machine
            with frozen(process.pid):
                at_work = workers(process.pid)
                if at_work and everything:
                    below = descendants(process.pid)
                    os.killpg(process.pid, signal.SIGKILL)
                    return below
                if at_work:
                    worker = rng.choice(at_work)
                    worker.kill()
                    return [worker]
        time.sleep(0.05)
    assert seen, "no worker of this run was ever seen"
    return []


def _see_that_all_died(run, process, killed):
    """Nothing is left of the run but its lock; free the folder."""
    assert process.wait(60) == -signal.SIGKILL
    wait_for(lambda: all(map(ended, killed)), 60)
    assert list((run.folder / ".snakemake/locks").glob("*"))
    assert run.make("--unlock")[0] == 0


def _see_that_a_worker_died(run, process, worker):
    """The shell that waited for the worker names its process and signal; Snakemake ends with the failure of a rule."""
    assert process.wait(600) == 1  # it goes on with what does not need that job, then says what failed
    said = run.said()
    assert re.search(rf"\b{worker.pid} Killed\b.*cnn-topology", said), said[-4000:]
    assert said.count("Error in rule") == 1


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=pytest.mark.soak)])
def test_random_kills_of_workers_and_of_everything_change_no_byte(kills, config, undisturbed, tmp_path):
    rng, dealt, runs = random.Random(SEED), 0, 1
    run = Run(tmp_path / "1", config)
    while dealt < kills:
        everything = dealt % 2 == 1
        process = run.start()
        killed = _kill(run, process, everything, rng.randrange(7), rng)
        if not killed:
            assert process.returncode == 0  # fewer jobs than drawn were left to do
            _same(run, undisturbed)
            shutil.rmtree(run.folder)
            runs += 1
            run = Run(tmp_path / str(runs), config)
            continue
        if everything:
            _see_that_all_died(run, process, killed)
        else:
            _see_that_a_worker_died(run, process, killed[0])
        dealt += 1
    run.finish()
    _same(run, undisturbed)
    print(f"{dealt} kills dealt over {runs} whole runs")


@pytest.fixture
def small_disk(tmp_path):
    """Return a function that makes a folder lie on a disk of so many bytes, and can change it later."""
    mounted = []

    def mount(folder, options):
        folder.mkdir(parents=True, exist_ok=True)
        again = ["-o", f"remount,{options}"] if folder in mounted else ["-t", "tmpfs", "-o", options, "tmpfs"]
        done = subprocess.run(["mount", *again, str(folder)], capture_output=True, text=True, check=False)
        if done.returncode and folder not in mounted:
            pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        mounted.append(folder)

    yield mount
    for folder in set(mounted):
        subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


@pytest.mark.soak
def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_space(config, undisturbed, small_disk, tmp_path):
    run = Run(tmp_path / "full", config)
    small_disk(run.folder / "results", "size=420k")
    status, said = run.make()
    assert status == 1
    # A job says it in its own words; where its log is what does not fit, the shell does.
    assert re.search(r"(results/tiny/\S+: the disk is full|No space left on device)", said), said[-4000:]
    assert 0 < len(run.artefacts()) < len(undisturbed)  # full half way
    # To the last byte: the logs of jobs take no word either.
    small_disk(run.folder / "results", "size=800k")
    process = run.start()
    wait_for(lambda: workers(process.pid), 60)
    with (
        (run.folder / "results/filler").open("wb", buffering=0) as filler,
        pytest.raises(OSError, match="No space left"),
    ):
        while True:
            filler.write(bytes(4096))
    assert process.wait(600) == 1
    said = run.said()
    assert "results/tiny/parts/start.json: the disk is full" in said
    assert "cnn-topology status results/tiny" in said
    (run.folder / "results/filler").unlink()
    small_disk(run.folder / "results", "size=200m")
    run.finish()
    _same(run, undisturbed)


def test_a_folder_that_cannot_be_written_is_named_before_any_job(config, small_disk, tmp_path):
    run = Run(tmp_path / "read-only", config)
    small_disk(run.folder / "results", "size=1m,ro")
    with pytest.raises(OSError, match="Read-only file system"):
        (run.folder / "results/file").touch()
    status, said = run.make()
    assert status == 1
    assert re.search(r"results/tiny/\S+: its folder cannot be written \(Read-only file system\)", said), said
    assert "Traceback" not in said
    assert not re.search(r"^(local)?rule \w+:$", said, re.MULTILINE)


@pytest.mark.soak
def test_jumps_of_file_times_and_a_second_start_spoil_no_resumed_run(config, undisturbed, tmp_path):
    run, rng = Run(tmp_path / "clock", config), random.Random(SEED)
    process = run.start()
    wait_for(lambda: list(run.results.glob("parts/clouds/*/*/*.parquet")), 120)
    _see_that_all_died(run, process, _kill(run, process, True, 0, rng))
    now, jumps = time.time(), set()
    for path in run.results.rglob("*.*"):
        jump = rng.choice((-10 * 365, -1, 0, 1, 365)) * 86_400
        os.utime(path, (now + jump, now + jump))
        jumps.add(round(path.stat().st_mtime - now))
    assert min(jumps) < 0 < max(jumps)
    first = run.start()
    wait_for(lambda: workers(first.pid), 60)
    second = Run(run.folder, config)
    status, said = second.make()
    assert status == 1
    assert "Directory cannot be locked" in said
    assert "--unlock" in said
    assert second.make("--dry-run")[0] == 0  # looking is allowed
    assert first.wait(600) == 0
    _same(run, undisturbed)
