"""Whether the jobs of a run fit the partitions of a SLURM cluster, as the `partitions.yaml` of a profile lists them."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cnn_topology.errors import InputError
from cnn_topology.plan.config_file import read_yaml
from cnn_topology.runs.jobs import SNAKEFILE, Job

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
