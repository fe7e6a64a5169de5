"""The parameter blocks of the commands on training dynamics and generalization."""

from cnn_topology.plan.base import Section
from cnn_topology.plan.clouds import Density, NullName, Variant
from cnn_topology.plan.expand import LayerClouds, NetworkGroup, Plan
from cnn_topology.plan.images import size_of
from cnn_topology.plan.parameters import Parameters
from cnn_topology.plan.populations import Population


class Member(Section):
    """One population at one step, with what sets it apart from others."""

    population: str
    step: int
    images: str
    shards: int
    depth: int
    width: int
    dropout: float
    learning_rate: float
    label_noise: float
    train_images: int | None

    @classmethod
    def of(cls, plan: Plan, layer: str, name: str, step: int) -> "Member":
        """Return the block of one population at one step."""
        section: Population = plan.population(name)
        return cls(
            population=name,
            step=step,
            images=section.images,
            shards=len(plan.shards_of(name)),
            depth=plan.layer(name, layer).depth,
            width=section.architecture.convolutions[0],
            dropout=section.architecture.dropout,
            learning_rate=section.recipe.learning_rate,
            label_noise=section.recipe.label_noise,
            train_images=section.recipe.train_images or size_of(plan.config.images[section.images], "train"),
        )


class NetworksParameters(Parameters):
    """For `cnn-topology networks`: one layer of some populations, each at some steps."""

    verb = "networks"
    group: str
    is_grid: bool
    layer: str
    density: Density
    members: tuple[Member, ...]

    @classmethod
    def of(cls, plan: Plan, group: NetworkGroup, items: tuple[tuple[str, int], ...]) -> "NetworksParameters":
        """Return the block of some (population, step) pairs of a group."""
        assert plan.config.generalization is not None, "the run analyses no single networks"
        return cls(
            run_seed=plan.config.seed,
            group=group.name,
            is_grid=group.is_grid,
            layer=group.layer,
            density=plan.config.generalization.density,
            members=tuple(Member.of(plan, group.layer, name, step) for name, step in items),
        )


class CorrelationParameters(Parameters):
    """For `cnn-topology correlations`."""

    verb = "correlations"
    bootstrap: int
    permutations: int

    @classmethod
    def of(cls, plan: Plan) -> "CorrelationParameters":
        """Return the block of a run."""
        section = plan.config.generalization
        assert section is not None, "the run analyses no single networks"
        return cls(run_seed=plan.config.seed, bootstrap=section.bootstrap_draws, permutations=section.permutations)


class DynamicsParameters(Parameters):
    """For `cnn-topology dynamics`: one layer of a population, the headline variant of each step."""

    verb = "dynamics"

    population: str
    layer: str
    images: str
    headlines: dict[int, Variant]
    alpha: float
    nulls: tuple[NullName, ...]
    draws: int

    @classmethod
    def of(cls, plan: Plan, clouds: LayerClouds) -> "DynamicsParameters":
        """Return the block of one layer."""
        assert plan.config.dynamics is not None, "the run follows no loops"
        return cls(
            run_seed=plan.config.seed,
            population=clouds.population,
            layer=clouds.layer.name,
            images=plan.population(clouds.population).images,
            headlines={step: variants[0] for step, variants in clouds.variants.items()},
            alpha=plan.config.significance.alpha,
            nulls=plan.config.significance.nulls,
            draws=plan.config.dynamics.bootstrap_draws,
        )


class CrossAccuracyParameters(Parameters):
    """For `cnn-topology cross-accuracy`: what each population is trained on."""

    verb = "cross-accuracy"

    trained_on: dict[str, str]

    @classmethod
    def of(cls, plan: Plan) -> "CrossAccuracyParameters":
        """Return the block of a run."""
        populations = plan.config.populations.items()
        return cls(run_seed=plan.config.seed, trained_on={name: section.images for name, section in populations})
