"""Checkpoints: networks that others trained, whose kernels are read from files (weights paper, E9 and E10).

Their layers are known while the Snakefile is parsed: from a table of the four torchvision models, or from the headers
of a user's files. Kernels are taken in PyTorch's order of axes, (output channel, input channel, row, column).
"""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from cnn_topology.checks import SIDES
from cnn_topology.errors import InputError, unknown
from cnn_topology.plan.base import Distinct, FilePath, OneOrMore, Section, as_tuple, expand_paths
from cnn_topology.plan.populations import Layer
from cnn_topology.storage.weight_files import array_shapes, files_of
from cnn_topology.storage.weight_forms import ANALYSED, Order, Shapes, computed_problem
from cnn_topology.storage.weight_networks import strays

# What wrappers put in front of every name: torch.nn.DataParallel, torch.compile, Lightning, FSDP.
WRAPPERS = re.compile(
    r"^(?:(?:module|_orig_mod|model|_forward_module|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.)+"
)
# How the name of a weight ends: PyTorch's, TensorFlow's and Keras's.
WEIGHT = re.compile(r"(?<=.)[./](?:weight|kernel(?::0)?|vars/0)$")
# A module of a convolution alone.
CONVOLUTION = re.compile(r"(?<=.)[./]conv$")

# Columns of the table of the torchvision models, beside this file: the axes of a weight.
AXES = ("out", "in", "height", "width")
# Letters of a name that is part of a path.
MOST_NAME = 80

Model = Literal["vgg16", "vgg19", "resnet18", "googlenet"]


class TorchvisionCheckpoint(Section):
    """A network of `torchvision.models` with its ImageNet weights (`IMAGENET1K_V1`)."""

    kind: Literal["torchvision"] = Field(description="Weights that torchvision names and downloads.")
    model: Model = Field(
        description="Which. They were trained anew by torchvision (GoogLeNet: ported from TensorFlow, its 5x5 branch "
        "has 3x3 kernels); the paper may have used the VGG authors' own (unknown U19)."
    )
    folder: FilePath = Field("data", description="Where the weight files lie or are downloaded to.")
    networks: ClassVar[int] = 1
    # Of a user's own.
    files: ClassVar[tuple[str, ...]] = ()
    parts: ClassVar[tuple[str, ...]] = ()


class FilesCheckpoint(Section):
    """A user's own networks: one file per network, all of one architecture; their filters are pooled."""

    kind: Literal["files"] = Field(description="Weights in files of your own.")
    files: Annotated[OneOrMore[FilePath], BeforeValidator(expand_paths)] = Field(
        description="A path or several, which may have `~` and, as patterns, `*`: PyTorch (`torch.save`, a state "
        "dictionary or more; no code of it is run), `.safetensors`, `.npz`, `.npy`, Keras (`.keras`, `.h5`; needs "
        "h5py) or ONNX (needs onnx), known by their content, not by their names. Of a network in several files, the "
        "index (`*.index.json`).",
    )
    entry: str | None = Field(
        None,
        description="Where in the file the weights lie, as keys with dots: `net.state_dict`. Absent: where there are "
        "kernels; to be stated where several networks are.",
    )
    layout: Order | None = Field(
        None,
        description="Order of the axes of kernels, by out and in channel, height and width: `oihw` (PyTorch), `hwio` "
        "(TensorFlow, JAX), `ohwi` (TFLite, MLX), `iohw` (transposed convolutions of PyTorch). Absent: that of the "
        "kind of file, or the one that the shapes of all kernels fit; to be stated where several fit.",
    )
    layers: Annotated[OneOrMore[str] | None, BeforeValidator(as_tuple)] = Field(
        None,
        description="Layers in order of depth, by name or pattern (`layer3*`). Absent: all there are, in the order of "
        "the file, but those that seem to be no layers of the network (buffers, running copies), which are named.",
    )
    exclude: Annotated[Distinct[str], BeforeValidator(as_tuple)] = Field(
        (), description="Layers to leave out, by name or pattern."
    )

    @property
    def networks(self) -> int:
        """Number of networks: one a file."""
        return len(self.files)

    @property
    def parts(self) -> tuple[str, ...]:
        """All files that are read: with an index, those that it names."""
        return tuple(str(part) for file in self.files for part in _parts_of(Path(file)))


def _parts_of(file: Path) -> list[Path]:
    try:
        return files_of(file)
    except InputError:  # the reader of files names what is wrong
        return [file]


Checkpoint = Annotated[TorchvisionCheckpoint | FilesCheckpoint, Field(discriminator="kind")]


@dataclass(frozen=True)
class CheckpointLayers:
    """The convolutions of a checkpoint.

    Attributes
    ----------
    layers : tuple of Layer
        Those that are analysed; depth counts them from 1, and `Layer.tensor` is the name in the file.
    others : dict of str to str
        By the name in the file, why a convolution is not among them.
    """

    layers: tuple[Layer, ...]
    others: dict[str, str]


def checkpoint_layers(name: str, section: TorchvisionCheckpoint | FilesCheckpoint) -> CheckpointLayers:
    """List the layers of a checkpoint that are analysed, and its other convolutions.

    Parameters
    ----------
    name : str
        Its key in `checkpoints`, for messages.
    section : TorchvisionCheckpoint or FilesCheckpoint
        Files are opened, but no weights are read.

    Returns
    -------
    CheckpointLayers

    Raises
    ------
    InputError
        If a file cannot be used, holds no kernels of a size that is analysed or none of a name asked for, or some that
        are not what its network uses; or if files differ in their layers.
    """
    if isinstance(section, FilesCheckpoint):
        return _of_files(f"checkpoints.{name}", section)
    names = {row["tensor"]: row["layer"] for row in _torchvision(section.model) if row["layer"]}
    return chosen_layers(torchvision_shapes(section.model), names=names)


def chosen_layers(
    shapes: Shapes,
    patterns: Sequence[str] = (),
    exclude: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
) -> CheckpointLayers:
    """Choose the layers that are analysed from the arrays of a network.

    Parameters
    ----------
    shapes : dict of str to tuple of int
        Of all arrays, kernels as (out, in, row, column).
    patterns, exclude : sequence of str
        Names or patterns of layers, in any form of their names, to take (all where empty) and to leave out.
    names : mapping of str to str, optional
        Names of the layers by those of the arrays, in place of the names that are made from these.

    Returns
    -------
    CheckpointLayers
        In the order of `shapes`, or in that of `patterns`.

    Raises
    ------
    InputError
        If there are no kernels that are analysed, a pattern fits no layer, or a layer that is asked for is computed
        from several arrays.
    """
    kernels = {tensor: shape for tensor, shape in shapes.items() if _is_analysed(shape)}
    others = {
        tensor: f"{kernel(shape)} kernels, and only {ANALYSED} are analysed"
        for tensor, shape in shapes.items()
        if len(shape) >= 4 and tensor not in kernels
    }
    if not kernels:
        there = ", ".join(sorted({kernel(shapes[tensor]) for tensor in others})) or "none at all"
        raise InputError(f"holds no convolution with {ANALYSED} (it has: {there})")
    if not patterns:
        odd = strays(kernels)
        others |= {
            tensor: f"{why} (`layers` takes it by name)" for tensor, why in odd.items() if len(odd) < len(kernels)
        }
    named = {**dict(zip(kernels, layer_names(list(kernels)), strict=True)), **(names or {})}
    chosen = fitting(named, patterns, others) if patterns else [tensor for tensor in kernels if tensor not in others]
    left = set(fitting(named, exclude, others)) if exclude else set()
    chosen = [tensor for tensor in chosen if tensor not in left]
    others |= {tensor: "left out by `exclude`" for tensor in kernels if tensor in left}
    if not chosen:
        raise InputError("has no layers left: `exclude` leaves out all")
    if problem := computed_problem(shapes, chosen):
        raise InputError(problem)
    layers = (
        Layer(named[tensor], depth, "convolution", shapes[tensor], tensor=tensor)
        for depth, tensor in enumerate(chosen, start=1)
    )
    return CheckpointLayers(tuple(layers), others)


def fitting(
    layers: Mapping[str, str], patterns: Sequence[str], others: Mapping[str, str], what: str = "layer"
) -> list[str]:
    """Choose layers by names or patterns, in the order of these.

    Parameters
    ----------
    layers : mapping of str to str
        Their names in tables by those of their weights in the file.
    patterns : sequence of str
        In any form of their names: in the file, without what wrappers put in front, in tables.
    others : mapping of str to str
        Why convolutions are not among them, by their names in the file.
    what : str
        What the patterns name, for messages.

    Returns
    -------
    list of str
        Names in the file.

    Raises
    ------
    InputError
        If a pattern fits none.
    """
    chosen: dict[str, None] = {}
    for pattern in patterns:
        fits = [tensor for tensor, name in layers.items() if _fits(tensor, name, pattern)]
        if not fits:
            for tensor, why in others.items():
                if _fits(tensor, layer_name(tensor), pattern):
                    raise InputError(f"{what}: {tensor}: {why}; the layers are {', '.join(map(plain_name, layers))}")
            raise unknown(what, pattern, map(plain_name, layers))
        chosen |= dict.fromkeys(fits)
    return list(chosen)


def _fits(tensor: str, name: str, pattern: str) -> bool:
    """Whether a pattern fits a name in the file, without or with what wrappers put in front, or in tables."""
    forms = (tensor, plain_name(tensor), name, _path_part(CONVOLUTION.sub("", WEIGHT.sub("", tensor))))
    return pattern in forms or any(fnmatchcase(form, pattern) for form in forms)


def kernel(shape: tuple[int, ...]) -> str:
    """Write the size of the kernels of a weight, as 7x7."""
    return "x".join(map(str, shape[2:]))


def _is_analysed(shape: tuple[int, ...]) -> bool:
    """Whether a weight has square kernels of a side that is analysed."""
    return len(shape) == 4 and shape[2] == shape[3] and shape[2] in SIDES


def describe_others(others: Mapping[str, str]) -> list[str]:
    """Return a line for each reason why convolutions are not analysed, with their names."""
    reasons: dict[str, list[str]] = {}
    for tensor, why in others.items():
        reasons.setdefault(why, []).append(tensor)
    return [f"{', '.join(tensors)}: {why}" for why, tensors in reasons.items()]


def plain_name(tensor: str) -> str:
    """Return the name of a layer as people know it, without what wrappers put in front of all names."""
    return WRAPPERS.sub("", WEIGHT.sub("", tensor)) or tensor


def layer_name(tensor: str) -> str:
    """Return a name that can be part of a path for that of a weight: ``layer1.0.conv2.weight`` is layer1-0-conv2."""
    return _path_part(CONVOLUTION.sub("", plain_name(tensor)))


def layer_names(tensors: Sequence[str]) -> list[str]:
    """Return such a name for each of several weights; of those that would be equal, longer ones or numbered ones."""
    names = [layer_name(tensor) for tensor in tensors]
    for longer in (lambda tensor: _path_part(plain_name(tensor)), _path_part):
        count = Counter(names)
        names = [name if count[name] == 1 else longer(t) for name, t in zip(names, tensors, strict=True)]
    taken: set[str] = set()
    for place, name in enumerate(names):
        number, unique = 1, name
        while unique in taken:
            number += 1
            unique = f"{name[: MOST_NAME - 8]}-{number}"
        names[place] = unique
        taken.add(unique)
    return names


def _path_part(name: str) -> str:
    """Return the end of a name as a part of a path."""
    part = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")
    return part[-MOST_NAME:].lstrip("-_") or "layer"


def _of_files(where: str, section: FilesCheckpoint) -> CheckpointLayers:
    """Read the headers of all files, which must have the same layers."""
    first: CheckpointLayers | None = None
    for file in section.files:
        try:
            shapes = array_shapes(Path(file), section.entry, section.layout)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        try:
            layers = chosen_layers(shapes, section.layers or (), section.exclude)
        except InputError as error:
            if first is None or section.layers is None:
                raise InputError(f"{where}: {file}: {error}") from error
            layers = CheckpointLayers((), {})
        first = first or layers
        if problem := _difference(section, (section.files[0], file), (first, layers)):
            raise InputError(
                f"{where}: {problem}; networks of one checkpoint share their architecture: list the others under a "
                "name of their own, or state the layers to pool by `layers`"
            )
    assert first is not None
    return first


def _difference(
    section: FilesCheckpoint, files: tuple[str, str], pair: tuple[CheckpointLayers, CheckpointLayers]
) -> str | None:
    """Describe the first convolution that two files do not share, of all or of those that are stated."""
    ours, theirs = (
        {layer.tensor: str(layer.weight) for layer in layers.layers} | ({} if section.layers else layers.others)
        for layers in pair
    )
    for tensor in (*ours, *theirs):
        if tensor not in ours or tensor not in theirs:
            lacks, has = files if tensor in theirs else files[::-1]
            # A name that both files have is no other spelling of this one.
            lone = ours.keys() - theirs.keys() if tensor in theirs else theirs.keys() - ours.keys()
            near = get_close_matches(tensor, lone, n=1, cutoff=0.8)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            return f"{lacks} has no weight {tensor!r}, which {has} has{hint}"
        if ours[tensor] != theirs[tensor]:
            return f"{tensor} has the shape {theirs[tensor]} in {files[1]} and {ours[tensor]} in {files[0]}"
    return None


def torchvision_shapes(model: str) -> Shapes:
    """Return the shapes of the convolution weights of a torchvision model, by name, in the order of its modules."""
    return {row["tensor"]: tuple(int(row[axis]) for axis in AXES) for row in _torchvision(model)}


def _torchvision(model: str) -> list[dict[str, str]]:
    """Read the convolutions of a torchvision model; those of a VGG have the names that its authors give to layers."""
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["model"] == model]
