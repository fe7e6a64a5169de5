"""Persistence side by side: our engine, Ripser, GUDHI and RedZeD on the same clouds, one subprocess per run.

Printed and written per run: CPU and wall seconds (from the points to the bars), peak memory above the start, and a
digest of the barcode; then the ratios to the best of the others. "Start" is after the imports and a barcode of 64
points, so that neither the interpreter nor the loading of compiled code counts. Runs take turns, so a busy machine
slows all engines alike.

    python benchmarks/persistence.py --quick --csv results.csv     # minutes
    python benchmarks/persistence.py --growth --csv results.csv    # to 10,240 points, Ripser and GUDHI to 1,000
    python benchmarks/persistence.py --full --csv results.csv      # an hour on two cores
    python benchmarks/persistence.py --largest                     # to 61,440 points, 45 minutes and 10 GB
    python benchmarks/persistence_figure.py results.csv scaling.png
"""

import argparse
import csv
import hashlib
import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np

# RedZeD where redzed-tda is installed.
RIVALS = ("annotations", *["redzed"] * (find_spec("redzed_tda") is not None))
ENGINES = (*RIVALS, "ripser", "gudhi")

# (cloud, points, engines): what runs in each mode. Ripser needs more than 16 GB for 4,000 points of the circle.
QUICK = [(cloud, n, ENGINES) for n in (250, 500, 1000) for cloud in ("circle", "klein", "sphere")]
QUICK += [("relu512", 1000, ENGINES), ("layer", 6400, ENGINES[:1])]
LARGE = [
    *[(cloud, 4000, RIVALS) for cloud in ("circle", "klein", "sphere")],
    *[(cloud, n, ENGINES[:1]) for n in (6400, 10240) for cloud in ("circle", "klein", "sphere")],
]
GROWTH = [*QUICK, *[(cloud, 2000, RIVALS) for cloud in ("circle", "klein", "sphere")], *LARGE]
FULL = [
    *QUICK,
    *[(cloud, 2000, ENGINES) for cloud in ("circle", "klein", "sphere")],
    *LARGE,
    ("layer", 20480, ENGINES[:1]),
    ("circle", 20480, ENGINES[:1]),
]
LARGEST = [(cloud, n, ENGINES[:1]) for n in (26_214, 61_440) for cloud in ("sphere", "circle")]
TARGETS = "targets at 2,000 points: 40 times faster than ripser, 25 times faster than gudhi, 1/20 of ripser's memory"

GRID = np.array([(x, y) for y in (-1.0, 0.0, 1.0) for x in (-1.0, 0.0, 1.0)])


def normalised(filters: np.ndarray) -> np.ndarray:
    centred = filters - filters.mean(axis=1, keepdims=True)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def make_cloud(name: str, points: int, seed: int = 0) -> np.ndarray:
    """Build a cloud: filters of R^9 on a circle, a Klein bottle, a sphere or a whole layer, or vectors of R^512."""
    rng = np.random.default_rng(seed)
    if name == "circle":
        angle = rng.uniform(0, 2 * np.pi, (points, 1))
        edges = normalised(np.cos(angle) * GRID[:, 0] + np.sin(angle) * GRID[:, 1])
        return normalised(edges + 0.15 * rng.normal(size=(points, 9)))
    if name == "klein":
        angle, blend = rng.uniform(0, 2 * np.pi, (2, points, 1))
        line = np.cos(angle) * GRID[:, 0] + np.sin(angle) * GRID[:, 1]
        patch = np.cos(blend) * normalised(line**2) + np.sin(blend) * normalised(line)
        return normalised(patch + 0.05 * rng.normal(size=(points, 9)))
    if name == "sphere":
        return normalised(rng.normal(size=(points, 9)))
    if name == "layer":  # an unfiltered layer: 15 % noisy circle in uniform noise
        edges = round(0.15 * points)
        return np.concatenate([make_cloud("circle", edges, seed), make_cloud("sphere", points - edges, seed + 1)])
    centres = rng.normal(size=(10, 512))  # relu512: ten clusters after a ReLU
    return np.maximum(centres[rng.integers(10, size=points)] + rng.normal(size=(points, 512)), 0)


def status_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no {field} in /proc/self/status: this benchmark measures memory on Linux only")


def work(engine: str, cloud: str, points: int, threads: int) -> None:
    """Run one engine on one cloud and print the result as JSON (in the subprocess)."""
    from cnn_topology.topology.persistence import barcode

    data = make_cloud(cloud, points)
    barcode(make_cloud("sphere", 640 if engine == "annotations" else 64), engine=engine)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    start, cpu, wall = status_bytes("VmRSS"), time.process_time(), time.perf_counter()
    bars = barcode(data, engine=engine, threads=threads, max_seconds=np.inf)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    digest = hashlib.sha256()
    for array in (bars.dimension, bars.birth, bars.death):
        digest.update(np.ascontiguousarray(array).tobytes())
    print(
        json.dumps(
            {
                "cloud": cloud,
                "points": points,
                "engine": engine,
                "threads": threads,
                "cpu_s": round(cpu, 4),
                "wall_s": round(wall, 4),
                "peak_mb": round(max(0, status_bytes("VmHWM") - start) / 1e6, 1),
                "bars_h1": int((bars.dimension == 1).sum()),
                "longest_h1": round(float(bars.lengths(1)[0]), 6),
                "digest": digest.hexdigest()[:16],
            }
        )
    )


def floor_seconds(points: int) -> float:
    """Estimate the time to read three rows of bits per edge, at the speed of reading a table of that size in order.

    It is the floor of a walk with a class alive at every edge; with none, an edge stops at the first common word.
    """
    table = np.random.default_rng(0).integers(0, 2**63, points * points // 64)
    repeats = max(1, 20_000_000 // table.size)
    np.bitwise_or.reduce(table)
    start = time.process_time()
    for _ in range(repeats):
        np.bitwise_or.reduce(table)
    bandwidth = repeats * table.nbytes / (time.process_time() - start)
    return 3 * points / 8 * points * (points - 1) / 2 / bandwidth


def hardware() -> str:
    model = next(
        (x.split(":")[1].strip() for x in Path("/proc/cpuinfo").read_text().splitlines() if x.startswith("model name")),
        "unknown",
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB"


def run(engine: str, cloud: str, points: int, threads: int) -> dict[str, str | float]:
    command = [sys.executable, __file__, "--work", engine, cloud, str(points), str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{engine} on {cloud} of {points} points failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def report(rows: list[dict]) -> None:
    """Print the ratios of the other engines to ours, one line per cloud."""
    ours, *others = rows
    line = (
        f"{ours['cloud']:>8} {ours['points']:>6}  ours {ours['cpu_s']:8.3f} s CPU {ours['wall_s']:8.3f} s wall "
        f"{ours['peak_mb']:7.1f} MB"
    )
    for other in others:
        line += (
            f" | {other['engine']} {other['cpu_s']:.2f} s {other['peak_mb']:.0f} MB: "
            f"{other['cpu_s'] / ours['cpu_s']:.1f} x time, {other['peak_mb'] / max(ours['peak_mb'], 0.1):.1f} x memory,"
            + (" same bars" if other["digest"] == ours["digest"] else " BARS DIFFER")
        )
    if not others:
        line += f" | reading three rows of bits per edge: {floor_seconds(ours['points']):.2f} s"
    print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="up to 1,000 points against the others: minutes")
    parser.add_argument("--growth", action="store_true", help="up to 10,240 points, the slow ones to 1,000: minutes")
    parser.add_argument("--full", action="store_true", help="up to 20,480 points: an hour")
    parser.add_argument("--largest", action="store_true", help="26,214 and 61,440 points, ours alone: 45 minutes")
    parser.add_argument("--threads", type=int, default=1, help="threads of our engine")
    parser.add_argument("--csv", type=Path, help="where to write the table")
    options = parser.parse_args()
    if options.work:
        engine, cloud, points, threads = options.work
        return work(engine, cloud, int(points), int(threads))
    where = hardware()
    print(f"{where}\n{TARGETS}")
    table = []
    chosen = LARGEST if options.largest else FULL if options.full else GROWTH if options.growth else QUICK
    for cloud, points, engines in chosen:
        rows = [run(engine, cloud, points, options.threads) for engine in engines]
        report(rows)
        table += [{**row, "hardware": where} for row in rows]
        if options.csv:  # after every cloud: a run that is stopped keeps what it has
            with options.csv.open("w", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=list(table[0]))
                writer.writeheader()
                writer.writerows(table)
    return None


if __name__ == "__main__":
    main()
