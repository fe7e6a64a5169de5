"""`cnn-topology status`: show how far a run is, what failed, and how to repeat it, by reading only."""

import argparse
import shlex
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cnn_topology.errors import InputError, in_words
from cnn_topology.plan.config import read_config
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.jobs import Job, change_to, find_run, list_jobs
from cnn_topology.runs.machine import cost_by_rule, has_ended_well, text_of
from cnn_topology.runs.starts import (
    Start,
    cause_of,
    directory_of,
    is_locked,
    last_line,
    read_start,
    slurm_run,
    snakemake_of,
)

# Snakemake marks a job while it starts it: on a busy machine the first words of its log are older than the mark.
MARK_DELAY = 5.0
# Through SLURM Snakemake learns of the end of a job within 4 minutes: it asks every 3 at least, and waits for files.
LATEST_NOTICE = 600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", help="the run's name or folder: results/<run>")


def run(arguments: argparse.Namespace) -> None:
    """Print the progress."""
    folder = find_run(arguments.run)
    paths = RunFolder.at(folder)
    config = Path(paths.config)
    directory = directory_of(folder, read_config(config).name)
    jobs, start = list_jobs(config, directory), read_start(paths)
    locked, process = is_locked(directory, jobs), snakemake_of(start)
    progress = progress_of(jobs, directory, locked or process is not None, start)
    left = seconds_left(progress, paths)
    print(described(folder.name, progress, left, directory, start), end="")
    unseen = [job for job in progress.done if started_at(job, directory) is not None]
    if process is not None:
        print(f"snakemake works on it here, process {process}")
        if slurm_run(start) and (told := forgotten(unseen, directory)):
            print(told)
    elif locked:
        print(after_a_kill(slurm_run(start), start.host))
        if unseen:
            print(f"{len(unseen)} of the jobs that are done ended after their snakemake: it makes them once more")
    elif len(progress.done) < progress.total:
        if start.failed and not progress.failed:
            print(f"its last start ended with an error that names no job, cause unknown; what it wrote: {start.log}")
        print(to_go_on(progress, config, directory, start.options))


@dataclass
class Progress:
    """The jobs of a run by state. A job is done when all its files are there, whatever config made them.

    Of a cluster's jobs those that wait in its queue count as running.
    """

    done: list[Job] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)
    failed: list[Job] = field(default_factory=list)
    waiting: list[Job] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Number of jobs."""
        return len(self.done) + len(self.running) + len(self.failed) + len(self.waiting)


def progress_of(jobs: Iterable[Job], directory: Path, alive: bool, start: Start) -> Progress:
    """Sort jobs by state.

    Parameters
    ----------
    jobs : iterable of Job
        All jobs of the run.
    directory : Path
        The folder that their paths are relative to.
    alive : bool
        Whether a Snakemake may still work on the run; if not, a job that was at work counts as waiting.
    start : Start
        The last start of the run.

    Returns
    -------
    Progress

    Raises
    ------
    InputError
        If Snakemake keeps its marks in a database, or a log cannot be read.
    """
    databases = (directory / ".snakemake").glob("metadata.db*")
    if any(database.stat().st_mtime >= start.began for database in databases):
        raise InputError(
            f"{directory / '.snakemake/metadata.db'}: Snakemake keeps its marks of jobs at work in a database here, "
            "which is not read; start it with `--persistence-backend file` (or remove that key from your profile)"
        )
    progress = Progress()
    for job in jobs:
        log = directory / (job.log or "")
        # Of a job that ended before it could begin a log, such as one that a cluster refused, only Snakemake's tells.
        begun = log.is_file() and log.stat().st_mtime >= start.began
        marked = started_at(job, directory)
        if marked is not None and not alive:  # it is made again
            progress.waiting.append(job)
        elif marked is not None and not _ended_since(log, marked):
            progress.running.append(job)
        elif all((directory / path).is_file() for path in job.outputs):
            progress.done.append(job)
        elif (begun or job.log in start.failures) and not has_ended_well(log):
            progress.failed.append(job)
        else:  # or it ended well, and its files were removed since
            progress.waiting.append(job)
    return progress


def _ended_since(log: Path, start: float) -> bool:
    """Whether a job has ended well since it was started: the log may still be that of an earlier attempt."""
    return log.is_file() and log.stat().st_mtime >= start and has_ended_well(log)


def started_at(job: Job, directory: Path) -> float | None:
    """Return when a job that has not ended was started or submitted, by the file system's clock, else None."""
    name = urlsafe_b64encode(job.outputs[0].encode()).decode()
    # As Snakemake names its marks: what is too long for a file name is cut into folders.
    pieces = [name[first : first + 254] for first in range(0, len(name), 254)]
    mark = (directory / ".snakemake/incomplete").joinpath(*(f"@{piece}" for piece in pieces[:-1]), pieces[-1])
    try:
        return mark.stat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return None


def seconds_left(progress: Progress, run: RunFolder) -> float:
    """Estimate the wall time left: forecasts, at the pace of the jobs that are done, over the jobs at work.

    Parameters
    ----------
    progress : Progress
        Of the run.
    run : RunFolder
        The run's folder, whose logs say what the jobs took.
    """
    took, forecast = sum(cost["wall_s"] for cost in cost_by_rule(run).values()), sum(map(_expected, progress.done))
    left = sum(map(_expected, [*progress.waiting, *progress.failed])) + sum(map(_expected, progress.running)) / 2
    return left * (took / max(1.0, forecast) if took else 1) / max(1, len(progress.running))


def _expected(job: Job) -> float:
    return job.resources.get("expected_s", 60 * job.resources.get("runtime", 1))


def command_of(log: Path) -> str | None:
    """Return the command that repeats a job: the first line of its log."""
    first = text_of(log).partition("\n")[0]
    return first if first.startswith("cnn-topology ") else None


def to_go_on(progress: Progress, config: Path, directory: Path, options: str) -> str:
    """Describe how to start again; where a job said why it failed, its user may have to mend the config first."""
    command = f"    snakemake {options} --configfile"
    same = f"{command} {shlex.quote(str(config))}"
    if not any(last_line(directory / (job.log or "")) for job in progress.failed):
        return f"snakemake is not at work; to go on:\n{same}"
    return (
        "snakemake is not at work. Where a failed job names a key, correct it in your own config file (each start "
        f"copies that one to {config}), then:\n{command} YOURS.yaml\nOnly if nothing needs correction:\n{same}"
    )


def after_a_kill(slurm: str | None, host: str | None) -> str:
    """Describe what to do about a lock that nothing here holds; jobs on a cluster outlive their Snakemake."""
    first = f"scancel --name={slurm}; " if slurm else ""
    place = f" (it was started on {host})" if host else ""
    return (
        f"the run is locked, and no snakemake of it is seen on this machine: it is elsewhere{place}, or was killed; "
        f"then: {first}snakemake --unlock; and the same command as before"
    )


def forgotten(unseen: list[Job], directory: Path) -> str | None:
    """Describe the jobs that ended so long before Snakemake saw it that SLURM has forgotten them, if there are any."""
    jobs = [job for job in unseen if time.time() - (directory / (job.log or "")).stat().st_mtime > LATEST_NOTICE]
    names = ", ".join([job.name for job in jobs[:3]] + ["..."] * (len(jobs) > 3))
    if not jobs:
        return None
    return (
        f"{len(jobs)} of the jobs that are done ended more than {in_words(LATEST_NOTICE)} ago ({names}), and snakemake "
        "still waits for them: SLURM has forgotten them. Stop it by Ctrl-C and type the same command again"
    )


def described(name: str, progress: Progress, left: float, directory: Path, start: Start) -> str:
    """Describe how far a run is, a line per stage, then what runs and what failed."""
    done = len(progress.done)
    counts = f"{len(progress.running)} running, {len(progress.failed)} failed"
    remaining = "" if done == progress.total else f"; about {in_words(left)} left"
    lines = [f"run {name}: {done} of {progress.total} jobs done ({done / progress.total:.0%}), {counts}{remaining}"]
    states = ("done", "running", "failed", "waiting")
    of = {state: Counter(job.stage for job in getattr(progress, state)) for state in states}
    stages = dict.fromkeys(stage for counter in of.values() for stage in counter)
    width = max(14, *map(len, stages))
    for stage in stages:
        total = sum(counter[stage] for counter in of.values())
        marks = [f"{of[state][stage]} {state}" for state in ("running", "failed") if of[state][stage]]
        bar = ("#" * round(20 * of["done"][stage] / total)).ljust(20, ".")
        lines.append(f"  {stage:<{width}} {bar} {of['done'][stage]:>5} / {total:<5} {', '.join(marks)}".rstrip())
    for job in progress.running:
        lines.append(f"running: {job.name}{at_work(job, directory)}")
    for job in progress.failed:
        log = directory / (job.log or "")
        failure = start.failures.get(job.log or "")
        lines.append(f"failed: {job.name}: {cause_of(log, failure, start.began)}")
        lines.append(f"    its log: {', '.join([str(log), *(failure.logs[1:] if failure else ())])}")
        if command := command_of(log):
            lines.append(f"    that job alone: {change_to(directory)}{command}")
    return "\n".join(lines) + "\n"


def at_work(job: Job, directory: Path) -> str:
    """Describe since when a job runs and what it said last."""
    log, started = directory / (job.log or ""), started_at(job, directory)
    if started is None:  # it has ended meanwhile
        return ""
    begun = log.is_file() and log.stat().st_mtime >= started - MARK_DELAY
    clock = f"{datetime.fromtimestamp(started):%H:%M} ({in_words(max(0.0, time.time() - started))})"
    if not begun:
        return f", started at {clock}, has not begun its log: it may wait in a queue"
    return f", since {clock}: {last_line(log) or 'no word yet'}"
