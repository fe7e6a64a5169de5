"""The steps of a run beside their floors: what each takes on one core, and what it could not be done in less than.

    python benchmarks/floors.py

A floor is the arithmetic that a step needs at the speed of this machine's matrix product, the bytes that it must read
at the speed of reading memory, or the values that it must sort at the speed of NumPy's sort, whichever takes longest.
All are CPU seconds of one thread, measured in this run. A step far above its floor does more than it must, or what it
must do cannot be done as a matrix product; one below it found a way to do less.
"""

import os

# Before NumPy and PyTorch start their threads.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from mapper import activations
from persistence import make_cloud
from sliced_wasserstein import made_up_diagram
from torch.utils.flop_counter import FlopCounterMode
from training import load

from cnn_topology.clouds.density import density_filter
from cnn_topology.mapper.cover import OverlapCover, memberships
from cnn_topology.mapper.lenses import norm_lens
from cnn_topology.mapper.recipes import mapper_of_activations
from cnn_topology.networks.patches import random_filters
from cnn_topology.networks.resnet import make_resnet
from cnn_topology.plan.populations import Architecture, Recipe
from cnn_topology.plan.resnets import PHResNets
from cnn_topology.runs.machine import processor
from cnn_topology.topology.persistence import barcode
from cnn_topology.topology.sliced_wasserstein import DIRECTIONS, sliced_wasserstein_matrix
from cnn_topology.training.devices import choose_precision, settings
from cnn_topology.training.stack import Stack

CPU = torch.device("cpu")
# Step, CPU seconds, floor in seconds, and what the floor is.
Line = tuple[str, float, float, str]


def seconds(work: Callable[[], Any], repeats: int = 5) -> float:
    """Return the least CPU seconds of some calls after one that is not counted."""
    work()
    taken = []
    for _ in range(repeats):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return min(taken)


def operations_per_second(dtype: torch.dtype) -> float:
    """Measure multiplications and additions per second of a product of square matrices."""
    side = 1_024
    square = torch.randn(side, side).to(dtype)
    return 2 * side**3 / seconds(lambda: square @ square)


def bytes_per_second(size: int) -> float:
    """Measure how fast a table of so many bytes is read in order."""
    table = np.random.default_rng(0).integers(0, 2**63, size // 8)
    repeats = max(1, 2**27 // size)
    return repeats * size / seconds(lambda: [np.bitwise_or.reduce(table) for _ in range(repeats)])


def sorted_per_second() -> float:
    """Measure how many random float32 are sorted per second."""
    values = np.random.default_rng(0).random(2_000_000, dtype=np.float32)
    return len(values) / seconds(lambda: np.sort(values))


def training() -> Line:
    """Train M(64, 32, 64) for an iteration of 128 images."""
    x, y, _, _ = load(None)
    architecture, recipe = Architecture(convolutions=(64, 32), dense=(64,)), Recipe(batch_size=128)
    dtype = choose_precision(recipe.precision, CPU)
    steps = 20
    with settings(CPU, 1):
        stack = Stack(architecture, recipe, x, y, 10, (0,), CPU, dtype)
        took = seconds(lambda: stack.train(steps)) / steps
    # Forwards once, backwards once for the weights and once for what comes in, which the first layer leaves out.
    first, others = 28 * 28 * 9 * 64, 14 * 14 * 64 * 9 * 32 + 7 * 7 * 32 * 64 + 64 * 10
    operations = 2 * 128 * (2 * first + 3 * others)
    name = str(dtype).removeprefix("torch.")
    return "training, one iteration", took, operations / operations_per_second(dtype), f"its products in {name}"


def kept_filters() -> Line:
    """Find the filters that rho(100, 0.1) keeps of 65,536."""
    points, k = random_filters(65_536, np.random.default_rng(0)), 100
    read = len(points) * k * points.shape[1] * 4
    return (
        "density filter, 65,536 filters",
        seconds(lambda: density_filter(points, k, 0.1), 2),
        read / bytes_per_second(2**27),
        "reading the 100 nearest of each once",
    )


def barcodes() -> Iterator[Line]:
    """Compute the exact barcodes of 2,000 filters."""
    pairs = 2_000 * 1_999 / 2
    least = pairs * 18 / operations_per_second(torch.float64) + pairs / sorted_per_second()
    for shape, cloud in (("noise", "sphere"), ("noisy circle", "circle")):
        points = make_cloud(cloud, 2_000)
        took = seconds(lambda points=points: barcode(points))
        yield f"barcode, 2,000 filters, {shape}", took, least, "all distances once, sorted once"


def distances_of_diagrams() -> Line:
    """Compute all sliced Wasserstein distances of 100 diagrams of 500 bars."""
    diagrams = [made_up_diagram(number, number % 17, 500) for number in range(100)]
    # Of both diagrams of a pair, in each direction, all projected points and those of the other's diagonal.
    read = len(diagrams) * (len(diagrams) - 1) / 2 * DIRECTIONS * 2 * 1_000 * 8
    return (
        "sliced Wasserstein, 4,950 pairs of 500 bars",
        seconds(lambda: sliced_wasserstein_matrix(diagrams), 2),
        read / bytes_per_second(2**17),
        "reading both sorted projections, from the cache",
    )


def extraction() -> Line:
    """Run a residual network of the activations paper over 64 images."""
    section = PHResNets(images="cifar10", variant="ph", widths=(64, 128, 256, 512))
    network, images = make_resnet(section, 3, 10, 0).eval(), torch.randn(64, 3, 32, 32)
    with torch.no_grad(), settings(CPU, 1):
        with FlopCounterMode(display=False) as counter:
            network(images)
        took = seconds(lambda: network(images), 2)
    return (
        "forward pass of ResNet-18, 64 images",
        took,
        counter.get_total_flops() / operations_per_second(torch.float32),
        "its products in float32",
    )


def mapper_graph() -> Line:
    """Build the mapper graph of 10,000 activations of 512 channels."""
    points, cover = activations(10_000, 512), OverlapCover(40, 0.25)
    sizes = np.diff(memberships(norm_lens(points), cover).starts).astype(float)
    operations = (sizes * (sizes - 1) / 2 * 2 * 512).sum()
    return (
        "mapper graph, 10,000 activations in R^512",
        seconds(lambda: mapper_of_activations(points, cover, 9.7), 2),
        operations / operations_per_second(torch.float32),
        "distances within each interval once",
    )


def steps() -> Iterator[Line]:
    """Measure one step after the other."""
    yield training()
    yield kept_filters()
    yield from barcodes()
    yield distances_of_diagrams()
    yield extraction()
    yield mapper_graph()


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    print(f"{processor()}, one thread\n{'step':<44} {'took s':>8} {'floor s':>8} {'times':>6}  floor")
    for name, took, floor, what in steps():
        print(f"{name:<44} {took:>8.4f} {floor:>8.4f} {took / floor:>6.1f}  {what}", flush=True)


if __name__ == "__main__":
    main()
