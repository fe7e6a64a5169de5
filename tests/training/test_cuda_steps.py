"""A step on a GPU, without one: every tensor it needs lies there, and it never waits for a number from there.

Fake tensors have a device and a shape and no values: an operation on tensors of two devices fails, and so does one that
needs a value on the host. Both would keep a step from being recorded as a CUDA graph. Gradients need a real device.
"""

from typing import Any

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from cnn_topology.networks import first_layer, pooling
from cnn_topology.plan.populations import Architecture, Recipe
from cnn_topology.training.stack import Stack

M: dict[str, Any] = {"convolutions": [16, 4], "dense": [8]}
C: dict[str, Any] = {"family": "C", "convolutions": [8, 4], "dense": [8]}
DECAY = {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 1e-4, "decay_iterations": 5, "decay_factor": 0.1}
CROP = {"augmentation": "crop_flip", "crop": 12, "standardize": "image"}
KINDS = [
    ({"dropout": 0.5}, {"standardize": "set"}),
    ({}, DECAY),
    ({"angular_features": 8}, {}),
    ({"angular_features": 8, "feature_filters": "random"}, {}),
    *[({"first_layer": {"kind": kind, "norm": 1.0}}, {}) for kind in ("fixed_circle", "fixed_klein", "fixed_random")],
]


@pytest.fixture
def gpu(monkeypatch):
    """Return a device on which tensors are fakes; what the process keeps for it goes with the test."""
    monkeypatch.setattr(torch.autograd, "grad", lambda loss, weights: (torch.zeros_like(weights) * loss,))
    # Before the first step, and of no known shape.
    monkeypatch.setattr(torch, "bincount", lambda x, minlength: torch.ones(minlength, device=x.device).long())
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield torch.device("cuda")
    pooling._band.cache_clear()
    first_layer._feature_filters.cache_clear()


def stack_on(device, architecture, recipe, dtype=torch.bfloat16):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (40, 14, 14, 1), dtype=np.uint8), rng.integers(0, 3, 40)
    recipe = Recipe(batch_size=8, iterations=10, **recipe)
    return Stack(Architecture(**architecture), recipe, images, labels, 3, (1, 2, 3), device, dtype)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize(
    ("architecture", "recipe"),
    [*[({**M, **changed}, recipe) for changed, recipe in KINDS], (C, CROP), ({**C, "norm_order": "gut"}, {})],
)
def test_a_step_needs_nothing_from_the_host(gpu, architecture, recipe, dtype):
    stack = stack_on(gpu, architecture, recipe, dtype)
    stack._one_step()
    assert {tensor.device.type for tensor in (stack.weights, stack.averages, stack._step)} == {"cuda"}


def test_a_step_that_waits_or_mixes_devices_would_be_noticed(gpu, monkeypatch):
    stack = stack_on(gpu, M, {})
    monkeypatch.setattr(stack, "_step", torch.zeros((), dtype=torch.int64))
    with pytest.raises(RuntimeError, match="on the same device"):
        stack._one_step()
    stack = stack_on(gpu, M, {})
    monkeypatch.setattr(stack, "_dropout", lambda: torch.ones(3, 8, 8) * float(stack.weights.sum()))
    with pytest.raises(DataDependentOutputException):
        stack._one_step()
