"""Weights of a residual network from a file of a user's own, by the names and shapes that the network has."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cnn_topology.errors import InputError
from cnn_topology.networks.copies import COPIES, first_copies
from cnn_topology.networks.weights import check_finite, read_arrays
from cnn_topology.plan.resnet_files import COUNTER, misfit, own_name


def read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Read named tensors.

    Parameters
    ----------
    path : Path
        As for `networks.weights.read_arrays`.

    Returns
    -------
    dict of str to Tensor
        On the CPU, without the prefix of `torch.nn.DataParallel`, names of torchvision brought to those used here.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    return {own_name(name): torch.from_numpy(np.ascontiguousarray(array)) for name, array in read_arrays(path).items()}


def load_checkpoint(network: nn.Module, tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Put weights into a network.

    Parameters
    ----------
    network : Module
        Changed in place.
    tensors : mapping of str to Tensor
        From `read_checkpoint`.
    path : Path
        For messages.

    Raises
    ------
    InputError
        Naming the first tensor, in the order of the network, that is missing or has another shape, else the first
        one that the network does not have.
    """
    own = network.state_dict()
    expected, found = (
        {name: tuple(tensor.shape) for name, tensor in named.items() if not name.endswith(COUNTER)}
        for named in (own, tensors)
    )
    problem = misfit(found, expected)
    if problem:
        raise InputError(f"{path}: {problem}")
    for name in expected:
        check_finite(path, name, tensors[name].numpy())
    network.load_state_dict({name: tensors.get(name, own[name]) for name in own})


def refuse_copy(tensors: Mapping[str, torch.Tensor], path: Path, others: Iterable[Path]) -> None:
    """Refuse weights that another file holds too: statistics over networks would count one network twice.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        From `read_checkpoint`, all finite.
    path : Path
        For messages.
    others : iterable of Path
        Files of networks of the same architecture.

    Raises
    ------
    InputError
        Naming the first file with the same convolutions, whatever their precision and the scale of their channels, or
        one that cannot be read.
    """
    for other in others:
        theirs = read_checkpoint(other)
        pairs = [(tensor, theirs[name]) for name, tensor in tensors.items() if tensor.ndim == 4 and name in theirs]
        if first_copies(np.stack([one.numpy() for one in pair]) for pair in pairs):
            raise InputError(f"{path}: holds the same kernels as {other} {COPIES}; list each network once")
