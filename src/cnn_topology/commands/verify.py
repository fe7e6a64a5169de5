"""`cnn-topology verify`: hash every file of a run again and name what is missing, cut short or altered."""

import argparse
import json
import shlex
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.plan.config import read_config
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.integrity import Fault, check_run, strays
from cnn_topology.runs.jobs import change_to, find_run, list_jobs
from cnn_topology.runs.machine import text_of
from cnn_topology.runs.provenance import MIXED
from cnn_topology.runs.starts import directory_of, read_start
from cnn_topology.storage.atomic import checksum_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("run", nargs="?", help="the run's name or folder: results/<run>")
    which.add_argument("--configfile", type=Path, help="the run's config instead")


def run(arguments: argparse.Namespace) -> None:
    """Check the run.

    Raises
    ------
    InputError
        If a file is not whole; all of them have been named on standard output by then.
    """
    if arguments.configfile is not None:
        config, directory = arguments.configfile, Path.cwd()
        name = read_config(config).name
        folder = Path(RunFolder(name).root)
    else:
        folder = find_run(arguments.run)
        config = Path(RunFolder.at(folder).config)
        name = read_config(config).name
        directory = directory_of(folder, name)
    jobs = list_jobs(config, directory)
    checked, faults = 0, list[Fault]()
    for _, fault in check_run(jobs, directory):
        checked += 1
        if fault is not None:
            faults.append(fault)
            print(f"{fault.state}: {fault.path} (rule {fault.rule}): {fault.reason}", flush=True)
    if found := strays(jobs, directory, directory / RunFolder(name).root):
        print(describe_unexpected_files(found, folder, directory))
    if edited := _jobs_of_other_code(RunFolder.at(folder)):
        print(MIXED.format(jobs=f"{edited} jobs"))
    if faults:
        damaged = dict.fromkeys(fault.remove for fault in faults if fault.remove)
        remove = f"rm {shlex.join(damaged)} && " if damaged else ""
        options = read_start(RunFolder.at(folder)).options
        command = f"{change_to(directory)}{remove}snakemake {options} --configfile {shlex.quote(str(config))}"
        raise InputError(f"{len(faults)} of {checked} files of {folder} are not whole; to make them again: {command}")
    print(f"{folder}: all {checked} files are whole")


def _jobs_of_other_code(run: RunFolder) -> int:
    """Return how many jobs were done by other code than those that ended the run, as its record has it."""
    record = text_of(Path(run.provenance))
    try:
        return int(json.loads(record)["total"].get("jobs_of_other_code", 0)) if record else 0
    except (ValueError, KeyError, TypeError, AttributeError):
        return 0  # the file is damaged: it is among those that are checked


def describe_unexpected_files(found: list[tuple[str, int]], folder: Path, directory: Path) -> str:
    """Name what the config does not make, with a command that removes it and the checksums beside it."""
    where = change_to(directory)
    lines = [f"not of this config: {path}{f' ({files} files)' if files > 1 else ''}" for path, files in found]
    beside = [checksum_path(Path(path)) for path, _ in found]
    gone = [*(path for path, _ in found), *(str(path) for path in beside if (directory / path).is_file())]
    total = sum(files for _, files in found)
    lines.append(
        f"{total} of the files in {folder} are not made by its config, but by an earlier one or by hand; that is no "
        f"damage. To remove them: {where}rm -r {shlex.join(gone)}"
    )
    return "\n".join(lines)
