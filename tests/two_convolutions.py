"""Files of a network of two convolutions, and the layers that a checkpoint finds in them."""

from pathlib import Path

import numpy as np
import torch

from cnn_topology.plan.checkpoints import FilesCheckpoint, checkpoint_layers

STEM, DEEP = "conv1.weight", "conv2.weight"


def tensors(seed: int = 0) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return {STEM: torch.randn(8, 3, 3, 3, generator=draw), DEEP: torch.randn(6, 8, 3, 3, generator=draw)}


def prefixed(prefix: str, seed: int = 0) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in tensors(seed).items()}


def layers(*paths: Path, **keys: object) -> list[str]:
    section = FilesCheckpoint(kind="files", files=tuple(map(str, paths)), **keys)
    return [layer.tensor for layer in checkpoint_layers("mine", section).layers]


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def npz(path: Path, **shapes: tuple[int, ...]) -> Path:
    np.savez(path, **{name: np.ones(shape, np.float32) for name, shape in shapes.items()})
    return path
