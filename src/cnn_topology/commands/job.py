"""`cnn-topology job`: carry out one job of a run, or repeat it."""

import argparse
import importlib
from functools import partial
from pathlib import Path

from cnn_topology.runs.job_files import Replaced, check_planned, kinds_of_jobs, read_job
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
    module = importlib.import_module(f"cnn_topology.commands.{job.verb.replace('-', '_')}")
    try:
        with writing_while(partial(check_planned, arguments.file)):
            module.run(job)
    except Replaced as error:
        # Of a job that fails, Snakemake removes the files; these are the other job's.
        if not all(path.is_file() for name in job.written for path in job.outputs(name)):
            raise
        print(error)
