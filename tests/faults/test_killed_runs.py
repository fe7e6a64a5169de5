"""Runs that are killed, run out of disk, meet read-only folders, second starts and odd clocks end as undisturbed ones.

FAULT_KILLS says how many kills a test deals out (5), FAULT_SEED which ones.
"""

import copy
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("FAULT_KILLS", "5"))
SEED = int(os.environ.get("FAULT_SEED", "0"))
# What tells of a run's course, not of its results.
COURSE = ("logs", "resume", "provenance.json", "provenance.txt")


@pytest.fixture(scope="module")
def config(smallest):
    """Give a run of some twenty jobs: trained, gathered, tested, collected, drawn."""
    kept = ("version", "name", "seed", "images", "populations", "significance", "controls")
    config = copy.deepcopy({key: smallest[key] for key in kept})
    config["populations"]["a"]["shard"] = 3
    return {**config, "clouds": smallest["clouds"][:1], "mapper": None, "figures": ["evolution"], "jobs": {"steps": 2}}


class Run:
    """A run in a folder of its own."""

    def __init__(self, folder, config):
        self.folder, self.results = folder, folder / "results/tiny"
        folder.mkdir(exist_ok=True)
        (folder / "run.yaml").write_text(yaml.safe_dump(config))

    def start(self, *arguments):
        """Start snakemake in a process group of its own."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"]
        command += ["--directory", str(self.folder), *arguments, "--configfile", str(self.folder / "run.yaml")]
        command += ["--workflow-profile", str(ROOT / "profiles/default")]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(self.folder)}
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        with (self.folder / "said.txt").open("wb") as said:
            return subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=said, stderr=said, start_new_session=True
            )

    def make(self, *arguments):
        """Run snakemake to its end and give its exit status and what it said."""
        status = self.start(*arguments).wait(600)
        return status, (self.folder / "said.txt").read_text(errors="replace")

    def finish(self):
        """Do what a person does after a crash: the same command, after --unlock where a lock was left."""
        status, said = self.make()
        if status and "--unlock" in said:
            assert self.make("--unlock")[0] == 0
            status, said = self.make()
        assert status == 0, said[-4000:]

    def artefacts(self):
        """Give every file of the results by its path."""
        return {
            str(path.relative_to(self.results)): path.read_bytes()
            for path in sorted(self.results.rglob("*"))
            if path.is_file() and not set(path.relative_to(self.results).parts) & set(COURSE)
        }


@pytest.fixture(scope="module")
def undisturbed(config, tmp_path_factory):
    """Give the files of the run when nothing happens to it."""
    run = Run(tmp_path_factory.mktemp("undisturbed"), config)
    run.finish()
    return run.artefacts()


def _same(run, undisturbed):
    made = run.artefacts()
    assert sorted(made) == sorted(undisturbed)
    assert [name for name, content in undisturbed.items() if made[name] != content] == []


def _workers(pid):
    """List the processes below one that run a verb."""
    found = []
    for child in _children(pid):
        found += _workers(child)
        try:
            command = Path(f"/proc/{child}/cmdline").read_bytes()
        except OSError:
            continue
        if b"cnn-topology\0" in command.replace(b"/", b"\0") and b"bash" not in command.split(b"\0")[0]:
            found.append(child)
    return found


def _children(pid):
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _kill_tree(process):
    """Kill a process and all below it at once, as a power cut would."""
    below, waiting = [], [process.pid]
    while waiting:
        pid = waiting.pop()
        below.append(pid)
        waiting += _children(pid)
    for pid in below:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


def test_random_kills_of_workers_and_of_everything_change_no_byte(config, undisturbed, tmp_path):
    rng, dealt, finished = random.Random(SEED), 0, 0
    run = Run(tmp_path / "killed", config)
    while dealt < KILLS:
        process = run.start()
        end = time.monotonic() + rng.uniform(3, 14)
        while time.monotonic() < end and process.poll() is None:
            time.sleep(0.05)
        workers = _workers(process.pid)
        if process.poll() is None and workers and rng.random() < 0.5:
            os.kill(rng.choice(workers), signal.SIGKILL)
            dealt += 1
            process.wait(600)  # goes on with what does not need that job, then says what failed
        elif process.poll() is None:
            _kill_tree(process)
            dealt += 1
        if process.returncode == 0:
            _same(run, undisturbed)
            finished += 1
            shutil.rmtree(run.folder)
            run = Run(tmp_path / f"killed-{finished}", config)
        elif "--unlock" in (run.folder / "said.txt").read_text() or any((run.folder / ".snakemake/locks").glob("*")):
            assert run.make("--unlock")[0] == 0
    run.finish()
    _same(run, undisturbed)
    print(f"{dealt} kills dealt over {finished + 1} whole runs")


@pytest.fixture
def small_disk(tmp_path):
    """Give a function that makes a folder lie on a disk of so many bytes, and can change it later."""
    mounted = []

    def mount(folder, options):
        folder.mkdir(parents=True, exist_ok=True)
        again = ["-o", f"remount,{options}"] if folder in mounted else ["-t", "tmpfs", "-o", options, "tmpfs"]
        done = subprocess.run(["mount", *again, str(folder)], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
        mounted.append(folder)

    yield mount
    for folder in set(mounted):
        subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)


def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_space(config, undisturbed, small_disk, tmp_path):
    run = Run(tmp_path / "full", config)
    small_disk(run.folder / "results", "size=420k")
    status, _ = run.make()
    assert status != 0
    logs = "".join(path.read_text(errors="replace") for path in run.results.rglob("*.log"))
    said = logs + (run.folder / "said.txt").read_text(errors="replace")
    assert "the disk is full" in said or "No space left on device" in said
    small_disk(run.folder / "results", "size=200m")
    run.finish()
    _same(run, undisturbed)


def test_a_folder_that_cannot_be_written_is_named_before_any_job(config, small_disk, tmp_path):
    run = Run(tmp_path / "read-only", config)
    small_disk(run.folder / "results", "size=1m,ro")
    status, said = run.make()
    assert status != 0
    assert "results/tiny/config.yaml: its folder cannot be written (Read-only file system)" in said
    assert "Traceback" not in said


def test_a_second_start_in_the_same_folder_is_refused_and_disturbs_nothing(config, undisturbed, tmp_path):
    run = Run(tmp_path / "twice", config)
    first = run.start()
    deadline = time.monotonic() + 60
    while not list((run.folder / ".snakemake/locks").glob("*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    second = Run(run.folder, config)
    command = ["--dry-run"]
    assert second.make(*command)[0] == 0  # looking is allowed
    status, said = second.make()
    assert status != 0
    assert "Directory cannot be locked" in said
    assert "--unlock" in said
    assert first.wait(600) == 0
    _same(run, undisturbed)


def test_times_of_files_that_jump_into_past_and_future_spoil_no_resumed_run(config, undisturbed, tmp_path):
    run, rng = Run(tmp_path / "clock", config), random.Random(SEED)
    process = run.start()
    deadline = time.monotonic() + 120
    while not list(run.results.glob("clouds/*/*/*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.1)
    _kill_tree(process)
    for path in run.results.rglob("*.*"):
        jump = rng.choice((-10 * 365, -1, 0, 1, 365)) * 86_400
        os.utime(path, (time.time() + jump, time.time() + jump))
    run.finish()
    _same(run, undisturbed)
