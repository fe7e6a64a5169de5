"""Mapper graphs: seconds, peak memory and size of the graph, against KeplerMapper.

Run ``python benchmarks/mapper.py`` for the sizes both finish soon, ``--large`` for 100,000 and 262,144 filters (without
the peer, which compares all pairs of nodes) and 50,000 activations of 512 channels. Each line is a process of its own
on one core; its memory includes the making of the input, its seconds do not, nor compilation.
"""

import argparse
import os
import resource
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from cnn_topology.mapper.clustering import Clustering, Dbscan, FirstGap
from cnn_topology.mapper.cover import GainCover, OverlapCover
from cnn_topology.mapper.homology import filled_loops
from cnn_topology.mapper.lenses import norm_lens, pca_lens
from cnn_topology.mapper.metric import elbow_eps, variance_normalized
from cnn_topology.mapper.recipes import mapper_of_activations, mapper_of_filters

Line = tuple[float, float, int, int, str]


def filters(count: int) -> np.ndarray:
    """Draw unit-norm 3x3 filters: half noisy edges of all angles, half noise."""
    generator = np.random.default_rng(0)
    x, y = np.tile([-1.0, 0.0, 1.0], 3), np.repeat([-1.0, 0.0, 1.0], 3)
    angle = generator.uniform(0, 2 * np.pi, count)[:, None]
    edges = (np.cos(angle) * x + np.sin(angle) * 1.1 * y) / np.sqrt(6)
    noise = generator.normal(size=(count, 9))
    cloud = np.where(generator.random((count, 1)) < 0.5, edges + 0.1 * noise, noise)
    cloud -= cloud.mean(axis=1, keepdims=True)
    return cloud / np.linalg.norm(cloud, axis=1, keepdims=True)


def activations(count: int, channels: int) -> np.ndarray:
    """Draw non-negative activations around ten class means of varying length."""
    generator = np.random.default_rng(0)
    means = np.abs(generator.normal(size=(10, channels)))
    length = generator.gamma(4, 0.25, size=(count, 1))
    noise = 0.3 * generator.normal(size=(count, channels))
    return np.maximum(means[generator.integers(0, 10, count)] * length + noise, 0).astype(np.float32)


def ours_filters(count: int, clustering: Clustering) -> Line:
    mapper_of_filters(filters(300), clustering=clustering)
    cloud = filters(count)
    begin = time.perf_counter()
    graph = mapper_of_filters(cloud, GainCover(30, 3), clustering)
    seconds = time.perf_counter() - begin
    return seconds, _peak(), graph.nodes, len(graph.edges), f"{filled_loops(graph)} loops once cliques are filled"


def ours_activations(count: int, channels: int, eps: float | str) -> Line:
    mapper_of_activations(activations(300, 8), OverlapCover(40, 0.25), eps=1.0)
    cloud = activations(count, channels)
    begin = time.perf_counter()
    # Given a radius, the cover is the peer's: cells widened about their centres.
    cover = OverlapCover(40, 0.25) if eps == "elbow" else GainCover(40, 4 / 3)
    radius = elbow_eps(cloud, seed=0) if isinstance(eps, str) else eps
    graph = mapper_of_activations(cloud, cover, radius)
    seconds = time.perf_counter() - begin
    return seconds, _peak(), graph.nodes, len(graph.edges), f"eps {radius:g}"


def kepler_filters(count: int, clustering: Dbscan) -> Line:
    """Time KeplerMapper on the same lens, cover, metric and clustering."""
    warnings.simplefilter("ignore")
    import kmapper
    from sklearn.cluster import DBSCAN

    cloud = filters(count)
    begin = time.perf_counter()
    scaled, lens = variance_normalized(cloud), pca_lens(cloud)
    peer = DBSCAN(eps=clustering.eps, min_samples=clustering.min_samples)
    cover = kmapper.Cover(n_cubes=30, perc_overlap=1 - 1 / 3)
    graph = kmapper.KeplerMapper().map(lens, scaled, cover=cover, clusterer=peer)
    seconds = time.perf_counter() - begin
    edges = {frozenset((a, b)) for a, others in graph["links"].items() for b in others}
    return seconds, _peak(), len(graph["nodes"]), len(edges), ""


def kepler_activations(count: int, channels: int, eps: float) -> Line:
    """Time KeplerMapper with scikit-learn's DBSCAN on the same lens and cover."""
    warnings.simplefilter("ignore")
    import kmapper
    from sklearn.cluster import DBSCAN

    cloud = activations(count, channels)
    begin = time.perf_counter()
    cover = kmapper.Cover(n_cubes=40, perc_overlap=0.25)
    peer = DBSCAN(eps=eps, min_samples=5)
    graph = kmapper.KeplerMapper().map(norm_lens(cloud), cloud, cover=cover, clusterer=peer)
    seconds = time.perf_counter() - begin
    edges = {frozenset((a, b)) for a, others in graph["links"].items() for b in others}
    return seconds, _peak(), len(graph["nodes"]), len(edges), ""


def beside(label: str, function, peer, *arguments) -> None:
    """Run a case and the peer's, and print the ratio."""
    ours = measured(label, function, *arguments)
    theirs = measured("  KeplerMapper", peer, *arguments)
    same = "same" if ours[2:4] == theirs[2:4] else "NOT the same"
    print(f"  ratio {theirs[0] / ours[0]:.1f} in time, {theirs[1] / ours[1]:.1f} in memory; {same} counts")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measured(label: str, function, *arguments) -> Line:
    """Run one case in a fresh process and print its line."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        line = pool.submit(function, *arguments).result()
    seconds, peak, nodes, edges, note = line
    print(f"{label:52} {seconds:8.2f} s {peak:6.2f} GB {nodes:7} nodes {edges:8} edges  {note}", flush=True)
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="also the sizes of the papers")
    large = parser.parse_args().large
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    for eps in (0.8, 1.2):
        label = f"6,400 filters, 30 x 30, gain 3, DBSCAN({eps}, 3)"
        beside(label, ours_filters, kepler_filters, 6400, Dbscan(eps, 3))
    for count, channels, eps in ((10_000, 64, 5.3), (10_000, 512, 9.7)):
        label = f"{count:,} activations x {channels}, 40 intervals, eps given"
        beside(label, ours_activations, kepler_activations, count, channels, eps)
    measured("6,400 filters, 30 x 30, gain 3, first gap", ours_filters, 6400, FirstGap())
    measured("10,000 activations x 64, 40 intervals, elbow eps", ours_activations, 10_000, 64, "elbow")
    if not large:
        return
    for clustering in (FirstGap(), Dbscan(0.6, 1), Dbscan(0.6, 3)):
        measured(f"100,000 filters, 30 x 30, gain 3, {type(clustering).__name__}", ours_filters, 100_000, clustering)
    measured("262,144 filters, 30 x 30, gain 3, FirstGap", ours_filters, 262_144, FirstGap())
    beside("50,000 activations x 512, 40 intervals, eps given", ours_activations, kepler_activations, 50_000, 512, 9.7)
    measured("50,000 activations x 512, 40 intervals, elbow eps", ours_activations, 50_000, 512, "elbow")


if __name__ == "__main__":
    main()
