"""`cnn-topology plan`: forecast what a run costs, before it starts."""

import argparse
from pathlib import Path

from cnn_topology.forecast.demand import CORES_PER_GPU
from cnn_topology.plan.config import read_config
from cnn_topology.runs.costs import Cost, costs_by_rule, files_by_folder
from cnn_topology.runs.jobs import Job, list_jobs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--configfile", default=Path("config/demo.yaml"), type=Path, help="the run's config")


def run(arguments: argparse.Namespace) -> None:
    """Print the forecast of the whole run, whatever of it is done already."""
    config = read_config(arguments.configfile)
    print(described(config.name, list_jobs(arguments.configfile, Path.cwd())), end="")


def described(name: str, jobs: list[Job]) -> str:
    """Describe what a run will cost, a line per stage."""
    costs = costs_by_rule(jobs)
    width = max(map(len, costs))
    lines = [f"run {name}: {len(jobs)} jobs", ""]
    lines.append(
        f"{'stage':<{width}} {'jobs':>6} {'CPU h':>9} {'GPU h':>8} {'longest h':>9} {'GB asked':>8} {'GB kept':>8}"
    )
    total = Cost()
    for stage, cost in sorted(costs.items(), key=lambda item: -(item[1].cpu_hours + item[1].gpu_hours)):
        lines.append(f"{stage:<{width}} {_columns(cost)}")
        total.jobs += cost.jobs
        total.cpu_hours += cost.cpu_hours
        total.gpu_hours += cost.gpu_hours
        total.disk_gb += cost.disk_gb
        total.longest_hours = max(total.longest_hours, cost.longest_hours)
        total.memory_gb = max(total.memory_gb, cost.memory_gb)
    folder, files = files_by_folder(jobs).most_common(1)[0]
    lines += [f"{'total':<{width}} {_columns(total)}", "", f"most files in one folder: {files} in {folder}"]
    lines.append(
        "Hours are forecasts from sizes alone, for cores of an AMD EPYC with bfloat16 products: within a factor of "
        "about three; `GB asked` is the memory of the largest job, raised at each retry."
    )
    if total.gpu_hours:
        lines.append(f"GPU hours take one GPU for {CORES_PER_GPU:g} such cores: an assumption, not a measurement.")
    return "\n".join(lines) + "\n"


def _columns(cost: Cost) -> str:
    return (
        f"{cost.jobs:>6} {cost.cpu_hours:>9.2f} {cost.gpu_hours:>8.2f} {cost.longest_hours:>9.2f} "
        f"{cost.memory_gb:>8.1f} {cost.disk_gb:>8.2f}"
    )
