"""The mapper graphs of activations that a run has: one job per entry, network, cloud and block of layers."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from cnn_topology.plan.activation_mapper import ActivationMapper, GraphRecipe, GraphSettings, clean_of, settings_of
from cnn_topology.plan.expand import Plan, batched
from cnn_topology.plan.names import RunFolder
from cnn_topology.plan.parameters import Parameters, SeedParameters
from cnn_topology.plan.recorded import RecordedLayer


@dataclass(frozen=True)
class GraphJob:
    """One job: the graphs of some layers of one cloud of one network, nearest the image first.

    `recipe` is a key of `activation_mapper`; `clean` names the same cloud without noise, for one that has noise.
    """

    recipe: str
    population: str
    network: int
    cloud: str
    block: int
    layers: tuple[RecordedLayer, ...]
    clean: str | None

    @property
    def key(self) -> tuple[str, str, int, str, int]:
        """What tells it from other jobs; its wildcards."""
        return self.recipe, self.population, self.network, self.cloud, self.block

    def part(self, run: RunFolder, table: str) -> str:
        """Return the path of its part of a table."""
        return run.part(table, self.population, self.network, self.recipe, self.cloud, self.block)


class GraphPlan:
    """All mapper graphs of activations of a run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def section(self, recipe: str) -> ActivationMapper:
        """Return an entry of `activation_mapper` by name."""
        return self.plan.config.activation_mapper[recipe]

    def clouds(self, recipe: str) -> tuple[str, ...]:
        """Return the clouds of an entry."""
        taken = self.section(recipe).clouds
        return tuple(self.plan.config.activation_clouds) if taken == "all" else tuple(dict.fromkeys(taken))

    def layers(self, recipe: str, cloud: str) -> tuple[RecordedLayer, ...]:
        """Return the layers of a cloud that an entry takes, nearest the image first."""
        wanted = self.section(recipe).layers
        return tuple(layer for layer in self.plan.activation_layers(cloud) if wanted == "all" or layer.name in wanted)

    def population(self, cloud: str) -> str:
        """Return the key of `resnets` or `modules` that a cloud is of."""
        return self.plan.config.activation_clouds[cloud].population

    @cached_property
    def jobs(self) -> dict[tuple[str, str, int, str, int], GraphJob]:
        """All jobs by their key."""
        return {job.key: job for job in self._jobs()}

    def clean_jobs(self, job: GraphJob) -> tuple[GraphJob, ...]:
        """Return the jobs that find the radii which a job takes over."""
        section, cloud = self.section(job.recipe), self.plan.config.activation_clouds[job.cloud]
        settings = {layer.name: settings_of(section, cloud, layer.name) for layer in job.layers}
        names = {name for name, found in settings.items() if found.eps_from == "clean"}
        return tuple(
            other
            for other in self.jobs.values()
            if (other.recipe, other.network, other.cloud) == (job.recipe, job.network, job.clean)
            and names & {layer.name for layer in other.layers}
        )

    def image_sets(self) -> dict[str, str]:
        """Return the image set of each population that has graphs."""
        return {job.population: self.plan.config.recorded[job.population].images for job in self.jobs.values()}

    def _jobs(self) -> Iterator[GraphJob]:
        for recipe in self.plan.config.activation_mapper:
            for cloud in self.clouds(recipe):
                layers = self.layers(recipe, cloud)
                every = self.plan.config.activation_clouds
                clean = clean_of(cloud, every) if every[cloud].sigma else None
                for network in self.plan.activation_networks(cloud):
                    for block, part in enumerate(batched(layers, self.plan.config.jobs.layers_per_job)):
                        yield GraphJob(recipe, self.population(cloud), network, cloud, block, part, clean)


class ActivationMapperParameters(Parameters):
    """For `cnn-topology activation-mapper`: one network, cloud and block of layers."""

    verb = "activation-mapper"
    population: str
    network: int
    recipe: str
    cloud: str
    clean: str | None
    layers: dict[str, GraphSettings]
    graphs: GraphRecipe

    @classmethod
    def of(cls, plan: Plan, job: GraphJob) -> "ActivationMapperParameters":
        """Return the block of a job."""
        section, cloud = plan.config.activation_mapper[job.recipe], plan.config.activation_clouds[job.cloud]
        return cls(
            run_seed=plan.config.seed,
            population=job.population,
            network=job.network,
            recipe=job.recipe,
            cloud=job.cloud,
            clean=job.clean,
            layers={layer.name: settings_of(section, cloud, layer.name) for layer in job.layers},
            graphs=GraphRecipe(**{name: getattr(section, name) for name in GraphRecipe.model_fields}),
        )


class PurityTestParameters(SeedParameters):
    """For `cnn-topology purity-tests`."""

    verb = "purity-tests"


class ExampleImageParameters(Parameters):
    """For `cnn-topology example-images`: the image set of each population."""

    verb = "example-images"
    images: dict[str, str]

    @classmethod
    def of(cls, plan: Plan, graphs: GraphPlan) -> "ExampleImageParameters":
        """Return the block of a run."""
        return cls(run_seed=plan.config.seed, images=graphs.image_sets())
