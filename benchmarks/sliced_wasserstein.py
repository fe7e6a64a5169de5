"""Sliced Wasserstein distances of all pairs of diagrams, side by side with persim.

The diagrams are like those of the activations paper: H1 of ``--layers`` layers for a number of networks, the scale of
a layer falling with its depth. `--layers 1` is the hard case: all diagrams alike, so that step functions cross often.

    python benchmarks/sliced_wasserstein.py                  # a sample, and the time projected for 1,700 diagrams
    python benchmarks/sliced_wasserstein.py --diagrams 1700  # all 1.44 million pairs
"""

import argparse
import platform
import resource
import time

import numpy as np
import persim

from cnn_topology.seeds import derive_seed
from cnn_topology.topology.sliced_wasserstein import DIRECTIONS, sliced_wasserstein_matrix

# The paper: 17 layers of 100 networks.
ALL_DIAGRAMS = 1700


def made_up_diagram(number: int, layer: int, bars: int) -> np.ndarray:
    """Draw births around the scale of the layer and lengths of about a tenth of it, shape (bars, 2)."""
    rng = np.random.default_rng(derive_seed("benchmark diagram", number))
    scale = np.exp(-0.15 * layer)
    birth = scale * rng.gamma(25, 1 / 25, bars)
    return np.stack([birth, birth + 0.1 * scale * rng.exponential(size=bars)], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--diagrams", type=int, default=170)
    parser.add_argument("--bars", type=int, default=500)
    parser.add_argument("--layers", type=int, default=17)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--persim-pairs", type=int, default=20)
    options = parser.parse_args()
    diagrams = [made_up_diagram(i, i % options.layers, options.bars) for i in range(options.diagrams)]
    sliced_wasserstein_matrix(diagrams[:2])  # compiles, or loads what was compiled

    wall, cpu = time.perf_counter(), time.process_time()
    values = sliced_wasserstein_matrix(diagrams, threads=options.threads)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    pairs = len(diagrams) * (len(diagrams) - 1) // 2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    rng = np.random.default_rng(0)
    chosen = [rng.choice(len(diagrams), 2, replace=False) for _ in range(options.persim_pairs)]
    theirs = time.process_time()
    reference = np.array([persim.sliced_wasserstein(diagrams[i], diagrams[j]) for i, j in chosen])
    theirs = (time.process_time() - theirs) / len(chosen)
    error = np.abs(np.array([values[i, j] for i, j in chosen]) / reference - 1).max()

    projected = cpu / pairs * ALL_DIAGRAMS * (ALL_DIAGRAMS - 1) / 2
    print(f"{platform.processor() or platform.machine()}, {options.threads} thread(s)")
    print(f"{len(diagrams)} diagrams of {options.bars} bars, {options.layers} scale(s), {DIRECTIONS} directions")
    print(f"ours    {pairs} pairs: wall {wall:.1f} s, CPU {cpu:.1f} s, {cpu / pairs * 1e6:.1f} us of CPU per pair")
    print(f"persim  {len(chosen)} pairs: {theirs * 1e6:.0f} us of CPU per pair")
    print(f"ratio   {theirs * pairs / cpu:.0f} times less CPU than persim; largest relative difference {error:.1e}")
    print(f"all {ALL_DIAGRAMS} diagrams: {projected:.0f} s of CPU; peak memory here {peak:.2f} GiB")


if __name__ == "__main__":
    main()
