"""Weights that come twice: their filters lie in pairs or heaps, which a density filter takes for structure."""

from collections.abc import Iterable

import numpy as np

# Weights are copies of each other when, up to a factor per output channel, they differ by less than this part of their
# norm. Measured on GoogLeNet's inception_4e: rounding to bfloat16 leaves 0.002, to 8 bit integers 0.015 with a scale
# per channel and 0.07 with one per layer, to 8 bit floating-point numbers 0.05. Networks of different seeds differ by
# more than 1.
SAME_BELOW = 0.1

# A layer of more filters than these, with no more different ones, was not trained: a blur, a fixed bank.
FIXED_FILTERS = 8


def first_copies(layers: Iterable[np.ndarray]) -> tuple[int, int] | None:
    """Find the first two networks with the same weights, whatever their precision and the scale of their channels.

    Parameters
    ----------
    layers : iterable of ndarray, shape (networks, out, ...)
        Each layer of all networks; they may come one at a time. All finite.

    Returns
    -------
    tuple of int or None
        Positions of both; None if all networks differ.
    """
    agreement: np.ndarray | float = 0.0
    channels: np.ndarray | float = 0.0
    for layer in layers:
        rows = layer.reshape(*layer.shape[:2], -1)
        norms = np.linalg.norm(rows, axis=2, keepdims=True)
        unit = (rows / np.where(norms > 0, norms, 1)).reshape(len(rows), -1)
        agreement = agreement + unit @ unit.T
        dead = (norms[..., 0] == 0).astype(float)
        channels = channels + rows.shape[1] - dead @ dead.T
    # Unit vectors that differ by d have the scalar product 1 - d^2 / 2.
    same = np.triu(np.atleast_2d(agreement > (1 - SAME_BELOW**2 / 2) * np.maximum(channels, 1)), k=1)
    pairs = np.argwhere(same)
    return (int(pairs[0, 0]), int(pairs[0, 1])) if len(pairs) else None


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
