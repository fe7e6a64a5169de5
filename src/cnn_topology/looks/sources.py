"""The layers with square kernels of what a person has: files of weights, a PyTorch module, or named arrays."""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from pydantic import ValidationError

from cnn_topology.checks import unmasked
from cnn_topology.errors import InputError, check_known
from cnn_topology.networks.copies import COPIES, FIXED_FILTERS, first_copies, is_fixed, repeated_layers
from cnn_topology.networks.weights import not_finite, read_weights
from cnn_topology.plan.base import as_tuple, expand_paths
from cnn_topology.plan.checkpoints import (
    WEIGHT,
    CheckpointLayers,
    FilesCheckpoint,
    checkpoint_layers,
    chosen_layers,
    describe_others,
    plain_name,
)
from cnn_topology.storage.weight_arrays import Stored, in_memory
from cnn_topology.storage.weight_files import check_numbers
from cnn_topology.storage.weight_forms import ORDERS, Order, as_used, in_order
from cnn_topology.storage.weight_networks import choose_network
from cnn_topology.storage.weight_pickle import TYPES


@dataclass(frozen=True)
class LayerWeights:
    """The kernels of one layer.

    Attributes
    ----------
    name : str
        As people know it: the name in the file without ``.weight`` and without what wrappers put in front.
    tensor : str
        The name in the file.
    depth : int
        Position among the layers that are analysed, from 1.
    key : str
        The name in tables, which can be part of a path and is that of a run over the same file.
    weight : ndarray of float32, shape (networks, out, in, k, k)
    """

    name: str
    tensor: str
    depth: int
    key: str
    weight: np.ndarray


@dataclass(frozen=True)
class Source:
    """What is looked at.

    Attributes
    ----------
    name : str
        Name of the networks, `population` in tables.
    files : tuple of str
        Paths as given; empty of a module or arrays.
    layers : tuple of LayerWeights
        Those chosen, by depth.
    entry, layout : str, optional
        As given.
    chosen : bool
        Whether the layers are some of those that were there.
    others : tuple of str
        Convolutions that are not looked at, a line for each reason: other kernels, filters that were not trained,
        weights that are NaN.
    """

    name: str
    files: tuple[str, ...]
    layers: tuple[LayerWeights, ...]
    others: tuple[str, ...]
    entry: str | None = None
    layout: Order | None = None
    chosen: bool = False

    @property
    def networks(self) -> int:
        """Number of networks pooled."""
        return len(self.layers[0].weight)


def open_source(
    source: Any,
    name: str | None = None,
    entry: str | None = None,
    layers: Sequence[str] = (),
    exclude: Sequence[str] = (),
    layout: Order | None = None,
) -> Source:
    """Read the layers with square kernels of a source.

    Parameters
    ----------
    source : path, sequence of paths, torch.nn.Module, or mapping of str to array
        Several files are networks of one architecture, whose filters are pooled. Paths may have ``~`` and, as patterns,
        ``*``. Of a module the weights are taken as it uses them.
    name : str, optional
        Name for tables; that of the first file or of the module's class where absent.
    entry : str, optional
        Where in the file or dictionary the weights lie, as keys with dots.
    layers, exclude : sequence of str
        Names or patterns (``layer3*``) of the layers to look at, all where empty, and of those to leave out.
    layout : {'oihw', 'hwio', 'ohwi', 'iohw'}, optional
        Order of the axes of kernels, where the file cannot say.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        If a file cannot be read, there are no square kernels of 3x3 to 11x11, or no layer has a name or pattern.
    """
    if layout is not None:
        check_known("layout", layout, ORDERS)
    layers, exclude = (tuple(map(str, names)) for names in (layers, exclude))  # those of nn.Sequential are numbers
    files = [Path(path) for path in expand_paths(_texts(source))] if _are_paths(source) else []
    label = name or (files[0].stem if files else type(source).__name__ if _is_module(source) else "network")
    if files:
        there = layers_of_files(files, entry, layers, exclude, layout)
        shapes = {layer.tensor: layer.weight for layer in there.layers}
        networks = [read_weights(file, shapes, entry, layout) for file in files]
        stacked = {tensor: np.stack([network[tensor] for network in networks]) for tensor in shapes}
    else:
        there, stacked = _from_arrays(label, source, entry, layout, layers, exclude)
    unreadable = {tensor: why for tensor, stack in stacked.items() if (why := not_finite(stack))}
    stacked = {tensor: stack for tensor, stack in stacked.items() if tensor not in unreadable}
    if files and (pair := first_copies(stacked.values())):
        one, two = (files[number] for number in pair)
        raise InputError(f"{two} holds the same kernels as {one} {COPIES}; name each network once")
    others = dict(there.others) | unreadable
    for copy, first in repeated_layers({tensor: stack[0] for tensor, stack in stacked.items()}).items():
        others[copy] = f"the same kernels as {plain_name(first)}"
    for layer in there.layers:
        if layer.tensor not in unreadable and is_fixed(stacked[layer.tensor].reshape(-1, layer.side**2)):
            others[layer.tensor] = f"copies of at most {FIXED_FILTERS} filters, as of a blur: not trained"
    plain = Counter(plain_name(layer.tensor) for layer in there.layers)
    weights = tuple(
        LayerWeights(
            name if plain[name := plain_name(layer.tensor)] == 1 else WEIGHT.sub("", layer.tensor),
            layer.tensor,
            layer.depth,
            layer.name,
            stacked[layer.tensor],
        )
        for layer in there.layers
        if layer.tensor not in others
    )
    if not weights:
        raise InputError(f"{label}: nothing to look at: {'; '.join(describe_others(others))}")
    clean = re.sub(r"[^A-Za-z0-9_-]+", "-", label).strip("-_") or "network"
    chosen = bool(layers or exclude)
    return Source(clean, tuple(map(str, files)), weights, tuple(describe_others(others)), entry, layout, chosen)


def layers_of_files(
    files: Sequence[Path],
    entry: str | None = None,
    layers: Sequence[str] = (),
    exclude: Sequence[str] = (),
    layout: Order | None = None,
) -> CheckpointLayers:
    """List the layers of files of one architecture by their headers; parameters and errors as `open_source`."""
    given = {"layers": as_tuple(layers) or None, "exclude": as_tuple(exclude), "entry": entry, "layout": layout}
    try:
        section = FilesCheckpoint.model_validate({"kind": "files", "files": tuple(map(str, files)), **given})
    except ValidationError as error:
        raise InputError("; ".join(f"{'.'.join(map(str, at['loc']))}: {at['msg']}" for at in error.errors())) from None
    try:
        return checkpoint_layers("files", section)
    except InputError as error:
        raise InputError(str(error).removeprefix("checkpoints.files: ")) from None


def _texts(source: str | Path | Sequence[str | Path]) -> list[str]:
    return [str(path) for path in ([source] if isinstance(source, str | os.PathLike) else source)]


def _is_module(source: Any) -> bool:
    return hasattr(source, "named_modules")


def _are_paths(source: Any) -> TypeGuard[str | Path | Sequence[str | Path]]:
    if isinstance(source, str | os.PathLike):
        return True
    return isinstance(source, list | tuple) and all(isinstance(part, str | os.PathLike) for part in source)


def _from_arrays(
    name: str, source: Any, entry: str | None, layout: Order | None, layers: Sequence[str], exclude: Sequence[str]
) -> tuple[CheckpointLayers, dict[str, np.ndarray]]:
    """Read kernels from a module or from named arrays, as from a file."""
    if not _is_module(source) and not isinstance(source, Mapping):
        raise InputError(
            f"a {type(source).__name__} cannot be looked at: pass a path, several paths, a torch.nn.Module, a state "
            "dictionary, or a dictionary of arrays by name"
        )
    try:
        if _is_module(source):
            used = _of_module(source)
        else:
            arrays = choose_network(_stored(source), Path(name), entry)
            is_torch = any(hasattr(array, "detach") for array in source.values())
            used = in_order(Path(name), as_used(arrays), layout or ("oihw" if is_torch else None), layout is None)
        for tensor, array in used.items():
            check_numbers(Path(name), tensor, array)
        there = chosen_layers(
            {tensor: array.shape for tensor, array in used.items() if array.is_floating}, layers, exclude
        )
    except InputError as error:
        raise InputError(f"{name}: {str(error).removeprefix(f'{name}: ')}") from None
    weights = {}
    for layer in there.layers:
        try:
            weights[layer.tensor] = used[layer.tensor].floats()[np.newaxis]
        except (TypeError, RuntimeError) as error:  # on no device (meta), or of a class of its own
            reason = (str(error).splitlines() or [""])[0][:200]
            raise InputError(f"{name}: {layer.tensor}: its values cannot be read ({reason})") from error
    return there, weights


def _of_module(module: Any) -> dict[str, Stored]:
    """Return the arrays of a module as it uses them: pruned, normalized, parametrized or rounded.

    They are computed from its state dictionary, as those of a file: what hooks left in `weight` is older than what
    `load_state_dict` put in its parts, and asking for a spectral norm in training changes it.
    """
    from torch.nn.utils.parametrize import is_parametrized

    used = as_used(choose_network(_stored(module.state_dict()), Path(type(module).__name__)))
    for name, part in module.named_modules(remove_duplicate=False):
        at = f"{name}." if name else ""
        for key in part.parametrizations if is_parametrized(part) else ():
            if parts := [array for array in used if array.startswith(f"{at}parametrizations.{key}.")]:  # one of its own
                used[parts[0]] = _stored(getattr(part, key))
                used = {
                    (f"{at}{key}" if array == parts[0] else array): stored
                    for array, stored in used.items()
                    if array not in parts[1:]
                }
        weight = used.get(f"{at}weight")
        if weight is not None and len(weight.shape) >= 4 and getattr(part, "transposed", False):
            used[f"{at}weight"] = weight.transposed(1, 0, *range(2, len(weight.shape)))
    return used


def _stored(values: Any) -> Any:
    """Return what stands for the arrays in dictionaries, whatever their device and precision."""
    if isinstance(values, Mapping):
        return {str(name): _stored(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [_stored(value) for value in values]
    if not hasattr(values, "detach"):
        return in_memory(unmasked(values, "weights")) if hasattr(values, "shape") else values
    from torch.nn.parameter import is_lazy

    if is_lazy(values):
        raise InputError("it has a lazy layer, which has no weights before the network was run once")
    kind = str(values.dtype).removeprefix("torch.")
    kind = "f4" if values.is_floating_point() or values.is_quantized else TYPES.get(kind, kind)

    def read() -> np.ndarray:
        dense = values.dequantize() if values.is_quantized else values.to_dense() if values.is_sparse else values
        return np.asarray((dense.float() if dense.is_floating_point() else dense).numpy(force=True))

    return Stored(tuple(values.shape), kind, read)
