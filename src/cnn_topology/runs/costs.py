"""What a run will cost, added up from its jobs: time, memory and disk by rule, and files by folder."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from cnn_topology.runs.jobs import Job


@dataclass
class Cost:
    """The jobs of one rule: hours on cores and GPUs, the longest job, the largest memory asked for, lasting files."""

    jobs: int = 0
    cpu_hours: float = 0.0
    gpu_hours: float = 0.0
    longest_hours: float = 0.0
    memory_gb: float = 0.0
    disk_gb: float = 0.0

    def add(self, job: Job) -> None:
        """Add one job; what has no forecast counts with the run time it asks for."""
        asked = job.resources
        hours = asked.get("expected_s", 60 * asked.get("runtime", 0)) / 3600
        gpus = asked.get("gpu", 0)
        self.jobs += 1
        self.cpu_hours += 0 if gpus else hours * job.threads
        self.gpu_hours += gpus * hours
        self.longest_hours = max(self.longest_hours, hours)
        self.memory_gb = max(self.memory_gb, asked.get("mem_mb", 0) / 1000)
        self.disk_gb += asked.get("disk_mb", 0) / 1000


def costs_by_rule(jobs: Iterable[Job]) -> dict[str, Cost]:
    """Add up the jobs of each rule; figures count as one."""
    costs: dict[str, Cost] = defaultdict(Cost)
    for job in jobs:
        costs[group_of(job)].add(job)
    return dict(costs)


def group_of(job: Job) -> str:
    """Name the stage of a job: the folder of its log."""
    parts = PurePath(job.log or job.rule).parts
    return parts[3] if len(parts) > 4 else PurePath(parts[-1]).stem


def files_by_folder(jobs: Iterable[Job]) -> Counter[str]:
    """Count the files that lie in each folder of a run when it is done: outputs and logs."""
    return Counter(str(PurePath(path).parent) for job in jobs for path in (*job.outputs, job.log) if path is not None)
