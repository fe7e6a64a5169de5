"""Training of one residual network by the recipe of its variant (activations paper, sections 1.1 and 1.4).

The released code sets no seed (Q10); here a network's seed decides its initialization and every batch. Accuracy is
that of plain test images: the published "flip" of test images reverses their colours, not their width (Q10).
"""

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
from torch import nn
from torch.nn import functional

from cnn_topology.data.image_set import ImageSet
from cnn_topology.data.statistics import normalization
from cnn_topology.errors import InputError
from cnn_topology.networks.modules import importable, make_module
from cnn_topology.networks.recorded import class_scores, network_of_file, to_device
from cnn_topology.networks.resnet import make_resnet
from cnn_topology.plan.images import check_batch
from cnn_topology.plan.recorded import ModuleNetworks
from cnn_topology.plan.resnets import (
    TESTED_AT_ONCE,
    AnyRecorded,
    MapperResNets,
    PHResNets,
    StepRecipe,
    TriangularRecipe,
)
from cnn_topology.storage.tables import write_table
from cnn_topology.storage.tensors import write_tensors
from cnn_topology.tables.training import ResnetTrainingRow
from cnn_topology.training.alone import alone
from cnn_topology.training.devices import choose_device, choose_precision, settings
from cnn_topology.training.resnet_batches import Epoch, Normalizer, augmented, padded
from cnn_topology.training.resnet_state import Progress, ResumeFile

# At most so many seconds of work are lost when a job is killed.
CHECKPOINT_SECONDS = 60.0
# Seed recorded for weights that were not trained here.
NO_SEED = -1


@dataclass(frozen=True)
class ResNetJob:
    """One network and where its files go.

    Attributes
    ----------
    population, network, seed
        Key of `resnets` or `modules`, number in it, and the seed derived from both.
    section : PHResNets, MapperResNets or ModuleNetworks
        Layout and recipe; a module of a user's own, which is not trained.
    image_set : ImageSet
        What is trained on.
    weights_path, log_path : Path
        Get the weights (.safetensors) and the table `RESNET_TRAINING`.
    resume_folder : Path
        Private to this job; removed when its files are in place.
    checkpoint : Path, optional
        Weights to take in place of training.
    others : sequence of Path
        Weights of other networks of the population, of which `checkpoint` must not be a copy.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    threads : int
        Threads of a CPU job.
    notes : mapping of str to str
        More metadata for both files.
    """

    population: str
    network: int
    seed: int
    section: AnyRecorded
    image_set: ImageSet
    weights_path: Path
    log_path: Path
    resume_folder: Path
    checkpoint: Path | None = None
    others: Sequence[Path] = ()
    device: str = "auto"
    threads: int = 1
    notes: Mapping[str, str] = field(default_factory=dict)


def make_weights(job: ResNetJob) -> None:
    """Train a network, or take one that is given; test it; write its weights and its log.

    A job that was killed goes on where its last state was saved and ends with the same bytes.

    Raises
    ------
    InputError
        If images, batch or checkpoint do not fit, CUDA is asked for where there is none, the loss diverges, or
        another process is at the same network.
    """
    device, section = choose_device(job.device), job.section
    dtype = torch.float32 if isinstance(section, ModuleNetworks) else _precision(section.recipe.precision, device)
    mean, sd = normalization(section.normalization, job.image_set.train_images)
    with alone(job.resume_folder), importable(section):
        with settings(device, job.threads):
            normalizer = Normalizer.of(mean, sd, device, channels_last=not isinstance(section, ModuleNetworks))
            test = Tester(job, device, dtype, normalizer)
            if isinstance(section, ModuleNetworks) or job.checkpoint is not None:
                network, rows = _take(job, test)
            else:
                trainer = Trainer(job, section, test)
                network, rows = trainer.network, trainer.train()
            tensors = {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}
        metadata = {
            "population": job.population,
            "network": str(job.network),
            "network_seed": str(job.seed if job.checkpoint is None else NO_SEED),
            "checkpoint": "" if job.checkpoint is None else job.checkpoint.name,
            "mean": json.dumps(mean),
            "sd": json.dumps(sd),
            "images": job.image_set.name,
            "images_sha256": job.image_set.sha256,
            "classes": json.dumps(job.image_set.classes),
            "precision": str(dtype).removeprefix("torch."),
            "torch": torch.__version__,
            **job.notes,
        }
        write_tensors(job.weights_path, tensors, metadata)
        table = ResnetTrainingRow.table(ResnetTrainingRow(**row) for row in rows)
        write_table(job.log_path, table, ResnetTrainingRow.schema, job.notes)


def learning_rate(recipe: TriangularRecipe | StepRecipe, step: int, steps: int) -> float:
    """Return the learning rate of one iteration.

    Parameters
    ----------
    recipe : TriangularRecipe or StepRecipe
        Piecewise linear through (0, 0), (peak epoch, peak) and (last epoch, 0); or multiplied at milestones.
    step : int
        Iteration from 0.
    steps : int
        Iterations of an epoch.
    """
    if isinstance(recipe, TriangularRecipe):
        corners = [0.0, recipe.peak_epoch * steps, recipe.epochs * steps]
        return recipe.learning_rate * float(np.interp(step, corners, [0.0, 1.0, 0.0]))
    passed = sum(step >= milestone * steps for milestone in recipe.milestones)
    return float(recipe.learning_rate * recipe.decay_factor**passed)


def steps_per_epoch(recipe: TriangularRecipe | StepRecipe, images: int) -> int:
    """Return the iterations of an epoch: what fills no batch is dropped (`ph`), or is a smaller one of two at least."""
    full, rest = divmod(images, recipe.batch_size)
    return full + (isinstance(recipe, StepRecipe) and rest > 1)


class Tester:
    """How networks of a job see images on its device, and how well they do on the plain test images."""

    def __init__(self, job: ResNetJob, device: torch.device, dtype: torch.dtype, normalizer: Normalizer) -> None:
        self.job, self.device, self.dtype, self.normalizer = job, device, dtype, normalizer
        images = job.image_set
        self.images, self.labels = self.on_device(images.test_images), self.on_device(images.test_labels)

    @torch.no_grad()
    def measure(self, network: nn.Module) -> tuple[float, float]:
        """Return mean loss and accuracy; NaN of a network that has no scores for the classes of the images."""
        network.eval()
        loss = right = 0.0
        for start in range(0, len(self.labels), TESTED_AT_ONCE):
            labels = self.labels[start : start + TESTED_AT_ONCE]
            with self.autocast():
                output = network(self.normalizer(self.images[start : start + TESTED_AT_ONCE]))
            scores = class_scores(output, len(self.job.image_set.classes))
            if scores is None:
                return float("nan"), float("nan")
            loss += float(functional.cross_entropy(scores.float(), labels, reduction="sum"))
            right += float((scores.argmax(1) == labels).sum())
        return loss / len(self.labels), right / len(self.labels)

    def autocast(self) -> torch.autocast:
        """Return what computes a block in the precision of the job."""
        return torch.autocast(self.device.type, dtype=self.dtype, enabled=self.dtype != torch.float32)

    def on_device(self, array: np.ndarray) -> torch.Tensor:
        """Return an array on the device."""
        return torch.from_numpy(array).to(self.device)

    def row(self, epoch: int, step: int, measured: tuple[float, float]) -> dict[str, Any]:
        """Return a row of the log but for what is known of training alone."""
        return {
            "population": self.job.population,
            "network": self.job.network,
            "seed": self.job.seed,
            "epoch": epoch,
            "step": step,
            "images": self.job.image_set.name,
            "test_examples": len(self.labels),
            "test_loss": measured[0],
            "test_accuracy": measured[1],
        }


def _take(job: ResNetJob, test: Tester) -> tuple[nn.Module, list[dict[str, Any]]]:
    """Take the weights of a file, or a user's module as it is initialized; return the network and the row of its log.

    What it has no scores for is not measured.
    """
    section, classes = job.section, len(job.image_set.classes)
    other_classes = None if isinstance(section, ModuleNetworks) else section.n_classes
    if job.checkpoint is not None:
        network = network_of_file(section, job.image_set.shape[2], other_classes or classes, job.checkpoint, job.others)
    else:
        assert isinstance(section, ModuleNetworks)  # others are trained
        network = make_module(section, job.seed)
    to_device(network, section, test.device)
    # Scores of other classes say nothing about the labels of these images.
    measured = (float("nan"),) * 2 if other_classes else test.measure(network)
    what = f"weights of {job.checkpoint}" if job.checkpoint else "as it is initialized"
    _say(job, f"{what}: test accuracy {100 * measured[1]:.2f} %")
    unknown = {"train_examples": 0, "train_loss": float("nan"), "train_accuracy": float("nan"), "is_kept": True}
    seed = NO_SEED if job.checkpoint else job.seed
    return network, [{**test.row(0, 0, measured), **unknown, "seed": seed}]


class Trainer:
    """One network on one device, its optimizer and its place in the training."""

    def __init__(self, job: ResNetJob, section: PHResNets | MapperResNets, test: Tester) -> None:
        self.job, self.section, self.test = job, section, test
        self.device, self.normalizer = test.device, test.normalizer
        images, recipe = job.image_set, section.recipe
        self.shape = images.shape
        self.network = make_resnet(section, self.shape[2], len(images.classes), job.seed).to(self.device)
        self.network.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=test.dtype == torch.float16)
        self.resume = ResumeFile(job.resume_folder, self._identity())

    def train(self) -> list[dict[str, Any]]:
        """Train to the end; give the rows of the log."""
        images, recipe = self.job.image_set, self.section.recipe
        count = len(images.train_labels)
        check_batch(f"resnets.{self.job.population}", recipe.batch_size, count, images.name)
        if recipe.cutout >= min(self.shape[:2]):
            raise InputError(
                f"resnets.{self.job.population}.recipe.cutout is {recipe.cutout}, but the images of {images.name} have "
                f"{self.shape[0]}x{self.shape[1]} pixels: nothing would be left of them; use a smaller one, or 0"
            )
        steps = steps_per_epoch(recipe, count)
        train_images = padded(self.test.on_device(images.train_images), recipe.translate)
        train_labels = self.test.on_device(images.train_labels)
        fill = (255 * self.normalizer.mean).to(torch.uint8)
        progress = self.resume.restore(self.network, self.optimizer, self.scaler) or Progress()
        if progress.step:
            _say(self.job, f"resumes at iteration {progress.step} of {recipe.epochs * steps}")
        saved = time.monotonic()
        # By the rows and not by the iterations: a state may be of after an epoch's last iteration and before its test.
        while len(progress.rows) < recipe.epochs:
            epoch, clock, first = len(progress.rows), time.monotonic(), progress.step
            draws = Epoch.draw(self.job.seed, epoch, (count, *self.shape[:2]), recipe, self.device)
            sums = torch.tensor(progress.sums, dtype=torch.float64, device=self.device)
            self.network.train()
            for step in range(progress.step, (epoch + 1) * steps):
                start = (step - epoch * steps) * recipe.batch_size
                rows = slice(start, min(start + recipe.batch_size, count))
                batch = augmented(train_images, draws, rows, self.shape[:2], recipe.cutout, fill)
                sums += self._step(batch, train_labels[draws.order[rows]], learning_rate(recipe, step, steps))
                progress.step = step + 1
                if time.monotonic() - saved > CHECKPOINT_SECONDS:
                    progress.sums = sums.tolist()
                    self.resume.save(self.network, self.optimizer, self.scaler, progress)
                    saved = time.monotonic()
            seconds = (time.monotonic() - clock) / max(1, progress.step - first)
            self._end_epoch(progress, epoch, sums.tolist(), seconds)
        if progress.best is not None:
            self.network.load_state_dict({name: torch.from_numpy(x) for name, x in progress.best.items()})
        kept = max(progress.rows, key=lambda row: row["test_accuracy"]) if progress.best else progress.rows[-1]
        return [{**row, "is_kept": row is kept} for row in progress.rows]

    def _step(self, batch: torch.Tensor, labels: torch.Tensor, rate: float) -> torch.Tensor:
        """Train on one batch; give the sums of its losses and of its right answers, and its size."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        with self.test.autocast():
            scores = self.network(self.normalizer(batch))
        loss = functional.cross_entropy(scores.float(), labels)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        right = (scores.detach().argmax(1) == labels).sum()
        size = len(labels)
        return torch.stack([loss.detach().double() * size, right.double(), torch.full_like(right, size).double()])

    def _end_epoch(self, progress: Progress, epoch: int, sums: list[float], seconds: float) -> None:
        recipe = self.section.recipe
        if not np.isfinite(sums[0]):
            raise InputError(
                f"resnets.{self.job.population}: the loss of network {self.job.network} became infinite or not a "
                f"number in epoch {epoch + 1}; lower recipe.learning_rate (= {recipe.learning_rate:g})"
            )
        measured = self.test.measure(self.network)
        train = {"train_examples": int(sums[2]), "train_loss": sums[0] / sums[2], "train_accuracy": sums[1] / sums[2]}
        if isinstance(recipe, StepRecipe) and recipe.selection == "best-on-test":
            before = [row["test_accuracy"] for row in progress.rows]
            if not before or measured[1] > max(before):
                progress.best = {name: x.cpu().numpy().copy() for name, x in self.network.state_dict().items()}
        progress.rows.append({**self.test.row(epoch + 1, progress.step, measured), **train})
        progress.sums = [0.0, 0.0, 0.0]
        _say(
            self.job,
            f"epoch {epoch + 1} of {recipe.epochs}: training loss {train['train_loss']:.3f}, test accuracy "
            f"{100 * measured[1]:.2f} %, {1e3 * seconds:.0f} ms per iteration",
        )

    def _identity(self) -> str:
        """Hash all that the bytes of the network depend on."""
        layout = self.section.model_dump(mode="json", exclude={"networks", "checkpoints"})
        parts = [layout, self.job.seed, self.job.image_set.sha256, self.device.type, str(self.test.dtype)]
        parts += [self.job.threads, torch.__version__, np.__version__, self.job.notes.get("code")]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _say(job: ResNetJob, what: str) -> None:
    print(f"{job.population}: network {job.network}, {what}", file=sys.stderr, flush=True)


def _precision(name: str, device: torch.device) -> torch.dtype:
    """Return the type of the products: float16 by the paper on CUDA, else as for the other networks."""
    if name == "float16" and device.type == "cpu":
        raise InputError("recipe.precision = float16 needs CUDA; use `auto`, `bfloat16` or `float32`")
    if name == "float16" or (name == "auto" and device.type == "cuda"):
        return torch.float16
    return choose_precision(name, device)
