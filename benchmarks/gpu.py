"""What a GPU does with this package: whether it has the CPU's numbers, how fast it is, what to change in the forecasts.

Compared with the CPU are networks of each kind of first layer after some steps (in float64, so that rounding hides
nothing), the snapshots of a shard, and the activations of a residual network. Timed are networks beside a plain PyTorch
loop, steps as CUDA graphs and one by one, residual networks in float16 with its scaler, and the extraction of
activations. The last lines name the constants of the forecasts with their new values. It ends with status 1 where a
number is not that of the CPU.

    python benchmarks/gpu.py          # on one GPU, ten minutes at most
    python benchmarks/gpu.py --cpu    # the same parts, small, where there is none: half a minute of one core
"""

import argparse
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import training

from cnn_topology.activations.extraction import Images, extract, hook_point
from cnn_topology.data.image_set import ImageSet
from cnn_topology.data.statistics import normalization
from cnn_topology.forecast import activation_jobs, training_jobs
from cnn_topology.forecast.demand import CORES_PER_GPU, TORCH
from cnn_topology.networks.resnet import make_resnet
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.parameters import TrainParameters
from cnn_topology.plan.populations import Architecture, Recipe
from cnn_topology.plan.resnets import PHResNets, resnet_layers
from cnn_topology.storage.tensors import read_tensors
from cnn_topology.training import resnets, train
from cnn_topology.training.devices import choose_precision, settings
from cnn_topology.training.resnet_batches import Normalizer
from cnn_topology.training.stack import Stack

CPU = torch.device("cpu")
# A forecast of training asks for none of these, and a config for some: of any number of filters all are kept.
CLOUDS = [{"densities": [{"k": 2, "p": 1.0}]}]
# No part begins after so many seconds.
LONGEST = 480
# Largest differences from the CPU: of weights in float64 and of snapshots in float32, in parts of the largest change by
# training; of activations, in parts of a layer's largest; in the share of positions of largest norm; of the losses in
# float16 and in float32.
SAME_WEIGHTS, SAME_SNAPSHOT, SAME_ACTIVATION, SAME_POSITIONS, SAME_LOSS = 1e-6, 0.02, 1e-3, 0.01, 0.2
# Kinds of networks: what differs from a plain M(X, Y, Z), and from its recipe.
KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": ({}, {}),
    "dropout, standardized": ({"dropout": 0.5}, {"standardize": "set"}),
    "angular features": ({"angular_features": 8}, {}),
    "random features": ({"angular_features": 8, "feature_filters": "random"}, {}),
    "fixed circle": ({"first_layer": {"kind": "fixed_circle"}}, {}),
    "fixed Klein bottle": ({"first_layer": {"kind": "fixed_klein"}}, {}),
    "fixed random filters": ({"first_layer": {"kind": "fixed_random"}}, {}),
    "C, cropped": ({"family": "C"}, {"augmentation": "crop_flip", "crop": 20, "standardize": "image"}),
}


@dataclass(frozen=True)
class Size:
    """How much is computed.

    Attributes
    ----------
    convolutions, dense : list of int
        Widths of the networks.
    compared, timed : int
        Steps that are compared with the CPU, and timed.
    stacks : tuple of int
        Networks at once that are timed, the last for the forecast.
    widths : list of int
        Of the residual networks.
    images, epochs, batch : int
        What these are trained on, for how long.
    extracted : int
        Images whose activations are extracted.
    """

    convolutions: list[int]
    dense: list[int]
    compared: int
    timed: int
    stacks: tuple[int, ...]
    widths: list[int]
    images: int
    epochs: int
    batch: int
    extracted: int


GPU = Size([64, 32], [64], 20, 200, (1, 10, 100), [64, 128, 256, 512], 20_000, 6, 500, 4_000)
# A processor takes seconds for a convolution in float16.
SMALL = Size([16, 8], [16], 5, 20, (1,), [2, 4, 6, 8], 100, 2, 20, 100)


@dataclass
class Report:
    """The lines of the table, what differs from the CPU, and what was measured for the forecasts.

    Attributes
    ----------
    wrong : list of str
        What is not as on the CPU.
    cores : dict of str to float
        By work: how many cores of the forecasts the device is worth.
    """

    wrong: list[str] = field(default_factory=list)
    cores: dict[str, float] = field(default_factory=dict)

    def line(self, name: str, value: str) -> None:
        """Print a line of the table."""
        print(f"  {name:46} {value}", flush=True)

    def compared(self, name: str, difference: float, most: float) -> None:
        """Report a difference from the CPU and whether it is small enough."""
        fine = difference <= most
        self.line(name, f"{difference:.2g}, at most {most:g}: {'ok' if fine else 'WRONG'}")
        if not fine:
            self.wrong.append(name)


def same_weights(device: torch.device, size: Size, report: Report) -> None:
    """Compare networks trained at once on the device with those trained alone on the CPU."""
    images, labels, *_ = training.load(None)
    widths = {"convolutions": tuple(size.convolutions), "dense": tuple(size.dense)}
    for name, (changed, altered) in KINDS.items():
        architecture, recipe = Architecture(**widths, **changed), Recipe(batch_size=32, **altered)
        stack = partial(Stack, architecture, recipe, images, labels, 10)
        together = stack((1, 2), device, torch.float64)
        alone = [stack((seed,), CPU, torch.float64) for seed in (1, 2)]
        before = _flat(together.parameters())
        for each in (together, *alone):
            each.train(size.compared)
        after = np.concatenate([_flat(each.parameters()) for each in alone])
        difference = np.abs(_flat(together.parameters()) - after).max() / np.abs(after - before).max()
        report.compared(name, float(difference), SAME_WEIGHTS)
        if device.type == "cuda" and together._graph is None:
            report.wrong.append(f"{name}: no CUDA graph")
        elif device.type == "cuda":
            report.line("", _both_ways(stack, device, size))


def _flat(named: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([value.reshape(len(value), -1) for value in named.values()], axis=1)


def _both_ways(stack: Callable[..., Stack], device: torch.device, size: Size) -> str:
    """Describe how fast steps are as a CUDA graph and one by one."""
    milliseconds = []
    for eager in (False, True):
        timed = stack(tuple(range(size.stacks[-1])), device, choose_precision("auto", device))
        timed._eager = eager
        milliseconds.append(1e3 * training.timed(timed.train, size.timed // 4, device)[0])
    return f"{milliseconds[0]:.2f} ms a step of {size.stacks[-1]} as a graph, {milliseconds[1]:.2f} one by one"


def same_snapshots(device: torch.device, size: Size, report: Report) -> None:
    """Compare the snapshots that one training job writes on the device and on the CPU."""
    x, y, xt, yt = training.load(None)
    image_set = ImageSet("digits", x, y, xt, yt, tuple("0123456789"))
    steps = 0, size.compared
    recipe = Recipe(batch_size=32, iterations=size.compared, precision="float32")
    architecture = Architecture(convolutions=tuple(size.convolutions), dense=tuple(size.dense))
    shard = TrainParameters(
        **{"run_seed": 9, "population": "gpu", "shard": 0, "first": 0, "count": 2, "images": "digits"},
        **{"cross_test": (), "architecture": architecture, "recipe": recipe, "steps": steps, "test_steps": ()},
    )
    with tempfile.TemporaryDirectory() as folder:
        written = []
        for where in ("cpu", device.type):
            home = Path(folder) / f"{len(written)}-{where}"
            paths = [home / f"{step}.safetensors" for step in steps]
            job = train.TrainingJob(shard, image_set, {}, paths, home / "log", home / "resume", where)
            train.train_shard(job)
            written.append([_flat(read_tensors(path)[0]) for path in paths])
    (before, after), (ours, theirs) = written
    report.compared("snapshot before training", float(np.abs(ours - before).max()), 0)
    change = np.linalg.norm(after - before)
    name = f"snapshot after {size.compared} steps, float32"
    report.compared(name, float(np.linalg.norm(theirs - after) / change), SAME_SNAPSHOT)


def networks_an_hour(device: torch.device, size: Size, report: Report) -> None:
    """Time stacks of networks beside a plain loop, and compare with the forecast."""
    arguments = Namespace(
        **{"images": None, "convolutions": size.convolutions, "dense": size.dense, "learning_rate": 1e-3},
        **{"batch": 128, "steps": size.timed, "seed": 0, "precision": "auto", "stack": 1},
    )
    seconds, _, accuracy = training.plain(arguments, device)
    report.line("plain loop, float32", f"{_an_hour(seconds)}, {accuracy:.0%} right")
    plain = seconds
    for precision in ("float32", "auto"):
        for count in size.stacks:
            arguments.stack, arguments.precision = count, precision
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
            seconds, _, accuracy = training.ours(arguments, device)
            dtype = str(choose_precision(precision, device)).removeprefix("torch.")
            name = f"ours, {count} at once, {dtype}"
            held = f", {torch.cuda.max_memory_allocated() / 1e9:.2g} GB" if device.type == "cuda" else ""
            report.line(name, f"{_an_hour(seconds)}, {plain / seconds:.1f} times, {accuracy:.0%} right{held}")
    report.cores["networks"] = _step_forecast(size) / seconds


def _an_hour(seconds: float) -> str:
    return f"{3600 / (40_000 * seconds):.3g} networks of 40,000 steps an hour"


def _step_forecast(size: Size) -> float:
    """Forecast the seconds of one step of one network on a core: what more steps add."""
    seconds = []
    for iterations in (1_000, 2_000):
        recipe = {"iterations": iterations, "batch_size": 128}
        nets = {"images": "digits", "architecture": {"convolutions": size.convolutions, "dense": size.dense}}
        sections = {"populations": {"nets": {**nets, "recipe": recipe, "networks": 1}}, "clouds": CLOUDS}
        plan = _plan([28, 28, 1], {"train": 2_000, "test": 1_000}, sections)
        seconds.append(training_jobs.train(plan, plan.shards[0]).seconds)
    return (seconds[1] - seconds[0]) / 1_000


def _plan(shape: list[int], count: dict[str, int], sections: dict[str, Any]) -> Plan:
    images = {"digits": {"kind": "mnist_sample", "shape": shape, **count}}
    return Plan(parse_config({"version": 2, "name": "gpu", "images": images, **sections}))


def patterns(size: Size) -> ImageSet:
    """Draw images of ten classes: the pattern of the class, and noise."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, size.images + size.batch)
    pixels = rng.integers(0, 128, (10, 32, 32, 3))[labels] + rng.integers(0, 128, (len(labels), 32, 32, 3))
    images, cut = pixels.astype(np.uint8), size.images
    return ImageSet("patterns", images[:cut], labels[:cut], images[cut:], labels[cut:], tuple("0123456789"))


def residual_networks(device: torch.device, size: Size, report: Report) -> None:
    """Train a residual network in float32 and in float16 with the gradient scaler."""
    image_set = patterns(size)
    recipe = {"epochs": size.epochs, "batch_size": size.batch, "learning_rate": 0.1, "peak_epoch": 1}
    section = {"images": "digits", "variant": "ph", "widths": size.widths, "recipe": recipe}
    mean, sd = normalization("paper", image_set.train_images)
    losses = {}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for dtype in (torch.float32, torch.float16):
            job = resnets.ResNetJob(
                **{"population": "gpu", "network": 0, "seed": 5, "section": PHResNets(**section)},
                **{"image_set": image_set, "weights_path": home / "w", "log_path": home / "l"},
                resume_folder=home / str(dtype),
            )
            test = resnets.Tester(job, device, dtype, Normalizer.of(mean, sd, device))
            trainer = resnets.Trainer(job, job.section, test)
            start = time.perf_counter()
            losses[dtype] = trainer.train()[-1]["train_loss"]
            seconds = time.perf_counter() - start
            scale = f", scale of the gradient {trainer.scaler.get_scale():g}" if dtype == torch.float16 else ""
            rate = size.images * size.epochs / seconds
            name = f"residual network, {str(dtype).removeprefix('torch.')}"
            report.line(name, f"{rate:.4g} images a second, loss {losses[dtype]:.3g}{scale}")
    difference = abs(losses[torch.float16] - losses[torch.float32])
    report.compared("loss in float16 against float32", difference, SAME_LOSS)
    plan = _plan([32, 32, 3], {"train": size.images, "test": size.batch}, {"resnets": {"nets": section}})
    report.cores["residual networks"] = (training_jobs.train_resnet(plan, "nets").seconds - TORCH[0]) / seconds


def activations(device: torch.device, size: Size, report: Report) -> None:
    """Compare the activations of all layers with those on the CPU, and time their extraction."""
    section = PHResNets(images="digits", variant="ph", widths=size.widths)
    image_set = patterns(size)
    layers = {layer.name: (hook_point(layer, "conv", False), None) for layer in resnet_layers(section, (32, 32, 3))}
    mean, sd = normalization("paper", image_set.train_images)
    pixels = np.resize(image_set.train_images, (size.extracted, 32, 32, 3))

    def taken(where: torch.device, count: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], float]:
        network = make_resnet(section, 3, 10, 0).eval().to(where, memory_format=torch.channels_last)
        rows: dict[str, list[np.ndarray]] = {name: [] for name in layers}
        start = time.perf_counter()
        positions, _ = extract(
            network, Normalizer.of(mean, sd, where), Images(pixels, np.arange(count), 0.0, 0), layers, False,
            lambda name, part: rows[name].append(part), 10, where,
        )  # fmt: skip
        seconds = time.perf_counter() - start
        return {name: np.concatenate(parts) for name, parts in rows.items()}, positions, seconds

    few = min(100, size.extracted)
    (ours, at, _), (theirs, there, _) = taken(device, few), taken(CPU, few)
    equal = {name: at[name] == there[name] for name in layers}
    difference = max(
        float(np.abs(ours[name] - theirs[name])[equal[name]].max() / np.abs(theirs[name]).max()) for name in layers
    )
    report.compared("activations", difference, SAME_ACTIVATION)
    differ = 1 - float(np.mean([*equal.values()]))
    report.compared("share of positions that differ", differ, SAME_POSITIONS)
    seconds = taken(device, size.extracted)[2]
    report.line("extraction", f"{size.extracted / seconds:.4g} images a second, {len(layers)} layers")
    sections = {
        "resnets": {"nets": {"images": "digits", "variant": "ph", "widths": size.widths}},
        "activation_clouds": {"top": {"population": "nets", "n_images": size.extracted}},
    }
    plan = _plan([32, 32, 3], {"train": 2_000, "test": size.extracted}, sections)
    report.cores["extraction"] = (activation_jobs.activations(plan, ["top"], 1).seconds - TORCH[0]) / seconds


PARTS: dict[str, Callable[[torch.device, Size, Report], None]] = {
    "Weights as on the CPU, in parts of the largest change": same_weights,
    "Snapshots as on the CPU": same_snapshots,
    "Networks an hour": networks_an_hour,
    "Residual networks": residual_networks,
    "Activations as on the CPU, in parts of the largest": activations,
}


def changes(report: Report, device: torch.device) -> Iterator[str]:
    """Yield what to change in the forecasts."""
    trained = [report.cores[work] for work in ("networks", "residual networks") if work in report.cores]
    if device.type == "cpu":
        yield "nothing: no GPU was measured, and on sizes as small as these most time is not in the work"
        return
    for work, cores in report.cores.items():
        yield f"{work}: worth {cores:.3g} cores of the forecasts"
    if trained:
        yield f"src/cnn_topology/forecast/demand.py: CORES_PER_GPU = {CORES_PER_GPU:g} becomes {min(trained):.0f}"
        yield "src/cnn_topology/commands/plan.py: `assumed, not measured` goes"
        yield "docs/limits.md, README.md: `No GPU has been measured` goes; docs/speed.md: a row with these figures"
    if "extraction" in report.cores:
        yield (
            "src/cnn_topology/forecast/activation_jobs.py: `_extraction` takes one core; on a GPU divide by "
            f"{report.cores['extraction']:.0f}"
        )


def run(device: torch.device, size: Size) -> Report:
    """Run all parts and print the table."""
    report, start = Report(), time.monotonic()
    for name, part in PARTS.items():
        spent = time.monotonic() - start
        print(f"{name} ({spent:.0f} s so far)", flush=True)
        if spent > LONGEST:
            report.line("left out", "the time is up")
            continue
        # The plain loop is as PyTorch has it.
        with nullcontext() if part is networks_an_hour else settings(device, torch.get_num_threads()):
            part(device, size, report)
    print("What to change", *changes(report, device), sep="\n  ", flush=True)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", action="store_true", help="run all parts small, on the CPU")
    small = parser.parse_args().cpu
    if not small and not torch.cuda.is_available():
        raise SystemExit("PyTorch finds no GPU here: --cpu runs the same parts, small, without one")
    device = CPU if small else torch.device("cuda")
    where = "CPU" if small else torch.cuda.get_device_name(device)
    print(f"{where}, torch {torch.__version__}, CUDA {torch.version.cuda}")
    report = run(device, SMALL if small else GPU)
    if report.wrong:
        raise SystemExit(f"not as on the CPU: {', '.join(report.wrong)}")


if __name__ == "__main__":
    main()
