"""One draw of the sphere null by number of filters: seconds of CPU of each step, all on one thread.

    python benchmarks/null_draw.py [--points 6400 12288 51200 204800] [--k 100] [--p 0.1] [--landmarks 2000]

The steps are those of `statistics.nulls`: random filters, rho(k, p), max-min landmarks where more are kept,
persistence. The permuted null differs in how its filters are made. With `--search` also the search for the k-th
neighbour of every point, which keeps the same points and served until November 2026.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from cnn_topology.clouds.density import densest_points, density_filter
from cnn_topology.clouds.neighbours import neighbour_distances
from cnn_topology.statistics.null_clouds import permuted_null, sphere_null_cloud
from cnn_topology.topology.landmarks import landmarks_maxmin
from cnn_topology.topology.persistence import barcode


def draw(points: int, k: int, p: float, landmarks: int, search: bool = False) -> dict[str, float]:
    """Return the CPU seconds of the steps of one draw."""
    seconds = {}

    def timed(step: str, function: Callable[[], Any]) -> Any:
        before = time.process_time()
        result = function()
        seconds[step] = time.process_time() - before
        return result

    cloud = timed("sphere", lambda: sphere_null_cloud(points, np.random.default_rng(0)))
    timed("permuted", lambda: permuted_null(cloud)(np.random.default_rng(1)))
    chosen = timed("rho", lambda: density_filter(cloud, k, p))
    if search:
        distances = timed("search", lambda: neighbour_distances(cloud, [k])[:, 0])
        assert np.array_equal(chosen, densest_points(distances, p))
    kept = cloud[chosen]
    if len(kept) > landmarks:
        kept = timed("landmarks", lambda: kept[landmarks_maxmin(kept, landmarks)[0]])
    timed("persistence", lambda: barcode(kept))
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[6_400, 12_288, 51_200, 204_800])
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--p", type=float, default=0.1)
    parser.add_argument("--landmarks", type=int, default=2_000)
    parser.add_argument("--search", action="store_true")
    arguments = parser.parse_args()
    draw(2_000, 20, 0.1, 50)  # load the compiled code
    for points in arguments.points:
        seconds = draw(points, arguments.k, arguments.p, arguments.landmarks, arguments.search)
        total = sum(seconds.values()) - seconds["permuted"] - seconds.get("search", 0)
        steps = "  ".join(f"{step} {spent:.3f}" for step, spent in seconds.items())
        print(f"N={points:<7} k={arguments.k} p={arguments.p}  {steps}  a draw {total:.2f} s", flush=True)


if __name__ == "__main__":
    main()
