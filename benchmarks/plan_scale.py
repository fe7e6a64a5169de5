"""What it costs to plan large runs: jobs after batching, files by folder, time and memory of the dry-run.

    python benchmarks/plan_scale.py [--configs config/weights-paper.yaml] [--networks 1000 10000] [--shards 25 100]
                                    [--blocks 1 5 20]

First the runs of both papers at full size; then one population of so many networks of 13 convolutions in shards of so
many, 20 snapshots each, every layer analysed at every snapshot, so many steps in a job. Times are CPU seconds. `parse`
is what each job of a cluster pays twice: the Snakefile read, the config validated and expanded, no job planned; more
than half of it is Snakemake's own start. `listing` prints every job, as `cnn-topology plan` reads it.

The time goes with the inputs of all jobs more than with the jobs: each input is looked up on its own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import yaml

from cnn_topology.commands.plan import files_by_folder
from cnn_topology.runs.jobs import list_jobs

ROOT = Path(__file__).parents[1]
STEPS = [2**i for i in range(19)]  # with step 0 and the last: 20 snapshots


def config(networks: int, shard: int, block: int) -> dict:
    architecture = {"family": "M", "convolutions": [64] * 13, "dense": [64]}
    return {
        "version": 2,
        "name": "scale",
        "images": {"cifar10": {"kind": "cifar10"}},
        "populations": {
            "many": {
                "images": "cifar10",
                "architecture": architecture,
                "recipe": {"iterations": STEPS[-1]},
                "networks": networks,
                "networks_per_job": shard,
                "snapshots": {"iterations": STEPS},
            }
        },
        "clouds": [{"layers": "all", "densities": [{"k": 0.03125, "p": 0.3}]}],
        "figures": ["evolution_1"],
        "jobs": {"steps_per_job": block},
    }


def snakemake(folder: Path, *arguments: str) -> tuple[float, float, str]:
    """Run snakemake; give CPU seconds, peak memory in MB and what it printed."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += [*arguments, "--configfile", str(folder / "run.yaml")]
    process = subprocess.Popen(command, stdout=(folder / "said").open("w"), stderr=subprocess.PIPE, text=True)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(said[-2000:])
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000, (folder / "said").read_text()


def row(label: str, content: str) -> None:
    """Print what planning one config costs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "run.yaml").write_text(content)
        parse, _, _ = snakemake(folder, "--list-target-rules")
        quiet, memory, _ = snakemake(folder, "--dry-run", "--quiet", "all")
        start = time.perf_counter()
        jobs = list_jobs(folder / "run.yaml", folder)
        listing = time.perf_counter() - start
    files = files_by_folder(jobs)
    print(
        f"{label:<24} {len(jobs):>7} {files.total():>7} {max(files.values()):>16} "
        f"{parse:>8.2f} {quiet:>10.1f} {listing:>10.1f} {memory:>4.0f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configs", nargs="*", type=Path, default=sorted((ROOT / "config").glob("*-paper.yaml")))
    parser.add_argument("--networks", nargs="*", type=int, default=[1_000, 10_000])
    parser.add_argument("--shards", nargs="+", type=int, default=[25, 100])
    parser.add_argument("--blocks", nargs="+", type=int, default=[1, 5, 20])
    arguments = parser.parse_args()
    print("run, or networks / shard / steps a job", flush=True)
    print(f"{'':<24}    jobs   files most in a folder  parse s  dry-run s  listing s   MB", flush=True)
    for path in arguments.configs:
        row(path.stem, path.read_text())
    for networks, shard, block in product(arguments.networks, arguments.shards, arguments.blocks):
        row(f"{networks:>8} {shard:>5} {block:>9}", yaml.safe_dump(config(networks, shard, block)))


if __name__ == "__main__":
    main()
