"""The layers with 3x3 kernels of what a person has: files of weights, a PyTorch module, or named arrays."""

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from cnn_topology.errors import InputError, unknown
from cnn_topology.networks.copies import COPIES, FIXED_FILTERS, first_copies, is_fixed
from cnn_topology.plan.checkpoints import FilesCheckpoint, checkpoint_layers, layer_name, other_kernel
from cnn_topology.storage.weight_files import array_shapes
from cnn_topology.storage.weight_forms import axes_problem, computed_problem, stray_problem

# What wrappers put in front of every name: torch.nn.DataParallel, torch.compile, Lightning modules.
WRAPPERS = re.compile(r"^(?:(?:module|_orig_mod|model)\.)+")


@dataclass(frozen=True)
class LayerWeights:
    """The 3x3 kernels of one layer.

    Attributes
    ----------
    name : str
        As people know it: the name in the file without ``.weight`` and without what wrappers put in front.
    tensor : str
        The name in the file.
    depth : int
        Position among the layers with 3x3 kernels, from 1.
    weight : ndarray of float32, shape (networks, out, in, 3, 3)
    """

    name: str
    tensor: str
    depth: int
    weight: np.ndarray

    @property
    def key(self) -> str:
        """The name in tables, which can be part of a path and is that of a run over the same file."""
        return layer_name(self.tensor)


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
    entry : str, optional
        The entry of a PyTorch file, as given.
    chosen : bool
        Whether the layers are some of those that were there.
    others : tuple of str
        A sentence for each convolution that is not looked at: other kernels, filters that were not trained.
    """

    name: str
    files: tuple[str, ...]
    layers: tuple[LayerWeights, ...]
    others: tuple[str, ...]
    entry: str | None = None
    chosen: bool = False

    @property
    def networks(self) -> int:
        """Number of networks pooled."""
        return len(self.layers[0].weight)


def open_source(source: Any, name: str | None = None, entry: str | None = None, layers: Sequence[str] = ()) -> Source:
    """Read the layers with 3x3 kernels of a source.

    Parameters
    ----------
    source : path, sequence of paths, torch.nn.Module, or mapping of str to array
        Several files are networks of one architecture, whose filters are pooled. Paths may have ``~`` and, as patterns,
        ``*``. Of a module the weights are taken as it uses them.
    name : str, optional
        Name for tables; that of the first file or of the module's class where absent.
    entry : str, optional
        For PyTorch files: the entry that holds the weights.
    layers : sequence of str
        Names or patterns (``layer3*``) of the layers to look at; all where empty.

    Returns
    -------
    Source

    Raises
    ------
    InputError
        If a file cannot be read, there are no 3x3 kernels, or no layer has a name or pattern.
    """
    files = _files(source) if _are_paths(source) else []
    label = name or (files[0].stem if files else type(source).__name__ if _is_module(source) else "network")
    stacked, left_out = _from_files(label, files, entry, layers) if files else _from_arrays(label, source, layers)
    for tensor, weight in list(stacked.items()):
        if is_fixed(weight.reshape(-1, 9)):
            left_out.append(f"the filters of {tensor} are copies of at most {FIXED_FILTERS}, as of a blur: not trained")
            del stacked[tensor]
    if not stacked:
        raise InputError(f"{label}: nothing to look at: {'; '.join(left_out)}")
    weights = (LayerWeights(_plain(tensor), tensor, depth, stacked[tensor]) for depth, tensor in enumerate(stacked, 1))
    clean = re.sub(r"[^A-Za-z0-9_-]+", "-", label).strip("-_") or "network"
    return Source(clean, tuple(map(str, files)), tuple(weights), tuple(left_out), entry, bool(layers))


def _plain(tensor: str) -> str:
    """Return the name of a layer as people know it."""
    return WRAPPERS.sub("", re.sub(r"\.weight$", "", tensor))


def _fitting(tensors: Collection[str], patterns: Sequence[str]) -> list[str]:
    """Choose tensors by names or patterns of their layers, in their order; all where there is no pattern."""
    if not patterns:
        return list(tensors)
    names = {tensor: (_plain(tensor), tensor, layer_name(tensor)) for tensor in tensors}
    fits = {of: {t for t, forms in names.items() if any(fnmatchcase(form, of) for form in forms)} for of in patterns}
    for pattern, fitting in fits.items():
        if not fitting:
            raise unknown("layer", pattern, (plain for plain, *_ in names.values()))
    return [tensor for tensor in tensors if any(tensor in fitting for fitting in fits.values())]


def _is_module(source: Any) -> bool:
    return hasattr(source, "named_modules")


def _are_paths(source: Any) -> TypeGuard[str | Path | Sequence[str | Path]]:
    if isinstance(source, str | os.PathLike):
        return True
    return isinstance(source, list | tuple) and all(isinstance(part, str | os.PathLike) for part in source)


def _files(source: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the files of paths and patterns, those of a pattern by name."""
    given = [source] if isinstance(source, str | os.PathLike) else list(source)
    files: list[Path] = []
    for path in (Path(path).expanduser() for path in given):
        is_pattern = any(sign in path.name for sign in "*?[") and not path.exists()
        fits = sorted(path.parent.glob(path.name)) if is_pattern else [path]
        if not fits:
            raise InputError(f"{path}: no file has a name of this pattern")
        files += fits
    if not files:
        raise InputError("no file of weights was named")
    return files


def _from_files(
    name: str, files: list[Path], entry: str | None, patterns: Sequence[str]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read stacked kernels by tensor from files, and describe the convolutions that are left out."""
    # Loads torch, which arrays can do without.
    from cnn_topology.networks.weights import read_weights

    wanted = None
    if patterns:
        wanted = tuple(
            _fitting([t for t, shape in array_shapes(files[0], entry).items() if _is_kernel(shape)], patterns)
        )
    section = FilesCheckpoint(kind="files", files=tuple(map(str, files)), entry=entry, layers=wanted)
    try:
        layers, others = checkpoint_layers(name, section)
    except InputError as error:
        raise InputError(str(error).removeprefix(f"checkpoints.{name}: ")) from None
    shapes = {str(layer.tensor): layer.weight for layer in layers}
    networks = [read_weights(file, shapes, entry) for file in files]
    stacked = {tensor: np.stack([network[tensor] for network in networks]) for tensor in shapes}
    if pair := first_copies(stacked.values()):
        one, two = (files[number] for number in pair)
        raise InputError(f"{two} holds the same kernels as {one} {COPIES}; name each network once")
    return stacked, [other_kernel(tensor, shape) for tensor, shape in others.items()]


def _from_arrays(name: str, source: Any, patterns: Sequence[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read kernels from a module or from named arrays, and describe the convolutions that are left out."""
    arrays = _of_module(source) if _is_module(source) else _of_mapping(source)
    shapes = {tensor: array.shape for tensor, array in arrays.items()}
    threes = {tensor: shape for tensor, shape in shapes.items() if _is_kernel(shape)}
    if not threes:
        raise InputError(f"{name}: there is no convolution with 3x3 kernels among {len(shapes)} arrays")
    threes = {tensor: threes[tensor] for tensor in _fitting(threes, patterns)}
    if not _is_module(source):
        is_torch = any(hasattr(array, "detach") for array in source.values())
        problem = axes_problem(shapes, is_torch) or computed_problem(shapes, threes)
        if problem := problem or (None if patterns else stray_problem(threes)):
            raise InputError(f"{name}: {problem}")
    stacked = {tensor: arrays[tensor].astype(np.float32)[np.newaxis] for tensor in threes}
    for tensor, weight in stacked.items():
        if bad := weight.size - int(np.isfinite(weight).sum()):
            raise InputError(f"{name}: {bad:,} of {weight.size:,} values of {tensor} are NaN or infinite")
    left = [other_kernel(t, shape) for t, shape in shapes.items() if len(shape) == 4 and not _is_kernel(shape)]
    return stacked, left


def _is_kernel(shape: Sequence[int]) -> bool:
    return len(shape) == 4 and tuple(shape[2:]) == (3, 3)


def _of_module(module: Any) -> dict[str, np.ndarray]:
    """Return the weights of a module's convolutions as it uses them: pruned, normalized or parametrized."""
    return {
        f"{name}.weight" if name else "weight": _array(part.weight)
        for name, part in module.named_modules()
        if getattr(getattr(part, "weight", None), "ndim", 0) >= 4
    }


def _of_mapping(arrays: Any) -> dict[str, np.ndarray]:
    if not isinstance(arrays, Mapping):
        raise InputError(
            f"a {type(arrays).__name__} cannot be looked at: pass a path, several paths, a torch.nn.Module, a state "
            "dictionary, or a dictionary of arrays by name"
        )
    return {str(name): _array(array) for name, array in arrays.items() if hasattr(array, "shape")}


def _array(values: Any) -> np.ndarray:
    """Return an array of a tensor of any device and precision, or of an array."""
    if hasattr(values, "detach"):
        values = values.detach().to("cpu")
        values = values.float() if values.is_floating_point() else values
    return np.asarray(values)
