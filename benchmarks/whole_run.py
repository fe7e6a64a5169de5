"""Where the time of a whole run goes: wall time of each rule's jobs, and the share outside training and topology.

    python benchmarks/whole_run.py [--config config/demo.yaml] [--cores 2]

Runs the config in an empty folder and reads what each job says at the end of its log, start-up included. The share
outside is 1 - (time inside training and topology jobs) / (cores x wall time of the run): it holds image sets, the
extraction of activations, tables, figures, Snakemake itself and cores that wait.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from cnn_topology.runs.machine import cost_of

ROOT = Path(__file__).parents[1]
TRAINING = ("train", "train-resnet")
# What filters by density, computes persistence or makes mapper graphs, and the distances of what they found.
TOPOLOGY = (
    *("clouds", "nulls", "barcodes", "controls", "mapper", "networks", "dynamics"),
    *("activation-barcodes", "activation-mapper", "layer-distances", "component-sensitivity"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=ROOT / "config/demo.yaml")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        command = ["snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", folder, "--quiet", "all"]
        command += ["--cores", str(arguments.cores), "--configfile", str(arguments.config.resolve())]
        start = time.perf_counter()
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        wall = time.perf_counter() - start
        jobs: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        for path in Path(folder).glob("results/*/logs/**/*.log"):
            if took := cost_of(path):
                jobs[path.relative_to(folder).parts[3]].append(took)
    print(f"{platform.processor() or platform.machine()}, {arguments.cores} cores: {wall:.1f} s of wall time")
    print(f"{'rule':<22} {'jobs':>5} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
    for rule, rows in sorted(jobs.items(), key=lambda item: -sum(row[0] for row in item[1])):
        seconds, cpu, memory = zip(*rows, strict=True)
        print(f"{rule:<22} {len(rows):>5} {sum(seconds):>8.1f} {sum(cpu):>8.1f} {max(memory):>8.0f}")
    inside = sum(seconds for rule in TRAINING + TOPOLOGY for seconds, _, _ in jobs[rule])
    print(
        f"outside training and topology: {1 - inside / (arguments.cores * wall):.1%} of {arguments.cores} x wall time"
    )


if __name__ == "__main__":
    main()
