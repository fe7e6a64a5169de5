"""What all comparisons of layers across the paper's 100 networks cost (P3), by measure, from one pair of networks.

The clouds are like those of the activations paper: 17 layers of 64 to 512 channels on 1,000 images, with a spectrum
that falls as a power. Run with OMP_NUM_THREADS=1, so that CPU time is time on one core.

    OMP_NUM_THREADS=1 python benchmarks/layer_measures.py
"""

import argparse
import platform
import resource
import time

import numpy as np

from cnn_topology.comparison.measures import MEASURES
from cnn_topology.seeds import derive_seed

# The paper: 100 networks, whose pairs (each network with itself too) are cut into blocks of 5 by 5 networks.
NETWORKS, BLOCK = 100, 5
CHANNELS = (64,) * 5 + (128,) * 4 + (256,) * 4 + (512,) * 4


def made_up_cloud(network: int, layer: int, images: int) -> np.ndarray:
    """Draw a cloud (images, channels) whose k-th principal component has a standard deviation of about 1 / sqrt(k)."""
    rng = np.random.default_rng(derive_seed("benchmark cloud", network, layer))
    channels = CHANNELS[layer]
    return rng.normal(size=(images, channels)) / np.sqrt(1 + np.arange(channels))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    options = parser.parse_args()
    first, second = (
        [made_up_cloud(network, layer, options.images) for layer in range(len(CHANNELS))] for network in (0, 1)
    )
    groups = NETWORKS // BLOCK
    blocks = groups * (groups + 1) // 2
    prepared_networks, pairs = blocks * 2 * BLOCK - groups * BLOCK, NETWORKS * (NETWORKS + 1) // 2
    print(f"{platform.processor() or platform.machine()}; {options.images} images, {len(CHANNELS)} layers")
    print(f"{'measure':22} {'prepare, s':>12} {'pair, s':>10} {'all pairs, core-hours':>22}")
    for measure in MEASURES.values():
        if measure.takes != "clouds":
            continue
        start = time.process_time()
        rows = [measure.prepare(points) for points in first]
        columns = [measure.prepare(points) for points in second]
        prepare = (time.process_time() - start) / 2
        start = time.process_time()
        for row in rows:
            for column in columns:
                measure.function(row, column)
        pair = time.process_time() - start
        directions = 1 if measure.symmetric else 2
        hours = (prepared_networks * prepare + directions * pairs * pair) / 3600
        print(f"{measure.name:22} {prepare:12.2f} {pair:10.2f} {hours:22.1f}", flush=True)
    print(f"peak memory here {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
