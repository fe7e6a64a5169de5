"""Weights of a network from a file of a user's own, by the names and shapes that the network has."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cnn_topology.errors import InputError
from cnn_topology.networks.copies import COPIES, first_copies
from cnn_topology.networks.weights import check_finite, read_arrays
from cnn_topology.plan.files import COUNTER, misfit

Naming = Callable[[Iterable[str]], Mapping[str, str]]


def read_checkpoint(
    path: Path, named: Naming | None = None, entry: str | None = None, as_stored: bool = False
) -> dict[str, torch.Tensor]:
    """Read named tensors.

    Parameters
    ----------
    path, entry, as_stored
        As for `networks.weights.read_arrays`.
    named : function, optional
        Returns the names of a network by those in a file, such as `own_names` of a variant. Absent: they
        are the same.

    Returns
    -------
    dict of str to Tensor
        On the CPU, by the network's names.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    arrays = read_arrays(path, entry, as_stored)
    try:
        names = named(arrays) if named else {name: name for name in arrays}
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    # `ascontiguousarray` makes a vector of a number.
    return {own: torch.from_numpy(np.array(arrays[name], order="C")) for name, own in names.items()}


def load_checkpoint(
    network: nn.Module, tensors: Mapping[str, torch.Tensor], path: Path, mend: str | None = None
) -> None:
    """Put weights into a network.

    Parameters
    ----------
    network : Module
        Changed in place.
    tensors : mapping of str to Tensor
        From `read_checkpoint`.
    path, mend
        For messages: the file, and the way out if it is not that of `resnets`.

    Raises
    ------
    InputError
        Naming the first tensor, in the order of the network, that is missing or has another shape, else the first
        one that the network does not have.
    """
    own = network.state_dict()
    expected, found = (
        {
            name: tuple(tensor.shape)
            for name, tensor in named.items()
            if tensor.is_floating_point() and not name.endswith(COUNTER)
        }
        for named in (own, tensors)
    )
    problem = misfit(found, expected, mend)
    if problem:
        raise InputError(f"{path}: {problem}")
    for name in expected:
        check_finite(path, name, tensors[name].numpy())
    network.load_state_dict({name: tensors.get(name, own[name]) for name in own})


def refuse_copy(
    tensors: Mapping[str, torch.Tensor],
    path: Path,
    others: Iterable[Path],
    read: Callable[[Path], Mapping[str, torch.Tensor]],
) -> None:
    """Refuse weights that another file holds too: statistics over networks would count one network twice.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        From `read_checkpoint`, all finite.
    path : Path
        For messages.
    others : iterable of Path
        Files of networks of the same architecture.
    read : function
        Reads them.

    Raises
    ------
    InputError
        Naming the first file with the same convolutions, whatever their precision and the scale of their channels, or
        one that cannot be read.
    """
    for other in others:
        theirs = read(other)
        pairs = [(tensor, theirs[name]) for name, tensor in tensors.items() if tensor.ndim == 4 and name in theirs]
        if first_copies(np.stack([one.numpy() for one in pair]) for pair in pairs):
            raise InputError(f"{path}: holds the same kernels as {other} {COPIES}; list each network once")
