"""Weights of a residual network from a file of a user's own, by the names and shapes that the network has."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import torch
from torch import nn

from cnn_topology.errors import InputError
from cnn_topology.networks.weights import check_finite, read_tensors

# `torch.nn.DataParallel` puts this before each name.
_PARALLEL = "module."
# What torchvision calls the shortcuts and the last layer.
_TORCHVISION = {".downsample.": ".shortcut.", "fc.weight": "linear.weight", "fc.bias": "linear.bias"}
# Keys of the config that decide which tensors a network has.
_MEND = "mend `variant`, `widths`, `blocks`, `shortcut` or `stem`"
# Counts the batches seen; evaluation never reads it, and old files lack it.
_COUNTER = "num_batches_tracked"


def read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Read named tensors.

    Parameters
    ----------
    path : Path
        As for `networks.weights.read_tensors`.

    Returns
    -------
    dict of str to Tensor
        On the CPU, without the prefix of `torch.nn.DataParallel`, names of torchvision brought to those used here.

    Raises
    ------
    InputError
        If the file cannot be used.
    """
    return {_own_name(name.removeprefix(_PARALLEL)): tensor for name, tensor in read_tensors(path).items()}


def _own_name(name: str) -> str:
    for theirs, ours in _TORCHVISION.items():
        name = name.replace(theirs, ours)
    return name


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
    expected = [name for name in own if not name.endswith(_COUNTER)]
    for name in expected:
        if name not in tensors:
            near = get_close_matches(name, tensors, n=1, cutoff=0.5)
            hint = f"; nearest there: {near[0]!r}" if near else ""
            raise InputError(f"{path}: does not fit the architecture: it lacks the tensor {name!r}{hint}; {_MEND}")
        if tensors[name].shape != own[name].shape:
            raise InputError(
                f"{path}: does not fit the architecture: {name!r} has shape {tuple(tensors[name].shape)}, "
                f"expected {tuple(own[name].shape)}; {_MEND}"
            )
    for name in tensors:
        if name not in own:
            raise InputError(f"{path}: does not fit the architecture: the network has no tensor {name!r}; {_MEND}")
    for name in expected:
        check_finite(path, name, tensors[name])
    network.load_state_dict({name: tensors.get(name, own[name]) for name in own})
