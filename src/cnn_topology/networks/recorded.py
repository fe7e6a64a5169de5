"""Networks whose activations are recorded, as torch modules: residual ones and those of a user's own."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cnn_topology.networks.checkpoints import load_checkpoint, read_checkpoint, refuse_copy
from cnn_topology.networks.modules import MEND, is_stored, make_module, names_of
from cnn_topology.networks.resnet import make_resnet
from cnn_topology.plan.files import LAST_LAYER
from cnn_topology.plan.recorded import ModuleNetworks
from cnn_topology.plan.resnets import AnyRecorded, own_names


def network_of(
    section: AnyRecorded, tensors: Mapping[str, np.ndarray], channels: int, classes: int, path: Path
) -> nn.Module:
    """Rebuild a network from the tensors of its weights file, in evaluation mode.

    Parameters
    ----------
    section : PHResNets, MapperResNets or ModuleNetworks
    tensors : mapping of str to ndarray
        All of the network, by its own names.
    channels, classes : int
        Of an image, and class scores of a residual network that has a last layer.
    path : Path
        For messages.

    Raises
    ------
    InputError
        If the tensors do not fit, as `load_checkpoint` says it, or as `make_module`.
    """
    if isinstance(section, ModuleNetworks):
        network, mend = make_module(section, seed=0), MEND
    else:
        network, mend = make_resnet(section, channels, classes if set(LAST_LAYER) & set(tensors) else 0, seed=0), None
    own = network.state_dict()
    given = {name: torch.from_numpy(array) for name, array in tensors.items()}
    for name in own.keys() & given.keys():
        if own[name].numel() == given[name].numel() == 1:  # a number is stored as a vector
            given[name] = given[name].reshape(own[name].shape)
    load_checkpoint(network, given, path, mend)
    return network.eval()


def network_of_file(
    section: AnyRecorded, channels: int, classes: int, path: Path, others: Iterable[Path] = ()
) -> nn.Module:
    """Build a network with the weights of a user's file, in evaluation mode.

    Parameters
    ----------
    section, channels, classes
        As for `network_of`.
    path : Path
        Of a kind that `networks.weights.read_arrays` reads.
    others : iterable of Path
        Files of other networks, of which it must not be a copy.

    Raises
    ------
    InputError
        If the file cannot be used, does not fit or is a copy, or as `make_module`.
    """
    if isinstance(section, ModuleNetworks):
        network, mend = make_module(section, seed=0), MEND
        as_stored = is_stored(path, section.entry, network)
        read = partial(read_checkpoint, named=partial(names_of, network), entry=section.entry, as_stored=as_stored)
        tensors = read(path)
    else:
        mend = None
        read = partial(read_checkpoint, named=partial(own_names, variant=section.variant), entry=section.entry)
        tensors = read(path)
        network = make_resnet(section, channels, classes if set(LAST_LAYER) & set(tensors) else 0, seed=0)
    load_checkpoint(network, tensors, path, mend)
    refuse_copy(tensors, path, others, read)
    return network.eval()


def to_device(network: nn.Module, section: AnyRecorded, device: torch.device) -> None:
    """Move a network to a device, a residual one with channels last, as its `Normalizer` has them."""
    if isinstance(section, ModuleNetworks):
        network.to(device)
    else:
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def class_scores(output: object, classes: int) -> torch.Tensor | None:
    """Return the output of a network if it is a score for each of several classes of its images, else None."""
    if isinstance(output, torch.Tensor) and output.ndim == 2 and output.shape[1] == classes > 1:
        return output
    return None
