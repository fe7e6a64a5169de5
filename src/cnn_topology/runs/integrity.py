"""Whether the files of a run are whole: each hashed again and held against the checksum that was written with it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.runs.jobs import Job
from cnn_topology.storage.atomic import checksum_path, file_checksum
from cnn_topology.storage.tables import read_table
from cnn_topology.storage.tensors import read_tensors


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
