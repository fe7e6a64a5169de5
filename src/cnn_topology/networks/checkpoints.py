"""Weights of a network from a file of a user's own: safetensors, or a PyTorch file that holds tensors only."""

import pickle
import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from cnn_topology.errors import InputError

# Under which key training programs put the weights among other things.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
# `torch.nn.DataParallel` puts this before each name.
_PARALLEL = "module."
# What torchvision calls the shortcuts and the last layer.
_TORCHVISION = {".downsample.": ".shortcut.", "fc.weight": "linear.weight", "fc.bias": "linear.bias"}
# Counts the batches seen; evaluation never reads it, and old files lack it.
_COUNTER = "num_batches_tracked"


def read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Read named tensors.

    Parameters
    ----------
    path : Path
        A ``.safetensors`` file, or a file of `torch.save` that holds a state dict, bare or under a usual key. Other
        objects in it are never executed.

    Returns
    -------
    dict of str to Tensor
        On the CPU, without the prefix of `torch.nn.DataParallel`, names of torchvision brought to those used here.

    Raises
    ------
    InputError
        If the file is missing, damaged, or holds no tensors or more than tensors and plain values.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint file")
    try:
        with warnings.catch_warnings():  # of other pickle protocols: the reader then says what it cannot take
            warnings.simplefilter("ignore")
            safe = path.suffix == ".safetensors"
            content: Any = load_file(path) if safe else torch.load(path, "cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: holds more than tensors, or is no PyTorch file ({str(error).splitlines()[0][:120]}); save it "
            "anew by torch.save(network.state_dict(), ...)"
        ) from error
    except Exception as error:  # the readers meet almost anything in a damaged file
        raise InputError(f"{path}: cannot be read ({(str(error).splitlines() or [''])[0][:120]})") from error
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content or not all(map(torch.is_tensor, content.values())):
        raise InputError(f"{path}: expected tensors by name (a state dict), found {type(content).__name__}")
    return {_own_name(str(name).removeprefix(_PARALLEL)): tensor for name, tensor in content.items()}


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
            raise InputError(f"{path}: does not fit the architecture: it lacks the tensor {name!r}{hint}")
        if tensors[name].shape != own[name].shape:
            raise InputError(
                f"{path}: does not fit the architecture: {name!r} has shape {tuple(tensors[name].shape)}, "
                f"expected {tuple(own[name].shape)}; mend `variant`, `widths`, `blocks` or `shortcut`"
            )
    for name in tensors:
        if name not in own:
            raise InputError(f"{path}: does not fit the architecture: the network has no tensor {name!r}")
    for name in expected:
        if not torch.isfinite(tensors[name]).all():
            raise InputError(f"{path}: {name!r} holds NaN or infinite values: this network has failed")
    network.load_state_dict({name: tensors.get(name, own[name]) for name in own})
