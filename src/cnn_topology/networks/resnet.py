"""Residual networks of both halves of the activations paper (sections 1.1 and 1.4), as plain PyTorch modules.

Names of modules and parameters are those of the released code, so that its weights load as they are. A stem of one
convolution, without a pool for CIFAR images, stages of basic blocks, the mean over all positions, one linear layer.
"""

import torch
from torch import nn
from torch.nn import functional

from cnn_topology.plan.resnets import MapperResNets, PHResNets


class PadShortcut(nn.Module):
    """Option A of He et al. (2016): every second pixel, and zero channels on both sides; no parameters."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.stride, self.side = stride, (after - before) // 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Bring (images, before, h, w) to (images, after, ceil(h / stride), ceil(w / stride))."""
        return functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.side, self.side))


class Block(nn.Module):
    """Two 3x3 convolutions, each with batch norm, and a shortcut around both.

    `total` is the sum of both paths before the last ReLU; it does nothing and is there for hooks.
    """

    def __init__(self, before: int, after: int, stride: int, shortcut: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut: nn.Module = nn.Sequential()
        if stride != 1 or before != after:
            self.shortcut = (
                PadShortcut(before, after, stride)
                if shortcut == "pad"
                else nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
            )
        self.total = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the block."""
        inner = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.total(self.bn2(self.conv2(inner)) + self.shortcut(x)))


class ResNet(nn.Module):
    """A residual network as an entry of `resnets` describes it.

    Parameters
    ----------
    section : PHResNets or MapperResNets
        Variant, widths, blocks and shortcuts.
    channels : int
        Of an image.
    classes : int
        Number of class scores; 0: none, and no last layer.
    """

    def __init__(self, section: PHResNets | MapperResNets, channels: int, classes: int) -> None:
        super().__init__()
        widths = section.widths
        side, stride = (3, 1) if section.stem == "cifar" else (7, 2)
        self.conv1 = nn.Conv2d(channels, widths[0], side, stride, padding=side // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.pooled = section.stem == "imagenet"
        stages = []
        for number, (after, blocks) in enumerate(zip(widths, section.blocks, strict=True)):
            before = widths[max(number - 1, 0)]
            first = Block(before, after, 2 if number else 1, section.shortcut)
            stages.append(nn.Sequential(first, *(Block(after, after, 1, section.shortcut) for _ in range(blocks - 1))))
        self.names = ["block_seq"] if section.variant == "ph" else [f"layer{i + 1}" for i in range(len(stages))]
        parts = [nn.Sequential(*stages)] if section.variant == "ph" else stages
        for name, part in zip(self.names, parts, strict=True):
            self.add_module(name, part)
        self.linear = nn.Linear(widths[-1], classes) if classes else None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return class scores, (images, classes), of normalized images, (images, channels, height, width)."""
        x = functional.relu(self.bn1(self.conv1(images)))
        if self.pooled:
            x = functional.max_pool2d(x, 3, 2, padding=1)
        for name in self.names:
            x = self.get_submodule(name)(x)
        features = x.mean((2, 3))
        return features[:, :0] if self.linear is None else self.linear(features)


def make_resnet(section: PHResNets | MapperResNets, channels: int, classes: int, seed: int) -> ResNet:
    """Build a network with PyTorch's default initialization, drawn by a seed; the global generator stays as it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ResNet(section, channels, classes)
