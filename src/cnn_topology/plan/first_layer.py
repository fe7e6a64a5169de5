"""First layers that are not learned (weights paper, E14 and E16; unknown U17), and their controls."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cnn_topology.plan.base import Name, Section


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


def check_first_layer(layer: LearnedFirstLayer | FixedFirstLayer, filters: int, angular_features: int) -> None:
    """Refuse a fixed first layer that cannot be made.

    Raises
    ------
    ValueError
        If the number of filters does not fit the kind, or the layer would read angular features.
    """
    if isinstance(layer, LearnedFirstLayer):
        return
    if layer.kind == "fixed_klein" and math.isqrt(filters) ** 2 != filters:
        raise ValueError(f"fixed_klein takes a square number of filters (16, 64), not {filters}")
    if angular_features:
        raise ValueError(f"{layer.kind} reads pixels alone: set angular_features = 0 or first_layer: {{kind: learned}}")
