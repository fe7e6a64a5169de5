"""How far a run is, from its files alone: nothing is asked of a scheduler, which may run elsewhere or be gone.

Snakemake marks the outputs of a job that it starts or submits, and takes the marks away when the job has ended, well
or badly. So a job that began, has no mark and lacks outputs has failed, whatever Snakemake was told to say of it, or
ended well, as its log then says at its end, and its files were removed since. Jobs outlive a Snakemake that was killed,
and their marks outlive them: one whose log has ended is no longer at work.
"""

import os
import re
from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cnn_topology.runs.costs import group_of
from cnn_topology.runs.jobs import Job
from cnn_topology.runs.machine import has_ended_well, is_comment, text_of
from cnn_topology.runs.provenance import cost_by_rule

# Of a job that ended before it could begin a log, such as one that a cluster refused, only Snakemake's log tells.
_ERROR = re.compile(
    r"^Error in rule (?P<rule>.*?):\n(?:    .*\n)*?    jobid: (?P<job>\d+)\n(?:    .*\n)*?    log: (?P<log>\S+)", re.M
)
# Failed jobs that the last words of a run tell of; `cnn-topology status` has them all.
MOST_TOLD = 10


@dataclass
class Progress:
    """The jobs of a run by state. A job is done when all its files are there, whatever config made them.

    Of a cluster's jobs those that wait in its queue count as running; `lost` are jobs that ended well and of which
    files are missing.
    """

    done: list[Job] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)
    failed: list[Job] = field(default_factory=list)
    waiting: list[Job] = field(default_factory=list)
    lost: list[Job] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Number of jobs."""
        return len(self.done) + len(self.running) + len(self.failed) + len(self.waiting) + len(self.lost)


def progress_of(jobs: Iterable[Job], directory: Path, alive: bool) -> Progress:
    """Sort jobs by state.

    Parameters
    ----------
    jobs : iterable of Job
        All jobs of the run.
    directory : Path
        The folder that their paths are relative to.
    alive : bool
        Whether a Snakemake may still work there; if not, a job that was at work counts as waiting.
    """
    progress = Progress()
    began, errors = _last_start(directory)
    for job in jobs:
        log = directory / job.log if job.log else None
        begun = log is not None and log.is_file() and log.stat().st_mtime >= began
        marked = started_at(job, directory)
        if marked is not None and not alive:  # it is made again
            progress.waiting.append(job)
        elif marked is not None and not (log is not None and _ended_since(log, marked)):
            progress.running.append(job)
        elif not missing_of(job, directory):
            progress.done.append(job)
        elif log is not None and has_ended_well(log):
            progress.lost.append(job)
        elif begun or job.log in errors:
            progress.failed.append(job)
        else:
            progress.waiting.append(job)
    return progress


def missing_of(job: Job, directory: Path) -> list[str]:
    """List the outputs of a job that are not there."""
    return [path for path in job.outputs if not (directory / path).is_file()]


def _ended_since(log: Path, start: float) -> bool:
    """Tell whether a job has ended well since it was started: the log may still be that of an earlier attempt."""
    return log.is_file() and log.stat().st_mtime >= start and has_ended_well(log)


def started_at(job: Job, directory: Path) -> float | None:
    """Give when a job was started or submitted that has not ended, in seconds of the file system's clock, else None."""
    name = urlsafe_b64encode(job.outputs[0].encode()).decode()
    # As Snakemake names its marks: what is too long for a file name is cut into folders.
    pieces = [name[first : first + 254] for first in range(0, len(name), 254)]
    mark = (directory / ".snakemake/incomplete").joinpath(*(f"@{piece}" for piece in pieces[:-1]), pieces[-1])
    try:
        return mark.stat().st_mtime
    except OSError:
        return None


def _last_log(directory: Path) -> Path | None:
    """Give the log of Snakemake's last start here."""
    logs = (directory / ".snakemake/log").glob("*.snakemake.log")
    return max(logs, key=lambda path: path.stat().st_mtime, default=None)


def slurm_run(directory: Path) -> str | None:
    """Give the name under which the last start submitted its jobs to SLURM, if it did."""
    log = _last_log(directory)
    found = None if log is None else re.search(r"^SLURM run ID: (\S+)", text_of(log), re.M)
    return found and found[1]


def _last_start(directory: Path) -> tuple[float, set[str]]:
    """Give when Snakemake was last started here and the logs of the jobs that have failed since."""
    log = _last_log(directory)
    if log is None:
        return 0.0, set()
    first = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d)(\d\d)(\d\d)\.(\d+)\.snakemake\.log", log.name)
    errors = {found["log"] for found in _ERROR.finditer(text_of(log))}
    return (_seconds(first.groups()) if first else 0.0), errors


def _seconds(parts: tuple[str, ...]) -> float:
    year, month, day, hour, minute, second = map(int, parts[:6])
    return datetime(year, month, day, hour, minute, second).timestamp()  # Snakemake names its log by local time


def is_locked(directory: Path) -> bool:
    """Tell whether a Snakemake holds the folder, or was killed while it did."""
    return any((directory / ".snakemake/locks").glob("*"))


def snakemake_here(directory: Path) -> int | None:
    """Give the process id of a Snakemake that works in the folder on this machine, if there is one."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            # `snakemake`, `python .../snakemake` or `python -m snakemake`; not `tail -f .snakemake/log/NAME`.
            programs = {Path(os.fsdecode(word)).name for word in command[:2]} | set(map(os.fsdecode, command[2:3]))
            if (
                "snakemake" in programs
                and b"--dry-run" not in command
                and (entry / "cwd").resolve() == directory.resolve()
            ):
                return int(entry.name)
        except OSError:
            continue
    return None


def seconds_left(progress: Progress, logs: Path) -> float:
    """Estimate the wall time left: forecasts, corrected by what the stages that are done took, over the jobs at work.

    Parameters
    ----------
    progress : Progress
        Of the run.
    logs : Path
        The folder of the jobs' logs.
    """
    forecast: dict[str, list[float]] = defaultdict(list)
    for job in progress.done:
        forecast[group_of(job)].append(_expected(job))
    measured = {name: cost["wall_s"] for name, cost in cost_by_rule(logs).items()}
    known = [name for name in forecast if measured.get(name)]
    overall = (
        sum(measured[name] for name in known) / max(1.0, sum(sum(forecast[name]) for name in known)) if known else 1
    )
    left = 0.0
    for job in [*progress.running, *progress.waiting, *progress.failed, *progress.lost]:
        name = group_of(job)
        ratio = measured[name] / max(1.0, sum(forecast[name])) if name in known else overall
        left += ratio * _expected(job) * (0.5 if job in progress.running else 1)
    return left / max(1, len(progress.running))


def _expected(job: Job) -> float:
    return job.resources.get("expected_s", 60 * job.resources.get("runtime", 1))


def last_words(directory: Path, run: str) -> str:
    """Say what made Snakemake's last start here fail: the last line of each failed job's log, for `onerror`.

    Parameters
    ----------
    directory : Path
        The folder that Snakemake works in.
    run : str
        The run's folder, for `cnn-topology status`.

    Returns
    -------
    str
        Where its log names no job, only how to ask. A job that a later attempt made has not failed.
    """
    log = _last_log(directory)
    text = "" if log is None else text_of(log)
    made = set(re.findall(r"^Finished jobid: (\d+)", text, re.M))
    failed = {found["job"]: found for found in _ERROR.finditer(text) if found["job"] not in made}
    more = f"cnn-topology status {run}"
    if not failed:  # or Snakemake was told to be quiet
        return f"What failed, and how to repeat it: {more}"
    lines = [f"{len(failed)} failed, in {'its' if len(failed) == 1 else 'their'} own words:"]
    for found in list(failed.values())[:MOST_TOLD]:
        said = last_line(directory / found["log"]) or "no word: it was killed, cancelled or out of memory"
        lines.append(f"  {found['rule']}: {said}\n    its log: {found['log']}")
    if len(failed) > MOST_TOLD:
        lines.append(f"  and {len(failed) - MOST_TOLD} more")
    return "\n".join([*lines, f"How to repeat a job alone: {more}"])


def last_line(log: Path) -> str | None:
    """Give the last line of a job's log, or None if it says nothing but command, machine and cost."""
    lines = [line.strip() for line in text_of(log).splitlines()[1:] if line.strip() and not is_comment(line)]
    return lines[-1] if lines else None


def command_of(log: Path) -> str | None:
    """Give the command that repeats a job: the first line of its log."""
    first = text_of(log).partition("\n")[0]
    return first if first.startswith("cnn-topology ") else None
