"""Checkpoints: networks that others trained, whose 3x3 kernels are read from files (weights paper, E9 and E10).

Their layers are known while the Snakefile is parsed: from a table of the four torchvision models, or from the headers
of a user's files. Kernels are taken in PyTorch's order of axes, (output channel, input channel, row, column).
"""

import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from cnn_topology.errors import InputError, unknown
from cnn_topology.plan.base import FilePath, OneOrMore, Section
from cnn_topology.plan.populations import Layer
from cnn_topology.storage.weight_files import array_shapes
from cnn_topology.storage.weight_forms import Shapes, computed_problem, other_order, stray_problem

Model = Literal["vgg16", "vgg19", "resnet18", "googlenet"]


class TorchvisionCheckpoint(Section):
    """A network of `torchvision.models` with its ImageNet weights (`IMAGENET1K_V1`)."""

    kind: Literal["torchvision"] = Field(description="Weights that torchvision names and downloads.")
    model: Model = Field(
        description="Which. They were trained anew by torchvision (GoogLeNet: ported from TensorFlow, its 5x5 branch "
        "has 3x3 kernels); the paper may have used the VGG authors' own (unknown U19)."
    )
    folder: FilePath = Field("data", description="Where the weight files lie or are downloaded to.")


class FilesCheckpoint(Section):
    """A user's own networks: one file per network, all of one architecture; their filters are pooled."""

    kind: Literal["files"] = Field(description="Weights in files of your own.")
    files: OneOrMore[FilePath] = Field(
        description="`.safetensors`, `.npz`, or `.pt`, `.pth`, `.th`, `.ckpt`, `.bin` (a state dictionary by "
        "`torch.save`, read without executing code). Kernels are (out, in, 3, 3), as in PyTorch and Caffe; a file "
        "whose convolutions may be in another order of axes is refused, and so is a part of a network.",
    )
    entry: str | None = Field(
        None,
        description="For PyTorch files: the entry that holds the weights. Absent: the file itself, or its "
        "`state_dict`, `model_state_dict`, `model` or `net`; to be stated where several hold kernels.",
    )
    layers: OneOrMore[str] | None = Field(
        None,
        description="Names of the 3x3 kernels in order of depth. Absent: all there are, in the order of the file "
        "(`.safetensors`: of their names); to be stated where some may be no weights of layers (buffers, copies).",
    )


Checkpoint = Annotated[TorchvisionCheckpoint | FilesCheckpoint, Field(discriminator="kind")]


def networks_in(section: TorchvisionCheckpoint | FilesCheckpoint) -> int:
    """Count the networks of a checkpoint."""
    return len(section.files) if isinstance(section, FilesCheckpoint) else 1


def checkpoint_layers(
    name: str, section: TorchvisionCheckpoint | FilesCheckpoint
) -> tuple[tuple[Layer, ...], dict[str, tuple[int, ...]]]:
    """List the layers with 3x3 kernels of a checkpoint, and the other convolutions with the shape of their weights.

    Parameters
    ----------
    name : str
        Its key in `checkpoints`, for messages.
    section : TorchvisionCheckpoint or FilesCheckpoint
        Files are opened, but no weights are read.

    Returns
    -------
    layers : tuple of Layer
        Depth counts them from 1; `Layer.tensor` is the name in the file.
    others : dict of str to tuple of int
        Weights with four or more axes and other kernels, by the name in the file.

    Raises
    ------
    InputError
        If a file cannot be used, holds no 3x3 kernels or none of a name asked for, or some that are not what its
        network uses; or if files differ in their layers.
    """
    where = f"checkpoints.{name}"
    if isinstance(section, TorchvisionCheckpoint):
        shapes = torchvision_shapes(section.model)
        chosen = _threes(shapes)
    else:
        shapes, chosen = _of_files(where, section)
    others = {tensor: shape for tensor, shape in shapes.items() if len(shape) >= 4 and shape[2:] != (3, 3)}
    names = list(map(layer_name, chosen))
    if isinstance(section, TorchvisionCheckpoint) and section.model.startswith("vgg"):
        names = _vgg_names(_deep(section.model))
    layers = tuple(
        Layer(name, depth, "convolution", shape, tensor=tensor)
        for depth, (name, (tensor, shape)) in enumerate(zip(names, chosen.items(), strict=True), start=1)
    )
    for layer in layers:
        if names.count(layer.name) > 1:
            raise InputError(f"{where}: two weights would be called {layer.name!r}; choose one by `layers`")
    return layers, others


def kernel(shape: tuple[int, ...]) -> str:
    """Write the size of the kernels of a weight, as 7x7."""
    return "x".join(map(str, shape[2:]))


def other_kernel(tensor: str, shape: tuple[int, ...]) -> str:
    """Write that a weight has other than 3x3 kernels."""
    return f"{tensor} has {kernel(shape)} kernels, and only 3x3 kernels are analysed"


def layer_name(tensor: str) -> str:
    """Return a name that can be part of a path for that of a weight: ``layer1.0.conv2.weight`` is layer1-0-conv2."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", re.sub(r"([./]conv)?[./]weight$", "", tensor)).strip("-_")
    return name[:80] or "layer"


def _of_files(where: str, section: FilesCheckpoint) -> tuple[Shapes, Shapes]:
    """Read the headers of all files: the shapes of all arrays in the first, and of the kernels that are analysed."""
    first: Shapes = {}
    chosen: Shapes = {}
    for file in section.files:
        try:
            shapes = array_shapes(Path(file), section.entry)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        if not first:
            first, chosen = shapes, _chosen(where, section, shapes)
        else:
            _check_architecture(where, section, first, shapes, file)
        problem = computed_problem(shapes, chosen)
        if problem is None and not section.layers:
            problem = stray_problem(chosen)
        if problem:
            raise InputError(f"{where}: {file}: {problem}")
    return first, chosen


def _chosen(where: str, section: FilesCheckpoint, shapes: Shapes) -> Shapes:
    """Choose the kernels of the first file: those stated, or all that are 3x3."""
    threes = _threes(shapes)
    others = {tensor: shape for tensor, shape in shapes.items() if len(shape) >= 4 and tensor not in threes}
    if not threes:
        kernels = ", ".join(sorted(set(map(kernel, others.values())))) or "none at all"
        hint = other_order(shapes)
        raise InputError(
            f"{where}: {section.files[0]} holds no convolution with 3x3 kernels (found: {kernels}){hint and '; '}{hint}"
        )
    for tensor in section.layers or ():
        if tensor in others:
            raise InputError(f"{where}.layers: {other_kernel(tensor, others[tensor])}; it has {', '.join(threes)}")
        if tensor not in threes:
            raise unknown(f"weight in {where}.layers", tensor, threes)
    return {tensor: threes[tensor] for tensor in section.layers or threes}


def _check_architecture(where: str, section: FilesCheckpoint, first: Shapes, shapes: Shapes, file: str) -> None:
    """Refuse a file whose convolutions are not those of the first one: all of them, or those that are stated."""
    mend = (
        "networks of one checkpoint share their architecture: list the others under a name of their own, or state the "
        "layers to pool by `layers`"
    )
    ours, theirs = (_convolutions(section, arrays) for arrays in (first, shapes))
    for mine, other, one, two in ((ours, theirs, section.files[0], file), (theirs, ours, file, section.files[0])):
        for tensor in mine:
            if tensor not in other:
                near = get_close_matches(tensor, other, n=1, cutoff=0.5)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                raise InputError(f"{where}: {two} has no weight {tensor!r}, which {one} has{hint}; {mend}")
    for tensor, shape in ours.items():
        if theirs[tensor] != shape:
            raise InputError(
                f"{where}: {tensor} has the shape {theirs[tensor]} in {file} and {shape} in {section.files[0]}; {mend}"
            )


def _convolutions(section: FilesCheckpoint, shapes: Shapes) -> Shapes:
    wanted = section.layers
    return {tensor: shape for tensor, shape in shapes.items() if (tensor in wanted if wanted else len(shape) >= 4)}


def _threes(shapes: Shapes) -> Shapes:
    return {tensor: shape for tensor, shape in shapes.items() if shape[2:] == (3, 3)}


def torchvision_shapes(model: str) -> Shapes:
    """Return the shapes of the convolution weights of a torchvision model, by name, in the order of its modules."""
    if model.startswith("vgg"):
        return _vgg(_deep(model))
    return _resnet18() if model == "resnet18" else _googlenet()


def _deep(model: str) -> int:
    """Return the number of convolutions in each of the last three blocks of a VGG."""
    return 3 if model == "vgg16" else 4


def _vgg_names(deep: int) -> list[str]:
    """Name the layers of a VGG as its authors do: conv1_1 ... conv5_3; torchvision numbers its modules instead."""
    return [f"conv{block}_{n}" for block in range(1, 6) for n in range(1, (2 if block < 3 else deep) + 1)]


def _vgg(deep: int) -> Shapes:
    """List a VGG: each convolution is followed by a ReLU, each block by a pool, and torchvision counts them all."""
    shapes: Shapes = {}
    place, channels = 0, 3
    for width, convolutions in ((64, 2), (128, 2), (256, deep), (512, deep), (512, deep)):
        for _ in range(convolutions):
            shapes[f"features.{place}.weight"] = (width, channels, 3, 3)
            place, channels = place + 2, width
        place += 1
    return shapes


def _resnet18() -> Shapes:
    shapes: Shapes = {"conv1.weight": (64, 3, 7, 7)}
    channels = 64
    for stage, width in enumerate((64, 128, 256, 512), start=1):
        for block in range(2):
            at = f"layer{stage}.{block}"
            shapes[f"{at}.conv1.weight"] = (width, channels, 3, 3)
            shapes[f"{at}.conv2.weight"] = (width, width, 3, 3)
            if channels != width:
                shapes[f"{at}.downsample.0.weight"] = (width, channels, 1, 1)
            channels = width
    return shapes


# Widths of the branches of each inception module: 1x1; 1x1 then 3x3; 1x1 then 3x3 (5x5 in the original); pool then 1x1.
_INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def _googlenet() -> Shapes:
    shapes: Shapes = {"conv1.conv.weight": (64, 3, 7, 7), "conv2.conv.weight": (64, 64, 1, 1)}
    shapes["conv3.conv.weight"] = (192, 64, 3, 3)
    channels = 192
    for module, (one, before_three, three, before_five, five, pooled) in _INCEPTION.items():
        for branch, shape in (
            ("branch1", (one, channels, 1, 1)),
            ("branch2.0", (before_three, channels, 1, 1)),
            ("branch2.1", (three, before_three, 3, 3)),
            ("branch3.0", (before_five, channels, 1, 1)),
            ("branch3.1", (five, before_five, 3, 3)),
            ("branch4.1", (pooled, channels, 1, 1)),
        ):
            shapes[f"inception{module}.{branch}.conv.weight"] = shape
        channels = one + three + five + pooled
    return shapes
