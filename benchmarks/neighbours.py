"""k-th neighbour distances of filter clouds: seconds, and the ratio to SciPy's and scikit-learn's in one run.

    python benchmarks/neighbours.py [--points 6400 51200 262144] [--k 100] [--threads 1]

Every method answers the same questions and must give the same distances. On clouds of more than `SUBSET` points the
others are asked for a random subset of the points and the time of these answers is scaled up, because they take
minutes. CPU seconds are compared where other work shares the machine. Prints one line per cloud, size and method.
"""

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from sklearn.neighbors import NearestNeighbors

from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.topology.patches import edge_patch, noisy, random_filters

SUBSET = 8_192
# Points per leaf of SciPy's tree: of 10, 32 and 100 the fastest for unit-norm filters and k = 100.
SCIPY_LEAF = 32


def clouds(points: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Build noise, the hardest case, and a layer of which a third are noisy edges."""
    edges = noisy(edge_patch(rng.uniform(0, 2 * np.pi, points // 3)), 0.3, rng)
    return {
        "random filters": random_filters(points, rng),
        "one third edges": np.concatenate([edges, random_filters(points - len(edges), rng)]),
    }


def timed(function: Callable[[], Any]) -> tuple[Any, np.ndarray]:
    """Return what a function gives, and its wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return result, np.array([time.perf_counter() - wall, time.process_time() - cpu])


def others(k: int, threads: int) -> dict[str, tuple[Callable, Callable]]:
    """Return for each method how it prepares a cloud, and how it then answers queries."""

    def sklearn(algorithm: str) -> tuple[Callable, Callable]:
        return (
            lambda cloud: NearestNeighbors(n_neighbors=k + 1, algorithm=algorithm, n_jobs=threads).fit(cloud),
            lambda search, queries: search.kneighbors(queries)[0][:, -1],
        )

    return {
        "scipy cKDTree": (
            lambda cloud: cKDTree(cloud, leafsize=SCIPY_LEAF),
            lambda tree, queries: tree.query(queries, k=[k + 1], workers=threads)[0][:, 0],
        ),
        "sklearn kd_tree": sklearn("kd_tree"),
        "sklearn brute": sklearn("brute"),
    }


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "unknown processor"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[6_400, 51_200, 262_144])
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    k, threads = arguments.k, arguments.threads
    rng = np.random.default_rng(0)
    neighbour_distances(rng.standard_normal((1_000, 9)), [1], threads)  # load the compiled code
    print(f"{processor()}, {threads} threads")
    for points in arguments.points:
        asked = np.sort(rng.permutation(points)[:SUBSET])
        for name, cloud in clouds(points, rng).items():
            where = f"{name:15} N={points:<7} k={k}"
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            ours, spent = timed(lambda c=cloud: neighbour_distances(c, [k], threads)[:, 0])
            peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            print(
                f"{where}  ours             wall {spent[0]:7.2f} s  cpu {spent[1]:7.2f} s  peak +{peak:.0f} MB",
                flush=True,
            )
            for method, (prepare, answer) in others(k, threads).items():
                search, first = timed(lambda c=cloud, p=prepare: p(c))
                found, then = timed(lambda s=search, q=cloud[asked], a=answer: a(s, q))
                theirs = first + then * points / len(asked)
                print(
                    f"{where}  {method:15}  wall {theirs[0]:7.2f} s  cpu {theirs[1]:7.2f} s  "
                    f"ratio to ours: wall {theirs[0] / spent[0]:.2f}, cpu {theirs[1] / spent[1]:.2f}  "
                    f"largest difference {np.abs(found - ours[asked]).max():.1e}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
