"""Snapshots: all weights of a shard at one step, in one safetensors file with the identity of every network."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnn_topology.errors import InputError
from cnn_topology.storage.tensors import read_tensors


@dataclass(frozen=True)
class Snapshot:
    """Weights of some networks at one step.

    Attributes
    ----------
    tensors : dict of str to ndarray
        By layer, ``conv1.weight`` ...; float32 (networks, out, in, 3, 3), (networks, out, in) or (networks, out).
    networks : tuple of int
        Number of each network in its population.
    seeds : tuple of int
        Seed of each network.
    step : int
        Iterations done.
    failed : tuple of bool
        Whether the network's loss or weights are no longer finite; its weights are NaN then.
    metadata : dict of str to str
        All there is: besides the above population, shard, image set and its SHA-256, config hash, precision, versions.
    """

    tensors: dict[str, np.ndarray]
    networks: tuple[int, ...]
    seeds: tuple[int, ...]
    step: int
    failed: tuple[bool, ...]
    metadata: dict[str, str]


def read_snapshot(path: Path, names: Iterable[str] | None = None) -> Snapshot:
    """Read a snapshot and check it against its checksum.

    Parameters
    ----------
    path : Path
        A file that a training job wrote, or an import of weights.
    names : iterable of str, optional
        The tensors wanted; all when absent.

    Raises
    ------
    InputError
        If the file is missing, cut short, altered, or no snapshot; or lacks a tensor asked for.
    """
    tensors, metadata = read_tensors(path, names)
    try:
        networks, seeds = (_list(metadata[key], int) for key in ("networks", "seeds"))
        failed = _list(metadata["failed"], bool)
        step = int(metadata["step"])
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path}: this is no snapshot: in its metadata {error} is missing or damaged; delete it and start again."
        ) from error
    return Snapshot(tensors, networks, seeds, step, failed, metadata)


def _list(text: str, kind: type) -> tuple[Any, ...]:
    """Read a JSON list whose entries are all of one kind."""
    values = json.loads(text)
    if not isinstance(values, list) or any(type(value) is not kind for value in values):
        raise ValueError(f"{text[:40]!r}: expected a list of {kind.__name__}")
    return tuple(values)
