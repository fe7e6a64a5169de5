"""Whether the files of a run are whole: each hashed again and compared with the checksum that was written with it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.jobs import Job
from cnn_topology.storage.atomic import checksum_path, file_checksum
from cnn_topology.storage.tables import read_table
from cnn_topology.storage.tensors import read_tensors


@dataclass(frozen=True)
class Fault:
    """A file that is not as it was written.

    Attributes
    ----------
    path : str
        Relative to where Snakemake runs.
    state, reason : str
        ``missing`` or ``damaged``, and what is wrong.
    rule : str
        The rule that makes it.
    remove : str or None
        The output to remove so that Snakemake makes the file again.
    """

    path: str
    state: str
    reason: str
    rule: str
    remove: str | None = None


def check_run(jobs: Iterable[Job], directory: Path) -> Iterator[tuple[str, Fault | None]]:
    """Check every output of a run, and every copy beside one that has a checksum.

    Parameters
    ----------
    jobs : iterable of Job
        All jobs of the run.
    directory : Path
        The folder that their paths are relative to.

    Yields
    ------
    (str, Fault or None)
        A path, and what is wrong with it.
    """
    makers = {path: job for job in jobs for path in job.outputs}
    for path, job in makers.items():
        fault = _check(directory / path, path, job.rule)
        yield path, replace(fault, remove=path) if fault and fault.state == "damaged" else fault
    stems = {str(Path(path).with_suffix("")): path for path in makers}
    # Folders may be links, which a search below the run's folder would pass over.
    for folder in sorted({Path(path).parent for path in makers}):
        for checksum in sorted((directory / folder / ".sha256").glob("*")):
            path = str(folder / checksum.name)
            # Text copies of small tables lie beside them and are no output of their own.
            output = stems.get(str(Path(path).with_suffix("")))
            if path in makers or output is None or checksum.name.startswith("."):
                continue
            is_copy = path.endswith(".csv") and output.endswith(".parquet")
            if is_copy or (directory / path).exists():
                fault = _check(directory / path, path, makers[output].rule)
                yield path, fault and replace(fault, remove=output)


def strays(jobs: Iterable[Job], directory: Path, run: Path) -> list[tuple[str, int]]:
    """List what stands in the folders of a run and is made by none of its jobs, such as files of an earlier config.

    What no rule makes (`RunFolder.unplanned`), hidden files, and files in the run's folder itself (config, report, a
    user's notes) are not looked at.

    Parameters
    ----------
    jobs, directory
        As in `check_run`.
    run : Path
        The run's folder below `directory`.

    Returns
    -------
    list of (str, int)
        Files, and folders of which nothing is made, relative to `directory`, with the number of files. None where no
        job has its files in `run`: it was given another name.
    """
    outputs = [directory / path for job in jobs for path in job.outputs]
    outputs = [path for path in outputs if path.is_relative_to(run)]
    # Small tables have copies for people beside them.
    made = {*outputs, *(path.with_suffix(".csv") for path in outputs if path.suffix == ".parquet")}
    unplanned = {Path(path) for path in RunFolder.at(run).unplanned}
    kept = {folder for path in (*outputs, *unplanned) for folder in path.parents}
    strangers: list[tuple[str, int]] = []

    def look(path: Path) -> None:
        if path in made or path in unplanned or path.name.startswith("."):
            return
        if path in kept:
            for entry in sorted(path.iterdir()):
                look(entry)
        elif files := _files_in(path):
            strangers.append((str(path.relative_to(directory)), files))

    for folder in sorted(run.iterdir()) if outputs and run.is_dir() else ():
        if folder.is_dir():
            look(folder)
    return strangers


def _files_in(path: Path) -> int:
    """Count the files in a folder, without checksums and other hidden ones; a file or a link is one."""
    if path.is_symlink() or not path.is_dir():
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
