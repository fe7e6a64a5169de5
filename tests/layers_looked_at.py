"""Layers of filters to look at: a circle of edges, noise, and a file of both."""

from pathlib import Path

import numpy as np
import torch


def circle(channels: int, seed: int = 0, side: int = 3) -> np.ndarray:
    """Return a layer (channels, 10, side, side) of which a third are noisy edges in all directions."""
    rng = np.random.default_rng(seed)
    x, y = np.tile(np.linspace(-1, 1, side), side), np.repeat(np.linspace(-1, 1, side), side)
    filters = rng.standard_normal((channels * 10, side**2))
    angle = rng.uniform(0, 2 * np.pi, len(filters) // 3)
    edges = np.outer(np.cos(angle), x) + np.outer(np.sin(angle), y)
    filters[: len(angle)] = edges + 0.2 * filters[: len(angle)]
    return rng.permutation(filters).reshape(channels, 10, side, side).astype(np.float32)


def noise(channels: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((channels, 10, 3, 3)).astype(np.float32)


def saved(weights: dict[str, np.ndarray], path: Path) -> Path:
    torch.save({name: torch.from_numpy(array) for name, array in weights.items()}, path)
    return path
