"""H0 and H1 side by side with RedZeD, our closest rival: CPU seconds of both, taking turns in one process.

    python benchmarks/redzed.py [--points 2000] [--rounds 5] [--only circle dense]      # needs redzed-tda

Two ratios a cloud, RedZeD's best of some rounds over ours: from points (RedZeD with SciPy's distances), and from the
same condensed float32 distances. The bars of dimension 1 must be equal. Last, dimension 2 of a torus by RedZeD and
Ripser behind the engine interface.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import redzed_tda
from neighbours import processor
from persistence import make_cloud, normalised
from scipy.spatial.distance import pdist

from cnn_topology.clouds.density import density_filter
from cnn_topology.topology.persistence import barcode


def torus(points: int, seed: int = 2) -> np.ndarray:
    """Draw points of a torus in space."""
    around, across = np.random.default_rng(seed).uniform(0, 2 * np.pi, (2, points))
    return np.column_stack(
        [(2 + np.cos(across)) * np.cos(around), (2 + np.cos(across)) * np.sin(around), np.sin(across)]
    )


def dense(points: int, seed: int = 3) -> np.ndarray:
    """Draw what a null draw of a deep layer keeps: the densest tenth of random filters."""
    filters = normalised(np.random.default_rng(seed).normal(size=(10 * points, 9)))
    return filters[density_filter(filters, 100, 0.1)]


CLOUDS: dict[str, Callable[[int], np.ndarray]] = {
    "circle": lambda n: make_cloud("circle", n),
    "torus": torus,
    "sphere": lambda n: make_cloud("sphere", n),
    "dense": dense,
    "relu512": lambda n: make_cloud("relu512", n),
}


def seconds(function: Callable[[], object]) -> float:
    """Return the CPU seconds of a call."""
    before = time.process_time()
    function()
    return time.process_time() - before


def ordered(bars: np.ndarray) -> np.ndarray:
    return bars[np.lexsort((bars[:, 1], bars[:, 0]))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=CLOUDS, default=list(CLOUDS))
    arguments = parser.parse_args()
    print(f"{processor()}, redzed-tda {redzed_tda.__version__}, best of {arguments.rounds} rounds, CPU milliseconds")
    print("cloud     points   ours  redzed  ratio   from the same distances: ours  redzed  ratio")
    for name in arguments.only:
        points = CLOUDS[name](arguments.points)
        distances = pdist(points).astype(np.float32)
        barcode(points[:300])
        barcode(distances=pdist(points[:300]))
        works: tuple[Callable[[], object], ...] = (
            lambda p=points: barcode(p),
            lambda p=points: redzed_tda.rips(pdist(p).astype(np.float32), maxdim=1),
            lambda d=distances: barcode(distances=d),
            lambda d=distances: redzed_tda.rips(d, maxdim=1),
        )
        spent = np.min([[seconds(work) for work in works] for _ in range(arguments.rounds)], axis=0) * 1e3
        theirs = redzed_tda.rips(distances, maxdim=1)[1]
        same = np.array_equal(ordered(theirs), ordered(barcode(distances=distances).in_dimension(1)))
        print(
            f"{name:8} {len(points):>7} {spent[0]:>6.0f} {spent[1]:>7.0f} {spent[1] / spent[0]:>6.1f} "
            f"{spent[2]:>30.0f} {spent[3]:>7.0f} {spent[3] / spent[2]:>6.1f}   bars equal: {same}",
            flush=True,
        )
    for count in (150, 250):
        points = torus(count)
        h2 = {
            engine: seconds(lambda p=points, e=engine: barcode(p, max_dimension=2, engine=e))
            for engine in ("redzed", "ripser")
        }
        print(
            f"H2 of a torus, {count} points: redzed {h2['redzed']:.2f} s, ripser {h2['ripser']:.2f} s, ratio "
            f"{h2['ripser'] / h2['redzed']:.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
