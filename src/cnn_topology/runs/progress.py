"""How far a run is, from its files alone: nothing is asked of a scheduler, which may run elsewhere or be gone.

Snakemake marks the outputs of a job that it starts or submits, and takes the marks away when the job has ended, well
or badly. So a job that began, has no mark and lacks outputs has failed, whatever Snakemake was told to say of it, or
ended well, as its log then says at its end, and its files were removed since. Jobs outlive a Snakemake that was killed,
and their marks outlive them: one whose log has ended is no longer at work.
"""

from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.costs import group_of
from cnn_topology.runs.jobs import Job
from cnn_topology.runs.machine import has_ended_well, text_of
from cnn_topology.runs.provenance import cost_by_rule
from cnn_topology.runs.starts import Start


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
        log = directory / job.log if job.log else None
        # Of a job that ended before it could begin a log, such as one that a cluster refused, only Snakemake's tells.
        begun = log is not None and log.is_file() and log.stat().st_mtime >= start.began
        marked = started_at(job, directory)
        if marked is not None and not alive:  # it is made again
            progress.waiting.append(job)
        elif marked is not None and not (log is not None and _ended_since(log, marked)):
            progress.running.append(job)
        elif not missing_of(job, directory):
            progress.done.append(job)
        elif log is not None and has_ended_well(log):
            progress.lost.append(job)
        elif begun or job.log in start.failures:
            progress.failed.append(job)
        else:
            progress.waiting.append(job)
    return progress


def missing_of(job: Job, directory: Path) -> list[str]:
    """List the outputs of a job that are not there."""
    return [path for path in job.outputs if not (directory / path).is_file()]


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
    """Estimate the wall time left: forecasts, corrected by what the stages that are done took, over the jobs at work.

    Parameters
    ----------
    progress : Progress
        Of the run.
    run : RunFolder
        The run's folder, whose logs say what the jobs took.
    """
    forecast: dict[str, list[float]] = defaultdict(list)
    for job in progress.done:
        forecast[group_of(job)].append(_expected(job))
    measured = {name: cost["wall_s"] for name, cost in cost_by_rule(run).items()}
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


def command_of(log: Path) -> str | None:
    """Return the command that repeats a job: the first line of its log."""
    first = text_of(log).partition("\n")[0]
    return first if first.startswith("cnn-topology ") else None
