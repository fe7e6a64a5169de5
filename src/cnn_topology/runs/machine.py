"""Where, by which code and in what time a job was done: lines in the log of each, and what a run makes of these lines.

A job measures itself when it ends. Snakemake's `benchmark` would look at it twice a second for a quarter of a minute,
which took some 4 % of the CPU time of the demo and sees about half that of a job so short.
"""

import os
import platform
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from cnn_topology.clouds.threads import usable_cores
from cnn_topology.errors import InputError
from cnn_topology.plan.code import code_digest
from cnn_topology.plan.names import RunFolder
from cnn_topology.storage.atomic import entries_below

_LINE, _CODE, _TOOK = "# on ", "# code ", "# took "
_COST = re.compile(rf"^{_TOOK}([\d.]+) s, ([\d.]+) s of CPU time, ([\d.]+) MB of memory at most$", re.M)
_LOADED = time.perf_counter()
MIXED = "Code was edited during the run: {jobs} were done by other code. Start again: what was edited is made anew."


def processor() -> str:
    """Return the name of this machine's processor."""
    models = re.findall(r"^model name\s*:\s*(.+)$", system_text(Path("/proc/cpuinfo")), re.M)
    return models[0] if models else platform.processor() or platform.machine()


def machine_line() -> str:
    """Describe in a line of comment which machine this is: name, processor, cores that a process may use, GPUs."""
    folders = Path("/proc/driver/nvidia/gpus").glob("*/information")
    gpus = [model for path in folders for model in re.findall(r"^Model:\s*(.+)$", system_text(path), re.M)]
    counts = "".join(f", {count} x {model}" for model, count in Counter(gpus).items())
    return f"{_LINE}{platform.node()}: {processor()}, {usable_cores()} cores{counts}"


def is_comment(line: str) -> bool:
    """Return whether a line of a log says on which machine, by which code or in what time its job was done."""
    return line.startswith((_LINE, _CODE, _TOOK))


def logs_of_jobs(run: RunFolder) -> list[Path]:
    """List the logs of a run's jobs, without those that jobs of an earlier config left there.

    Each start of the whole run writes the list; until then all logs count.
    """
    logs, listed = Path(run.logs), text_of(Path(run.job_logs)).splitlines()
    return [logs / name for name in listed] or sorted(path for path in entries_below(logs) if path.suffix == ".log")


def machines(run: RunFolder) -> dict[str, int]:
    """Count the jobs of a run by the machines they were on, whatever the machines are called; some may be unknown.

    Of a job that was repeated the last attempt counts.
    """
    counts = Counter[str]()
    for path in logs_of_jobs(run):
        lines = [line for line in text_of(path).splitlines()[:2] if line.startswith(_LINE)]
        counts[lines[0].removeprefix(_LINE).partition(": ")[2] if lines else "unknown"] += 1
    return dict(counts.most_common())


def code_line(verb: str, *modules: str) -> str:
    """Describe in a line of comment the code of a verb, and of modules that it loads by name, as it is now."""
    return f"{_CODE}{' '.join((verb, *modules))} {code_digest(verb, *modules)}"


def logs_of_other_code(run: RunFolder) -> list[Path]:
    """List the logs of those jobs of a run whose code was another when they began than it is now.

    It was edited while the run was at work. A job that was done by an earlier start has the code of now, or Snakemake
    would have made it again.
    """
    other = []
    for path in logs_of_jobs(run):
        lines = [line for line in text_of(path).splitlines()[:3] if line.startswith(_CODE)]
        if lines and code_line(*lines[0].removeprefix(_CODE).split()[:-1]) != lines[0]:
            other.append(path)
    return other


def cost_line() -> str:
    """Describe in a line of comment what this process has taken since it started."""
    times = os.times()
    cpu = times.user + times.system + times.children_user + times.children_system
    return f"{_TOOK}{_wall_seconds():.2f} s, {cpu:.2f} s of CPU time, {_peak_mb():.0f} MB of memory at most"


def cost_of(log: Path) -> tuple[float, float, float] | None:
    """Read what a job took: wall seconds, CPU seconds and MB; None of one that has not ended well."""
    found = _COST.findall(text_of(log))
    if not found:
        return None
    wall, cpu, memory = map(float, found[-1])
    return wall, cpu, memory


def cost_by_rule(run: RunFolder) -> dict[str, dict[str, float]]:
    """Add up what the jobs of a run took as their logs end, by folder of the logs: the last attempt of each job counts.

    Returns
    -------
    dict of str to dict
        ``jobs``, ``wall_s``, ``cpu_s`` and ``peak_mb``, the largest resident size of any of its jobs.
    """
    found: dict[str, dict[str, float]] = {}
    for path in logs_of_jobs(run):
        if took := cost_of(path):
            rule = path.relative_to(run.logs).parts[0]
            cost = found.setdefault(rule, {"jobs": 0, "wall_s": 0.0, "cpu_s": 0.0, "peak_mb": 0.0})
            cost["jobs"] += 1
            cost["wall_s"] = round(cost["wall_s"] + took[0], 3)
            cost["cpu_s"] = round(cost["cpu_s"] + took[1], 3)
            cost["peak_mb"] = max(cost["peak_mb"], took[2])
    return found


def has_ended_well(log: Path) -> bool:
    """Return whether a log ends with what its job took, which only a job that ends well writes."""
    return _COST.fullmatch(text_of(log).rstrip().rpartition("\n")[2]) is not None


def _wall_seconds() -> float:
    """Return the time since this process started, or, without Linux, since this module was loaded."""
    ticks = system_text(Path("/proc/self/stat")).rpartition(")")[2].split()
    if not ticks:
        return time.perf_counter() - _LOADED
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(ticks[19]) / os.sysconf("SC_CLK_TCK")


def _peak_mb() -> float:
    """Return the largest resident size; of the parent's, which `getrusage` may report, Linux knows better."""
    peak = re.findall(r"^VmHWM:\s*(\d+) kB$", system_text(Path("/proc/self/status")), re.M)
    if peak:
        return int(peak[0]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def text_of(path: Path) -> str:
    """Read a text file; one that is not there is empty.

    Raises
    ------
    InputError
        If it is there and cannot be read: it is not the same as an empty one.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def system_text(path: Path) -> str:
    """Read what the system has in a file about itself; what it does not show is empty."""
    try:
        return text_of(path)
    except InputError:
        return ""
