"""Distances between layers and the tests of the measures that give them (activations paper, experiments P1 to P5).

The paper compares layers by the sliced Wasserstein distance of the H1 diagrams of their activation clouds. The other
measures, on the same clouds, and the comparison of all by the tests of Ding, Denain and Steinhardt (2021) are ours.
"""

from typing import Annotated, Literal

from pydantic import Field

from cnn_topology.plan.base import Distinct, Mode, Name, OneOrMore, OrWord, Section

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
