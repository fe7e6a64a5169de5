"""Both papers the obvious way and by this package: the same data, the same numbers, one ratio a paper.

The obvious way is what one writes first with the usual libraries: a plain PyTorch loop, scikit-learn's neighbours,
Ripser, persim pair by pair, KeplerMapper with DBSCAN, as the released scripts use them. Every result of the two ways is
compared before a time is printed; two trainings draw other batches, so of them accuracies are compared. Times are CPU
seconds of one thread at two sizes, the first that of `config/demo.yaml`; the papers' sizes, from their configs, follow
by the growth between the two.

    OMP_NUM_THREADS=1 python benchmarks/obvious_way.py            # ten minutes on a quiet machine
    OMP_NUM_THREADS=1 python benchmarks/obvious_way.py --quick    # a quarter of the demo, without the papers' sizes
"""

import argparse
import platform
import time
import warnings
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import persim
import torch
import training
from layer_measures import CHANNELS, made_up_cloud
from ripser import ripser
from scipy.spatial.distance import squareform
from sklearn.cluster import DBSCAN
from sklearn.neighbors import NearestNeighbors

import cnn_topology as ct
from cnn_topology.comparison.measures import compare_all
from cnn_topology.mapper.clustering import Dbscan
from cnn_topology.mapper.cover import GainCover
from cnn_topology.mapper.graph import mapper_graph
from cnn_topology.mapper.lenses import norm_lens
from cnn_topology.plan.config import read_config
from cnn_topology.plan.expand import Plan
from cnn_topology.statistics.null_clouds import sphere_null_cloud

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it loads is not ours to mend
    import kmapper

CONFIGS = Path(__file__).parents[1] / "config"
DEMO, WEIGHTS, ACTIVATIONS = (
    Plan(read_config(CONFIGS / f"{name}.yaml")) for name in ("demo", "weights-paper", "activations-paper")
)
# The first experiment of each: networks that learn MNIST, the filters of their first layer, its density filter.
TRAINED, LEARNED = DEMO.config.populations["wide"], WEIGHTS.config.populations["mnist"]
CLOUD = DEMO.layer_clouds[0]
K, P = (getattr(CLOUD.headline, name) for name in ("k", "p"))
CLOUDS = 1 + len(DEMO.config.significance.nulls) * DEMO.config.significance.draws
# Layers and images that are compared, of all networks.
COMPARED, PUBLISHED = (plan.config.activation_clouds["top-l2"] for plan in (DEMO, ACTIVATIONS))
DIAGRAMS, ALL_DIAGRAMS = (
    plan.config.resnets["ph"].networks * len(plan.activation_layers("top-l2")) for plan in (DEMO, ACTIVATIONS)
)
# Mapper graphs of the largest clouds of the demo, and of a vector an image of the paper. Their radius: runs find it for
# each cloud.
GRAPH, FULL, RANDOM = (
    DEMO.config.activation_mapper["elbow"],
    DEMO.config.activation_clouds["full"],
    ACTIVATIONS.config.activation_clouds["random"],
)
EPS = 6.0
# A way is tried again until so many seconds are over.
TRIED = 0.5


@dataclass(frozen=True)
class Work:
    """One piece of work in two ways, and how much of it a paper does.

    Attributes
    ----------
    name : str
    make : callable
        From a size to the data that both ways are given.
    obvious, ours : callable
        From the data to the result.
    agree : callable
        Whether two results are the same numbers.
    sizes : tuple of int
        Those that are measured, the demo's first.
    paper : int
        That of the paper.
    times : tuple of int
        How often the demo and the paper do it.
    growth : tuple of float or None
        The exponents of both times in the size where they are known.
    """

    name: str
    make: Callable[[int], Any]
    obvious: Callable[[Any], Any]
    ours: Callable[[Any], Any]
    agree: Callable[[Any, Any], bool]
    sizes: tuple[int, int]
    paper: int
    times: tuple[int, int]
    growth: tuple[float | None, float | None] = (None, None)


def measured(work: Work, sizes: tuple[int, int]) -> np.ndarray:
    """Return CPU seconds, the least of some tries, shape (2 sizes, 2 ways); stop where the two ways disagree."""
    seconds = np.full((2, 2), np.inf)
    work.obvious(work.make(sizes[0]))  # loads code
    for size in sizes:  # and compiles it: large clouds have kernels of their own
        work.ours(work.make(size))
    for row, size in enumerate(sizes):
        data, results = work.make(size), []
        for column, way in enumerate((work.obvious, work.ours)):
            end = time.process_time() + TRIED
            while seconds[row, column] == np.inf or time.process_time() < end:
                before = time.process_time()
                result = way(data)
                seconds[row, column] = min(seconds[row, column], time.process_time() - before)
            results.append(result)
        if not work.agree(*results):
            raise SystemExit(f"{work.name} at size {size}: the two ways disagree: {results}")
    return seconds


def trained(way: Callable[..., tuple[float, float, float]], steps: int) -> float:
    recipe, widths = TRAINED.recipe, TRAINED.architecture
    settings = {"images": None, "convolutions": widths.convolutions, "dense": widths.dense, "precision": "auto"}
    learning = {"learning_rate": recipe.learning_rate, "batch": recipe.batch_size, "steps": steps}
    return way(Namespace(**settings, **learning, seed=0, stack=1), torch.device("cpu"))[2]


def densest(points: np.ndarray) -> np.ndarray:
    """Keep the densest points as one writes it first."""
    k = round(K * len(points))
    distances, _ = NearestNeighbors(n_neighbors=k + 1).fit(points).kneighbors(points)
    return np.sort(np.argsort(distances[:, k], kind="stable")[: int(P * len(points) + 0.5)])


def lengths(diagram: np.ndarray) -> np.ndarray:
    return np.sort(diagram[:, 1] - diagram[:, 0])[::-1]


def obvious_loops(points: np.ndarray) -> np.ndarray:
    return lengths(ripser(points[densest(points)])["dgms"][1])


def our_loops(points: np.ndarray) -> np.ndarray:
    return ct.barcode(points[ct.density_filter(points, round(K * len(points)), P)]).lengths(1)


def activations(images: int, network: int = 0, layer: int = 1) -> np.ndarray:
    return np.maximum(made_up_cloud(network, layer, images), 0)


def diagrams(count: int) -> list[np.ndarray]:
    """Compute diagrams of as many bars as the paper's have."""
    return [
        ct.barcode(activations(PUBLISHED.n_images, number, number % len(CHANNELS))).in_dimension(1)
        for number in range(count)
    ]


def obvious_distances(bars: list[np.ndarray]) -> np.ndarray:
    """Compare all pairs one by one."""
    values = [persim.sliced_wasserstein(one, other) for i, one in enumerate(bars) for other in bars[i + 1 :]]
    return squareform(values)


def obvious_graph(points: np.ndarray) -> list[list[int]]:
    """Return the nodes of the mapper graph of the l2 norm, each as its sorted points."""
    cover = kmapper.Cover(n_cubes=GRAPH.intervals, perc_overlap=GRAPH.overlap)
    mapper, clusterer = kmapper.KeplerMapper(), DBSCAN(eps=EPS, min_samples=GRAPH.min_samples)
    graph = mapper.map(np.linalg.norm(points, axis=1)[:, None], points, cover=cover, clusterer=clusterer)
    return sorted(map(sorted, graph["nodes"].values()))


def our_graph(points: np.ndarray) -> list[list[int]]:
    cover = GainCover(GRAPH.intervals, 1 / (1 - GRAPH.overlap))
    graph = mapper_graph(points, norm_lens(points), cover, Dbscan(EPS, GRAPH.min_samples))
    return sorted(sorted(nodes.tolist()) for nodes in np.split(graph.members, graph.starts[1:-1]))


def close(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and np.allclose(one, other, rtol=1e-5, atol=1e-6)


def similar(one: float, other: float) -> bool:
    return abs(one - other) < 0.1


def filters(count: int) -> np.ndarray:
    return sphere_null_cloud(count, np.random.default_rng(0))


def our_barcode(points: np.ndarray) -> np.ndarray:
    return ct.barcode(points).lengths(1)


def obvious_barcode(points: np.ndarray) -> np.ndarray:
    return lengths(ripser(points)["dgms"][1])


# Of the demo both populations count, of the paper the first. A quarter of the steps and half of the diagrams are
# measured.
STEPS, POPULATIONS = TRAINED.recipe.iterations // 4, DEMO.config.populations.values()
PAPERS = {
    "weights paper": (
        Work(
            "training, steps", int, partial(trained, training.plain), partial(trained, training.ours), similar,
            (STEPS, 2 * STEPS), LEARNED.recipe.iterations,
            (4 * sum(section.networks for section in POPULATIONS), LEARNED.networks), growth=(1, 1),
        ),
        Work(
            "loops of filters and nulls", filters, obvious_loops, our_loops, close, (CLOUD.points, 2_048),
            WEIGHTS.layer_clouds[0].points, (CLOUDS * len(POPULATIONS), CLOUDS),
        ),
    ),
    "activations paper": (
        Work(
            "barcodes of layers, images", activations, obvious_barcode, our_barcode, close,
            (COMPARED.n_images, 2 * COMPARED.n_images), PUBLISHED.n_images, (DIAGRAMS, ALL_DIAGRAMS),
        ),
        Work(
            "all distances, diagrams", diagrams, obvious_distances, partial(compare_all, "sliced_wasserstein"), close,
            (DIAGRAMS // 2, DIAGRAMS), ALL_DIAGRAMS, (4, 1), growth=(2, None),
        ),
        Work(
            "mapper graph, vectors", activations, obvious_graph, our_graph, list.__eq__,
            (FULL.max_points, 2 * FULL.max_points), RANDOM.n_images, (len(FULL.layers), len(RANDOM.layers)),
        ),
    ),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a quarter of the sizes")
    quick = parser.parse_args().quick
    print(f"{platform.processor() or platform.machine()}, CPU seconds of one thread, the obvious way / ours = ratio")
    for paper, works in PAPERS.items():
        totals = np.zeros((2, 2))
        for work in works:
            sizes = (work.sizes[0] // 8, work.sizes[0] // 4) if quick else work.sizes
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of persim and KeplerMapper
                seconds = measured(work, sizes)
            if quick:
                lines = np.stack([seconds[1] * work.times[0]] * 2)
            else:
                between = np.log(seconds[1] / seconds[0]) / np.log(sizes[1] / sizes[0])
                growth = np.array([known or seen for known, seen in zip(work.growth, between, strict=True)])
                at_paper = seconds[1] * (work.paper / sizes[1]) ** growth
                lines = np.stack([seconds[0] * work.times[0], at_paper * work.times[1]])
            totals += lines
            print(f"  {work.name:28}" + _ratios(lines, quick), flush=True)
        print(f"{paper:30}" + _ratios(totals, quick), flush=True)


def _ratios(lines: np.ndarray, quick: bool) -> str:
    demo, paper = (f"{row[0]:.3g} s / {row[1]:.3g} s = {row[0] / row[1]:.1f}" for row in lines)
    return f"a quarter of the demo: {demo}" if quick else f"demo: {demo}; paper: {paper}"


if __name__ == "__main__":
    main()
