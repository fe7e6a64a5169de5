"""Compare the forecasts of a finished run with what its jobs took: a row for each kind of job.

    python benchmarks/forecasts.py results/demo

`plan` promises a factor of three for seconds of a core: a kind outside of it by more than a second a job is marked, and
the exit status is 1. What a job took is the CPU time at the end of its log, the wall time where it asked for a GPU.
`MB asked` is what the largest job may take, with a margin and a least amount; more than that is marked too.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from cnn_topology.plan.config import read_config
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.jobs import Job, find_run, list_jobs
from cnn_topology.runs.machine import cost_of
from cnn_topology.runs.starts import directory_of

FACTOR = 3.0


def rows(jobs: Iterable[Job], directory: Path) -> list[tuple[str, int, float, float, float, float]]:
    """Return kind, number, forecast and outcome in seconds, MB asked and taken, of the jobs that have ended."""
    kinds = defaultdict(list)
    for job in jobs:
        took = cost_of(directory / job.log) if job.log else None
        if took is not None:
            wall, cpu, memory = took
            outcome = wall if job.resources.get("gpu") else cpu
            kinds[job.stage].append((job.resources["expected_s"], outcome, job.resources["mem_mb"], memory))
    found = []
    for kind, each in kinds.items():
        forecast, outcome, asked, peak = zip(*each, strict=True)
        found.append((kind, len(each), sum(forecast), sum(outcome), max(asked), max(peak)))
    return sorted(found, key=lambda row: -row[3])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="the run's name or folder")
    folder = find_run(parser.parse_args().run)
    config = Path(RunFolder.at(folder).config)
    directory = directory_of(folder, read_config(config).name)
    print(f"{'kind':<22} {'jobs':>4} {'forecast s':>10} {'took s':>8} {'ratio':>6} {'MB asked':>9} {'took':>6}")
    outside = 0
    for kind, count, forecast, outcome, asked, peak in rows(list_jobs(config, directory), directory):
        within = 1 / FACTOR <= forecast / outcome <= FACTOR or abs(forecast - outcome) <= count
        wrong = not within or peak > asked
        outside += wrong
        line = f"{kind:<22} {count:>4} {forecast:>10.0f} {outcome:>8.1f} {forecast / outcome:>6.2f}"
        print(f"{line} {asked:>9.0f} {peak:>6.0f}{'  outside' * wrong}")
    print(f"{outside} kinds of jobs outside of a factor of {FACTOR:g}, or of the memory asked for")
    return min(outside, 1)


if __name__ == "__main__":
    sys.exit(main())
