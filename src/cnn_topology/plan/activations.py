"""Point clouds of activations (activations paper, sections 1.2 and 1.5): which images, layers and positions.

What the released code does where it departs from its own description (section 5 of the notes, Q1 to Q13) is offered as
`mode: published` beside `mode: corrected`; the flags below it take their default from the mode.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from cnn_topology.plan.base import LayerName, Mode, Name, OneOrMore, Section
from cnn_topology.plan.images import Split

# Names as the layouts have them: `conv1`, `block_seq.0.0.conv1`, `layer1.0.bn1`.
# Any text: what is none of them is answered with those nearest to it.
Tensor = Literal["conv", "bn", "relu", "output"]


class ActivationClouds(Section):
    """One kind of cloud: for each of its networks and layers, activation vectors at chosen positions of some images."""

    population: Name = Field(description="The networks, a key of `resnets` or `modules`.")
    members: OneOrMore[Annotated[int, Field(ge=0)]] | Literal["all"] = Field(
        "all", description="Which of these networks, by number from 0, or `all`."
    )
    split: Split = Field("test", description="Which images of the set.")
    n_images: int = Field(
        1_000,
        ge=1,
        description="How many images, drawn by the run's seed and balanced by class: the same for every network, "
        "layer and cloud of this image set and split; a smaller count draws a part of a larger one's.",
    )
    layers: OneOrMore[LayerName] | Literal["all"] = Field(
        "all",
        description="Layers by the names of the paper (`block_seq.0.0.conv1`, `layer4.1.bn2`), of `modules` by those "
        "that they record, or `all`.",
    )
    tensor: Tensor | None = Field(
        None,
        description="Which tensor of the layer: `conv` (before batch norm), `bn` (after it), `relu` (ReLU of that). "
        "Absent: the paper's, which is `conv` for variant ph and, for variant mapper, `relu` for full and random, "
        "`bn` for foreground and background, so that lens and eps differ between them (Q4, Q9). Layers of `modules` "
        "have one, their `output`, or `relu` of it.",
    )
    sampling: Literal["top-l2", "random", "full", "foreground", "background"] = Field(
        "top-l2",
        description="Positions of each image: that of the largest l2 norm (first on ties), a random one, all of them, "
        "or the `top` ones that see most of the foreground or background as GrabCut finds it.",
    )
    top: int = Field(
        1, ge=1, le=1_024, description="Positions per image of foreground and background; the paper: 1 and 5."
    )
    mode: Mode = Field(
        "corrected",
        description="`published` repeats the released code with its defects, `corrected` does what it describes. "
        "Published: `random` leaves out the first row and column (Q5); the points of a `full` cloud that is too large "
        "are drawn with replacement (Q6); `bn` and `relu` of the second convolution of a block have the block's "
        "shortcut added, since the released code adds in place to the tensor that its hook has kept; masks have the "
        "defects Q1 to Q3.",
    )
    max_points: int = Field(
        800_000, ge=1, description="Points of a `full` cloud; of more than these so many are drawn by seed."
    )
    sigma: float = Field(
        0.0,
        ge=0,
        le=100,
        description="Standard deviation of Gaussian noise that is added to each image after normalization, drawn by "
        "seed and image; masks come from the clean image.",
    )

    @model_validator(mode="after")
    def _flags_fit_the_sampling(self) -> "ActivationClouds":
        owners = {
            "top": ("foreground", "background"),
            "max_points": ("full",),
        }
        for key, samplings in owners.items():
            if getattr(self, key) != type(self).model_fields[key].default and self.sampling not in samplings:
                raise ValueError(f"`{key}` is for sampling {' or '.join(samplings)}, not for {self.sampling}")
        return self

    @property
    def published(self) -> bool:
        """Whether the defects of the released code are repeated."""
        return self.mode == "published"

    @property
    def masked(self) -> bool:
        """Whether positions are chosen by foreground or background."""
        return self.sampling in ("foreground", "background")

    def tensor_used(self, variant: str) -> Tensor:
        """Return the tensor that the paper takes of this variant and sampling, or the one asked for."""
        if self.tensor is not None:
            return self.tensor
        if variant != "mapper":
            return "conv" if variant == "ph" else "output"
        return "bn" if self.masked else "relu"


def check_of_module(where: str, clouds: ActivationClouds) -> None:
    """Raise ValueError if a cloud of a user's module (`where`) asks for what only residual networks have."""
    if clouds.tensor in ("conv", "bn"):
        raise ValueError(f"{where}.tensor is {clouds.tensor}, but layers of `modules` have `output`, or `relu` of it")
    if clouds.published:
        raise ValueError(
            f"{where}: mode: published repeats what the paper's code does with residual networks; leave it out"
        )
    if clouds.masked:
        raise ValueError(
            f"{where}: sampling {clouds.sampling} weighs positions by a residual network; of `modules` use random, "
            "full or top-l2"
        )
