"""Each start leaves a record in its run's folder: runs that share a checkout are told apart, and causes are read."""

import json
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
import yaml

from cnn_topology.commands.status import Progress, after_a_kill, described, forgotten, progress_of
from cnn_topology.errors import InputError
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.jobs import SNAKEFILE, Job
from cnn_topology.runs.starts import (
    Start,
    cause_of,
    directory_of,
    failure_summary,
    failures_in,
    is_locked,
    read_start,
    record_start,
    slurm_run,
    snakemake_of,
)

# What the project's Snakefile does at a start and at a failure, around jobs that take no time.
WORKFLOW = """
from pathlib import Path
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.starts import failure_summary, record_start

RUN = "results/" + config.get("name", "t")

rule all:
    input: [f"{RUN}/{what}" for what in config["make"].split("-")]

rule make:
    output: RUN + "/{what}"
    log: RUN + "/logs/make/{what}.log"
    shell: "cnn-topology {wildcards.what} {output} &> {log}"

onstart:
    record_start(RunFolder.at(Path(RUN)), log)

onerror:
    record_start(RunFolder.at(Path(RUN)), log, failed=True)
    print(failure_summary(Path.cwd(), RUN))
"""
VERBS_HERE = """#!/bin/sh
echo cnn-topology $1
case $1 in
    good) touch $2 ;;
    bad) echo out of luck; exit 2 ;;
    killed) echo half way; kill -9 $$ ;;
    mute) kill -9 $$ ;;
    slow) echo half way; touch begun; while [ -d . ] && [ ! -e on ]; do sleep 0.1; done; touch $2 ;;
esac
"""
REFUSAL = """#!/bin/sh
echo "sbatch: error: Memory specification can not be satisfied" >&2
echo "sbatch: error: Batch job submission failed: Requested node configuration is not available" >&2
exit 1
"""


def _touch(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def _environment(folder):
    path = f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(folder / "cache")}


def _workflow(folder):
    (folder / "Snakefile").write_text(WORKFLOW)
    _touch(folder / "bin/cnn-topology", VERBS_HERE)


def _command(*arguments):
    command = [sys.executable, "-m", "snakemake", "--keep-going", "--profile", "none", "--workflow-profile", "none"]
    return [*command, *(arguments or ("--cores", "2")), "--config"]


def _start(folder, make, *arguments, name="t"):
    """Run the small workflow to its end."""
    command = [*_command(*arguments), f"name={name}", f"make={make}"]
    return subprocess.run(
        command, cwd=folder, env=_environment(folder), capture_output=True, text=True, timeout=120, check=False
    )


def _jobs(*whats, name="t"):
    return [Job("make", (f"results/{name}/{what}",), f"results/{name}/logs/make/{what}.log") for what in whats]


def test_what_snakemake_leaves_in_files_tells_done_running_and_failed_jobs(tmp_path):
    """Of a real run that is told to print nothing, while it goes on after a failure and when it has ended."""
    _workflow(tmp_path)
    jobs, run = _jobs("good", "bad", "slow"), tmp_path / "results/t"
    command = [*_command("--cores", "2", "--quiet", "all"), "make=good-bad-slow"]
    process = subprocess.Popen(command, cwd=tmp_path, env=_environment(tmp_path), stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        seen = Progress()
        while not (seen.done and seen.failed and seen.running) and time.monotonic() < end:
            time.sleep(0.1)
            seen = progress_of(jobs, tmp_path, True, read_start(RunFolder.at(run)))
        assert [[job.outputs[0][-4:] for job in state] for state in (seen.done, seen.failed, seen.running)] == [
            ["good"],
            ["/bad"],
            ["slow"],
        ]
        while not (tmp_path / "begun").exists() and time.monotonic() < end:
            time.sleep(0.1)
        assert snakemake_of(read_start(RunFolder.at(run))) == process.pid
        assert is_locked(tmp_path, jobs)
        assert not is_locked(tmp_path, _jobs("good", name="other"))
        said = described("t", seen, 0.0, tmp_path, read_start(RunFolder.at(run)))
        assert "failed: make bad: out of luck" in said
        assert f"that job alone: cd {tmp_path} && cnn-topology bad" in said
        assert re.search(r"running: make slow, since \d\d:\d\d \(\d+ s\): half way", said)
    finally:
        (tmp_path / "on").touch()
        assert process.wait(60) == 1
    start = read_start(RunFolder.at(run))
    assert (start.failed, start.failures, snakemake_of(start)) == (True, {}, None)
    ended = progress_of(jobs, tmp_path, False, start)
    assert (len(ended.done), [job.name for job in ended.failed]) == (2, ["make bad"])
    assert failure_summary(tmp_path, "results/t") == "What failed, and how to repeat it: cnn-topology status results/t"


def test_a_failure_stays_in_sight_when_another_run_starts_in_the_same_checkout(tmp_path):
    """It once vanished: the newest log in `.snakemake` was taken for that of any run."""
    _workflow(tmp_path)
    assert "make: out of luck" in _start(tmp_path, "good-bad", name="first").stdout
    assert _start(tmp_path, "good", name="second").returncode == 0
    first, second = (read_start(RunFolder.at(tmp_path / f"results/{name}")) for name in ("first", "second"))
    assert first.log != second.log
    jobs = _jobs("good", "bad", name="first")
    progress = progress_of(jobs, tmp_path, False, first)
    assert (progress.done, progress.failed, progress.waiting) == (jobs[:1], jobs[1:], [])
    assert "make: out of luck" in failure_summary(tmp_path, "results/first")
    # The next start of the first run forgets what an earlier one wrote.
    log = tmp_path / jobs[1].log
    os.utime(log, (first.began - 60, first.began - 60))
    assert cause_of(log, None, first.began).startswith("cause unknown")


def test_a_job_that_slurm_refuses_has_failed_for_the_reason_that_sbatch_names(tmp_path):
    """A real submission to an `sbatch` that refuses; the log of an earlier attempt has another cause."""
    _workflow(tmp_path)
    _touch(tmp_path / "bin/sbatch", REFUSAL)
    for name in ("sacct", "sacctmgr", "scancel", "scontrol", "sinfo", "squeue", "sshare"):
        _touch(tmp_path / f"bin/{name}", "#!/bin/sh\n")
    (job,) = _jobs("bad")
    _touch(tmp_path / job.log, "cnn-topology bad\nout of luck\n")
    os.utime(tmp_path / job.log, (0, 0))
    done = _start(
        tmp_path, "bad", "--jobs", "1", "--executor", "slurm", "--default-resources", "slurm_account=a", "mem_mb=9",
        "slurm_partition=p", "runtime=1", "--slurm-status-command", "squeue",
        "--slurm-init-seconds-before-status-checks", "1",
    )  # fmt: skip
    assert "make: Snakemake: SLURM sbatch failed" in done.stdout
    start = read_start(RunFolder.at(tmp_path / "results/t"))
    progress = progress_of([job], tmp_path, False, start)
    assert progress.failed == [job]
    said = described("t", progress, 0.0, tmp_path, start)
    assert "Requested node configuration is not available" in said
    assert "out of luck" not in said
    assert "memory at most" not in said
    assert slurm_run(start) in after_a_kill(slurm_run(start), start.host)


def test_a_killed_job_is_called_killed_where_that_was_written_down(tmp_path):
    _workflow(tmp_path)
    done = _start(tmp_path, "bad-killed-mute")
    start = read_start(RunFolder.at(tmp_path / "results/t"))
    causes = {
        job.name: cause_of(tmp_path / job.log, start.failures[job.log], start.began) for job in _jobs("bad", "mute")
    }
    assert causes == {"make bad": "out of luck", "make mute": "killed by signal 9 (SIGKILL)"}
    assert "make: half way; killed by signal 9 (SIGKILL)" in done.stdout
    assert cause_of(tmp_path / "results/t/logs/make/mute.log", None, start.began).startswith("cause unknown")


def _error(job, name, logs=""):
    lines = (
        "message: None",
        f"jobid: {job}",
        f"output: {name}",
        f"log: logs/{name}.log{logs} (check log file(s) for error details)",
    )
    return f"Error in rule make_{name}:\n" + "".join(f"    {line}\n" for line in (*lines, "shell:"))


def test_the_last_failure_of_each_job_that_did_not_pass_later_is_read():
    text = _error(4, "bad") + _error(5, "again") + "Finished jobid: 5 (Rule: make_again)\n" + _error(6, "dead")
    assert [(failure.rule, failure.outputs) for failure in failures_in(text)] == [
        ("make_bad", ("bad",)),
        ("make_dead", ("dead",)),
    ]


def test_a_job_of_a_cluster_has_two_logs_and_its_own_is_read():
    (failure,) = failures_in(_error(4, "bad", ", /here/slurm/12.log"))
    assert failure.logs == ("logs/bad.log", "/here/slurm/12.log")


def test_the_end_of_a_run_names_ten_failures(tmp_path):
    log = tmp_path / "x.snakemake.log"
    log.write_text("".join(_error(number, f"bad{number}") for number in range(13)))
    record_start(RunFolder.at(tmp_path / "results/t"), [str(log)])
    assert failure_summary(tmp_path, "results/t").splitlines()[-2] == "  and 3 more"


def test_a_cause_that_nobody_wrote_down_is_called_unknown(tmp_path):
    log = tmp_path / "logs/a.log"
    assert cause_of(log, None, 0.0).startswith("cause unknown")
    log.mkdir(parents=True)  # a log that is there and cannot be read
    assert cause_of(log, None, 0.0).startswith("cause unknown")


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ("--workflow-profile slurm --configfile a.yaml --config name=b", "--workflow-profile slurm"),
        ("-c4 --configfile a.yaml -- results/t/summary.txt", "--cores 4"),
        ("-j 8 -e slurm --configfile a.yaml", "--jobs 8 --executor slurm"),
        ("--cores --configfile a.yaml", "--cores all"),
        ("--configfile a.yaml --forcerun clouds", "--cores all"),
        ("--profile='my profile' --cores=2", "--cores 2 --profile 'my profile'"),
    ],
)
def test_an_advice_to_start_again_runs_the_jobs_where_they_ran(arguments, options, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["snakemake", *shlex.split(arguments)])
    record_start(run := RunFolder.at(tmp_path / "results/t"), [])
    assert read_start(run).options == options
    monkeypatch.setattr(sys, "argv", ["snakemake", *shlex.split(options)])
    record_start(run, [])
    assert read_start(run).options == options


def test_the_projects_snakefile_records_its_starts_and_a_quiet_failure_is_not_called_well(tiny, tmp_path, monkeypatch):
    """With a profile of the user's own, Snakemake's log names no job; a second run starts in the same folder."""
    _touch(tmp_path / "bin/cnn-topology", "#!/bin/sh\necho cnn-topology $1\necho out of luck\nexit 2\n")
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile/profile.yaml").write_text(yaml.safe_dump({"quiet": ["host", "rules", "progress"]}))
    environment = {**_environment(tmp_path), "SNAKEMAKE_PROFILE": str(tmp_path / "profile")}
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({**tiny, "name": name}))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), "--directory", str(tmp_path)]
        command += [f"results/{name}/parts/images/digits.safetensors", "--cores", "1", "--configfile", f"{name}.yaml"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        record = json.loads((tmp_path / f"results/{name}/parts/start.json").read_text())
        assert (record["directory"], record["host"], record["failed"]) == (str(tmp_path), platform.node(), True)
    command = [sys.executable, "-m", "cnn_topology.cli", "status", "one"]
    status = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "1 failed" in status.stdout, status.stdout + status.stderr
    assert "failed: prepare_images digits: out of luck" in status.stdout
    (tmp_path / "results/one/logs/images/digits.log").unlink()
    status = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "ended with an error that names no job, cause unknown" in status.stdout


def test_jobs_that_slurm_has_forgotten_are_named_and_others_are_not(tmp_path):
    late, just = jobs = _jobs("late", "just")
    for job in jobs:
        _touch(tmp_path / job.log)
    assert forgotten(jobs, tmp_path) is None
    os.utime(tmp_path / late.log, (0, 0))
    said = forgotten(jobs, tmp_path)
    assert late.name in said
    assert just.name not in said
    assert "Ctrl-C" in said


def test_a_job_that_waits_or_ended_without_a_word_is_described_so(tmp_path):
    queued, silent = _jobs("queued", "silent")
    mark = tmp_path / ".snakemake/incomplete" / urlsafe_b64encode(queued.outputs[0].encode()).decode()
    _touch(mark)
    _touch(tmp_path / silent.log, "cnn-topology train\n")
    said = described("t", progress_of([queued, silent], tmp_path, True, Start()), 0.0, tmp_path, Start())
    assert "running: make queued, started at" in said
    assert "it may wait in a queue" in said
    assert "failed: make silent: cause unknown" in said


def test_jobs_that_outlive_their_snakemake_are_named_first(tmp_path):
    assert slurm_run(Start()) is None
    _touch(tmp_path / "x.snakemake.log", "host\nSLURM run ID: ab-cd\nmore\n")
    run = slurm_run(Start(log=str(tmp_path / "x.snakemake.log")))
    assert "then: scancel --name=ab-cd; snakemake --unlock; and" in after_a_kill(run, "login1")
    assert "login1" in after_a_kill(run, "login1")
    assert "then: snakemake --unlock; and" in after_a_kill(None, None)


def test_snakemake_is_known_by_its_record_not_by_a_number_that_another_process_has(tmp_path):
    here, waiting = tmp_path / "run", "import time; print(flush=True); time.sleep(60)"
    _touch(here / "bin/snakemake", waiting)
    for command, is_one in (
        ([sys.executable, "-c", waiting, ".snakemake/log/x.snakemake.log"], False),
        ([sys.executable, "bin/snakemake", "all"], True),
    ):
        process = subprocess.Popen(command, cwd=here, stdout=subprocess.PIPE)
        try:
            process.stdout.readline()  # until it runs it has no command to be known by
            start = Start(directory=str(here), host=platform.node(), process=process.pid)
            assert snakemake_of(start) == (process.pid if is_one else None), command
            assert snakemake_of(Start(directory=str(tmp_path), host=platform.node(), process=process.pid)) is None
            assert snakemake_of(Start(directory=str(here), host="another", process=process.pid)) is None
        finally:
            process.kill()
            process.communicate()


@pytest.mark.parametrize("link", ["results", "results/t"])
def test_the_folder_of_snakemake_is_known_where_results_or_a_run_is_a_link(tmp_path, monkeypatch, link):
    """The folder behind the link holds no `.snakemake`: healthy jobs at work were called failed."""
    elsewhere, checkout = tmp_path / "scratch/results/of-t", tmp_path / "checkout"
    (elsewhere / "t" if link == "results" else elsewhere).mkdir(parents=True)
    (checkout / link).parent.mkdir(parents=True)
    (checkout / link).symlink_to(elsewhere)
    monkeypatch.chdir(checkout)
    assert directory_of(Path("results/t"), "t") == checkout
    record_start(RunFolder("t"), [])
    # Whoever stands behind the link is led back by the record.
    monkeypatch.chdir(checkout / "results/t")
    assert directory_of(Path(), "t") == checkout


def test_a_run_in_a_folder_of_another_name_is_refused(tmp_path):
    (tmp_path / "results/old").mkdir(parents=True)
    with pytest.raises(InputError, match=r"results/old: holds the run 't'.* results/t"):
        directory_of(tmp_path / "results/old", "t")


def test_marks_in_a_database_are_refused(tmp_path):
    _touch(tmp_path / ".snakemake/metadata.db")
    with pytest.raises(InputError, match="persistence-backend file"):
        progress_of(_jobs("good"), tmp_path, True, Start(began=1.0))


def test_a_record_that_is_cut_short_is_named(tmp_path):
    _touch(tmp_path / "parts/start.json", '{"directory": ')
    with pytest.raises(InputError, match=r"start\.json"):
        read_start(RunFolder.at(tmp_path))
