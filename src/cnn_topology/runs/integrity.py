"""Whether the files of a run are whole: each hashed again and held against the checksum that was written with it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.runs.jobs import Job
from cnn_topology.storage.atomic import checksum_path, file_checksum
from cnn_topology.storage.tables import read_table
from cnn_topology.storage.tensors import read_tensors

# Folders of a run that tell of its course.
COURSE = ("logs", "resume")


@dataclass(frozen=True)
class Fault:
    """A file that is not as it was written: its path relative to where Snakemake runs, what is wrong, who makes it."""

    path: str
    state: str
    reason: str
    rule: str


def check_run(jobs: Iterable[Job], directory: Path, run: Path) -> Iterator[tuple[str, Fault | None]]:
    """Check every output of a run, and every other file that has a checksum beside it.

    Parameters
    ----------
    jobs : iterable of Job
        All jobs of the run.
    directory : Path
        The folder that their paths are relative to.
    run : Path
        The run's folder.

    Yields
    ------
    (str, Fault or None)
        A path, and what is wrong with it.
    """
    makers = {path: job for job in jobs for path in job.outputs}
    for path, job in makers.items():
        yield path, _check(directory / path, path, job.rule)
    stems = {str(Path(path).with_suffix("")): job.rule for path, job in makers.items()}
    for beside in sorted(run.rglob(".sha256/*")):
        whole = beside.parent.parent / beside.name
        path = str(whole.resolve().relative_to(directory.resolve()))
        # Text copies of small tables lie beside them and are no output of their own.
        rule = stems.get(str(Path(path).with_suffix("")))
        if path not in makers and not beside.name.startswith(".") and rule and whole.exists():
            yield path, _check(whole, path, rule)


def strays(jobs: Iterable[Job], directory: Path, run: Path) -> list[tuple[str, int]]:
    """List what stands in the folders of a run and is made by none of its jobs, such as files of an earlier config.

    Logs, what a training job needs to go on, hidden files, and whatever stands in the run's folder itself (config,
    report, a user's notes) are not looked at.

    Parameters
    ----------
    jobs, directory, run
        As in `check_run`.

    Returns
    -------
    list of (str, int)
        Files, and folders of which nothing is made, relative to `directory`, with the number of files. None where no
        job has its files in `run`: it was given another name.
    """
    directory, run = directory.resolve(), run.resolve()
    outputs = [directory / path for job in jobs for path in job.outputs]
    outputs = [path for path in outputs if path.is_relative_to(run)]
    # Small tables have copies for people beside them.
    made = {*outputs, *(path.with_suffix(".csv") for path in outputs if path.suffix == ".parquet")}
    kept = {folder for path in outputs for folder in path.parents}
    found: list[tuple[str, int]] = []

    def look(path: Path) -> None:
        if path in made or path.name.startswith("."):
            return
        if path in kept:
            for entry in sorted(path.iterdir()):
                look(entry)
        elif files := _files_in(path):
            found.append((str(path.relative_to(directory)), files))

    for folder in sorted(run.iterdir()) if outputs else ():
        if folder.is_dir() and folder.name not in COURSE:
            look(folder)
    return found


def _files_in(path: Path) -> int:
    """Count the files in a folder, without checksums and other hidden ones; a file is one."""
    if not path.is_dir():
        return 1
    return sum(_files_in(entry) for entry in path.iterdir() if not entry.name.startswith("."))


def _check(whole: Path, path: str, rule: str) -> Fault | None:
    if not whole.is_file():
        return Fault(path, "missing", "no such file", rule)
    try:
        if whole.suffix == ".parquet":
            read_table(whole)
        elif whole.suffix == ".safetensors":
            read_tensors(whole)
        else:
            _check_beside(whole)
    except InputError as error:
        reason = str(error).removeprefix(f"{whole}: ").split("; delete it")[0]
        return Fault(path, "damaged", reason, rule)
    return None


def _check_beside(whole: Path) -> None:
    beside = checksum_path(whole)
    if not beside.is_file():
        raise InputError(f"its checksum, {beside}, is missing")
    expected, found = beside.read_text(encoding="utf-8", errors="replace").strip(), file_checksum(whole)
    if expected != found:
        raise InputError(
            f"its content has SHA-256 {found[:12]}, {expected[:12]} was written: it was cut short or altered"
        )
