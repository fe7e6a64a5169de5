"""The networks of a run: populations, checkpoints and residual networks, with their layers, steps and training jobs."""

from dataclasses import dataclass
from functools import cached_property

from cnn_topology.plan.checkpoints import CheckpointLayers, checkpoint_layers, networks_in
from cnn_topology.plan.config import RunConfig
from cnn_topology.plan.images import shape_of
from cnn_topology.plan.populations import Layer, Population, image_shape, layers_of
from cnn_topology.plan.recorded import RecordedLayer
from cnn_topology.plan.resnets import recorded_layers


@dataclass(frozen=True)
class Shard:
    """The part of a population that one training job trains: networks `first` to `first + count - 1`."""

    population: str
    number: int
    first: int
    count: int


class Networks:
    """What is known of the networks of a run before anything is trained.

    Parameters
    ----------
    config : RunConfig
        The run.
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self._checkpoints: dict[str, CheckpointLayers] = {}

    @cached_property
    def populations(self) -> dict[str, Population]:
        """All populations that are trained: those of the config, then those of its grids."""
        return self.config.trained

    def population(self, name: str) -> Population:
        """Return a population by name."""
        return self.populations[name]

    @cached_property
    def shards(self) -> list[Shard]:
        """All training jobs."""
        return [
            Shard(name, number, first, min(population.networks_per_job, population.networks - first))
            for name, population in self.populations.items()
            for number, first in enumerate(range(0, population.networks, population.networks_per_job))
        ]

    def shards_of(self, population: str) -> list[Shard]:
        """Return the parts of a population that one snapshot file holds: one per training job, or one checkpoint."""
        if population in self.config.checkpoints:
            return [Shard(population, 0, 0, self.networks(population))]
        return [shard for shard in self.shards if shard.population == population]

    @property
    def names(self) -> tuple[str, ...]:
        """All groups of networks by name: populations, then checkpoints."""
        return (*self.config.populations, *self.config.checkpoints)

    @property
    def has_claims(self) -> bool:
        """Whether the papers claim anything of networks like these: of files that a user brings nobody did."""
        of_papers = any(section.kind == "torchvision" for section in self.config.checkpoints.values())
        return bool(self.config.populations or self.config.resnets or of_papers)

    def networks(self, name: str) -> int:
        """Return the number of networks of a population or checkpoint."""
        checkpoint = self.config.checkpoints.get(name)
        return networks_in(checkpoint) if checkpoint else self.population(name).networks

    def steps(self, population: str) -> tuple[int, ...]:
        """Return the steps at which weights are kept: those asked for, step 0 and the last; 0 alone of a checkpoint."""
        if population in self.config.checkpoints:
            return (0,)
        section = self.population(population)
        return tuple(sorted({0, section.recipe.iterations, *section.snapshots.iterations}))

    def test_steps(self, population: str) -> tuple[int, ...]:
        """Return the steps between snapshots at which networks are tested on their own test images."""
        section = self.population(population)
        every, last = section.snapshots.test_every, section.recipe.iterations
        return tuple(sorted(set(range(0, last, every)) - set(self.steps(population)))) if every else ()

    def layers(self, population: str) -> tuple[Layer, ...]:
        """Return the layers with weights of a population's networks; of a checkpoint those that are analysed."""
        if population in self.config.checkpoints:
            return self._checkpoint(population).layers
        section = self.population(population)
        shape = image_shape(shape_of(self.config.images[section.images]), section.recipe)
        return layers_of(section.architecture, shape)

    def other_kernels(self, name: str) -> dict[str, str]:
        """Return why some convolutions of a checkpoint are not analysed, by their names; none of a population."""
        return self._checkpoint(name).others if name in self.config.checkpoints else {}

    def _checkpoint(self, name: str) -> CheckpointLayers:
        """Return the layers of a checkpoint and its other convolutions; its files are opened once."""
        if name not in self._checkpoints:
            self._checkpoints[name] = checkpoint_layers(name, self.config.checkpoints[name])
        return self._checkpoints[name]

    def recorded_layers(self, name: str) -> tuple[RecordedLayer, ...]:
        """Return the layers whose activations can be looked at, of an entry of `resnets` or `modules`."""
        section = self.config.recorded[name]
        return recorded_layers(section, shape_of(self.config.images[section.images]))

    def layer(self, population: str, name: str) -> Layer:
        """Return one layer of a population by name."""
        return next(layer for layer in self.layers(population) if layer.name == name)
