"""Populations of residual networks (activations paper, sections 1.1 and 1.4): two layouts, each with its own recipe.

The half on persistent homology and the half on mapper graphs use different networks and recipes; both are kept apart
here as `variant: ph` and `variant: mapper`. The list of layers is known from the config alone, and the layout from the
names and shapes of the tensors in a user's file of weights.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_validator

from cnn_topology.errors import InputError
from cnn_topology.plan.base import Name, Section, Width, expand_paths
from cnn_topology.plan.recorded import ModuleNetworks, RecordedLayer, RecordedNetworks
from cnn_topology.storage.weight_files import array_shapes

# The keys of a config that follow from a file.
LAYOUT = ("widths", "blocks", "shortcut", "stem")
# What torchvision calls the shortcuts and the last layer.
_TORCHVISION = {".downsample.": ".shortcut.", "fc.weight": "linear.weight", "fc.bias": "linear.bias"}
# A stage of either variant; `block_seq` counts from 0.
_STAGE = re.compile(r"(?<![^.])(layer|block_seq\.)([0-9]+)(?=\.[0-9]+\.)")
_BLOCK = re.compile(r"(?:layer|block_seq\.)([0-9]+)\.([0-9]+)\.conv1\.weight")


def own_names(names: Iterable[str], variant: str) -> dict[str, str]:
    """Return the names used here of a residual network's tensors, by their names in a file.

    Parameters
    ----------
    names : iterable of str
        Of torchvision's networks or those of either variant, with or without what wrappers put in front.
    variant : {'ph', 'mapper'}

    Raises
    ------
    InputError
        As `without_front`.
    """

    def stage(match: re.Match[str]) -> str:
        number = int(match[2]) + (match[1] != "layer")
        return f"block_seq.{number - 1}" if variant == "ph" else f"layer{number}"

    named = {}
    for name in names:
        own = _STAGE.sub(stage, name)
        for theirs, ours in _TORCHVISION.items():
            own = own.replace(theirs, ours)
        named[name] = own
    first = "block_seq.0" if variant == "ph" else "layer1"
    short = without_front(named.values(), ("conv1.weight", f"{first}.0.conv1.weight"))
    return {name: short[own] for name, own in named.items() if own in short}


def without_front(names: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Return names without what a wrapper or a larger network puts in front of all names of a network in it.

    Parameters
    ----------
    names : iterable of str
        Of tensors in a file.
    known : sequence of str
        Names that the network has.

    Returns
    -------
    dict of str to str
        By the name in the file, without those of other parts of a larger network; all as they are where the names that
        are known stand in the file without anything in front, or not at all.

    Raises
    ------
    InputError
        If the file holds several such networks.
    """
    names = list(names)
    there = set(names)
    fronts = {name.removesuffix(known[0]) for name in names if name == known[0] or name.endswith(f".{known[0]}")}
    fronts = {front for front in fronts if all(front + name in there for name in known)}
    if "" in fronts or not fronts:
        return {name: name for name in names}
    if len(fronts) > 1:
        entries = sorted(front.rstrip(".") for front in fronts)
        raise InputError(f"holds {len(entries)} networks, {', '.join(entries)}: state which by `entry`")
    (front,) = fronts
    return {name: name.removeprefix(front) for name in names if name.startswith(front)}


def own_shapes(path: Path, variant: str, entry: str | None) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a file's tensors of floating-point numbers, by the names used here.

    Raises
    ------
    InputError
        If the file cannot be used or holds several networks.
    """
    shapes = array_shapes(path, entry)
    try:
        return {own: shapes[name] for name, own in own_names(shapes, variant).items()}
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def layout_keys(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """Return the keys of a config that describe the layout of a residual network.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        By the names used here.

    Returns
    -------
    dict
        `LAYOUT`; empty where the tensors are not those of such a network.
    """
    stages: dict[int, dict[int, int]] = {}
    for name, shape in shapes.items():
        if (match := _BLOCK.fullmatch(name)) and shape:
            stages.setdefault(int(match[1]), {})[int(match[2])] = shape[0]
    if not stages or len(shapes.get("conv1.weight", ())) != 4:
        return {}
    blocks = [stages[number] for number in sorted(stages)]
    return {
        "widths": tuple(next(iter(block.values())) for block in blocks),
        "blocks": tuple(map(len, blocks)),
        "shortcut": "projection" if any(".shortcut." in name for name in shapes) else "pad",
        "stem": "imagenet" if shapes["conv1.weight"][2] == 7 else "cifar",
    }


Shortcut = Literal["pad", "projection"]


class ResNetRecipe(Section):
    """What the recipes of both variants have."""

    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD.")
    weight_decay: float = Field(5e-4, ge=0, description="L2 penalty added to the gradient of every parameter.")
    flip: bool = Field(True, description="Flip training images left to right with probability 1/2.")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="Arithmetic of forward and backward pass: `auto` is float16 with a gradient scaler on CUDA (the "
        "paper's mixed precision), bfloat16 on processors that have it, else float32.",
    )


class TriangularRecipe(ResNetRecipe):
    """The recipe of the persistent-homology half: 24 epochs, one rise and one fall of the learning rate."""

    epochs: int = Field(24, ge=1, le=10_000, description="Length of training; the last weights are kept.")
    batch_size: int = Field(
        1024, ge=1, description="Images per iteration; what does not fill one is dropped each epoch."
    )
    learning_rate: float = Field(1.0, gt=0, le=10, description="Learning rate at the peak.")
    peak_epoch: float = Field(
        5.0,
        gt=0,
        description="The rate rises from 0 to its peak here and falls to 0 at the end, linearly, at each iteration.",
    )
    translate: int = Field(2, ge=0, le=16, description="Random shift of training images by up to so many pixels.")
    cutout: int = Field(8, ge=0, le=64, description="Side of a square that is cut out of each training image.")

    @model_validator(mode="after")
    def _peak_lies_inside(self) -> "TriangularRecipe":
        if self.peak_epoch >= self.epochs:
            raise ValueError(f"peak_epoch (= {self.peak_epoch:g}) must lie before the last epoch (= {self.epochs})")
        return self


class StepRecipe(ResNetRecipe):
    """The recipe of the mapper half: 350 epochs, the learning rate divided by ten twice."""

    epochs: int = Field(350, ge=1, le=10_000, description="Length of training.")
    batch_size: int = Field(128, ge=1, description="Images per iteration; the last one of an epoch may be smaller.")
    learning_rate: float = Field(0.1, gt=0, le=10, description="Learning rate at the start.")
    milestones: tuple[int, ...] = Field(
        (150, 250), description="Epochs after which it is multiplied by `decay_factor`."
    )
    decay_factor: float = Field(0.1, gt=0, le=1, description="What the learning rate is multiplied by.")
    translate: int = Field(
        4, ge=0, le=16, description="Random shift by up to so many pixels: a crop of the image padded with black."
    )
    cutout: int = Field(0, ge=0, le=64, description="Side of a square that is cut out of each training image.")
    selection: Literal["last", "best-on-test"] = Field(
        "last",
        description="Which weights are kept: the last, or, as published, those of the epoch with the best accuracy on "
        "the test set, which makes that accuracy too good (Q11).",
    )

    @model_validator(mode="after")
    def _milestones_are_reached(self) -> "StepRecipe":
        late = [epoch for epoch in self.milestones if epoch > self.epochs]
        if late:
            raise ValueError(
                f"milestones (= {list(self.milestones)}; unless stated those of the paper's 350 epochs): {late[0]} "
                f"lies after the last epoch (= {self.epochs}); state earlier ones, or [] to keep the learning rate"
            )
        return self


class ResNetsSection(RecordedNetworks):
    """What both variants share; with `checkpoints`, keys of the layout that are absent follow from the first file."""

    images: Name = Field(description="The image set they are trained on, a key of `images`.")
    widths: tuple[Width, ...] = Field(
        (64, 128, 256, 512),
        min_length=1,
        max_length=8,
        description="Channels of each stage; every stage but the first halves height and width.",
    )
    blocks: tuple[Annotated[int, Field(ge=1, le=100)], ...] = Field(
        (2, 2, 2, 2), min_length=1, max_length=8, description="Blocks of two convolutions in each stage."
    )
    stem: Literal["cifar", "imagenet"] = Field(
        "cifar",
        description="`cifar`: one 3x3 convolution, as in the paper. `imagenet`: a 7x7 convolution of stride 2 and a "
        "3x3 max pool of stride 2, as torchvision's ResNet-18 and -34 have it; their files are read as they are.",
    )
    n_classes: int | None = Field(
        None,
        ge=2,
        description="Class scores of the checkpoints, where they are not the classes of the images (1000 for networks "
        "of ImageNet on ten of its classes): accuracy is then not measured.",
    )

    @model_validator(mode="before")
    @classmethod
    def _layout_of_the_file(cls, content: Any) -> Any:
        files = expand_paths(content.get("checkpoints")) if isinstance(content, dict) else None
        if not isinstance(files, tuple) or not files or all(key in content for key in LAYOUT):
            return content
        try:
            shapes = own_shapes(Path(files[0]), content.get("variant"), content.get("entry"))
        except InputError:  # `plan.files` looks at the files, and names what is wrong
            return content
        return {**layout_keys(shapes), **content}

    @model_validator(mode="after")
    def _stages_fit(self) -> "ResNetsSection":
        if len(self.widths) != len(self.blocks):
            raise ValueError(f"widths has {len(self.widths)} stages and blocks has {len(self.blocks)}: state as many")
        return self


class PHResNets(ResNetsSection):
    """Networks of the persistent-homology half; their layers are named by convolution: `block_seq.0.0.conv1`."""

    variant: Literal["ph"] = Field(description="ResNet-18 with parameter-free shortcuts and its 24-epoch recipe.")
    shortcut: Shortcut = Field(
        "pad",
        description="Where a block changes shape: every second pixel, padded with zero channels (`pad`, option A), or "
        "a 1x1 convolution with batch norm (`projection`).",
    )
    recipe: TriangularRecipe = Field(TriangularRecipe(), description="How they are trained.")


class MapperResNets(ResNetsSection):
    """Networks of the mapper half; their layers are named by batch norm: `layer4.1.bn2`."""

    variant: Literal["mapper"] = Field(description="ResNet-18 with projection shortcuts and its 350-epoch recipe.")
    shortcut: Shortcut = Field(
        "projection",
        description="Where a block changes shape: a 1x1 convolution with batch norm (`projection`), or every second "
        "pixel, padded with zero channels (`pad`, as the CIFAR ResNet-20 has it).",
    )
    recipe: StepRecipe = Field(StepRecipe(), description="How they are trained.")


ResNets = Annotated[PHResNets | MapperResNets, Field(discriminator="variant")]
# Images at once in a test of such a network.
TESTED_AT_ONCE = 500
# All networks whose activations are recorded.
AnyRecorded = Annotated[PHResNets | MapperResNets | ModuleNetworks, Field(discriminator="variant")]


class Convolution(NamedTuple):
    """A convolution of a residual network and the batch norm after it.

    Names of both, input and output channels, side of the kernels, and how often height and width of an image were
    halved when it is done, an odd one rounded up.
    """

    name: str
    norm: str
    before: int
    after: int
    side: int
    halvings: int


def convolutions(section: PHResNets | MapperResNets, channels: int) -> Iterator[Convolution]:
    """Yield the convolutions of a network in its order, those of shortcuts after the two of their block.

    Parameters
    ----------
    section : PHResNets or MapperResNets
        Variant, widths, blocks, shortcut and stem.
    channels : int
        Of an image.
    """
    before, is_imagenet = section.widths[0], section.stem == "imagenet"
    yield Convolution("conv1", "bn1", channels, before, 7 if is_imagenet else 3, int(is_imagenet))
    for stage, (after, blocks) in enumerate(zip(section.widths, section.blocks, strict=True)):
        halvings = stage + 2 * is_imagenet
        for block in range(blocks):
            at = f"block_seq.{stage}.{block}" if section.variant == "ph" else f"layer{stage + 1}.{block}"
            yield Convolution(f"{at}.conv1", f"{at}.bn1", before, after, 3, halvings)
            yield Convolution(f"{at}.conv2", f"{at}.bn2", after, after, 3, halvings)
            if section.shortcut == "projection" and (before != after or (stage > 0 and block == 0)):
                yield Convolution(f"{at}.shortcut.0", f"{at}.shortcut.1", before, after, 1, halvings)
            before = after


def resnet_layers(section: PHResNets | MapperResNets, shape: tuple[int, int, int]) -> tuple[RecordedLayer, ...]:
    """List the convolutions of a network but for those of shortcuts, 17 for a ResNet-18, nearest the image first.

    Parameters
    ----------
    section : PHResNets or MapperResNets
        Variant, widths and blocks.
    shape : (int, int, int)
        Height, width and channels of an image.

    Raises
    ------
    ValueError
        If a shortcut without parameters cannot bring its input to the width of the next stage.
    """
    for before, after in pairwise(section.widths):
        if section.shortcut == "pad" and (after < before or (after - before) % 2):
            raise ValueError(
                f"widths {list(section.widths)} with shortcut: pad: each stage must be as wide as the one before or "
                f"wider by an even number, found {before} then {after}"
            )
    height, width, channels = shape
    units = (unit for unit in convolutions(section, channels) if ".shortcut." not in unit.name)
    return tuple(
        RecordedLayer(
            name=unit.name if section.variant == "ph" else unit.norm,
            depth=depth,
            convolution=unit.name,
            norm=unit.norm,
            channels=unit.after,
            height=-(-height // 2**unit.halvings),
            width=-(-width // 2**unit.halvings),
        )
        for depth, unit in enumerate(units, start=1)
    )


def recorded_layers(section: AnyRecorded, shape: tuple[int, int, int]) -> tuple[RecordedLayer, ...]:
    """List the layers of a network whose activations can be recorded, nearest the image first.

    Parameters
    ----------
    section : PHResNets, MapperResNets or ModuleNetworks
        Of a module what a start has seen of it; no layers before that.
    shape : (int, int, int)
        Height, width and channels of an image.
    """
    if isinstance(section, ModuleNetworks):
        return section.recorded.layers if section.recorded else ()
    return resnet_layers(section, shape)
