"""k-th neighbour distances of filter clouds: seconds, and the ratio to scikit-learn's exact searches in one run.

    python benchmarks/neighbours.py [--points 6400 65536 262144] [--k 100] [--threads 2]

Every method answers the same questions and must give the same distances. On clouds of more than `SUBSET` points
scikit-learn is asked for a random subset of the points and its time scaled up, because it takes minutes.
CPU seconds are compared where other work shares the machine. Prints one line per cloud, size and method.
"""

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np
from sklearn.neighbors import NearestNeighbors

from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.topology.patches import edge_patch, noisy, random_filters

SUBSET = 8_192


def clouds(points: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Make noise, the hardest case, and a layer of which a third are noisy edges."""
    edges = noisy(edge_patch(rng.uniform(0, 2 * np.pi, points // 3)), 0.3, rng)
    return {
        "random filters": random_filters(points, rng),
        "one third edges": np.concatenate([edges, random_filters(points - len(edges), rng)]),
    }


def timed(function: Callable[[], np.ndarray]) -> tuple[np.ndarray, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def sklearn_distances(cloud: np.ndarray, queries: np.ndarray, k: int, algorithm: str, threads: int) -> np.ndarray:
    search = NearestNeighbors(n_neighbors=k + 1, algorithm=algorithm, n_jobs=threads).fit(cloud)
    return search.kneighbors(cloud[queries])[0][:, -1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[6_400, 65_536, 262_144])
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    k, threads = arguments.k, arguments.threads
    rng = np.random.default_rng(0)
    for points in arguments.points:
        queries = rng.permutation(points)[:SUBSET]
        for name, cloud in clouds(points, rng).items():
            where = f"{name:16} N={points:<7} k={k}"
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            ours, wall, cpu = timed(lambda c=cloud: neighbour_distances(c, [k], threads)[:, 0])
            peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            print(f"{where}  ours            wall {wall:7.2f} s  cpu {cpu:7.2f} s  peak +{peak:.0f} MB", flush=True)
            for algorithm in ("brute", "kd_tree"):
                found, sk_wall, sk_cpu = timed(
                    lambda c=cloud, q=queries, a=algorithm: sklearn_distances(c, q, k, a, threads)
                )
                scale = points / len(queries)
                error = np.abs(found - ours[queries]).max()
                print(
                    f"{where}  sklearn {algorithm:7} wall {sk_wall * scale:7.2f} s  cpu {sk_cpu * scale:7.2f} s  "
                    f"ratio to ours wall {sk_wall * scale / wall:.2f} cpu {sk_cpu * scale / cpu:.2f}  "
                    f"largest difference {error:.1e}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
