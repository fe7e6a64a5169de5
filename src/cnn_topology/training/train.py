"""Training of one shard: its networks, their snapshots and their log (weights paper, section 2; snapshots U14)."""

import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cnn_topology.data.image_set import ImageSet
from cnn_topology.data.shapes import balanced_indices, cropping_note, to_shape
from cnn_topology.errors import InputError
from cnn_topology.plan.images import check_batch, check_classes
from cnn_topology.plan.parameters import TrainParameters
from cnn_topology.plan.populations import image_shape, layers_of
from cnn_topology.seeds import derive_seed
from cnn_topology.storage.tables import write_table
from cnn_topology.storage.tensors import write_tensors
from cnn_topology.tables.training import TrainingRow
from cnn_topology.training.alone import alone
from cnn_topology.training.checkpoints import Rows, StackFolder
from cnn_topology.training.devices import choose_device, choose_precision, settings
from cnn_topology.training.draws import noisy_labels
from cnn_topology.training.stack import Stack

# Training images on which loss and accuracy are measured; the test set is used whole.
TRAIN_EXAMPLES = 2_000
# At most so many seconds of work are lost when a job is killed.
CHECKPOINT_SECONDS = 60.0
# Every so many iterations it is looked whether all networks of a stack have failed.
CHECK_ITERATIONS = 200
# Images at once in a test on the CPU; a stack tests in batches of its training batch, which are known to fit.
TEST_IMAGES = 256
# Share of the free memory of a GPU that a stack may fill by the forecast.
MEMORY_SHARE = 0.6


@dataclass(frozen=True)
class TrainingJob:
    """One shard of a population and where its files go.

    Attributes
    ----------
    shard : TrainParameters
        The shard, its recipe and its steps. Network i has the seed derived from the run's, "network", the population's
        name and i.
    image_set : ImageSet
        What is trained on.
    cross_test : mapping of str to ImageSet
        Other sets to test on, by name; brought to the shape of the training images here.
    snapshots : sequence of Path
        One for each of the steps.
    log_path : Path
        Gets the table `training`.
    resume_folder : Path
        Private to this shard; removed when its files are in place.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    threads : int
        Threads of a CPU job.
    notes : mapping of str to str
        More metadata for all files.
    """

    shard: TrainParameters
    image_set: ImageSet
    cross_test: Mapping[str, ImageSet]
    snapshots: Sequence[Path]
    log_path: Path
    resume_folder: Path
    device: str = "auto"
    threads: int = 1
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def tested(self) -> tuple[int, ...]:
        """All steps at which networks are tested, in order."""
        return tuple(sorted({*self.shard.steps, *self.shard.test_steps}))

    @property
    def networks(self) -> range:
        """Numbers of the networks in their population."""
        return range(self.shard.first, self.shard.first + self.shard.count)

    def seed(self, network: int) -> int:
        """Seed of one network: independent of shards."""
        return derive_seed(self.shard.run_seed, "network", self.shard.population, network)


@dataclass(frozen=True)
class _Test:
    """Images that every network is tested on at every snapshot."""

    images: str
    split: str
    pixels: torch.Tensor
    labels: torch.Tensor


def train_shard(job: TrainingJob) -> None:
    """Train all networks of a shard and write their snapshots and log.

    A job that was killed goes on where its last checkpoint was and ends with the same bytes. A network whose loss or
    weights are no longer finite is marked failed and a warning says how many remain.

    Raises
    ------
    InputError
        If the images do not fit, CUDA is asked for where there is none, or another process is at the same shard.
    """
    with alone(job.resume_folder):
        device = choose_device(job.device)
        dtype = choose_precision(job.shard.recipe.precision, device)
        images, labels = _training_data(job)
        tests = _tests(job, images, labels)
        with settings(device, job.threads):
            size = 1 if device.type == "cpu" else _networks_at_once(job, device)
            folders = {}
            for start in range(0, job.shard.count, size):
                networks = tuple(job.networks[start : start + size])
                identity = _identity(job, networks, device, dtype)
                folders[networks] = StackFolder(job.resume_folder / f"{networks[0]:06d}", identity)
                _train_stack(job, networks, folders[networks], images, labels, tests, device, dtype)
        _assemble(job, folders, dtype)


def _train_stack(
    job: TrainingJob,
    networks: tuple[int, ...],
    folder: StackFolder,
    images: np.ndarray,
    labels: np.ndarray,
    tests: list[_Test],
    device: torch.device,
    dtype: torch.dtype,
) -> None:
    state, done = folder.state(), folder.steps()
    if done >= set(job.tested):
        return
    section, classes = job.shard, len(job.image_set.classes)
    seeds = tuple(job.seed(network) for network in networks)
    stack = Stack(section.architecture, section.recipe, images, labels, classes, seeds, device, dtype)
    begin, failed = 0, np.zeros(len(networks), bool)
    # A state is of use only if no snapshot before it is missing. That of its own step is still to come: a state is
    # written as soon as its step is done, before the test.
    if state is not None and {step for step in job.tested if step < int(state["step"][0])} <= done:
        stack.restore(state)
        begin, failed = stack.done, state["failed"]
        _say(job, networks, f"resumes at step {begin}")
    last_flush = time.monotonic()
    for step in (step for step in job.tested if step >= begin):
        clock, before = time.monotonic(), stack.done
        while stack.done < step and not failed.all():
            stack.train(min(CHECK_ITERATIONS - stack.done % CHECK_ITERATIONS, step - stack.done))
            failed |= ~stack.finite()
            if time.monotonic() - last_flush > CHECKPOINT_SECONDS:
                folder.flush({**stack.state(), "failed": failed})
                last_flush = time.monotonic()
        milliseconds = 1e3 * (time.monotonic() - clock) / max(1, stack.done - before)
        if step not in job.shard.steps:
            rows, failed = _test(job, networks, stack, step, tests[:1], failed)
            folder.add(step, {}, rows)
            continue
        rows, failed = _test(job, networks, stack, step, tests, failed)
        weights = stack.parameters()
        for tensor in weights.values():
            tensor[failed] = np.nan
        folder.add(step, {name: tensor.astype(np.float32) for name, tensor in weights.items()}, rows)
        own = [row["accuracy"] for row in rows if row["split"] == "test" and row["images"] == job.image_set.name]
        speed = f", {milliseconds:.1f} ms per step" if stack.done > before else ""
        _say(job, networks, f"step {step} of {job.shard.steps[-1]}: test accuracy {100 * np.mean(own):.1f} %{speed}")
    folder.flush(None)


def _test(
    job: TrainingJob, networks: tuple[int, ...], stack: Stack, step: int, tests: list[_Test], failed: np.ndarray
) -> tuple[Rows, np.ndarray]:
    """Test all networks of a stack; give the rows of the log and who has failed by now."""
    batch = TEST_IMAGES if stack.device.type == "cpu" else job.shard.recipe.batch_size
    results = [stack.evaluate(test.pixels, test.labels, batch) for test in tests]
    failed = failed | ~stack.finite() | ~np.isfinite([loss for loss, _ in results]).all(axis=0)
    rows: Rows = []
    for place, network in enumerate(networks):
        for test, (loss, accuracy) in zip(tests, results, strict=True):
            rows.append(
                {
                    "population": job.shard.population,
                    "network": network,
                    "seed": job.seed(network),
                    "step": step,
                    "epoch": step * job.shard.recipe.batch_size / len(stack.labels),
                    "images": test.images,
                    "own_images": test.images == job.image_set.name,
                    "split": test.split,
                    "examples": len(test.labels),
                    "loss": float("nan") if failed[place] else float(loss[place]),
                    "accuracy": float("nan") if failed[place] else float(accuracy[place]),
                    "failed": bool(failed[place]),
                }
            )
    return rows, failed


def _assemble(job: TrainingJob, folders: Mapping[tuple[int, ...], StackFolder], dtype: torch.dtype) -> None:
    """Put the snapshots of all stacks together; a file appears only when it is whole."""
    last = [row for folder in folders.values() for row in folder.snapshot(job.shard.steps[-1])[1]]
    if lost := sorted({row["network"] for row in last if row["failed"]}):
        print(
            f"warning: {job.shard.population}, shard {job.shard.shard}: the loss of networks {lost} became infinite "
            f"or not a number; they are marked failed and left out, {job.shard.count - len(lost)} of {job.shard.count} "
            f"remain. If that is too few: lower learning_rate (= {job.shard.recipe.learning_rate:g}).",
            file=sys.stderr,
        )
    log: Rows = []
    failed: dict[int, bool] = {}
    paths = dict(zip(job.shard.steps, job.snapshots, strict=True))
    for step in job.tested:
        parts = [folder.snapshot(step) for folder in folders.values()]
        rows = [row for _, part in parts for row in part]
        failed = {row["network"]: row["failed"] for row in rows}
        log += rows
        if step not in paths:
            continue
        names = parts[0][0]
        stacked = {name: np.concatenate([tensors[name] for tensors, _ in parts]) for name in names}
        write_tensors(paths[step], stacked, _metadata(job, step, failed, dtype))
    notes = {"population": job.shard.population, **job.notes}
    write_table(job.log_path, TrainingRow.table(TrainingRow(**row) for row in log), TrainingRow.schema, notes)


def _metadata(job: TrainingJob, step: int, failed: Mapping[int, bool], dtype: torch.dtype) -> dict[str, str]:
    return {
        "population": job.shard.population,
        "shard": str(job.shard.shard),
        "step": str(step),
        "networks": json.dumps(list(job.networks)),
        "seeds": json.dumps([job.seed(network) for network in job.networks]),
        "failed": json.dumps([failed[network] for network in job.networks]),
        "images": job.image_set.name,
        "images_sha256": job.image_set.sha256,
        "precision": str(dtype).removeprefix("torch."),
        "torch": torch.__version__,
        **job.notes,
    }


def _identity(job: TrainingJob, networks: tuple[int, ...], device: torch.device, dtype: torch.dtype) -> str:
    """Hash all that the bytes of a stack depend on."""
    images = [(name, images.sha256) for name, images in {"": job.image_set, **job.cross_test}.items()]
    shard = job.shard.model_dump(mode="json", exclude={"shard", "first", "count"})
    versions = [torch.__version__, np.__version__, job.notes.get("code")]
    parts: list[Any] = [shard, networks, images, device.type, str(dtype), job.threads, *versions]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _training_data(job: TrainingJob) -> tuple[np.ndarray, np.ndarray]:
    """Return the images and labels that the recipe trains on: a balanced part if it asks for one, with its label noise.

    The part is drawn by a seed of the image set: a smaller one is among the images of a larger one.
    """
    images, recipe = job.image_set, job.shard.recipe
    pixels, labels = images.train_images, images.train_labels
    if recipe.train_images is not None:
        if recipe.train_images > len(labels):
            raise InputError(
                f"populations.{job.shard.population}.recipe.train_images is {recipe.train_images}, but {images.name} "
                f"has {len(labels)} training images"
            )
        seed = derive_seed(job.shard.run_seed, "train images", images.name)
        drawn = balanced_indices(labels, recipe.train_images, seed)
        pixels, labels = pixels[drawn], labels[drawn]
    check_batch(f"populations.{job.shard.population}", recipe.batch_size, len(labels), images.name)
    seed = derive_seed(job.shard.run_seed, "label noise", job.shard.population)
    return pixels, noisy_labels(labels, len(images.classes), recipe.label_noise, seed)


def _tests(job: TrainingJob, pixels: np.ndarray, labels: np.ndarray) -> list[_Test]:
    """List what is tested on: first the test set, then a fixed part of the training set, then the other sets."""
    images = job.image_set
    rng = np.random.default_rng(derive_seed(job.shard.run_seed, "train subset", job.shard.population))
    part = np.sort(rng.permutation(len(labels))[:TRAIN_EXAMPLES])
    found = [("test", images.name, images.test_images, images.test_labels)]
    found.append(("train", images.name, pixels[part], labels[part]))
    for name, other in job.cross_test.items():
        check_classes(job.shard.population, images.name, images.classes, name, other.classes)
        where = f"populations.{job.shard.population}.cross_test, images of {name}"
        if note := cropping_note(where, [other.test_images.shape[1:3]] * len(other.test_labels), images.shape):
            print(note, file=sys.stderr)
        found.append(("test", name, to_shape(other.test_images, images.shape), other.test_labels))
    return [_Test(name, split, torch.from_numpy(x), torch.from_numpy(y)) for split, name, x, y in found]


def _networks_at_once(job: TrainingJob, device: torch.device) -> int:
    """Forecast how many networks fit on a GPU: unfolded patches, activations and their gradients, and the optimizer."""
    recipe = job.shard.recipe
    height, width, channels = image_shape(job.image_set.shape, recipe)
    layers = layers_of(job.shard.architecture, (height, width, channels), len(job.image_set.classes))
    parameters = sum(int(np.prod(layer.weight)) + layer.weight[0] for layer in layers)
    values, area = 0, height * width
    for layer in layers:
        if layer.kind == "convolution":
            # Patches and their gradient; convolution, ReLU, normalization in float32 and their gradients.
            values += area * (2 * 9 * layer.weight[1] + 12 * layer.weight[0])
            area = area // 4 if layer.pooled else area
    forecast = 4 * values * recipe.batch_size + 40 * parameters
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, min(job.shard.count, int(MEMORY_SHARE * free / forecast)))


def _say(job: TrainingJob, networks: tuple[int, ...], what: str) -> None:
    first, last = networks[0], networks[-1]
    who = f"network {first}" if first == last else f"networks {first} to {last}"
    of = f"{last - job.shard.first + 1} of {job.shard.count} in shard {job.shard.shard}"
    print(f"{job.shard.population}: {who} ({of}), {what}", file=sys.stderr, flush=True)
