"""`cnn-topology job`: carry out one job of a run, or repeat it; `cnn-topology job --help` lists the kinds."""

import argparse
import importlib
import sys
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from cnn_topology.cli import kinds_of_jobs
from cnn_topology.errors import InputError, check_known
from cnn_topology.plan.base import described
from cnn_topology.runs.job import Job
from cnn_topology.runs.job_files import DIGEST, job_digest
from cnn_topology.runs.machine import code_line
from cnn_topology.storage.atomic import writing_while


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    kinds = "\n".join(f"  {verb:<22} {purpose}" for verb, purpose in kinds_of_jobs().items())
    parser.epilog = f"kinds of jobs:\n{kinds}"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", type=Path, help="the description of the job, which the start of the run wrote")
    parser.add_argument("--threads", default=1, type=int, help="CPU threads")


def run(arguments: argparse.Namespace) -> None:
    """Carry out the job; nothing is written once a later start of the run plans something else in its place."""
    job = read_job(arguments.file, arguments.threads)
    if not sys.stderr.isatty():
        print(code_line(job.verb, *job.modules), file=sys.stderr, flush=True)
    module = importlib.import_module(f"cnn_topology.commands.{job.verb.replace('-', '_')}")
    try:
        with writing_while(partial(check_planned, arguments.file)):
            module.run(job)
    except Replaced as error:
        # Of a job that fails, Snakemake removes the files; these are the other job's.
        if not all(path.is_file() for name in job.written for path in job.outputs(name)):
            raise
        print(error)


def read_job(path: Path, threads: int = 1) -> Job:
    """Read a job from its file.

    Parameters
    ----------
    path : Path
        A file that the start of a run wrote, or a person: the digest counts only where the name ends with one.
    threads : int
        CPU threads that it may use.

    Raises
    ------
    InputError
        If there is no such file, or it does not hold what was written.
    """
    check_planned(path)
    text = path.read_text(encoding="utf-8", errors="replace")
    digest = DIGEST.search(path.name)
    if digest and job_digest(text) != digest[1]:
        raise InputError(f"{path}: damaged or edited; remove it and start the run again, or edit a copy `mine.json`")
    try:
        job = Job.model_validate_json(text)
    except ValidationError as error:
        raise InputError(f"{path}: describes no job: {described(error)}") from error
    check_known(f"kind of job in {path}", job.verb, kinds_of_jobs())
    return job.model_copy(update={"threads": threads})


class Replaced(InputError):
    """A later start of the run plans another job for the same files."""


def check_planned(path: Path) -> None:
    """Refuse a job whose file is gone: the run has been started again since, and plans something else in its place.

    Raises
    ------
    Replaced
        If there is no such file.
    """
    if not path.is_file():
        raise Replaced(
            f"{path}: no such job; if the run was started again since with other settings, another job makes its "
            "files, and this one leaves them as they are"
        )
