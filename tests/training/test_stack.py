"""A stack trains each of its networks as if it were alone, and as plain PyTorch would."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnn_topology.plan.populations import Architecture, FixedFirstLayer, Recipe
from cnn_topology.training.devices import settings
from cnn_topology.training.draws import batch_indices
from cnn_topology.training.stack import Stack

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, 50)
GRAY = RNG.integers(0, 256, (50, 12, 12, 1), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (50, 14, 13, 3), dtype=np.uint8)
SEEDS = (101, 102, 2**62 + 5)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with settings(torch.device("cpu"), 1):
        yield


M = Architecture(convolutions=(6, 4), dense=(8,), dropout=0.5)
C = Architecture(family="C", convolutions=(10, 4), dense=(8,), dropout=0.25)
ADAM = Recipe(optimizer="adam", learning_rate=3e-3, batch_size=16)
SGD = Recipe(optimizer="sgd", learning_rate=0.05, momentum=0.9, weight_decay=1e-3, batch_size=16)
CROPPED: dict[str, Any] = {"augmentation": "crop_flip", "crop": 10, "standardize": "image"}

CIRCLE = M.model_copy(update={"first_layer": FixedFirstLayer(kind="fixed_circle", norm=0.4)})
RANDOM = C.model_copy(update={"first_layer": FixedFirstLayer(kind="fixed_random", bias="zero")})

CASES = {
    "M, Adam": (M, ADAM, GRAY),
    "M, momentum": (M, SGD, GRAY),
    "C, Adam, crops": (C, ADAM.model_copy(update=CROPPED), COLOUR),
    "C, momentum, crops, decay": (
        C,
        SGD.model_copy(update={**CROPPED, "decay_factor": 0.5, "decay_iterations": 3}),
        COLOUR,
    ),
    "C of gut, standardized set": (
        C.model_copy(update={"norm_order": "gut"}),
        ADAM.model_copy(update={"standardize": "set"}),
        COLOUR,
    ),
    "fixed circle, momentum": (CIRCLE, SGD, GRAY),
    "fixed random filters without bias, Adam, crops": (RANDOM, ADAM.model_copy(update=CROPPED), COLOUR),
    "angular features": (M.model_copy(update={"angular_features": 5}), ADAM, GRAY),
    "random features": (C.model_copy(update={"angular_features": 3, "feature_filters": "random"}), SGD, COLOUR),
}


def make(
    architecture: Architecture,
    recipe: Recipe,
    images: np.ndarray,
    seeds: tuple[int, ...] = SEEDS,
    dtype: torch.dtype = torch.float64,
) -> Stack:
    return Stack(architecture, recipe, images, LABELS, 4, seeds, torch.device("cpu"), dtype)


@pytest.mark.parametrize(("architecture", "recipe", "images"), CASES.values(), ids=CASES)
def test_each_network_of_a_stack_trains_as_it_does_alone(
    architecture: Architecture, recipe: Recipe, images: np.ndarray
) -> None:
    together = make(architecture, recipe, images)
    together.train(8)
    pixels, labels = torch.from_numpy(images), torch.from_numpy(LABELS)
    losses, accuracies = together.evaluate(pixels, labels, 20)
    for place, seed in enumerate(SEEDS):
        alone = make(architecture, recipe, images, (seed,))
        alone.train(8)
        for name, value in alone.parameters().items():
            np.testing.assert_allclose(together.parameters()[name][place], value[0], rtol=1e-9, atol=1e-11)
        loss, accuracy = alone.evaluate(pixels, labels, 33)
        np.testing.assert_allclose(losses[place], loss[0], rtol=1e-9)
        assert accuracies[place] == accuracy[0]


def test_float32_stack_stays_close_to_networks_alone() -> None:
    together = make(M, ADAM, GRAY, dtype=torch.float32)
    together.train(8)
    alone = make(M, ADAM, GRAY, SEEDS[:1], dtype=torch.float32)
    alone.train(8)
    for name, value in alone.parameters().items():
        np.testing.assert_allclose(together.parameters()[name][0], value[0], atol=2e-5)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_training_is_that_of_plain_pytorch(optimizer: str) -> None:
    steps, decay = 7, {"decay_factor": 0.5, "decay_iterations": 3}
    recipe = (ADAM if optimizer == "adam" else SGD).model_copy(update={"weight_decay": 1e-3, **decay})
    architecture = M.model_copy(update={"dropout": 0.0})
    stack = make(architecture, recipe, GRAY, SEEDS[:1])
    plain = nn.Sequential(
        *(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 4)),
    ).double()
    with torch.no_grad():
        for mine, value in zip(plain.parameters(), stack.parameters().values(), strict=True):
            mine.copy_(torch.from_numpy(value[0]))
    if optimizer == "adam":
        torchs: torch.optim.Optimizer = torch.optim.Adam(plain.parameters(), lr=3e-3, weight_decay=1e-3)
    else:
        torchs = torch.optim.SGD(plain.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.StepLR(torchs, step_size=3, gamma=0.5)
    for indices in batch_indices(SEEDS[0], len(GRAY), recipe.batch_size, 0, steps):
        images = torch.from_numpy(GRAY[indices]).double().movedim(-1, 1) / 255
        torchs.zero_grad()
        F.cross_entropy(plain(images), torch.from_numpy(LABELS[indices])).backward()
        torchs.step()
        schedule.step()
    stack.train(steps)
    for expected, value in zip(plain.parameters(), stack.parameters().values(), strict=True):
        np.testing.assert_allclose(value[0], expected.detach().numpy(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_restored_state_goes_on_bit_for_bit(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnn_topology.training.stack.BLOCK", 4)
    straight = make(C, SGD, COLOUR, SEEDS[:1], dtype)
    straight.train(11)
    before = make(C, SGD, COLOUR, SEEDS[:1], dtype)
    before.train(6)
    after = make(C, SGD, COLOUR, SEEDS[:1], dtype)
    after.restore(before.state())
    after.train(5)
    for name, value in straight.parameters().items():
        assert np.array_equal(after.parameters()[name], value)


def test_a_network_that_diverges_leaves_the_others_alone() -> None:
    stack, healthy = make(M, ADAM, GRAY), make(M, ADAM, GRAY)
    with torch.no_grad():
        stack.weights[1, 0] = torch.inf
    stack.train(4)
    healthy.train(4)
    assert stack.finite().tolist() == [True, False, True]
    for place in (0, 2):
        assert torch.equal(stack.weights[place], healthy.weights[place])


@pytest.mark.parametrize("recipe", [SGD, ADAM.model_copy(update={"weight_decay": 0.1})], ids=["sgd", "adam"])
@pytest.mark.parametrize("bias", ["trainable", "zero"])
@pytest.mark.parametrize("seeds", [SEEDS, SEEDS[:1]], ids=["stacked", "alone"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_fixed_filters_are_the_same_bytes_after_training(
    recipe: Recipe, bias: str, seeds: tuple[int, ...], dtype: torch.dtype
) -> None:
    fixed = M.model_copy(update={"first_layer": FixedFirstLayer(kind="fixed_random", bias=bias)})
    stack = make(fixed, recipe, GRAY, seeds, dtype)
    before = stack.parameters()
    stack.train(5)
    state = stack.state()
    after = stack.parameters()
    assert list(after) == list(before)
    assert after["conv1.weight"].tobytes() == before["conv1.weight"].tobytes()
    assert np.array_equal(after["conv1.bias"], before["conv1.bias"]) == (bias == "zero")
    assert not np.array_equal(after["conv2.weight"], before["conv2.weight"])
    again = make(fixed, recipe, GRAY, seeds, dtype)
    again.restore(state)
    assert again.parameters()["conv1.weight"].tobytes() == before["conv1.weight"].tobytes()
