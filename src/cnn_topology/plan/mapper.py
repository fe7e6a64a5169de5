"""Mapper graphs of the filters that a layer's headline density filter keeps (weights paper, method, steps 6 and 7).

What the sources leave open (U2 to U5 in the notes on the paper) is a key here, with the default of those notes.
"""

from typing import Literal

from pydantic import Field, model_validator

from cnn_topology.plan.base import Distinct, Section

Metric = Literal["variance-normalized", "euclidean"]


class MapperRecipe(Section):
    """What a mapper graph is made by."""

    resolution: int = Field(
        30,
        ge=1,
        le=200,
        description="Intervals per lens. (30, 3) is reported for MNIST by re-implementations of the paper; for other "
        "layers it is not known (U2).",
    )
    gain: float = Field(
        3.0,
        ge=1,
        le=20,
        description="Widening of each interval about its centre: neighbours overlap by 1 - 1 / gain (U2).",
    )
    equalized: bool = Field(
        False, description="Intervals that hold equally many points, not equally long ones; unknown (U4)."
    )
    metric: Metric = Field(
        "variance-normalized",
        description="Metric of the clustering: coordinates divided by their standard deviation over the cloud, as "
        "re-implementations report, or as they are.",
    )
    scaled_lens: bool = Field(
        False,
        description="Take the two principal components from the cloud as the metric scales it; unknown (U5).",
    )
    gap_from_zero: bool = Field(
        False,
        description="Single linkage of a cube is cut below the first gap between merges of 0.3 of the last merge's "
        "height, as giotto-tda does; the rule of the paper's software (Ayasdi) is not published (U3). Count the gap "
        "from 0 to the first merge too, as giotto-tda does; in nine dimensions it often breaks a circle to pieces.",
    )
    max_points: int = Field(
        100_000,
        ge=10,
        description="Of clouds that keep more points than this so many are drawn by seed; both numbers are recorded.",
    )


class MapperChange(Section):
    """One other way to make the same graph: what is stated replaces that part of the recipe."""

    resolution: int | None = Field(None, ge=1, le=200, description="Intervals per lens.")
    gain: float | None = Field(None, ge=1, le=20, description="Widening of each interval.")
    equalized: bool | None = Field(None, description="Intervals that hold equally many points.")
    metric: Metric | None = Field(None, description="Metric of the clustering.")
    scaled_lens: bool | None = Field(None, description="Principal components of the scaled cloud.")
    gap_from_zero: bool | None = Field(None, description="Count the gap from 0 to the first merge too.")

    @model_validator(mode="after")
    def _something_changes(self) -> "MapperChange":
        if not self.model_dump(exclude_none=True):
            raise ValueError("a change must state a key of the recipe, such as {resolution: 20}")
        return self

    def of(self, recipe: MapperRecipe) -> MapperRecipe:
        """Return the recipe with this change."""
        return recipe.model_copy(update=self.model_dump(exclude_none=True))

    def words(self) -> str:
        """Describe what changes, in few words: ``resolution 20, gain 2``."""
        said = []
        for name, value in self:
            if isinstance(value, bool):
                said.append(("" if value else "not ") + name.replace("_", " "))
            elif value is not None:
                said.append(value if isinstance(value, str) else f"{name} {value:g}")
        return ", ".join(said)


class Mapper(MapperRecipe):
    """Mapper graphs of the headline cloud of each layer in `clouds`. Their loops are a picture, not the test."""

    steps: Literal["last", "all"] = Field("last", description="Snapshot steps among those of `clouds`.")
    sweep: Distinct[MapperChange] = Field(
        (),
        description="Other graphs of the same clouds, counted and not drawn: how far loops depend on what the sources "
        "leave open. [`{resolution: 20}`, `{equalized: true}`, ...]",
    )
