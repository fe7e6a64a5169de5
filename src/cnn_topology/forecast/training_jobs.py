"""Forecasts of the jobs that train networks or read those that others trained, by the names of the jobs."""

import math
from pathlib import Path

from cnn_topology.forecast.demand import CORES_PER_GPU, SECONDS_PER_PRODUCT, SECONDS_PER_VALUE, TORCH, Demand
from cnn_topology.forecast.image_jobs import images_mb, images_used
from cnn_topology.plan.expand import Plan, Shard
from cnn_topology.plan.images import shape_of
from cnn_topology.plan.populations import image_shape
from cnn_topology.plan.recorded import ModuleNetworks
from cnn_topology.plan.resnets import TESTED_AT_ONCE, recorded_layers

# C takes more: 3x3 pools and normalization (C(64, 32, 64), 128 images of 24x24: 47 ms an iteration).
SECONDS_PER_NORMALIZED = 5.5e-9
# A test is a forward pass alone.
TEST_SHARE = 1 / 3
TESTED_IMAGES = 12_000
# The largest file of the four torchvision networks, VGG-19.
TORCHVISION_MB = 575


def train(plan: Plan, shard: Shard) -> Demand:
    """Forecast the training of a shard, with the test of every network at every snapshot."""
    section, steps = plan.populations[shard.population], plan.steps(shard.population)
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
    seconds = shard.count * image * (section.recipe.iterations * section.recipe.batch_size + tests)
    shown = 3 * sum(images_mb(plan, name) for name in (section.images, *section.cross_test))
    snapshots = 4e-6 * parameters * shard.count * len(steps)
    gpus = plan.config.jobs.gpus
    seconds = seconds / CORES_PER_GPU if gpus else seconds
    return Demand(TORCH[0] + seconds, TORCH[1] + shown + 3 * snapshots / len(steps), snapshots, gpus)


def train_resnet(plan: Plan, population: str) -> Demand:
    """Forecast the training of one residual network; one whose weights are given, or a module, is only tested."""
    section = plan.config.recorded[population]
    config = plan.config.images[section.images]
    shape = shape_of(config)
    values, products, parameters, wide = 0, 0, 0, int(shape[2])
    for layer in recorded_layers(section, shape):
        values += layer.height * layer.width * layer.channels
        products += layer.height * layer.width * layer.channels * wide * 9
        parameters += 9 * wide * layer.channels
        wide = layer.channels
    trained, batch = 0, TESTED_AT_ONCE
    if isinstance(section, ModuleNetworks):
        parameters = section.recorded.parameters if section.recorded else 0
    else:
        batch = section.recipe.batch_size
        trained = 0 if section.checkpoints else section.recipe.epochs * images_used(plan, section.images)[0]
    pictures = trained * (1 + 1 / 15) or TESTED_IMAGES * TEST_SHARE
    seconds = pictures * (values * SECONDS_PER_VALUE + products * SECONDS_PER_PRODUCT)
    gpus = plan.config.jobs.gpus
    # On the CPU about four float32 copies of every activation of a batch are held; on a GPU they lie there.
    beside = 0.0 if gpus else 16e-6 * values * batch
    held = TORCH[1] + 3 * images_mb(plan, section.images) + 30e-6 * parameters + beside
    return Demand(TORCH[0] + (seconds / CORES_PER_GPU if gpus else seconds), held, 4e-6 * parameters, gpus)


def checkpoint(plan: Plan, name: str) -> Demand:
    """Forecast the reading of files of weights, of which the kernels that are analysed are kept."""
    files = plan.config.checkpoints[name].files
    sizes = [Path(file).stat().st_size / 1e6 for file in files] if files else [TORCHVISION_MB]
    kept = sum(4e-6 * math.prod(layer.weight) for layer in plan.layers(name)) * len(sizes)
    # Its file is held twice while one is read; all kernels as they were read, stacked, and compared with each other.
    return Demand(TORCH[0] + (0 if files else 60) + sum(sizes) / 50, TORCH[1] + 2 * max(sizes) + 4 * kept, kept)
