"""Networks per hour: this package's training against an ordinary PyTorch loop, side by side in one run.

The plain loop is what one would write first: an `nn.Sequential`, float32, `torch.optim.Adam`, batches indexed from a
float tensor in memory. On a CPU the plain loop gets all cores as threads; ours gets the same cores as processes of one
thread each, which is how the workflow runs it. On CUDA the plain loop trains one network, ours a whole stack. Both
train M(X, Y, Z) with the same recipe on the same images, in alternating rounds; the ratio of the medians is printed
with its range over rounds, and the test accuracy of both.

    python benchmarks/training.py [--images mnist.npz] [--convolutions 64 32] [--dense 64] [--steps 200] [--rounds 3]
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from cnn_topology.plan.populations import Architecture, Initialization, Recipe, layers_of
from cnn_topology.training.devices import choose_device, choose_precision, settings
from cnn_topology.training.stack import Stack

TEST_IMAGES = 2_000


def load(path: Path | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return x_train, y_train, x_test, y_test: an .npz with these names, or scikit-learn's digits at 28x28."""
    if path is not None:
        with np.load(path) as file:
            x, y, xt, yt = (file[key] for key in ("x_train", "y_train", "x_test", "y_test"))
        return x.reshape(*x.shape[:3], -1), y.astype(np.int64), xt.reshape(*xt.shape[:3], -1), yt.astype(np.int64)
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.pad(np.kron(bunch.images * 15.9, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2))).astype(np.uint8)[..., None]
    labels = bunch.target.astype(np.int64)
    return images[:1400], labels[:1400], images[1400:], labels[1400:]


def plain(arguments: argparse.Namespace, device: torch.device) -> tuple[float, float, float]:
    """Train one network as an ordinary script does; return seconds and CPU seconds per step, and test accuracy."""
    x, y, xt, yt = load(arguments.images)
    architecture = Architecture(convolutions=tuple(arguments.convolutions), dense=tuple(arguments.dense))
    torch.manual_seed(arguments.seed)
    modules: list[nn.Module] = []
    for layer in layers_of(architecture, x.shape[1:]):
        if layer.kind == "convolution":
            modules += [nn.Conv2d(layer.weight[1], layer.weight[0], 3, padding=1), nn.ReLU()]
            modules += [nn.MaxPool2d(2)] if layer.pooled else []
            continue
        modules += [nn.Flatten()] if layer.depth == len(architecture.convolutions) + 1 else []
        modules += [nn.Dropout(0.5)] if layer.name == "scores" else []
        modules += [nn.Linear(layer.weight[1], layer.weight[0])]
        modules += [] if layer.name == "scores" else [nn.ReLU()]
    network = nn.Sequential(*modules).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=arguments.learning_rate)
    images, labels = torch.from_numpy(x).movedim(-1, 1).float().div(255).to(device), torch.from_numpy(y).to(device)

    def train(steps: int) -> None:
        for _ in range(steps):
            batch = torch.randint(len(labels), (arguments.batch,), device=device)
            optimizer.zero_grad()
            F.cross_entropy(network(images[batch]), labels[batch]).backward()
            optimizer.step()

    seconds, busy = timed(train, arguments.steps, device)
    network.eval()
    with torch.no_grad():
        test = torch.from_numpy(xt[:TEST_IMAGES]).movedim(-1, 1).float().div(255).to(device)
        guess = network(test).argmax(dim=1).cpu().numpy()
    return seconds, busy, float((guess == yt[:TEST_IMAGES]).mean())


def ours(arguments: argparse.Namespace, device: torch.device) -> tuple[float, float, float]:
    """Train with this package: one network on a CPU, a stack on CUDA."""
    x, y, xt, yt = load(arguments.images)
    # The plain loop starts from PyTorch's own weights, so ours does too.
    start = Initialization(kind="pytorch")
    widths = {"convolutions": tuple(arguments.convolutions), "dense": tuple(arguments.dense)}
    architecture = Architecture(**widths, initialization=start)
    recipe = Recipe(learning_rate=arguments.learning_rate, batch_size=arguments.batch, precision=arguments.precision)
    count = arguments.stack if device.type == "cuda" else 1
    seeds = tuple(range(arguments.seed, arguments.seed + count))
    dtype = choose_precision(recipe.precision, device)
    with settings(device, 1):
        stack = Stack(architecture, recipe, x, y, 10, seeds, device, dtype)
        seconds, busy = timed(stack.train, arguments.steps, device)
        test = torch.from_numpy(xt[:TEST_IMAGES]), torch.from_numpy(yt[:TEST_IMAGES])
        accuracy = stack.evaluate(*test, 256 if device.type == "cpu" else 128)[1].mean()
    return seconds / count, busy / count, float(accuracy)


def timed(train: Callable[[int], None], steps: int, device: torch.device) -> tuple[float, float]:
    """Return seconds and CPU seconds per step after ten steps of warm-up."""
    train(10)
    if device.type == "cuda":
        torch.cuda.synchronize()
    start, busy = time.perf_counter(), time.process_time()
    train(steps)
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps, (time.process_time() - busy) / steps


def in_processes(how: str, count: int, threads: int) -> list[tuple[float, float, float]]:
    """Run so many fresh processes of one loop at the same time, and return what each returns."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, *sys.argv, "--only", how]
    children = [
        subprocess.Popen([*command, "--seed", str(seed)], env=environment, stdout=subprocess.PIPE)
        for seed in range(count)
    ]
    return [tuple(json.loads(child.communicate()[0])) for child in children]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, help=".npz with x_train, y_train, x_test, y_test; absent: digits, 28x28")
    parser.add_argument("--convolutions", type=int, nargs="+", default=[64, 32])
    parser.add_argument("--dense", type=int, nargs="*", default=[64])
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=40_000, help="length of training that an hour is filled with")
    parser.add_argument("--precision", default="auto", help="of ours; the plain loop is float32")
    parser.add_argument("--stack", type=int, default=100, help="networks at once on CUDA")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=["plain", "ours"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    if arguments.only:
        print(json.dumps((plain if arguments.only == "plain" else ours)(arguments, device)))
        return

    cores = len(os.sched_getaffinity(0))
    per_hour: dict[str, list[float]] = {"plain": [], "ours": []}
    busy: dict[str, list[float]] = {"plain": [], "ours": []}
    accuracy: dict[str, list[float]] = {"plain": [], "ours": []}
    on_cpu = device.type == "cpu"
    for _ in range(arguments.rounds):
        for how in per_hour:
            processes = cores if on_cpu and how == "ours" else 1
            results = in_processes(how, processes, cores if how == "plain" else 1)
            per_hour[how].append(sum(3600 / (seconds * arguments.iterations) for seconds, _, _ in results))
            busy[how].append(float(np.mean([each for _, each, _ in results])))
            accuracy[how] += [value for _, _, value in results]
    ratios = [b / a for a, b in zip(per_hour["plain"], per_hour["ours"], strict=True)]
    name = f"M({', '.join(map(str, [*arguments.convolutions, *arguments.dense]))})"
    where = f"{cores} cores" if on_cpu else torch.cuda.get_device_name(device)
    precision = str(choose_precision(arguments.precision, device)).removeprefix("torch.")
    print(f"{name}, batch {arguments.batch}, {where}, torch {torch.__version__}, ours in {precision}")
    for how, values in per_hour.items():
        print(
            f"{how:>5}: {np.median(values):7.3f} networks of {arguments.iterations} iterations per hour; test accuracy "
            f"after {arguments.steps} steps {100 * np.mean(accuracy[how]):.1f} %"
        )
    print(f"ratio: {np.median(ratios):.2f} (rounds: {min(ratios):.2f} to {max(ratios):.2f})")
    if on_cpu:
        # What a busy machine leaves of it: CPU time does not count waiting for a core.
        costs = [a / b for a, b in zip(busy["plain"], busy["ours"], strict=True)]
        milliseconds = {how: 1e3 * np.median(values) for how, values in busy.items()}
        print(
            f"ratio of CPU time: {np.median(costs):.2f} (rounds: {min(costs):.2f} to {max(costs):.2f}; "
            f"{milliseconds['plain']:.1f} and {milliseconds['ours']:.1f} CPU ms per step)"
        )


if __name__ == "__main__":
    main()
