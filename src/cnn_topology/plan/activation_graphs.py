"""The mapper graphs of activations that a run has: one job per entry, network, cloud and block of layers."""

from collections.abc import Iterator
from dataclasses import dataclass

from cnn_topology.errors import InputError, check_known
from cnn_topology.plan.activations import GraphRecipe, GraphSettings, clean_of, settings_of
from cnn_topology.plan.expand import Plan, batched
from cnn_topology.plan.images import check_labelled
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
    settings: dict[str, GraphSettings]
    clean: str | None

    @property
    def key(self) -> tuple[str, int, str, str, int]:
        """What tells it from other jobs: its wildcards, and the path of its parts of tables."""
        return self.population, self.network, self.recipe, self.cloud, self.block


class GraphPlan:
    """All mapper graphs of activations of a run.

    Attributes
    ----------
    plan : Plan
    jobs : dict
        All jobs by their key.

    Raises
    ------
    InputError
        If an entry of `activation_mapper` names a cloud or a layer that is not there, or the radius of a graph cannot
        be found.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.jobs = {job.key: job for job in self._jobs()}

    def clouds(self, recipe: str) -> tuple[str, ...]:
        """Return the clouds of an entry."""
        taken = self.plan.config.activation_mapper[recipe].clouds
        return tuple(self.plan.config.activation_clouds) if taken == "all" else taken

    def layers(self, recipe: str, cloud: str) -> tuple[RecordedLayer, ...]:
        """Return the layers of a cloud that an entry takes, nearest the image first."""
        wanted = self.plan.config.activation_mapper[recipe].layers
        return tuple(layer for layer in self.plan.activation_layers(cloud) if wanted == "all" or layer.name in wanted)

    def clean_jobs(self, job: GraphJob) -> tuple[GraphJob, ...]:
        """Return the jobs that find the radii which a job takes over."""
        names = {layer for layer, settings in job.settings.items() if settings.eps_from == "clean"}
        return tuple(
            other
            for other in self.jobs.values()
            if (other.recipe, other.network, other.cloud) == (job.recipe, job.network, job.clean)
            and names & other.settings.keys()
        )

    def image_sets(self) -> dict[str, str]:
        """Return the image set of each population that has graphs."""
        return {job.population: self.plan.config.recorded[job.population].images for job in self.jobs.values()}

    def _jobs(self) -> Iterator[GraphJob]:
        config = self.plan.config
        for recipe in config.activation_mapper:
            self._check_names(recipe)
            for cloud in self.clouds(recipe):
                section = config.activation_clouds[cloud]
                clean = clean_of(cloud, config.activation_clouds) if section.sigma else None
                layers = self.layers(recipe, cloud)
                settings = {layer.name: self._settings(recipe, cloud, clean, layer.name) for layer in layers}
                for network in self.plan.activation_networks(cloud):
                    for block, part in enumerate(batched(layers, config.jobs.layers_per_job)):
                        of_part = {layer.name: settings[layer.name] for layer in part}
                        yield GraphJob(recipe, section.population, network, cloud, block, part, of_part, clean)

    def _check_names(self, recipe: str) -> None:
        config, where, clouds = self.plan.config, f"activation_mapper.{recipe}", self.clouds(recipe)
        if not clouds:
            raise InputError(f"{where}: there are no clouds: describe some in activation_clouds")
        for cloud in clouds:
            check_known(f"cloud in {where}.clouds", cloud, config.activation_clouds)
            images = config.recorded[config.activation_clouds[cloud].population].images
            check_labelled(f"{where}, cloud {cloud}: purity", images, config.images[images])
        wanted = config.activation_mapper[recipe].layers
        known = {layer.name for cloud in clouds for layer in self.plan.activation_layers(cloud)}
        for layer in () if wanted == "all" else wanted:
            check_known(f"layer of its clouds in {where}", layer, known)

    def _settings(self, recipe: str, cloud: str, clean: str | None, layer: str) -> GraphSettings:
        """Return the settings of the graph of one layer, and refuse a radius that no other graph finds."""
        where, config = f"activation_mapper.{recipe}", self.plan.config
        try:
            settings = settings_of(config.activation_mapper[recipe], config.activation_clouds[cloud], layer)
        except ValueError as error:
            raise InputError(f"{where}, cloud {cloud}: {error}") from error
        if settings.eps_from != "clean":
            return settings
        if clean is None or clean not in self.clouds(recipe):
            raise InputError(
                f"{where}: cloud {cloud} has noise and takes eps from the same cloud without noise: "
                + (f"add {clean} to clouds" if clean else "describe one with sigma: 0 in activation_clouds")
                + ", or give eps as a number"
            )
        networks = [set(self.plan.activation_networks(name)) for name in (cloud, clean)]
        if layer not in {each.name for each in self.plan.activation_layers(clean)} or not networks[0] <= networks[1]:
            raise InputError(
                f"{where}: cloud {cloud} takes eps from {clean}, which does not have its layer {layer} or one of its "
                "networks: give both the same layers and networks"
            )
        return settings


class ActivationMapperParameters(Parameters):
    """For `cnn-topology activation-mapper`: one network, cloud and block of layers."""

    verb = "activation-mapper"
    job: GraphJob
    graphs: GraphRecipe

    @classmethod
    def of(cls, plan: Plan, job: GraphJob) -> "ActivationMapperParameters":
        """Return the block of a job."""
        # Of the entry the block holds what `GraphRecipe` has.
        return cls(run_seed=plan.config.seed, job=job, graphs=plan.config.activation_mapper[job.recipe])


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
