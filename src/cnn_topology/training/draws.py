"""Random numbers of training, each a function of a network's seed and the step alone.

Nothing is drawn from a running generator: so a network sees the same batches, crops and dropout alone or in a stack, on
any device, and after a restart in the middle.
"""

import numpy as np
import torch

from cnn_topology.seeds import derive_seed

# SplitMix64 (Steele, Lea & Flood 2014): the increment (golden ratio) and the two multipliers of its mixing function,
# as signed 64-bit numbers; the products wrap around.
_GOLDEN, _FIRST, _SECOND = -0x61C8864680B583EB, -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15

# Independent streams of one step.
DROPOUT, TOP, LEFT, FLIP = range(4)


def uniform(seeds: torch.Tensor, step: torch.Tensor, stream: int, count: int) -> torch.Tensor:
    """Return uniform numbers by counting: number i of a stream is a hash of (seed, step, stream, i).

    Parameters
    ----------
    seeds : Tensor
        int64 (networks,).
    step : Tensor
        int64 scalar, on the same device.
    stream : int
        One of `DROPOUT`, `TOP`, `LEFT`, `FLIP`.
    count : int
        Numbers per network.

    Returns
    -------
    Tensor
        float32 (networks, count) in [0, 1), multiples of 2^-24; the same on every device.
    """
    key = _mix(seeds ^ _mix((4 * step + stream + 1) * _GOLDEN))
    counter = torch.arange(1, count + 1, device=seeds.device) * _GOLDEN
    return _shift(_mix(key[:, None] + counter), 40).float() * 2.0**-24


def _mix(z: torch.Tensor) -> torch.Tensor:
    z = (z ^ _shift(z, 30)) * _FIRST
    z = (z ^ _shift(z, 27)) * _SECOND
    return z ^ _shift(z, 31)


def _shift(z: torch.Tensor, bits: int) -> torch.Tensor:
    """Shift right without the sign, which torch has for signed numbers only by masking."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def batch_indices(seed: int, size: int, batch: int, first: int, steps: int) -> np.ndarray:
    """Return the training images of consecutive batches of one network.

    Every epoch is a fresh permutation of all images; the permutations follow each other without a gap and are cut into
    batches of equal size, so that a batch may span two epochs and no image is ever dropped.

    Parameters
    ----------
    seed : int
        Seed of the network.
    size : int
        Number of training images.
    batch : int
        Images per batch.
    first, steps : int
        The first batch wanted and how many.

    Returns
    -------
    ndarray
        int64 (steps, batch), indices below `size`.
    """
    start, stop = first * batch, (first + steps) * batch
    epochs = range(start // size, -(-stop // size))
    stream = np.concatenate([np.random.default_rng(derive_seed(seed, "order", e)).permutation(size) for e in epochs])
    offset = start - epochs.start * size
    return stream[offset : offset + stop - start].reshape(steps, batch)


def noisy_labels(labels: np.ndarray, classes: int, share: float, seed: int) -> np.ndarray:
    """Replace a share of labels by a random other class.

    The noise belongs to the training set: it depends on the seed and the image's place in the set, so all networks of a
    population learn the same wrong labels.

    Parameters
    ----------
    labels : ndarray
        int64 (images,).
    classes : int
        Number of classes.
    share : float
        Probability that a label is replaced.
    seed : int
        Seed of the population's label noise.

    Returns
    -------
    ndarray
        int64 (images,).
    """
    rng = np.random.default_rng(seed)
    replaced = rng.random(len(labels)) < share
    shift = rng.integers(1, max(classes, 2), len(labels))
    return np.where(replaced, (labels + shift) % classes, labels)
