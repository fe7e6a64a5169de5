"""Print the jobs of a run as Snakemake plans them, as JSON; `list_jobs` runs this in a process of its own.

The workflow is planned through Snakemake's Python API, which reads neither profiles nor environment variables, and each
job is taken from the log record that the interface for logger plugins describes: nothing is read from printed text.
"""

import json
import logging
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.logging import logger
from snakemake.settings.enums import Quietness
from snakemake.settings.types import ConfigSettings, DAGSettings, ExecutionSettings, OutputSettings, ResourceSettings
from snakemake_interface_logger_plugins.common import LogEvent


class JobRecords(logging.Handler):
    """Collects the jobs that Snakemake announces while it plans.

    Attributes
    ----------
    jobs : list of dict
        ``rule``, ``outputs``, ``log``, ``threads`` and ``resources`` of each, as `Job` has them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record if it announces a job."""
        job = vars(record)
        if job.get("event") == LogEvent.JOB_INFO:
            resources = job["resources"].items()
            self.jobs.append(
                {
                    "rule": job["rule_name"],
                    "outputs": list(job["output"]),
                    "log": next(iter(job["log"]), None),
                    "threads": job["threads"],
                    "resources": {name: float(value) for name, value in resources if isinstance(value, int | float)},
                }
            )


def main(snakefile: Path, directory: Path, config: Path) -> int:
    """Plan a run from nothing, print its jobs, and return the exit status.

    Parameters
    ----------
    snakefile : Path
        The workflow.
    directory : Path
        The folder that its paths are relative to.
    config : Path
        The config file.

    Returns
    -------
    int
        1 where Snakemake cannot plan the run; it has printed the reason on standard error by then.
    """
    records = JobRecords()
    # A dry run that is quiet about rules *and* progress announces no job at all.
    output = OutputSettings(dryrun=True, nocolor=True, quiet={Quietness.RULES})
    with redirect_stdout(sys.stderr), SnakemakeApi(output) as api:
        logger.addHandler(records)
        try:
            workflow = api.workflow(
                resource_settings=ResourceSettings(cores=1),
                config_settings=ConfigSettings(configfiles=[config]),
                snakefile=snakefile,
                workdir=directory,
            )
            workflow.dag(DAGSettings(forceall=True)).execute_workflow(
                executor="dryrun",
                # Jobs of this run may be at work: their files are incomplete, and their Snakemake has the lock.
                execution_settings=ExecutionSettings(lock=False, ignore_incomplete=True),
            )
        except Exception as error:
            api.print_exception(error)
            return 1
    json.dump(records.jobs, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:4])))
