"""How the time of a run grows with networks, layers and draws: CPU seconds of its jobs, and what `plan` forecasts.

    python benchmarks/run_growth.py growth.csv growth.png [--cores 2]

It takes half an hour on two cores; what the table has already is not done again. Each run starts in an empty folder:
networks M on the 5,000 images of MNIST that ship with the packages, 200 iterations, every layer at its first and last
step, both nulls, onsets and figures. One number changes at a time, the others are those of `BASE`. The table has a row
for each run and part; `rest` are images, tables, claims and figures. Snakemake's own time is that of no job and is not
counted.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import yaml

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from forecasts import rows
from whole_run import ROOT, TOPOLOGY, TRAINING

from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.jobs import list_jobs
from cnn_topology.runs.machine import processor

BASE = {"networks": 8, "layers": 2, "draws": 99}
GROWN = {"networks": (8, 16, 32), "layers": (1, 2, 4), "draws": (99, 199, 399)}
TICKS = (10, 30, 100, 300)
# Okabe and Ito: colour-blind safe.
COLOURS = {"training": "#D55E00", "topology": "#0072B2", "rest": "#999999"}


def config(networks: int, layers: int, draws: int) -> dict[str, Any]:
    """Return the config of one run; every layer has 24 channels, so that the second has 24 times as many filters."""
    names = [f"conv{layer + 1}" for layer in range(layers)]
    return {
        "version": 2,
        "name": "growth",
        "seed": 2018,
        "images": {"mnist": {"kind": "mnist_sample"}},
        "populations": {
            "mnist": {
                "images": "mnist",
                "architecture": {"family": "M", "convolutions": [24] * layers, "dense": [64]},
                "recipe": {"optimizer": "adam", "learning_rate": 1e-3, "batch_size": 128, "iterations": 200},
                "networks": networks,
                "networks_per_job": 8,
            }
        },
        "clouds": [{"layers": names, "densities": [{"k": 0.03125, "p": 0.3}], "landmarks": 1000}],
        "significance": {"draws": draws},
        "dynamics": {"bootstrap_draws": 100},
    }


def run(numbers: dict[str, int], cores: int) -> list[tuple[str, float, float]]:
    """Run the workflow on one config; return for each part its name, the seconds taken and those forecast."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "growth.yaml")
        path.write_text(yaml.safe_dump(config(**numbers)))
        command = ["snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", folder, "--quiet", "all"]
        command += ["--cores", str(cores), "--configfile", str(path)]
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        made = RunFolder.at(Path(folder, "results/growth"))
        took, forecast = Counter[str](), Counter[str]()
        for kind, _, expected, outcome, _, _ in rows(list_jobs(Path(made.config), Path(folder)), Path(folder)):
            part = "training" if kind in TRAINING else "topology" if kind in TOPOLOGY else "rest"
            took[part] += outcome
            forecast[part] += expected
        return [(part, took[part], forecast[part]) for part in COLOURS]


def draw(table: list[dict[str, Any]], figure: Path) -> None:
    """Draw one panel a number: each part's seconds, and the sum of all as it was forecast."""
    plot, panels = plt.subplots(1, len(GROWN), figsize=(10, 3.6), layout="constrained", sharey=True)
    for panel, grown in zip(panels, GROWN, strict=True):
        mine = [row for row in table if row["grown"] == grown]
        values = sorted({row[grown] for row in mine})
        sums = {key: [sum(r[key] for r in mine if r[grown] == value) for value in values] for key in ("s", "plan_s")}
        for part, colour in COLOURS.items():
            seconds = [row["s"] for value in values for row in mine if (row["part"], row[grown]) == (part, value)]
            panel.plot(values, seconds, "o-", color=colour, markersize=4, label=part)
        panel.plot(values, sums["s"], "ko-", markersize=4, label="all jobs")
        panel.plot(values, sums["plan_s"], "k--", linewidth=1, label="all jobs, as plan forecasts")
        others = ", ".join(f"{value} {name}" for name, value in BASE.items() if name != grown)
        panel.set(xscale="log", yscale="log", xlabel=f"{grown} ({others})", xticks=values, xticklabels=values)
        panel.minorticks_off()
        panel.set(yticks=TICKS, yticklabels=TICKS)
        panel.grid(True, which="major", linewidth=0.4, alpha=0.6)
    panels[0].set_ylabel("CPU time (s)")
    plot.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(COLOURS) + 2, fontsize=8)
    plot.suptitle(f"A run's jobs, one run each. {table[0]['hardware']}", fontsize=9)
    plot.savefig(figure, dpi=200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    parser.add_argument("figure", type=Path)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    table: list[dict[str, Any]] = []
    if arguments.csv.exists():
        table = pd.read_csv(arguments.csv).to_dict("records")
    for grown, values in GROWN.items():
        for value in values:
            numbers = BASE | {grown: value}
            same = [row for row in table if all(row[name] == numbers[name] for name in BASE)]
            if any(row["grown"] == grown for row in same):
                continue
            parts = [(row["part"], row["s"], row["plan_s"]) for row in same[: len(COLOURS)]]
            parts = parts or run(numbers, arguments.cores)
            for part, seconds, forecast in parts:
                row = {"grown": grown, **numbers, "part": part, "s": round(seconds, 1), "plan_s": round(forecast, 1)}
                table.append(row | {"hardware": f"{processor()}, {arguments.cores} cores"})
            print(grown, value, *(f"{part} {s:.1f} s, forecast {plan:.1f}" for part, s, plan in parts), sep="  ")
            # After every run: what is stopped keeps what it has.
            pd.DataFrame(table).to_csv(arguments.csv, index=False)
    draw(table, arguments.figure)


if __name__ == "__main__":
    main()
