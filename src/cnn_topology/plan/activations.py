"""Activations in a config: point clouds, their mapper graphs, and layers compared (activations paper).

Which images, layers and positions a cloud has (sections 1.2 and 1.5). What the released code does where it departs from
its own description (section 5 of the notes, Q1 to Q13) is offered as `mode: published` beside `mode: corrected`.

The radius of DBSCAN (experiments M1 to M6) depends on the scale of the trained weights: for networks of one's own the
elbow rule comes first, and the table of the paper's project stands as `published`.

The paper compares layers by the sliced Wasserstein distance of the H1 diagrams of their activation clouds (P1 to P5).
The other measures, on the same clouds, and the comparison of all by the tests of Ding, Denain and Steinhardt (2021) are
ours.
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cnn_topology.plan.base import Distinct, LayerName, Mode, Name, OneOrMore, OrWord, Section
from cnn_topology.plan.images import Split

# Names as the layouts have them: `conv1`, `block_seq.0.0.conv1`, `layer1.0.bn1`.
# Any text: what is none of them is answered with those nearest to it.
Tensor = Literal["conv", "bn", "relu", "output"]


class ActivationClouds(Section):
    """One kind of cloud: for each of its networks and layers, activation vectors at chosen positions of some images."""

    population: Name = Field(description="The networks, a key of `resnets` or `modules`.")
    members: OrWord[OneOrMore[Annotated[int, Field(ge=0)]], Literal["all"]] = Field(
        "all", description="Which of these networks, by number from 0, or `all`."
    )
    split: Split = Field("test", description="Which images of the set.")
    n_images: int = Field(
        1_000,
        ge=1,
        description="How many images, drawn by the run's seed and balanced by class: the same for every network, "
        "layer and cloud of this image set and split; a smaller count draws a part of a larger one's.",
    )
    layers: OrWord[OneOrMore[LayerName], Literal["all"]] = Field(
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


Intervals = Annotated[int, Field(ge=1, le=1_000)]

# Columns of the table below: sampling and top of a cloud.
PUBLISHED_CLOUDS = {("random", 1): 0, ("foreground", 1): 1, ("background", 1): 2, ("full", 1): 3}
# Radius of DBSCAN by layer for random, fg_1, bg_1 and full, and the overlap of full, from the names of the files that
# the follow-up's released code reads (mapper-compare); the others have overlap 0.25. 40 intervals everywhere.
PUBLISHED = {
    "layer4.1.bn2": ((8.71, 10.65, 12.091, 8.5), 0.25),
    "layer4.1.bn1": ((4.2, 8.5, 8.188, 2.5), 0.25),
    "layer4.0.bn2": ((5.5, 13.0, 13.984, 5.0), 0.25),
    "layer4.0.bn1": ((5.004, 9.286, 9.2, 3.5), 0.25),
    "layer3.1.bn2": ((7.69, 11.865, 12.409, 5.41), 0.30),
    "layer2.1.bn2": ((6.8, 8.511, 8.198, 4.5), 0.30),
    "layer1.1.bn2": ((4.5, 4.993, 4.847, 3.5), 0.30),
}
PUBLISHED_OVERLAP = 0.25


class Sweep(Section):
    """Graphs made again with one setting changed at a time, to see what depends on it (ours)."""

    eps_factors: Distinct[Annotated[float, Field(gt=0, le=100)]] = Field(
        (0.8, 1.25), description="Factors on the radius."
    )
    overlaps: Distinct[Annotated[float, Field(ge=0, lt=1)]] = Field((0.3,), description="Other overlaps.")
    intervals: Distinct[Intervals] = Field((30, 50), description="Other numbers of intervals.")


class GraphRecipe(Section):
    """What all graphs of an entry share."""

    min_samples: int = Field(5, ge=1, description="Of DBSCAN: points within eps that make a core point, itself too.")
    max_points: int = Field(
        100_000,
        ge=5,
        description="Of clouds with more points so many are drawn by seed; both numbers are recorded. The paper took "
        "all, up to 800,000: time grows with the square of the points of an interval.",
    )
    max_memory_gb: float = Field(
        3.0,
        gt=0,
        description="A graph that is forecast to need more memory than this, in addition to its cloud, is refused.",
    )
    label_shuffles: int = Field(199, ge=19, description="Label shuffles that purity is compared with.")
    sweep: Sweep | None = Field(None, description="Settings to vary; absent: none.")


class ActivationMapper(GraphRecipe):
    """One way to make mapper graphs of activation clouds: l2 lens, intervals, DBSCAN in each."""

    clouds: OrWord[OneOrMore[Name], Literal["all"]] = Field("all", description="Keys of `activation_clouds`, or `all`.")
    layers: OrWord[OneOrMore[LayerName], Literal["all"]] = Field(
        "all", description="Which layers of those clouds, by name, or `all` that they have."
    )
    intervals: Intervals = Field(40, description="Intervals that cover the l2 norm, scaled to [0, 1].")
    overlap: OrWord[Annotated[float, Field(ge=0, lt=1)], Literal["published"]] = Field(
        0.25,
        description="Overlap of neighbours as a fraction of an interval, or `published`: 0.25, and for full clouds "
        "of the layers up to layer3.1.bn2 0.3.",
    )
    eps: OrWord[Annotated[float, Field(gt=0)], Literal["elbow", "published"]] = Field(
        "elbow",
        description="Radius of DBSCAN in units of the activations; `elbow`: the knee of the distances to the nearest "
        "neighbour; `published`: the paper's table, for the layers and clouds it lists. Clouds with noise take the "
        "radius that the elbow rule gives on the same cloud without noise.",
    )


class GraphSettings(Section):
    """The settings of the graph of one layer, with where the radius comes from."""

    intervals: int
    overlap: float
    eps: float | None
    eps_from: Literal["given", "published", "elbow", "clean"]


def settings_of(section: ActivationMapper, cloud: ActivationClouds, layer: str) -> GraphSettings:
    """Resolve the settings of one layer of one cloud.

    Returns
    -------
    GraphSettings
        Without `eps` where it is found from the cloud (``elbow``) or was found on the cloud without noise (``clean``).

    Raises
    ------
    ValueError
        If published settings are asked for and the table does not list this layer and cloud.
    """
    overlap = _published_overlap(cloud, layer) if section.overlap == "published" else section.overlap
    settings = partial(GraphSettings, intervals=section.intervals, overlap=overlap)
    if section.eps == "published":
        return settings(eps=_published(cloud, layer), eps_from="published")
    if section.eps == "elbow":
        return settings(eps=None, eps_from="clean" if cloud.sigma else "elbow")
    return settings(eps=section.eps, eps_from="given")


def clean_of(name: str, clouds: Mapping[str, ActivationClouds]) -> str | None:
    """Name the cloud that differs from a noisy one in nothing but its missing noise, if there is one."""
    quiet = clouds[name].model_copy(update={"sigma": 0.0, "layers": "all", "members": "all"})
    for other, cloud in clouds.items():
        if cloud.model_copy(update={"layers": "all", "members": "all"}) == quiet:
            return other
    return None


def published_eps(sampling: str, top: int, layer: str) -> float | None:
    """Return the radius that the paper's project used for such a cloud of a layer, if it has one."""
    column = PUBLISHED_CLOUDS.get((sampling, top))
    return None if column is None or layer not in PUBLISHED else PUBLISHED[layer][0][column]


def _published(cloud: ActivationClouds, layer: str) -> float:
    eps = published_eps(cloud.sampling, cloud.top, layer)
    if eps is None:
        kind = cloud.sampling + (f" top {cloud.top}" if cloud.sampling in ("foreground", "background") else "")
        raise ValueError(
            f"no published eps for {layer}, {kind}: it exists for random, foreground top 1, background top 1 and full "
            f"of {', '.join(PUBLISHED)}; use eps: elbow"
        )
    return eps


def _published_overlap(cloud: ActivationClouds, layer: str) -> float:
    if cloud.sampling != "full":
        return PUBLISHED_OVERLAP
    if layer not in PUBLISHED:
        raise ValueError(f"no published overlap for {layer}, full: it exists for {', '.join(PUBLISHED)}; give a number")
    return PUBLISHED[layer][1]


# The names of `comparison.measures.MEASURES`; a test holds the two together, since no array library is loaded here.
MeasureName = Literal[
    "sliced_wasserstein",
    "scaled_sliced_wasserstein",
    "bottleneck",
    "wasserstein",
    "linear_cka",
    "linear_cka_distance",
    "debiased_cka",
    "cca_distance",
    "svcca_distance",
    "pwcca_distance",
    "procrustes_distance",
]
# Those that need barcodes, those of them that match bar to bar, and those that need more images than a layer has
# channels.
MATCHING_MEASURES = ("bottleneck", "wasserstein")
DIAGRAM_MEASURES = ("sliced_wasserstein", "scaled_sliced_wasserstein", *MATCHING_MEASURES)
CANONICAL_MEASURES = ("cca_distance", "svcca_distance", "pwcca_distance")


class ComponentSensitivity(Section):
    """The sensitivity test (P4): principal components of a layer are removed, the smallest first."""

    members: OrWord[Distinct[Annotated[int, Field(ge=0)]], Literal["first", "all"]] = Field(
        "first",
        description="Networks whose layers lose components: the `first`, as in the paper, `all`, or some by number. "
        "What is left is compared with the whole layer and, ours, with that of the next network.",
    )
    modes: OneOrMore[Mode] = Field(
        ("published", "corrected"),
        description="`published`: the released code, which does not centre the cloud and removes 4, 7, 11, 15, ... "
        "components. `corrected`: centred, multiples of 4 (Q8).",
    )


class LayerDistances(Section):
    """How layers are compared: within each network (P1, P2), across networks (P3), with components removed (P4)."""

    clouds: OneOrMore[Name] = Field(
        description="Keys of `activation_clouds` with one point per image; each is analysed by itself."
    )
    measures: OneOrMore[MeasureName] = Field(
        (
            "sliced_wasserstein",
            "scaled_sliced_wasserstein",
            "linear_cka",
            "debiased_cka",
            "svcca_distance",
            "pwcca_distance",
            "procrustes_distance",
        ),
        description="`sliced_wasserstein` is the paper's, in units of the activations; `scaled_sliced_wasserstein` "
        "first divides each layer by the median distance of its points (Q9). The others are baselines of ours: "
        "`bottleneck` and (2-)`wasserstein` match the bars of two layers, which is slow, and compare the layers of so "
        "many networks, the first, as have 2,000 pairs of layers; the CCA family needs two images more than the widest "
        "layer has channels.",
    )
    components: ComponentSensitivity | None = Field(
        ComponentSensitivity(), description="The sensitivity test; `null` leaves it out."
    )
    draws: int = Field(
        999, ge=99, description="Permutations of each test, and bootstrap draws of the interval of specificity."
    )
