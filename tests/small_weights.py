"""The arrays of a network of two convolutions, and what reads them from a file."""

from pathlib import Path

import numpy as np

from cnn_topology.networks.weights import read_weights

SHAPES = {"conv1.weight": (8, 3, 3, 3), "conv1.bias": (8,), "conv2.weight": (6, 8, 3, 3)}


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}


def assert_read(path: Path, expected: dict[str, np.ndarray] | None = None, **keys: str) -> None:
    for name, array in (expected or arrays()).items():
        np.testing.assert_array_equal(read_weights(path, {name: array.shape}, **keys)[name], array, strict=True)
