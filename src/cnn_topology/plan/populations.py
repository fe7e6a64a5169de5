"""Populations: which networks are trained, how, and when their weights are kept (weights paper, sections 2 and 8).

First layers that are not learned (E14 and E16; unknown U17), with their controls, and which populations are compared to
see if topology improves a network, stand here too.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cnn_topology.errors import check_known
from cnn_topology.plan.base import Distinct, Name, Section, Width


class LearnedFirstLayer(Section):
    """A first convolution like any other."""

    kind: Literal["learned"] = Field("learned", description="Weights and bias are trained.")


class FixedFirstLayer(Section):
    """A first convolution whose filters are set before training and never change; each input channel has the same."""

    kind: Literal["fixed_circle", "fixed_klein", "fixed_random"] = Field(
        description="With n filters: `fixed_circle`, the edges at angles 2 pi k / n of the primary circle (E14); "
        "`fixed_klein`, n = m^2 filters at theta1 = pi i / m, theta2 = 2 pi j / m, each entry the integral of the "
        "function over its pixel (E16); `fixed_random`, the control: mean-zero filters of uniformly random direction, "
        "another draw for each network."
    )
    norm: float = Field(
        1.0,
        gt=0,
        description="Mean Euclidean norm of the 3x3 filters; 1 is the proposed default (unknown U17). All are scaled "
        "by one factor: those of `fixed_klein` differ in norm.",
    )
    matched_to: Name | None = Field(
        None,
        description="A population of this run with a learned first layer: the mean norm of its trained filters takes "
        "the place of `norm`.",
    )
    bias: Literal["trainable", "zero"] = Field(
        "trainable", description="The bias of the layer is trained from its initial value, or stays zero."
    )

    @model_validator(mode="after")
    def _one_norm(self) -> "FixedFirstLayer":
        # A block of parameters holds every key: only a norm other than the default was meant.
        if self.matched_to is not None and self.norm != 1.0:
            raise ValueError("`norm` and `matched_to` exclude each other: state one")
        return self


FirstLayer = Annotated[LearnedFirstLayer | FixedFirstLayer, Field(discriminator="kind")]


class Initialization(Section):
    """How weights begin; at small learning rates first-layer filters stay near their initial noise, so it matters."""

    kind: Literal["truncated_normal", "pytorch"] = Field(
        "truncated_normal",
        description="`truncated_normal` within two standard deviations (the TensorFlow tutorials the paper follows), "
        "or PyTorch's default (uniform in +-1/sqrt(fan_in)).",
    )
    convolution_sd: float = Field(0.1, gt=0, description="Standard deviation of convolution weights (0.05 for CIFAR).")
    dense_sd: float = Field(0.1, gt=0, description="Standard deviation of dense weights (0.04 for CIFAR).")
    bias: float = Field(0.1, description="Initial bias of every layer.")


class Architecture(Section):
    """M(X, Y, ..., Z) or C(X, Y, ..., Z): 3x3 convolutions, then dense layers, then the class scores."""

    family: Literal["M", "C"] = Field(
        "M",
        description="`M` (MNIST, SVHN): convolution, ReLU, 2x2 max pool, repeated; dense, ReLU, dropout. "
        "`C` (CIFAR-10): convolution, ReLU, with 3x3/2 pools and local response normalization. A pool follows every "
        "convolution whose image is at least 4 pixels wide.",
    )
    convolutions: tuple[Width, ...] = Field(
        (64, 32), min_length=1, max_length=64, description="Filters of each convolution layer; any depth."
    )
    dense: tuple[Width, ...] = Field((64,), max_length=8, description="Units of each hidden dense layer; may be empty.")
    norm_order: Literal["tutorial", "gut"] = Field(
        "tutorial",
        description="C only, from conv 2 on: `tutorial` = normalization, then 3x3/2 pool; `gut` = 2x2/1 pool, then "
        "normalization, as an independent replication has it (unknown U9).",
    )
    dropout: float = Field(0.5, ge=0, lt=1, description="Dropout before the class scores.")
    first_layer: FirstLayer = Field(LearnedFirstLayer(), description="The first convolution: learned, or fixed.")
    angular_features: int = Field(
        0,
        ge=0,
        le=64,
        description="Append to each input channel its responses to edges at so many angles (E15; 16 in the paper): the "
        "first layer then has 1 + this many input channels for each one of the images. 0: none.",
    )
    feature_filters: Literal["edges", "random"] = Field(
        "edges",
        description="What `angular_features` responds to: edges (E15) or, as a control of ours, as many random "
        "mean-zero filters of unit norm, the same for all networks.",
    )
    initialization: Initialization = Field(Initialization(), description="How weights begin.")

    @model_validator(mode="after")
    def _first_layer_can_be_made(self) -> "Architecture":
        kind, filters = self.first_layer.kind, self.convolutions[0]
        if kind == "fixed_klein" and math.isqrt(filters) ** 2 != filters:
            raise ValueError(f"fixed_klein takes a square number of filters (16, 64), not {filters}")
        if kind != "learned" and self.angular_features:
            raise ValueError(f"{kind} reads pixels alone: set angular_features = 0 or first_layer: {{kind: learned}}")
        return self


class Recipe(Section):
    """How a network is trained (unknowns U7, U8 of the weights paper: defaults are the ones proposed for MNIST)."""

    optimizer: Literal["adam", "sgd"] = Field("adam", description="`adam` (0.9, 0.999, 1e-8) or `sgd`.")
    learning_rate: float = Field(1e-4, gt=0, le=10, description="Step size at the start.")
    momentum: float = Field(0.0, ge=0, lt=1, description="Momentum of `sgd`.")
    weight_decay: float = Field(0.0, ge=0, description="L2 penalty added to the gradient of every weight.")
    decay_factor: float = Field(
        1.0, gt=0, le=1, description="Staircase decay: the learning rate is multiplied by this ..."
    )
    decay_iterations: int | None = Field(None, ge=1, description="... every so many iterations. Absent: never.")
    batch_size: int = Field(128, ge=1, description="Images per iteration.")
    iterations: int = Field(40_000, ge=1, description="Length of training.")
    augmentation: Literal["none", "crop_flip"] = Field(
        "none",
        description="`crop_flip`: random crop to `crop` pixels and horizontal flip; the test takes the centre crop.",
    )
    crop: int | None = Field(None, ge=3, description="Side of the crop; 24 for CIFAR-10 in the paper.")
    standardize: Literal["none", "image", "set"] = Field(
        "none",
        description="Pixels in [0, 1] as they are, standardized per image (tutorial), or by the set's statistics.",
    )
    label_noise: float = Field(
        0.0, ge=0, lt=1, description="Share of training labels replaced by a random other class."
    )
    train_images: int | None = Field(
        None,
        ge=1,
        description="Train on so many of the set's training images, drawn by seed and balanced by class; populations "
        "on one set draw the same ones. Absent: all.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Arithmetic of forward and backward pass; `auto` takes bfloat16 where the processor has it."
    )

    @model_validator(mode="after")
    def _crop_is_stated(self) -> "Recipe":
        if (self.augmentation == "crop_flip") != (self.crop is not None):
            raise ValueError("`crop` and `augmentation: crop_flip` go together: state both or neither")
        return self


class Snapshots(Section):
    """When weights are kept; step 0 (before training) and the last step always are."""

    iterations: tuple[Annotated[int, Field(ge=0)], ...] = Field((), description="Iterations.")
    test_every: int | None = Field(
        None,
        ge=1,
        description="Between snapshots, test on the population's own test images every so many iterations without "
        "keeping weights: learning speed is read off these. Absent: networks are tested at snapshots alone.",
    )


class Population(Section):
    """Networks that share data, architecture and recipe and differ in nothing but their seed."""

    images: Name = Field(description="The image set they are trained on, a key of `images`.")
    architecture: Architecture = Field(Architecture(), description="Layers and initialization.")
    recipe: Recipe = Field(Recipe(), description="Optimizer, length, batch, augmentation.")
    networks: int = Field(100, ge=1, le=100_000, description="How many; the paper pools 100.")
    networks_per_job: int = Field(25, ge=1, description="How many of them one training job trains together.")
    snapshots: Snapshots = Field(Snapshots(), description="When weights are kept and networks are tested.")
    cross_test: Distinct[Name] = Field(
        (), description="Other image sets to test on at every snapshot, brought to the shape of the training images."
    )

    @model_validator(mode="after")
    def _cross_tests_are_others(self) -> "Population":
        if self.images in self.cross_test:
            raise ValueError(
                f"cross_test names {self.images}, the networks' own images, which they are tested on anyway; name "
                "others, or leave it out"
            )
        return self


@dataclass(frozen=True)
class Layer:
    """One layer with weights: its stable name, its depth (1 = nearest the image) and the shape of its weight.

    `tensor` is the name of the weight in the file of a checkpoint; empty for networks that are trained here.
    """

    name: str
    depth: int
    kind: Literal["convolution", "dense"]
    weight: tuple[int, ...]
    pooled: bool = False
    tensor: str = ""

    @property
    def filters(self) -> int:
        """Number of spatial filters: one per (output, input) channel pair; zero for dense layers."""
        return self.weight[0] * self.weight[1] if self.kind == "convolution" else 0

    @property
    def side(self) -> int:
        """Side of the filters."""
        return self.weight[-1]


def image_shape(shape: tuple[int, int, int], recipe: Recipe) -> tuple[int, int, int]:
    """Return height, width and channels of what enters the first layer, after the crop."""
    return shape if recipe.crop is None else (recipe.crop, recipe.crop, shape[2])


def layers_of(architecture: Architecture, shape: tuple[int, int, int], classes: int = 10) -> tuple[Layer, ...]:
    """List the layers with weights of an architecture.

    Parameters
    ----------
    architecture : Architecture
        Family, widths and pools.
    shape : (int, int, int)
        Height, width and channels of the images, after the crop and before angular features.
    classes : int
        Number of class scores.

    Returns
    -------
    tuple of Layer
        ``conv1`` ... then ``dense1`` ... and last ``scores``; convolution weights are (out, in, 3, 3), dense
        weights (out, in).
    """
    height, width, channels = shape
    channels *= 1 + architecture.angular_features
    layers = []
    for depth, filters in enumerate(architecture.convolutions, start=1):
        pooled = min(height, width) >= 4
        layers.append(Layer(f"conv{depth}", depth, "convolution", (filters, channels, 3, 3), pooled))
        if pooled:
            shrink = _pool_shrink(architecture, depth)
            height, width = shrink(height), shrink(width)
        channels = filters
    units = height * width * channels
    for number, dense in enumerate(architecture.dense, start=1):
        layers.append(Layer(f"dense{number}", len(layers) + 1, "dense", (dense, units)))
        units = dense
    layers.append(Layer("scores", len(layers) + 1, "dense", (classes, units)))
    return tuple(layers)


def _pool_shrink(architecture: Architecture, depth: int) -> Callable[[int], int]:
    """Return the side after the pool at this depth: M halves (2x2/2); C has 3x3/2 with padding, or `gut`'s 2x2/1."""
    if architecture.family == "M":
        return lambda side: side // 2
    if architecture.norm_order == "gut" and depth > 1:
        return lambda side: side - 1
    return lambda side: -(-side // 2)


def check_matched(populations: Mapping[str, Population]) -> None:
    """Refuse a first layer whose norm is matched to a population that is not there or learns no filters.

    Raises
    ------
    ValueError
        Naming the key.
    """
    for name, population in populations.items():
        first = population.architecture.first_layer
        if not isinstance(first, FixedFirstLayer) or first.matched_to is None:
            continue
        where, other = f"populations.{name}.architecture.first_layer.matched_to", first.matched_to
        check_known(f"population in {where}", other, populations)
        if isinstance(populations[other].architecture.first_layer, FixedFirstLayer):
            raise ValueError(f"{where}: the first layer of {other} is fixed; name a population that learns it")


# Two groups of four give 70 arrangements: the least with which a two-sided permutation test falls below 0.05.
LEAST_NETWORKS = 4


class Improvement(Section):
    """A baseline, the variants that should improve on it, and controls that tell topology from any fixed layer."""

    baseline: Name = Field(description="The plain population.")
    variants: tuple[Name, ...] = Field(min_length=1, description="Populations that make use of topology.")
    controls: tuple[Name, ...] = Field(
        (), description="Populations changed in the same way without topology, such as random fixed filters."
    )
    target_accuracy: float = Field(
        gt=0,
        lt=1,
        description="Test accuracy on their own images: learning speed is the iterations until it is first reached "
        "(unknown U18: 0.98 for MNIST, 0.80 for SVHN). To be fixed before the run.",
    )

    @property
    def populations(self) -> tuple[str, ...]:
        """All of them, the baseline first."""
        return (self.baseline, *self.variants, *self.controls)

    @model_validator(mode="after")
    def _each_once(self) -> "Improvement":
        twice = sorted({name for name in self.populations if self.populations.count(name) > 1})
        if twice:
            raise ValueError(f"{twice[0]} is named twice; a population is baseline, variant or control")
        return self


def check_improvements(improvements: Mapping[str, Improvement], populations: Mapping[str, Population]) -> None:
    """Refuse groups whose populations cannot be compared.

    Raises
    ------
    ValueError
        If a population is missing, has too few networks, or differs from the baseline in images, length or tests.
    """
    for group, section in improvements.items():
        where = f"improvements.{group}"
        for name in section.populations:
            check_known(f"population in {where}", name, populations)
            if populations[name].networks < LEAST_NETWORKS:
                raise ValueError(
                    f"{where}: {name} has {populations[name].networks} networks; a permutation test takes at least "
                    f"{LEAST_NETWORKS}, and 10 are the proposed number (U17)"
                )
            mine, plain = (_comparable(populations[each]) for each in (name, section.baseline))
            different = [key for key in mine if mine[key] != plain[key]]
            if different:
                raise ValueError(
                    f"{where}: {name} and {section.baseline} differ in {', '.join(different)}; only populations that "
                    "are trained and tested alike can be compared"
                )


def _comparable(population: Population) -> dict[str, object]:
    return {
        "images": population.images,
        "cross_test": population.cross_test,
        "recipe.iterations": population.recipe.iterations,
        "snapshots": population.snapshots,
    }
