"""Populations of residual networks (activations paper, sections 1.1 and 1.4): two layouts, each with its own recipe.

The half on persistent homology and the half on mapper graphs use different networks and recipes; both are kept apart
here as `variant: ph` and `variant: mapper`. The list of layers is known from the config alone.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cnn_topology.plan.base import Distinct, FilePath, Name, Section, Width
from cnn_topology.plan.images import Shape

Shortcut = Literal["pad", "projection"]
# Mean and standard deviation of each colour that both halves of the paper normalize CIFAR-10 by, pixels in [0, 1].
PAPER_MEAN, PAPER_SD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)


class Normalization(Section):
    """Mean and standard deviation of each channel, for networks that were trained with others than the paper's."""

    mean: tuple[float, ...] = Field(min_length=1, max_length=3, description="One per channel, pixels in [0, 1].")
    sd: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        min_length=1, max_length=3, description="One per channel, pixels in [0, 1]."
    )


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


class ResNetsSection(Section):
    """What both variants share."""

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
    networks: int = Field(1, ge=1, le=9_999, description="How many networks, which differ in nothing but their seed.")
    normalization: Literal["paper", "set"] | Normalization = Field(
        "paper",
        description="How pixels are standardized per channel: by the paper's numbers for CIFAR-10, by the statistics "
        "of the training images (`set`), or by given numbers.",
    )
    checkpoints: Distinct[FilePath] = Field(
        (),
        description="Trained weights to use in place of training, one file per network, of the types that "
        "`checkpoints.<name>.files` takes; `networks` is then their number.",
    )
    n_classes: int | None = Field(
        None,
        ge=2,
        description="Class scores of the checkpoints, where they are not the classes of the images (1000 for networks "
        "of ImageNet on ten of its classes): accuracy is then not measured.",
    )

    @model_validator(mode="before")
    @classmethod
    def _checkpoints_are_the_networks(cls, content: Any) -> Any:
        files = content.get("checkpoints") if isinstance(content, dict) else None
        if isinstance(files, list | tuple) and files:
            return {**content, "networks": content.get("networks", len(files))}
        return content

    @model_validator(mode="after")
    def _stages_fit(self) -> "ResNetsSection":
        if len(self.widths) != len(self.blocks):
            raise ValueError(f"widths has {len(self.widths)} stages and blocks has {len(self.blocks)}: state as many")
        if self.checkpoints and self.networks != len(self.checkpoints):
            raise ValueError(
                f"networks is {self.networks}, but checkpoints names {len(self.checkpoints)} files: leave networks out"
            )
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


@dataclass(frozen=True)
class ResNetLayer:
    """One 3x3 convolution with its batch norm: its name in the paper, depth (1 = nearest the image) and output shape.

    `convolution` and `norm` are the names of the two modules; `name` is one of them, as the variant has it.
    """

    name: str
    depth: int
    convolution: str
    norm: str
    channels: int
    height: int
    width: int


def check_normalization(section: PHResNets | MapperResNets, shape: Shape) -> None:
    """Raise ValueError unless the numbers that standardize pixels are as many as the images have channels."""
    given = section.normalization
    mean, sd = (PAPER_MEAN, PAPER_SD) if given == "paper" else ((), ()) if given == "set" else (given.mean, given.sd)
    if given != "set" and {len(mean), len(sd)} != {shape[2]}:
        raise ValueError(
            f"normalization gives {len(mean)} means and {len(sd)} standard deviations, the images have {shape[2]} "
            "channels; use normalization: set"
        )


def resnet_layers(section: PHResNets | MapperResNets, shape: tuple[int, int, int]) -> tuple[ResNetLayer, ...]:
    """List the 3x3 convolutions of a network, 17 for a ResNet-18, nearest the image first.

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
    height, width, channels = shape[0], shape[1], section.widths[0]
    if section.stem == "imagenet":
        height, width = -(-height // 2), -(-width // 2)
    units = [("conv1", "bn1", channels, height, width)]
    if section.stem == "imagenet":
        height, width = -(-height // 2), -(-width // 2)
    for stage, (wide, blocks) in enumerate(zip(section.widths, section.blocks, strict=True)):
        if section.shortcut == "pad" and (wide < channels or (wide - channels) % 2):
            raise ValueError(
                f"widths {list(section.widths)} with shortcut: pad: each stage must be as wide as the one before or "
                f"wider by an even number, found {channels} then {wide}"
            )
        if stage:
            height, width = -(-height // 2), -(-width // 2)
        channels = wide
        for block in range(blocks):
            prefix = f"block_seq.{stage}.{block}" if section.variant == "ph" else f"layer{stage + 1}.{block}"
            units += [(f"{prefix}.conv{i}", f"{prefix}.bn{i}", wide, height, width) for i in (1, 2)]
    return tuple(
        ResNetLayer(conv if section.variant == "ph" else norm, depth, conv, norm, channels, height, width)
        for depth, (conv, norm, channels, height, width) in enumerate(units, start=1)
    )
