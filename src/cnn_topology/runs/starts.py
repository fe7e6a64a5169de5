"""The last start of a run: who made it, where and when, and what its Snakemake wrote of the jobs that failed.

Several runs may share a checkout, and so its `.snakemake`, where nothing tells whose a log or a lock is. So each start
leaves a record in the folder of its run.
"""

import argparse
import json
import os
import platform
import re
import shlex
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cnn_topology.errors import InputError
from cnn_topology.plan.config import RunConfig, read_config
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.jobs import Job
from cnn_topology.runs.machine import is_comment, text_of
from cnn_topology.storage.atomic import atomic_path

# Failed jobs that the end of a run names; `cnn-topology status` has them all.
MOST_TOLD = 10
# After "Error in rule "; the message may have lines of any kind.
_FAILED = re.compile(
    r"(?P<rule>[^\n]*):\n(?:    message: (?P<message>.*?)\n)?    jobid: (?P<job>\d+)\n(?P<fields>(?:    [^\n]*\n)*)",
    re.S,
)
# The options of Snakemake that say where jobs run; an advice to start again repeats them.
WHERE = (("--cores", "-c"), ("--jobs", "-j"), ("--executor", "-e"), ("--profile",), ("--workflow-profile",))
_UNKNOWN = "cause unknown: neither its log nor Snakemake's names one"


# In the environment of Snakemake's processes inside the jobs of a start: the SHA-256 of its config, and the file.
CONFIG_VARIABLE = "CNN_TOPOLOGY_CONFIG"


@dataclass(frozen=True)
class Failure:
    """A job that failed, as Snakemake's log has it: its own log first, then those of a cluster, and the reasons."""

    rule: str
    logs: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    message: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class Start:
    """A start of a run; of a run without a record all is unknown, and any log of a job counts as new.

    Attributes
    ----------
    began : float
        When, in seconds of the clock of the file system that the run lies on.
    directory : str or None
        The folder that Snakemake works in.
    host, process : str, int or None
        The machine, and the process there.
    log : str or None
        Snakemake's log.
    failed : bool
        Whether it has ended with an error.
    options : str
        Those that said where its jobs ran.
    failures : dict of str to Failure
        The jobs that its log calls failed, by their own logs: none where Snakemake was told to be quiet.
    """

    began: float = 0.0
    directory: str | None = None
    host: str | None = None
    process: int | None = None
    log: str | None = None
    failed: bool = False
    options: str = "--cores all"
    failures: dict[str, Failure] = field(default_factory=dict)


def record_start(run: RunFolder, logs: Sequence[str] | str, failed: bool = False) -> None:
    """Write who works on a run: when it starts, and again when it ends with an error.

    Parameters
    ----------
    run : RunFolder
        The run's folder.
    logs : sequence of str, or str
        What Snakemake calls `log` in its handlers: paths of logs, of which one may be its own.
    failed : bool
        Whether it has ended with an error.
    """
    path = Path(run.start)
    own = [log for log in ([logs] if isinstance(logs, str) else logs) if log.endswith(".snakemake.log")]
    record = {
        "directory": str(Path.cwd()),
        "host": platform.node(),
        "process": os.getpid(),
        "log": own[0] if own else None,
        "failed": failed,
        "options": where_options(sys.argv[1:]),
    }
    began = path.stat().st_mtime_ns if failed and path.exists() else None
    with atomic_path(path, checksum=False) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        if began is not None:  # the time of the file is that of the start
            os.utime(temporary, ns=(began, began))


def where_options(arguments: Sequence[str]) -> str:
    """Return those of the arguments of Snakemake that say where its jobs run, as they are typed.

    Parameters
    ----------
    arguments : sequence of str
        All arguments of a start.

    Returns
    -------
    str
        ``--cores all`` where there is none.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for names in WHERE:
        parser.add_argument(*names, dest=names[0], nargs="?", const="all")
    given = vars(parser.parse_known_args(arguments)[0])
    typed = [word for name, value in given.items() if value is not None for word in (name, value)]
    return shlex.join(typed) or "--cores all"


def pass_config(config: RunConfig, run: RunFolder) -> None:
    """Pass the config of this start to Snakemake's processes inside its jobs: its SHA-256 and file, in the environment.

    Parameters
    ----------
    config : RunConfig
        As this start has read it. The start writes it to the run's folder before its first job.
    run : RunFolder
        The folder.
    """
    os.environ[CONFIG_VARIABLE] = f"{config.sha256} {run.config}"


def passed_config() -> RunConfig:
    """Read the config with which the jobs of a start were planned, inside one of these jobs.

    Returns
    -------
    RunConfig

    Raises
    ------
    InputError
        If the run was started again since with another config: the job is left to that start, and its files are not
        touched.
    """
    digest, _, path = os.environ.get(CONFIG_VARIABLE, "").partition(" ")
    if not path:
        raise InputError(f"the environment variable {CONFIG_VARIABLE}, which a start sets, has not reached this job")
    config = read_config(Path(path))
    if config.sha256 != digest:
        raise InputError(f"{path}: the run was started again since with another config; this job is left to that start")
    return config


def read_start(run: RunFolder) -> Start:
    """Read the record of a run's last start, and what Snakemake's log has of it.

    Parameters
    ----------
    run : RunFolder
        The run's folder.

    Returns
    -------
    Start

    Raises
    ------
    InputError
        If the record is there and cannot be read.
    """
    path = Path(run.start)
    if not (text := text_of(path)):
        return Start()
    try:
        record: dict[str, Any] = json.loads(text)
        start = Start(path.stat().st_mtime, **record)
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: is no record of a start ({error}); remove it") from error
    failures = failures_in(text_of(Path(start.log))) if start.log else []
    return replace(start, failures={failure.logs[0]: failure for failure in failures})


def directory_of(run: Path, name: str) -> Path:
    """Return the folder that Snakemake works in for a run, whose files are `results/<name>` from there.

    Parameters
    ----------
    run : Path
        The run's folder; it or `results` may be a link.
    name : str
        The name of the run in its config.

    Raises
    ------
    InputError
        If the run's folder is not where a run of this name has its files.
    """
    started = read_start(RunFolder.at(run)).directory
    above = [folder.parent.parent for folder in (run.absolute(), run.resolve())]
    for directory in [*([Path(started)] if started else []), *above]:
        files = directory / RunFolder(name).root
        if files.is_dir() and files.samefile(run):
            return directory
    raise InputError(
        f"{run}: holds the run {name!r}, which has its files in a folder {RunFolder(name).root}; put it back there"
    )


def snakemake_of(start: Start) -> int | None:
    """Return the process id of the Snakemake of a start if it is at work on this machine.

    Parameters
    ----------
    start : Start
        As `read_start` has it.
    """
    if start.process is None or start.host != platform.node() or start.directory is None:
        return None
    entry = Path("/proc") / str(start.process)
    try:
        command = (entry / "cmdline").read_bytes().split(b"\0")
        # `snakemake`, `python .../snakemake` or `python -m snakemake`: a number is given out again.
        programs = {Path(os.fsdecode(word)).name for word in command[:2]} | set(map(os.fsdecode, command[2:3]))
        same_folder = (entry / "cwd").resolve() == Path(start.directory).resolve()
    except OSError:
        return None
    return start.process if "snakemake" in programs and same_folder else None


def is_locked(directory: Path, jobs: Iterable[Job]) -> bool:
    """Whether a Snakemake holds files of a run, or was killed while it did.

    Parameters
    ----------
    directory : Path
        The folder that Snakemake works in.
    jobs : iterable of Job
        All jobs of the run: other runs in this folder have locks of their own.
    """
    outputs = {path for job in jobs for path in job.outputs}
    locks = (directory / ".snakemake/locks").glob("*.output.lock")
    return any(not outputs.isdisjoint(text_of(lock).splitlines()) for lock in locks)


def slurm_run(start: Start) -> str | None:
    """Return the name under which a start submitted its jobs to SLURM, if it did."""
    name = re.search(r"^SLURM run ID: (\S+)", text_of(Path(start.log)), re.M) if start.log else None
    return name and name[1]


def failures_in(text: str) -> list[Failure]:
    """Read which jobs failed from a log of Snakemake.

    Parameters
    ----------
    text : str
        The log. One that was told to be quiet about rules names none.

    Returns
    -------
    list of Failure
        The last failure of each job that did not pass later on.
    """
    passed = set(re.findall(r"^Finished jobid: (\d+)", text, re.M))
    ends = re.findall(r"^Command '(.*)' (?:returned non-zero exit )?(.*)\.$", text, re.M)
    failures: dict[str, Failure] = {}
    # A message, such as that of `sbatch`, may have many lines; what the job printed may follow.
    for part in re.split(r"^ *Error in rule ", text, flags=re.M)[1:]:
        head = _FAILED.match(part)
        logs = _listed("log", head["fields"]) if head else ()
        if head and logs and head["job"] not in passed:
            outputs, status = _listed("output", head["fields"]), [end for command, end in ends if logs[0] in command]
            failures[head["job"]] = Failure(
                head["rule"], logs, outputs, _shortened(head["message"]), _explained(status[-1]) if status else None
            )
    return list(failures.values())


def _listed(name: str, fields: str) -> tuple[str, ...]:
    line = re.search(rf"^    {name}: (.*?)(?: \(check log file\(s\) for error details\))?$", fields, re.M)
    return tuple(line[1].split(", ")) if line else ()


def _shortened(message: str | None) -> str | None:
    """Return what a message of Snakemake says, without the command and the advice that it adds."""
    if message is None or message == "None":
        return None
    repeated = re.compile(r"\n\s*sbatch (?:call|script):|\s*For further error details see the cluster")
    return " ".join(repeated.split(message)[0].split())


def _explained(status: str) -> str:
    """Return how a command ended, with the name of the signal where the shell has only 128 more than its number."""
    number = re.fullmatch(r"status (\d+)", status)
    if number and int(number[1]) > 128 and int(number[1]) - 128 in {*signal.Signals}:
        return f"killed by signal {int(number[1]) - 128} ({signal.Signals(int(number[1]) - 128).name})"
    return f"exit {status}" if number else status


def cause_of(log: Path, failure: Failure | None, began: float) -> str:
    """Describe why a job failed, as far as it was written down; nothing is guessed.

    Parameters
    ----------
    log : Path
        The job's own log: one that is older than the start is of an earlier attempt, which ended otherwise.
    failure : Failure or None
        What Snakemake's log has of it.
    began : float
        When the run was last started.
    """
    try:
        own = last_line(log) if log.is_file() and log.stat().st_mtime >= began else None
    except InputError as error:
        own = str(error)
    reasons = [own] if own else []
    if failure and failure.message:
        reasons.append(f"Snakemake: {failure.message}")
    if failure and failure.status and (not own or "signal" in failure.status.lower()):
        reasons.append(failure.status)
    return "; ".join(reasons) or _UNKNOWN


def failure_summary(directory: Path, run: str) -> str:
    """Describe what made the last start of a run fail, for Snakemake's `onerror`.

    Parameters
    ----------
    directory : Path
        The folder that Snakemake works in.
    run : str
        The run's folder.

    Returns
    -------
    str
        The cause of each failed job; where Snakemake's log names no job, only how to ask.
    """
    start = read_start(RunFolder.at(directory / run))
    failed = [
        failure
        for failure in start.failures.values()
        if not failure.outputs or not all((directory / path).is_file() for path in failure.outputs)
    ]
    more = f"cnn-topology status {run}"
    if not failed:  # or Snakemake was told to be quiet
        return f"What failed, and how to repeat it: {more}"
    lines = [f"{len(failed)} failed:"]
    for failure in failed[:MOST_TOLD]:
        lines.append(f"  {failure.rule}: {cause_of(directory / failure.logs[0], failure, start.began)}")
        lines.append(f"    its log: {', '.join(failure.logs)}")
    if len(failed) > MOST_TOLD:
        lines.append(f"  and {len(failed) - MOST_TOLD} more")
    return "\n".join([*lines, f"How to repeat a job alone: {more}"])


def last_line(log: Path) -> str | None:
    """Return the last line of a job's log, or None if it has nothing but command, machine and cost."""
    lines = [line.strip() for line in text_of(log).splitlines()[1:] if line.strip() and not is_comment(line)]
    return lines[-1] if lines else None
