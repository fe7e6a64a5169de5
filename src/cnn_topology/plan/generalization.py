"""Generalization and training dynamics (weights paper, E4, E8, E11 to E13), and grids of populations.

A grid trains populations that differ in a few hyperparameters only, so that accuracy varies and a measure of topology
can be compared with it (Jiang et al., *Fantastic generalization measures and where to find them*, ICLR 2020).
"""

import itertools
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cnn_topology.errors import check_known
from cnn_topology.plan.base import Distinct, Name, OneOrMore, OrWord, Section, Width
from cnn_topology.plan.clouds import Density
from cnn_topology.plan.populations import Architecture, Population, Recipe, Snapshots

# A correlation over fewer networks says nothing: with three, a perfect rank order has probability 1/3 by chance.
LEAST_NETWORKS = 4


class Vary(Section):
    """The values that a grid combines, each with each; absent: as the base has it."""

    width: Distinct[Width] = Field(
        (), description="Filters of the first convolution; all other widths change by the same factor."
    )
    dropout: Distinct[Annotated[float, Field(ge=0, lt=1)]] = Field((), description="Dropout.")
    learning_rate: Distinct[Annotated[float, Field(gt=0, le=10)]] = Field((), description="Learning rates.")
    label_noise: Distinct[Annotated[float, Field(ge=0, lt=1)]] = Field(
        (), description="Shares of training labels replaced by a random other class."
    )
    train_images: Distinct[Annotated[int, Field(ge=1)]] = Field((), description="Numbers of training images.")

    @model_validator(mode="after")
    def _something_varies(self) -> "Vary":
        if not any(values for _, values in self):
            raise ValueError(f"a grid varies at least one of {', '.join(type(self).model_fields)}")
        return self


class Grid(Section):
    """Populations that differ from a base in some hyperparameters; named by their values, as `digits-w16-d0_5`."""

    base: Name = Field(description="The population they are like in everything else, a key of `populations`.")
    vary: Vary = Field(description="Hyperparameters and their values; every combination is one population.")
    networks: int = Field(2, ge=1, le=100_000, description="Networks of each combination, which are pooled.")
    iterations: int | None = Field(None, ge=1, description="Length of training. Absent: that of the base.")

    @model_validator(mode="after")
    def _enough_networks(self) -> "Grid":
        cells = len(list(itertools.product(*(values for _, values in self.vary if values))))
        if cells * self.networks < LEAST_NETWORKS:
            raise ValueError(
                f"{cells} combinations of {self.networks} networks are {cells * self.networks} networks; correlations "
                f"need at least {LEAST_NETWORKS}: raise `networks` or vary more"
            )
        return self


class Generalization(Section):
    """Topology, weight statistics and accuracy of each single network, and how they go together (E11).

    At each snapshot; networks of grids at their last.
    """

    populations: OrWord[Distinct[Name], Literal["all"]] = Field(
        "all", description="Populations whose single networks are analysed besides those of the grids."
    )
    layers: OneOrMore[Name] = Field(("conv1",), description="Convolution layers, by name.")
    density: Density = Field(
        Density(k=0.03125, p=0.3),
        description="Density filter of the cloud of one network; as fractions, since widths differ.",
    )
    grids: dict[Name, Grid] = Field({}, description="Grids of populations, by a name of your choice.")
    bootstrap_draws: int = Field(1_000, ge=20, description="Bootstrap draws of each interval.")
    permutations: int = Field(999, ge=19, description="Permutations of each p-value.")

    @model_validator(mode="after")
    def _k_is_a_fraction(self) -> "Generalization":
        if isinstance(self.density.k, int):
            raise ValueError(
                f"density.k = {self.density.k} is a count; a network's cloud is as large as its layer is wide, so "
                "give k as a fraction such as 0.03125"
            )
        return self


class Dynamics(Section):
    """Onset of the loop with an interval over networks, and the same loop followed from step to step (E4, E8).

    Of the layers of `clouds` that are analysed at two steps at least.
    """

    bootstrap_draws: int = Field(
        200, ge=10, description="Bootstrap draws; networks are resampled, clouds made and tested anew."
    )


def grid_populations(
    grids: Mapping[str, Grid], populations: Mapping[str, Population]
) -> dict[str, dict[str, Population]]:
    """Expand grids into populations.

    Parameters
    ----------
    grids : mapping of str to Grid
    populations : mapping of str to Population
        Among them the bases.

    Returns
    -------
    dict of str to dict of str to Population
        By grid, by name. A name ends with the values that vary: ``w`` width, ``d`` dropout, ``lr`` learning rate,
        ``ln`` label noise, ``n`` training images, a point written as ``_``.

    Raises
    ------
    ValueError
        If a base is not there, or a population of that name is already.
    """
    found: dict[str, dict[str, Population]] = {}
    taken = set(populations)
    for name, grid in grids.items():
        where = f"generalization.grids.{name}"
        check_known(f"population in {where}.base", grid.base, populations)
        if name in populations:
            raise ValueError(f"{where}: a population has that name too; choose another")
        found[name] = {}
        varied = {key: values for key, values in grid.vary if values}
        for combination in itertools.product(*varied.values()):
            values = dict(zip(varied, combination, strict=True))
            full = "-".join([grid.base, *(f"{_SHORT[key]}{_written(value)}" for key, value in values.items())])
            if full in taken:
                raise ValueError(f"{where} makes a population {full}, which is there already; vary something else")
            taken.add(full)
            found[name][full] = _varied(populations[grid.base], grid, values)
    return found


_SHORT = {"width": "w", "dropout": "d", "learning_rate": "lr", "label_noise": "ln", "train_images": "n"}


def _written(value: float) -> str:
    return f"{value:g}".replace(".", "_").replace("+", "")


def _varied(base: Population, grid: Grid, values: Mapping[str, float]) -> Population:
    """Return the base with some hyperparameters changed; validated anew."""
    architecture, recipe = base.architecture.model_dump(), base.recipe.model_dump()
    if "width" in values:
        factor = values["width"] / base.architecture.convolutions[0]
        for key in ("convolutions", "dense"):
            architecture[key] = tuple(max(1, round(width * factor)) for width in architecture[key])
    architecture |= {"dropout": values["dropout"]} if "dropout" in values else {}
    recipe |= {key: values[key] for key in ("learning_rate", "label_noise", "train_images") if key in values}
    recipe |= {"iterations": grid.iterations} if grid.iterations else {}
    return base.model_copy(
        update={
            "architecture": Architecture(**architecture),
            "recipe": Recipe(**recipe),
            "networks": grid.networks,
            "networks_per_job": min(base.networks_per_job, grid.networks),
            "snapshots": Snapshots(),
        }
    )
