"""Which populations are compared to see if topology improves a network (weights paper, E14 to E16)."""

from collections.abc import Mapping

from pydantic import Field, model_validator

from cnn_topology.errors import check_known
from cnn_topology.plan.base import Name, Section
from cnn_topology.plan.populations import Population

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
