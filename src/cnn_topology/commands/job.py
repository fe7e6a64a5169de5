"""`cnn-topology job`: carry out one job of a run, or repeat it."""

import argparse
import importlib
from functools import partial
from pathlib import Path

from cnn_topology.errors import unknown
from cnn_topology.runs.job_files import check_planned, read_job
from cnn_topology.storage.atomic import writing_while

# Each kind of job is a module of this package with a function `run`, imported only when it is called.
JOBS = {
    "images": "read, check and reshape one image set",
    "train": "train one shard of a population and keep its snapshots",
    "checkpoint": "import the 3x3 kernels of networks that others trained",
    "clouds": "gather the 3x3 filters of a layer and their distances to the k-th neighbour",
    "nulls": "draw the sphere null for clouds of one size",
    "barcodes": "density filter, persistent homology, significance and Klein coordinates of a layer's clouds",
    "mapper": "mapper graphs of a layer's clouds after the density filter",
    "controls": "barcodes of synthetic clouds of known topology",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    kinds = "\n".join(f"  {verb:<22} {purpose}" for verb, purpose in JOBS.items())
    parser.epilog = f"kinds of jobs:\n{kinds}"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", type=Path, help="the description of the job, which the start of the run wrote")
    parser.add_argument("--threads", default=1, type=int, help="CPU threads")


def run(arguments: argparse.Namespace) -> None:
    """Carry out the job; nothing is written once a later start of the run plans something else in its place."""
    job = read_job(arguments.file, arguments.threads)
    if job.verb not in JOBS:
        raise unknown(f"kind of job in {arguments.file}", job.verb, JOBS)
    module = importlib.import_module(f"cnn_topology.commands.{job.verb.replace('-', '_')}")
    with writing_while(partial(check_planned, arguments.file)):
        module.run(job)
