"""What a job will cost, from the sizes in the config: the one place for the memory and run time that rules ask for.

Seconds are those of one core of the machine of the README (AMD EPYC with bfloat16 products, shared), fitted to the
benchmarks of the demo and to `benchmarks/results`; a job asks for several times as much, and for more at each retry.
Nothing heavy is imported here: the Snakefile is parsed in every job of a cluster.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from cnn_topology.plan.clouds import Variant, kept_points
from cnn_topology.plan.expand import LayerClouds, Plan
from cnn_topology.plan.images import FolderImages, TorchvisionImages, shape_of, size_of
from cnn_topology.plan.names import RunFolder
from cnn_topology.plan.networks import Shard
from cnn_topology.plan.populations import image_shape
from cnn_topology.plan.resnets import resnet_layers
from cnn_topology.runs.own_images import OwnSet, own_set
from cnn_topology.topology.forecasting import LOOP_BYTES
from cnn_topology.topology.forecasting import forecast as barcode_forecast

# What a job may take beyond its forecast before a cluster stops it, and the least it asks for: two live Snakemakes
# around it take 200 to 330 MB, and times wander by 2.5 on a shared machine.
TIME_MARGIN, LEAST_MINUTES = 4.0, 15
MEMORY_MARGIN, LEAST_MB = 1.3, 1_000
# Start of an interpreter with the libraries of a job, seconds, and what it then holds, MB.
PLAIN, NUMERIC, TORCH, DRAWING = (0.5, 130), (2.5, 260), (4.0, 1_000), (2.5, 380)

SECONDS_PER_FIGURE = 1.2

# Images of an own set of which nothing can be counted.
UNKNOWN_SET = (10_000, 2_000)
# Measured on own sets of up to 70,000 images of 64x64x3: what the interpreter holds, MB; how often a set lies in memory
# while its file is written; seconds of an image in an .npz file, and in a file of its own; MB of a photograph of 24
# megapixels while it is read.
IMAGES_MB, WRITTEN_COPIES, SECONDS_PER_IMAGE, SECONDS_PER_FILE, PHOTOGRAPH_MB = 130, 3, 4e-4, 2e-3, 290

# Training on the CPU: seconds per value of a convolution's output, and per product of a forward pass, for one image of
# one iteration of one network (M(64, 8, 64): 9.4 ms an iteration of 128 images; M(64, 32, 64): 23 ms).
SECONDS_PER_VALUE, SECONDS_PER_PRODUCT = 4.4e-10, 3.7e-11
# C takes more: 3x3 pools and normalization (C(64, 32, 64), 128 images of 24x24: 47 ms an iteration).
SECONDS_PER_NORMALIZED = 5.5e-9
# A test is a forward pass alone.
TEST_SHARE = 1 / 3
TESTED_IMAGES = 12_000
# Ours, not measured: how many such cores one GPU is worth in training.
CORES_PER_GPU = 30.0
# Distances to the k-th neighbour grow with this power of the points: noise of 2,000, 51,200 and 204,800 filters takes
# 0.014, 1.3 and 9.5 s at k = 100, 6,400 at k = 200 a third more than this (`benchmarks/null_draw.py`).
SECONDS_OF_NEIGHBOURS, NEIGHBOURS_POWER = 3.4e-7, 1.4
# Max-min landmarks, per landmark and point.
SECONDS_PER_LANDMARK = 2.5e-9
# Barcodes of noise, per pair of points and per triple; those of a circle, which `topology.forecasting` foretells, take
# three times as long.
SECONDS_PER_PAIR, SECONDS_PER_TRIPLE = 8e-8, 1e-12
# Klein coordinates and tests of the filters kept; mapper graphs: per point kept.
SECONDS_PER_KEPT, SECONDS_PER_MEMBER = 4e-5, 5e-4
# The named circles, per filter that is kept in a draw of the permuted null.
SECONDS_PER_CIRCLED = 1e-5
# Bytes of a row of a cloud in memory (its columns, several times over) and on disk without the neighbours' columns.
CLOUD_BYTES, CLOUD_ROW, NEIGHBOUR_ROW, KEPT_ROW = 800, 90, 8, 150


@dataclass(frozen=True)
class Demand:
    """The forecast of one job: wall seconds on one core or its GPU, peak memory and lasting files in MB, GPUs."""

    seconds: float
    memory_mb: float
    disk_mb: float = 0.0
    gpus: int = 0

    def limit_mb(self, attempt: int = 1) -> int:
        """Return the memory to ask for, MB."""
        return attempt * max(LEAST_MB, math.ceil(MEMORY_MARGIN * self.memory_mb / 100) * 100)

    def limit_minutes(self, attempt: int = 1) -> int:
        """Return the run time to ask for, minutes."""
        return attempt * max(LEAST_MINUTES, math.ceil(TIME_MARGIN * self.seconds / 60))


COLLECTED = Demand(PLAIN[0], 600, 1)
CONTROLS = Demand(NUMERIC[0], NUMERIC[1])
SUMMARY = Demand(1.5, 200)
PROVENANCE = Demand(PLAIN[0] + 2, 200)


def figures(count: int) -> Demand:
    """Forecast the drawing of so many figures by one job."""
    return Demand(DRAWING[0] + SECONDS_PER_FIGURE * count, DRAWING[1], 0.6 * count)


def images_used(plan: Plan, name: str) -> tuple[int, int]:
    """Count the training and the test images of a set that a run uses.

    Parameters
    ----------
    plan : Plan
        The run.
    name : str
        The key of the set under `images`.

    Returns
    -------
    (int, int)
        Of an own set as its files have them; `UNKNOWN_SET` where they cannot be read.
    """
    config = plan.config.images[name]
    own = _own_set(plan, name)
    there = own[:2] if own else UNKNOWN_SET
    sizes = (size_of(config, "train") or there[0], size_of(config, "test") or there[1])
    return (min(sizes[0], own.train), min(sizes[1], own.test)) if own else sizes


def _own_set(plan: Plan, name: str) -> OwnSet | None:
    return own_set(plan.config.images[name], Path(RunFolder(plan.config.name).images(name)))


def images_mb(plan: Plan, name: str) -> float:
    """Compute the MB of an image set as it lies in a run's folder, and in the memory of a job that reads it."""
    return sum(images_used(plan, name)) * math.prod(shape_of(plan.config.images[name])) / 1e6


def images(plan: Plan, name: str) -> Demand:
    """Forecast the preparation of an image set: read (or downloaded once) and brought to shape."""
    config = plan.config.images[name]
    count, size = sum(images_used(plan, name)), images_mb(plan, name)
    own = _own_set(plan, name)
    if own is None:
        fetched = 60.0 if isinstance(config, TorchvisionImages) else 0.0
        return Demand(fetched + 1 + 2e-4 * count, 100 + 8 * size, size)
    # What is read, the images drawn from it, these turned gray (at most a third) and brought to shape; of files one
    # photograph at a time. Then the result, with the copies that its file is written from.
    drawn = own.image_bytes / 1e6 * count
    read = own.read_bytes / 1e6 + (config.train is not None or config.test is not None) * drawn + drawn / 3 + size
    read += PHOTOGRAPH_MB if isinstance(config, FolderImages) else 0
    seconds = SECONDS_PER_FILE if isinstance(config, FolderImages) else SECONDS_PER_IMAGE
    return Demand(1 + seconds * count, IMAGES_MB + max(read, WRITTEN_COPIES * size), size)


def training(plan: Plan, shard: Shard) -> Demand:
    """Forecast the training of a shard, with the test of every network at every snapshot."""
    section, steps = plan.population(shard.population), plan.steps(shard.population)
    area = float(math.prod(image_shape(shape_of(plan.config.images[section.images]), section.recipe)[:2]))
    values = products = parameters = 0.0
    for layer in plan.layers(shard.population):
        weights = math.prod(layer.weight)
        parameters += weights + layer.weight[0]
        products += weights * (area if layer.kind == "convolution" else 1)
        if layer.kind == "convolution":
            values += area * layer.weight[0]
            area = area / 4 if layer.pooled else area
    per_value = SECONDS_PER_NORMALIZED if section.architecture.family == "C" else SECONDS_PER_VALUE
    image = values * per_value + products * SECONDS_PER_PRODUCT
    tests = (
        ((1 + len(section.cross_test)) * len(steps) + len(plan.test_steps(shard.population)))
        * TESTED_IMAGES
        * TEST_SHARE
    )
    seconds = shard.count * image * (section.recipe.iterations * section.recipe.batch + tests)
    shown = 3 * sum(images_mb(plan, name) for name in (section.images, *section.cross_test))
    snapshots = 4e-6 * parameters * shard.count * len(steps)
    gpus = plan.config.jobs.gpus
    seconds = seconds / CORES_PER_GPU if gpus else seconds
    return Demand(TORCH[0] + seconds, TORCH[1] + shown + 3 * snapshots / len(steps), snapshots, gpus)


def resnet(plan: Plan, population: str) -> Demand:
    """Forecast the training of one residual network; one whose weights are given is only tested."""
    section = plan.config.resnets[population]
    config = plan.config.images[section.images]
    shape = shape_of(config)
    values, products, parameters, wide = 0, 0, 0, int(shape[2])
    for layer in resnet_layers(section, shape):
        values += layer.height * layer.width * layer.channels
        products += layer.height * layer.width * layer.channels * wide * 9
        parameters += 9 * wide * layer.channels
        wide = layer.channels
    trained = 0 if section.checkpoints else section.recipe.epochs * images_used(plan, section.images)[0]
    pictures = trained * (1 + 1 / 15) or TESTED_IMAGES * TEST_SHARE
    seconds = pictures * (values * SECONDS_PER_VALUE + products * SECONDS_PER_PRODUCT)
    gpus = plan.config.jobs.gpus
    # On the CPU about four float32 copies of every activation of a batch are held; on a GPU they lie there.
    beside = 0.0 if gpus else 16e-6 * values * section.recipe.batch
    held = TORCH[1] + 3 * images_mb(plan, section.images) + 30e-6 * parameters + beside
    return Demand(TORCH[0] + (seconds / CORES_PER_GPU if gpus else seconds), held, 4e-6 * parameters, gpus)


def clouds(plan: Plan, layer: LayerClouds, steps: tuple[int, ...]) -> Demand:
    """Forecast the gathering of a layer's filters, with their distances to the k-th neighbour."""
    ks = {variant.k for step in steps for variant in layer.variants[step]}
    seconds = len(steps) * (_neighbours(layer.points) + 2e-6 * layer.points)
    row = CLOUD_ROW + NEIGHBOUR_ROW * len(ks)
    rows = layer.points * len(steps)
    return Demand(NUMERIC[0] + seconds, NUMERIC[1] + rows * CLOUD_BYTES / 1e6, rows * row / 1e6)


def nulls(plan: Plan, points: int) -> Demand:
    """Forecast the draws of the sphere null for clouds of so many points."""
    variants, draws = plan.null_points[points], plan.config.significance.draws
    seconds, held = draws * _draw(points, variants) if variants else 0.0, _held(points, variants)
    return Demand(NUMERIC[0] + seconds, NUMERIC[1] + held, 0.1)


def barcodes(plan: Plan, layer: LayerClouds, steps: tuple[int, ...]) -> Demand:
    """Forecast the barcodes and tests of a layer's clouds."""
    asked = plan.config.significance
    draws = asked.draws * sum(name != "sphere" for name in asked.nulls)
    beside = asked.draws * (asked.covariance and "covariance" not in asked.nulls)
    kept = sum(_kept(layer.points, layer.variants[step][0]) for step in steps)
    seconds = sum(draws * _tests(layer, layer.variants[step]) for step in steps) + kept * SECONDS_PER_KEPT
    seconds += sum(beside * _tests(layer, layer.variants[step][:1]) for step in steps)
    seconds += sum(_barcodes(layer.points, layer.variants[step]) for step in steps)
    followed = 0
    for headline, *others in (layer.variants[step] for step in steps):
        circled = (headline, *(variant for variant in others if variant in layer.measured))
        followed = max(followed, *(_used(layer.points, variant) for variant in circled))
        if "permuted" not in asked.nulls:
            seconds += asked.draws * _tests(layer, circled)
        tested = [variant for variant in circled if variant.tested(layer.points)]
        seconds += asked.draws * sum(_kept(layer.points, variant) for variant in tested) * SECONDS_PER_CIRCLED
    most = max((layer.variants[step] for step in steps), key=lambda variants: _held(layer.points, variants))
    held = _held(layer.points, most) + len(steps) * layer.points * CLOUD_BYTES / 2e6
    held += LOOP_BYTES * followed**2 / 2e6
    return Demand(NUMERIC[0] + seconds, NUMERIC[1] + held, kept * KEPT_ROW / 1e6)


def mapper(plan: Plan, layer: LayerClouds, steps: tuple[int, ...]) -> Demand:
    """Forecast the mapper graphs of a layer's headline clouds."""
    kept = sum(_kept(layer.points, layer.variants[step][0]) for step in plan.mapper_steps(layer, steps))
    held = len(steps) * layer.points * CLOUD_BYTES / 2e6
    graphs = 1 + len(plan.mapper_sweep(layer))
    return Demand(NUMERIC[0] + graphs * kept * SECONDS_PER_MEMBER, NUMERIC[1] + 100 + held, kept * KEPT_ROW / 1e6)


def _kept(points: int, variant: Variant) -> int:
    return kept_points(variant.p, points)


def _used(points: int, variant: Variant) -> int:
    return min(_kept(points, variant), variant.landmarks)


def _neighbours(points: int) -> float:
    """Return the seconds of one search for neighbours."""
    return SECONDS_OF_NEIGHBOURS * points**NEIGHBOURS_POWER


def _landmarks(points: int, variant: Variant) -> float:
    kept, used = _kept(points, variant), _used(points, variant)
    return (kept > used) * kept * used * SECONDS_PER_LANDMARK


def _barcodes(points: int, variants: tuple[Variant, ...]) -> float:
    """Return the seconds of the barcodes of one real cloud, circles at worst."""
    return sum(barcode_forecast(_used(points, v)).seconds + _landmarks(points, v) for v in variants)


def _draw(points: int, variants: tuple[Variant, ...]) -> float:
    """Return the seconds of one draw of a null under some variants: one search for neighbours, one barcode each."""
    seconds = _neighbours(points)
    for variant in variants:
        used = _used(points, variant)
        seconds += used**2 / 2 * (SECONDS_PER_PAIR + SECONDS_PER_TRIPLE * used) + _landmarks(points, variant)
    return seconds


def _tests(layer: LayerClouds, variants: tuple[Variant, ...]) -> float:
    """Return the seconds of one draw of a null under those of some variants that are tested; 0 where none is."""
    tested = tuple(variant for variant in variants if variant.tested(layer.points))
    return _draw(layer.points, tested) if tested else 0.0


def _held(points: int, variants: tuple[Variant, ...]) -> float:
    """Return the MB that the largest barcode needs besides its cloud."""
    largest = max((barcode_forecast(_used(points, v)).bytes for v in variants), default=0.0)
    return largest / 1e6 + points * CLOUD_BYTES / 1e6
