"""`cnn-topology verify`: hash every file of a run again and name what is missing, cut short or altered."""

import argparse
import shlex
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.plan.config import read_config
from cnn_topology.runs.integrity import Fault, check_run
from cnn_topology.runs.jobs import directory_of, find_run, list_jobs


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
        config, folder = arguments.configfile, Path("results") / read_config(arguments.configfile).name
    else:
        folder = find_run(arguments.run)
        config = folder / "config.yaml"
    directory = directory_of(folder)
    checked, faults = 0, list[Fault]()
    for _, fault in check_run(list_jobs(config, directory), directory, folder):
        checked += 1
        if fault is not None:
            faults.append(fault)
            print(f"{fault.state}: {fault.path} (rule {fault.rule}): {fault.reason}", flush=True)
    if faults:
        damaged = [fault.path for fault in faults if fault.state == "damaged"]
        remove = f"rm {shlex.join(damaged)} && " if damaged else ""
        where = "" if directory == Path.cwd() else f"cd {shlex.quote(str(directory))} && "
        command = f"{where}{remove}snakemake --cores all --configfile {shlex.quote(str(config))}"
        raise InputError(f"{len(faults)} of {checked} files of {folder} are not whole; to make them again: {command}")
    print(f"{folder}: all {checked} files are whole")
