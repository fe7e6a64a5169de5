"""Which machine a job is on: a line in the log of each job, and what the provenance of a run makes of these lines."""

import os
import platform
import re
from collections import Counter
from pathlib import Path

_LINE = "# on "


def processor() -> str:
    """Give the name of this machine's processor."""
    models = re.findall(r"^model name\s*:\s*(.+)$", text_of(Path("/proc/cpuinfo")), re.M)
    return models[0] if models else platform.processor() or platform.machine()


def cores() -> int | None:
    """Give the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def machine_line() -> str:
    """Say in a line of comment which machine this is: name, processor, cores that a process may use, GPUs."""
    folders = Path("/proc/driver/nvidia/gpus").glob("*/information")
    gpus = [model for path in folders for model in re.findall(r"^Model:\s*(.+)$", text_of(path), re.M)]
    counts = "".join(f", {count} x {model}" for model, count in Counter(gpus).items())
    return f"{_LINE}{platform.node()}: {processor()}, {cores()} cores{counts}"


def is_machine_line(line: str) -> bool:
    """Tell whether a line of a log says which machine its job was on."""
    return line.startswith(_LINE)


def machines(logs: Path) -> dict[str, int]:
    """Count the jobs of a run by the machines they were on, whatever the machines are called.

    Parameters
    ----------
    logs : Path
        The folder of the jobs' logs; of a job that was repeated the last attempt counts.
    """
    found = Counter[str]()
    for path in sorted(logs.rglob("*.log")):
        lines = [line for line in text_of(path).splitlines()[:2] if is_machine_line(line)]
        found.update(line.removeprefix(_LINE).partition(": ")[2] for line in lines)
    return dict(found.most_common())


def text_of(path: Path) -> str:
    """Read a text file; one that is not there is empty."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
