"""`cnn-topology plan`: forecast what a run costs, before it starts."""

import argparse
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from cnn_topology.clouds.threads import usable_cores
from cnn_topology.errors import InputError, in_words
from cnn_topology.forecast.demand import CORES_PER_GPU
from cnn_topology.plan.config import read_config
from cnn_topology.plan.config_file import read_yaml
from cnn_topology.plan.expand import Plan
from cnn_topology.runs.jobs import SNAKEFILE, Job, list_jobs
from cnn_topology.runs.recorded import with_recorded

# What a GPU is used for.
TRAINING = ("train", "train-resnet")
PARTITIONS = SNAKEFILE.parent / "profiles/slurm/partitions.yaml"
# The limits of a partition, what a job asks for, and the limit of a partition that does not state one.
LIMITS = {
    "max_mem_mb": ("mem_mb", math.inf),
    "max_runtime": ("runtime", math.inf),
    "max_threads": ("threads", math.inf),
    "max_gpu": ("gpu", 0.0),
}
# Times as SLURM (`3-00:00:00`) and as Snakemake (`2d12h`) write them, and the minutes of each part.
_TIMES = (
    re.compile(r"(?:(?P<d>\d+)-)?(?P<h>\d+)(?::(?P<m>\d+))?(?::(?P<s>\d+))?"),
    re.compile(r"(?:(?P<d>\d+\.?\d*)d)?(?:(?P<h>\d+\.?\d*)h)?(?:(?P<m>\d+\.?\d*)m)?(?:(?P<s>\d+\.?\d*)s)?"),
)
_MINUTES = {"d": 1_440.0, "h": 60.0, "m": 1.0, "s": 1 / 60}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--configfile", default=Path("config/demo.yaml"), type=Path, help="the run's config")
    parser.add_argument(
        "--partitions", default=PARTITIONS, type=Path, metavar="FILE", help="the partitions of a SLURM cluster"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the forecast of the whole run, whatever of it is done already, and what will not be as it was asked for."""
    config = with_recorded(read_config(arguments.configfile))
    jobs = list_jobs(arguments.configfile, Path.cwd())
    print(described(config.name, jobs), end="")
    print(on_slurm(jobs, arguments.partitions))
    for remark in Plan(config).remarks:
        print(f"Note: {remark}.")


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
        costs[job.stage].add(job)
    return dict(costs)


def files_by_folder(jobs: Iterable[Job]) -> Counter[str]:
    """Count the files that lie in each folder of a run when it is done: outputs and logs."""
    return Counter(str(PurePath(path).parent) for job in jobs for path in (*job.outputs, job.log) if path is not None)


def described(name: str, jobs: list[Job], cores: int | None = None) -> str:
    """Describe what a run will cost: a line per stage, and how long it takes on this machine, or on so many cores."""
    costs = costs_by_rule(jobs)
    width = max(map(len, costs))
    lines = [f"run {name}: {len(jobs)} jobs", ""]
    lines.append(f"{'stage':<{width}} {'jobs':>6} {'CPU':>8} {'GPU':>8} {'longest':>8} {'memory':>8} {'kept':>8}")
    total = Cost()
    for stage, cost in sorted(costs.items(), key=lambda item: -(item[1].cpu_hours + item[1].gpu_hours)):
        lines.append(f"{stage:<{width}} {_columns(cost)}")
    for job in jobs:
        total.add(job)
    cores = cores or usable_cores()
    folder, files = files_by_folder(jobs).most_common(1)[0]
    lines += [
        f"{'total':<{width}} {_columns(total)}",
        "",
        f"On this machine, {cores} cores: {_wall(costs, cores, gpu=False)} without a GPU, "
        f"{_wall(costs, cores, gpu=True)} with one.",
        f"Most files in one folder: {files} in {folder}.",
        "Times are forecasts from sizes alone, for cores of an AMD EPYC with bfloat16 products or an Intel Xeon: "
        f"within a factor of about three. One GPU is taken for {CORES_PER_GPU:g} such cores in training: assumed, "
        "not measured. "
        "`memory` is what the largest job asks for, raised at each retry.",
    ]
    return "\n".join(lines) + "\n"


def on_slurm(jobs: list[Job], partitions: Path) -> str:
    """Describe which jobs of a run fit no partition of a cluster, and what to do about them."""
    unfit = without_partition(jobs, partitions)
    if not unfit:
        return f"On SLURM each job fits a partition of {partitions}."
    listed = "\n".join(f"  {line}" for line in unfit)
    return (
        f"On SLURM jobs would be refused, or wait for ever: they fit no partition of {partitions}\n{listed}\n"
        "Write there what your partitions allow. To ask for less: `gpus: 0` in `jobs` of the config trains without a "
        "GPU; fewer `networks_per_job`, `steps_per_job`, `layers_per_job`, `clouds_per_job` make smaller jobs."
    )


def _wall(costs: Mapping[str, Cost], cores: int, gpu: bool) -> str:
    """Write how long a run takes on some cores, with training on one GPU or without one."""
    training = sum(
        costs[stage].cpu_hours + CORES_PER_GPU * costs[stage].gpu_hours for stage in TRAINING if stage in costs
    )
    others = sum(cost.cpu_hours for stage, cost in costs.items() if stage not in TRAINING)
    return in_words(3_600 * (others / cores + training / (CORES_PER_GPU if gpu else cores)))


def _columns(cost: Cost) -> str:
    times = (cost.cpu_hours, cost.gpu_hours, cost.longest_hours)
    told = [in_words(3_600 * hours) if hours else "" for hours in times]
    return f"{cost.jobs:>6} {told[0]:>8} {told[1]:>8} {told[2]:>8} {_size(cost.memory_gb):>8} {_size(cost.disk_gb):>8}"


def _size(gigabytes: float) -> str:
    return f"{gigabytes:.1f} GB" if gigabytes >= 1 else f"{1_000 * gigabytes:.0f} MB" if gigabytes >= 1e-3 else "< 1 MB"


def without_partition(jobs: Iterable[Job], path: Path) -> list[str]:
    """Describe the jobs that fit no partition of a cluster, a line for each kind.

    Parameters
    ----------
    jobs : iterable of Job
        What they ask for at their first attempt.
    path : Path
        The partitions, in the form that Snakemake's SLURM plugin reads.

    Returns
    -------
    list of str
        The number of the jobs, and for each partition the limits that are too low for one of them.

    Raises
    ------
    InputError
        If the file is missing or lists no partitions, or a limit is no number.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; name the partitions.yaml of your SLURM profile by --partitions FILE")
    file = read_yaml(path)
    listed = file.content.get("partitions") if isinstance(file.content, dict) else None
    if not isinstance(listed, dict) or not listed:
        raise InputError(f"{path}: lists no partitions; expected `partitions:` and below it names, each with limits")
    limits = dict[tuple[str, str], float]()
    for name, stated in listed.items():
        for key, (_, missing) in LIMITS.items():
            line = file.line(("partitions", name, key))
            at = f"{path}: line {line}: partitions.{name}.{key}"
            limits[name, key] = missing if line is None else _number(stated[key], at)
    counts, too_low = Counter[str](), defaultdict[str, dict[tuple[str, str], float]](dict)
    for job in jobs:
        asked = {**job.resources, "threads": job.threads}
        above = {place: asked.get(LIMITS[place[1]][0], 0) for place in limits}
        above = {place: value for place, value in above.items() if value > limits[place]}
        if {name for name, _ in above} == set(listed):
            counts[job.stage] += 1
            for place, value in above.items():
                too_low[job.stage][place] = max(value, too_low[job.stage].get(place, 0))
    return [
        f"{kind}, {count} job{'s' * (count > 1)}: "
        + ", ".join(
            f"asks for {LIMITS[key][0]} {value:,.0f} where {name}.{key} is {limits[name, key]:,.0f}"
            f" (line {file.line(('partitions', name, key)) or file.line(('partitions', name))})"
            for (name, key), value in too_low[kind].items()
        )
        for kind, count in counts.items()
    ]


def _number(value: Any, start: str) -> float:
    """Read a limit: a number, or a time, which is returned in minutes."""
    text = str(value).strip()
    try:
        return float(text)
    except ValueError:
        for form in _TIMES if text else ():
            if match := form.fullmatch(text):
                return sum(float(part) * _MINUTES[unit] for unit, part in match.groupdict().items() if part)
    raise InputError(f"{start} = {value}: expected a number, or a time such as 3-00:00:00 or 72h")
