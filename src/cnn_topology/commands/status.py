"""`cnn-topology status`: say how far a run is, what failed, and how to repeat it. Only reads."""

import argparse
import shlex
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

from cnn_topology.errors import in_words
from cnn_topology.plan.config import read_config
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.costs import group_of
from cnn_topology.runs.jobs import Job, change_to, find_run, list_jobs
from cnn_topology.runs.progress import Progress, command_of, missing_of, progress_of, seconds_left, started_at
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


def to_go_on(progress: Progress, config: Path, directory: Path, options: str) -> str:
    """Describe how to start again; where a job said why it failed, its user may have to mend the config first."""
    command = f"snakemake {options} --configfile"
    same = f"to go on: {command} {shlex.quote(str(config))}"
    if not any(last_line(directory / (job.log or "")) for job in progress.failed):
        return f"snakemake is not at work; {same}"
    return (
        "snakemake is not at work; where a failed job names a key of the config, correct it in your own config file "
        f"and start with that one: {command} YOURS.yaml ({config} is a copy that each start writes again); "
        f"if nothing in it needs correction, {same}"
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
    counts += f", {len(progress.lost)} with files missing" if progress.lost else ""
    remaining = "" if done == progress.total else f"; about {in_words(left)} left"
    lines = [f"run {name}: {done} of {progress.total} jobs done ({done / progress.total:.0%}), {counts}{remaining}"]
    everything = [*progress.done, *progress.running, *progress.failed, *progress.waiting, *progress.lost]
    stages = dict.fromkeys(map(group_of, everything))
    states = ("done", "running", "failed", "waiting", "lost")
    of = {state: Counter(map(group_of, getattr(progress, state))) for state in states}
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
    for job in progress.lost:
        first, *others = missing_of(job, directory)
        more = f" and {len(others)} more" if others else ""
        lines.append(f"not done: {job.name}: it ended well, but {first}{more} is missing since; it is made again")
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
