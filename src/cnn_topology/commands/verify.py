"""`cnn-topology verify`: hash every file of a run again and name what is missing, cut short or altered."""

import argparse
import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.plan.config import read_config
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.jobs import Job, change_to, find_run, list_jobs
from cnn_topology.runs.machine import MIXED, text_of
from cnn_topology.runs.starts import directory_of, read_start
from cnn_topology.storage.atomic import checksum_path, file_checksum
from cnn_topology.storage.tables import read_table
from cnn_topology.storage.tensors import read_tensors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", help="the run's name or folder: results/<run>")


def run(arguments: argparse.Namespace) -> None:
    """Check the run.

    Raises
    ------
    InputError
        If a file is not whole; all of them have been named on standard output by then.
    """
    folder = find_run(arguments.run)
    config = Path(RunFolder.at(folder).config)
    name = read_config(config).name
    directory = directory_of(folder, name)
    jobs = list_jobs(config, directory)
    checked, faults = 0, list[Fault]()
    for fault in check_run(jobs, directory):
        checked += 1
        if fault is not None:
            faults.append(fault)
            print(f"{fault.state}: {fault.path} (rule {fault.rule}): {fault.reason}", flush=True)
    if strangers := strays(jobs, directory, RunFolder(name, directory / "results")):
        print(_described(strangers, directory))
    if edited := _jobs_of_other_code(RunFolder.at(folder)):
        print(MIXED.format(jobs=f"{edited} jobs"))
    if faults:
        damaged = dict.fromkeys(fault.remove for fault in faults if fault.remove)
        remove = f"rm {shlex.join(damaged)} && " if damaged else ""
        options = read_start(RunFolder.at(folder)).options
        command = f"{change_to(directory)}{remove}snakemake {options} --configfile {shlex.quote(str(config))}"
        raise InputError(f"{len(faults)} of {checked} files of {folder} are not whole; to make them again: {command}")
    print(f"{folder}: all {checked} files are whole")


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


def check_run(jobs: Iterable[Job], directory: Path) -> Iterator[Fault | None]:
    """Check every output of a run, and every copy beside one that has a checksum.

    Parameters
    ----------
    jobs : iterable of Job
        All jobs of the run.
    directory : Path
        The folder that their paths are relative to.

    Yields
    ------
    Fault or None
        What is wrong with each.
    """
    makers = {path: job for job in jobs for path in job.outputs}
    for path, job in makers.items():
        fault = _check(directory / path, path, job.rule)
        yield replace(fault, remove=path) if fault and fault.state == "damaged" else fault
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
                yield fault and replace(fault, remove=output)


def strays(jobs: Iterable[Job], directory: Path, run: RunFolder) -> dict[str, int]:
    """List what stands in the folders of a run and none of its jobs makes, such as files of an earlier config.

    Hidden files, and files in the run's folder itself (config, report, a user's notes) are not looked at.

    Parameters
    ----------
    jobs, directory
        As in `check_run`.
    run : RunFolder
        The run, below `directory`.

    Returns
    -------
    dict of str to int
        Files, and folders of which nothing is made, relative to `directory`, with the number of files. None where no
        job has its files in that folder: it was given another name.
    """
    root = Path(run.root)
    outputs = [path for job in jobs for path in map(directory.joinpath, job.outputs) if path.is_relative_to(root)]
    # Copies for people lie beside small tables.
    made = {*outputs, *(path.with_suffix(".csv") for path in outputs if path.suffix == ".parquet")}
    # What no rule makes: what is known of a user's files, what describes jobs, starts and stopped training.
    made |= set(map(Path, (run.logs, run.resumes, f"{run.parts}/inputs", run.jobs, run.job_logs, run.start)))
    folders = {folder for path in made for folder in path.parents}
    strangers: dict[str, int] = {}

    def look(path: Path) -> None:
        if path in folders:
            for entry in sorted(path.iterdir()):
                look(entry)
        elif path not in made and (files := _files_in(path)):
            strangers[str(path.relative_to(directory))] = files

    for folder in sorted(root.iterdir()) if outputs and root.is_dir() else ():
        if folder.is_dir():
            look(folder)
    return strangers


def _files_in(path: Path) -> int:
    """Count the files in a folder, without checksums and other hidden ones; a file or a link is one."""
    if path.name.startswith("."):
        return 0
    return 1 if path.is_symlink() or not path.is_dir() else sum(map(_files_in, path.iterdir()))


def _described(strangers: dict[str, int], directory: Path) -> str:
    """Name what the config does not make, with a command that removes it and the checksums beside it."""
    lines = [
        f"not of this config: {path}{f' ({files} files)' if files > 1 else ''}" for path, files in strangers.items()
    ]
    beside = [str(checksum_path(Path(path))) for path in strangers]
    gone = [*strangers, *(path for path in beside if (directory / path).is_file())]
    lines.append("An earlier config or version made these, or a hand: that is no damage. To remove them:")
    return "\n".join([*lines, f"    {change_to(directory)}rm -r {shlex.join(gone)}"])


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


def _jobs_of_other_code(run: RunFolder) -> int:
    """Return how many jobs were done by other code than those that ended the run, as its record has it."""
    record = text_of(Path(run.provenance))
    try:
        return int(json.loads(record)["total"].get("jobs_of_other_code", 0)) if record else 0
    except (ValueError, KeyError, TypeError, AttributeError):
        return 0  # the file is damaged: it is among those that are checked
