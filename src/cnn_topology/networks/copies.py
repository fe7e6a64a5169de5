"""Weights that come twice: their filters lie in pairs or heaps, which a density filter takes for structure."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from cnn_topology.errors import InputError

# The kernels of an output channel are copies when, up to a factor, they differ by less than this part of their norm.
# Measured on GoogLeNet's inception_4e: rounding to bfloat16 leaves 0.002, to 8 bit integers 0.015 with a scale per
# channel and 0.07 with one per layer, to 8 bit floating-point numbers 0.05. Networks of different seeds differ by more
# than 1.
SAME_BELOW = 0.1

# Weights are copies when at least this part of their channels are. Trained layers have weak channels, of which rounding
# leaves little: with 8 bit integers and one scale per layer 0.97 of the channels of a ResNet-20 remain copies, 0.81 of
# those of its first layer and 0.75 in the worst of 46 layers of four networks. Of different layers no channels agree,
# and 0.002 of their 3x3 filters if a channel has only one.
SAME_PART = 2 / 3

# For messages: what copies are.
COPIES = f"(most channels differ by less than {SAME_BELOW:.0%} of their norm, whatever their scale)"

# A layer of more filters than these, with no more different ones, was not trained: a blur, a fixed bank.
FIXED_FILTERS = 8


def first_copies(layers: Iterable[np.ndarray]) -> tuple[int, int] | None:
    """Find the first two networks with the same weights, whatever their precision and the scale of their channels.

    A channel that is zero in both networks does not count.

    Parameters
    ----------
    layers : iterable of ndarray, shape (networks, out, ...)
        Each layer of all networks; they may come one at a time. All finite.

    Returns
    -------
    tuple of int or None
        Positions of both; None if all networks differ.
    """
    copied: np.ndarray | int = 0
    live: np.ndarray | int = 0
    for layer in layers:
        for channel in range(layer.shape[1]):
            rows = layer[:, channel].reshape(len(layer), -1)
            norms = np.linalg.norm(rows, axis=1, keepdims=True)
            unit = rows / np.where(norms > 0, norms, 1)
            # Unit vectors that differ by d have the scalar product 1 - d^2 / 2.
            copied = copied + (unit @ unit.T > 1 - SAME_BELOW**2 / 2)
            live = live + ((norms > 0) | (norms > 0).T)
    pairs = np.argwhere(np.triu(np.atleast_2d(copied >= SAME_PART * np.maximum(live, 1)), k=1))
    return (int(pairs[0, 0]), int(pairs[0, 1])) if len(pairs) else None


def repeated_layers(weights: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Find the layers of one network whose kernels are those of a layer before.

    Parameters
    ----------
    weights : mapping of str to ndarray, shape (out, in, ...)

    Returns
    -------
    dict of str to str
        The first layer with the same kernels, by the name of the other.
    """
    alike: dict[tuple[int, ...], list[str]] = {}
    for name, weight in weights.items():
        alike.setdefault(weight.shape, []).append(name)
    repeated = {}
    for names in alike.values():
        while pair := first_copies([np.stack([weights[name] for name in names])]):
            repeated[names.pop(pair[1])] = names[pair[0]]
    return repeated


def is_fixed(filters: np.ndarray) -> bool:
    """Return whether the filters of a layer, constant ones aside, are copies of a few.

    Parameters
    ----------
    filters : ndarray, shape (filters, entries)

    Returns
    -------
    bool
    """
    rows = filters[filters.max(axis=1) > filters.min(axis=1)]
    different: set[bytes] = set()
    for row in rows:
        different.add(row.tobytes())
        if len(different) > FIXED_FILTERS:
            return False
    return len(rows) > len(different)


def refuse_copies(where: str, files: list[Path], weights: dict[str, np.ndarray]) -> None:
    """Refuse a network or a layer that comes twice, and layers of fixed filters."""
    pair = first_copies(weights.values())
    if pair:
        one, two = pair
        raise InputError(
            f"{where}.files: {files[one]} and {files[two]} hold the same kernels {COPIES}; list each network once"
        )
    for position, file in enumerate(files):
        for copy, first in repeated_layers({tensor: stack[position] for tensor, stack in weights.items()}).items():
            raise InputError(
                f"{where}: {file}: {first} and {copy} hold the same kernels {COPIES}; leave one out by `exclude`"
            )
        for tensor, stack in weights.items():
            if is_fixed(stack[position].reshape(-1, np.prod(stack.shape[-2:]))):
                raise InputError(
                    f"{where}: {file}: the filters of {tensor} are copies of at most {FIXED_FILTERS}, as a "
                    "blur's are that is not trained; leave it out by `exclude`"
                )
