"""The expansion of a config into clouds and jobs: everything Snakemake needs, known before anything runs.

No array library is imported here: the Snakefile is parsed again in every job of a cluster.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from cnn_topology.errors import InputError, check_known, unknown
from cnn_topology.plan.checkpoints import (
    CheckpointLayers,
    checkpoint_layers,
    describe_others,
    fitting,
)
from cnn_topology.plan.clouds import LARGEST_SHARE, Centre, Cloud, Filtering, check_kept, largest_tested
from cnn_topology.plan.config import RunConfig
from cnn_topology.plan.images import shape_of
from cnn_topology.plan.populations import Layer, Population, image_shape, layers_of
from cnn_topology.plan.recorded import RecordedLayer
from cnn_topology.plan.resnets import recorded_layers

Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """The part of a population that one training job trains: networks `first` to `first + count - 1`."""

    population: str
    number: int
    first: int
    count: int


@dataclass(frozen=True)
class LayerClouds:
    """All that is asked of one layer of one population: its steps and, for each, its filterings; headline first.

    A layer that is centred in two ways has two such sets; `weights` is its name in the snapshots, and the layer of the
    second is named after that and its rule of centring. `measured` are the filterings other than headlines that are
    measured against the three-circle model; `exact` those of which the barcode of all points is wanted too.
    """

    population: str
    layer: Layer
    points: int
    filterings: dict[int, tuple[Filtering, ...]]
    centre: Centre
    weights: str
    measured: tuple[Filtering, ...] = ()
    exact: tuple[Filtering, ...] = ()

    def blocks(self, size: int) -> dict[int, tuple[int, ...]]:
        """Cut the steps into blocks, one job each."""
        return dict(enumerate(batched(sorted(self.filterings), size)))

    def at(self, steps: tuple[int, ...]) -> "LayerClouds":
        """Return the same of some of the steps alone."""
        return replace(self, filterings={step: self.filterings[step] for step in steps})

    def headlines(self, steps: Iterable[int]) -> "LayerClouds":
        """Return the headlines of some of the steps alone."""
        return replace(self, filterings={step: self.filterings[step][:1] for step in steps}, measured=(), exact=())

    @property
    def pretrained(self) -> bool:
        """Whether others trained the networks, so that step 0 is all there is."""
        return bool(self.layer.tensor)

    @property
    def recentred(self) -> bool:
        """Whether this is the same layer once more, centred in another way."""
        return self.layer.name != self.weights

    @property
    def headline(self) -> Filtering:
        """The filtering that figures draw."""
        return self.filterings[max(self.filterings)][0]


@dataclass(frozen=True)
class NetworkGroup:
    """Networks analysed one by one and compared: a population over its steps, or the populations of a grid."""

    name: str
    layer: str
    items: tuple[tuple[str, int], ...]
    is_grid: bool

    def blocks(self, size: int) -> dict[int, tuple[tuple[str, int], ...]]:
        """Cut the (population, step) pairs into blocks, one job each."""
        return dict(enumerate(batched(self.items, size)))


class Plan:
    """A validated run, expanded.

    Parameters
    ----------
    config : RunConfig
        The run.

    Raises
    ------
    InputError
        If a cloud names a population, layer or step that is not there, or asks for k >= N.
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        # What is done otherwise than asked for, or decides nothing, in words: told, never silent.
        self.remarks: list[str] = []
        self.layer_clouds = self._layer_clouds()
        if self.layer_clouds and (problem := config.significance.undecidable):
            self._remark(f"significance: {problem}")
        self.network_groups = self._network_groups()

    @cached_property
    def populations(self) -> dict[str, Population]:
        """All populations that are trained: those of the config, then those of its grids."""
        return self.config.trained

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

    @cached_property
    def checkpoint_layers(self) -> dict[str, CheckpointLayers]:
        """The layers of each checkpoint, and its other convolutions; its files are opened once."""
        return {name: checkpoint_layers(name, section) for name, section in self.config.checkpoints.items()}

    @property
    def has_claims(self) -> bool:
        """Whether the papers claim anything of networks like these: of files that a user brings nobody did."""
        of_papers = any(section.kind == "torchvision" for section in self.config.checkpoints.values())
        return bool(self.config.populations or self.config.resnets or of_papers)

    def networks(self, name: str) -> int:
        """Return the number of networks of a population or checkpoint."""
        checkpoint = self.config.checkpoints.get(name)
        return (checkpoint or self.populations[name]).networks

    def steps(self, population: str) -> tuple[int, ...]:
        """Return the steps at which weights are kept: those asked for, step 0 and the last; 0 alone of a checkpoint."""
        if population in self.config.checkpoints:
            return (0,)
        section = self.populations[population]
        return tuple(sorted({0, section.recipe.iterations, *section.snapshots.iterations}))

    def test_steps(self, population: str) -> tuple[int, ...]:
        """Return the steps between snapshots at which networks are tested on their own test images."""
        section = self.populations[population]
        every, last = section.snapshots.test_every, section.recipe.iterations
        return tuple(sorted(set(range(0, last, every)) - set(self.steps(population)))) if every else ()

    def layers(self, population: str) -> tuple[Layer, ...]:
        """Return the layers with weights of a population's networks; of a checkpoint those that are analysed."""
        if population in self.config.checkpoints:
            return self.checkpoint_layers[population].layers
        section = self.populations[population]
        shape = image_shape(shape_of(self.config.images[section.images]), section.recipe)
        return layers_of(section.architecture, shape)

    def recorded_layers(self, name: str) -> tuple[RecordedLayer, ...]:
        """Return the layers whose activations can be looked at, of an entry of `resnets` or `modules`."""
        section = self.config.recorded[name]
        return recorded_layers(section, shape_of(self.config.images[section.images]))

    def layer(self, population: str, name: str) -> Layer:
        """Return one layer of a population by name."""
        return next(layer for layer in self.layers(population) if layer.name == name)

    def activation_networks(self, cloud: str) -> tuple[int, ...]:
        """Return the numbers of the networks that an entry of `activation_clouds` takes."""
        section = self.config.activation_clouds[cloud]
        every = range(self.config.recorded[section.population].networks)
        return tuple(every) if section.members == "all" else tuple(sorted(set(section.members)))

    def extraction_blocks(self) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
        """Cut `activation_clouds` and their networks into blocks, one job each, of clouds that see the same images."""
        alike: dict[tuple[object, ...], list[str]] = {}
        for cloud, section in self.config.activation_clouds.items():
            seen = (section.population, self.activation_networks(cloud), section.split, section.n_images)
            alike.setdefault(seen, []).append(cloud)
        for names in alike.values():
            networks = self.activation_networks(names[0])
            for clouds in batched(names, self.config.jobs.clouds_per_job):
                for block in batched(networks, self.config.jobs.networks_per_job):
                    yield clouds, block

    def activation_layers(self, cloud: str) -> tuple[RecordedLayer, ...]:
        """Return the layers that an entry of `activation_clouds` takes, nearest the image first."""
        section = self.config.activation_clouds[cloud]
        layers = self.recorded_layers(section.population)
        return tuple(layer for layer in layers if section.layers == "all" or layer.name in section.layers)

    @cached_property
    def masked_images(self) -> tuple[tuple[str, str, int], ...]:
        """Return entry of `resnets`, split and number of images of all masks that clouds need."""
        clouds = self.config.activation_clouds.values()
        return tuple(dict.fromkeys((cloud.population, cloud.split, cloud.n_images) for cloud in clouds if cloud.masked))

    def mapper_steps(self, clouds: LayerClouds, steps: tuple[int, ...]) -> tuple[int, ...]:
        """Return those of some steps of a layer at which a mapper graph is asked for."""
        mapper = self.config.mapper
        return tuple(step for step in steps if mapper and (mapper.steps == "all" or step == max(clouds.filterings)))

    @property
    def dynamics_clouds(self) -> list[LayerClouds]:
        """The layers whose loops are followed over training: those analysed at two steps at least."""
        trained = [clouds for clouds in self.layer_clouds if clouds.population in self.config.populations]
        return [clouds for clouds in trained if self.config.dynamics and len(clouds.filterings) > 1]

    def _network_groups(self) -> list[NetworkGroup]:
        """List what is analysed network by network: each population at its steps, each grid at the last of each."""
        section = self.config.generalization
        if section is None:
            return []
        names = tuple(self.config.populations) if section.populations == "all" else section.populations
        members: dict[str, list[tuple[str, int]]] = {}
        for name in names:
            check_known("population in generalization.populations", name, self.config.populations)
            members[name] = [(name, step) for step in self.steps(name)]
        for grid, populations in self.config.grids.items():
            members[grid] = [(name, self.steps(name)[-1]) for name in populations]
        groups = []
        for name, items in members.items():
            is_grid = name in self.config.grids
            for layer in section.layers:
                for population in dict.fromkeys(population for population, _ in items):
                    convolutions = {c.name: c.filters for c in self.layers(population) if c.kind == "convolution"}
                    if layer not in convolutions:
                        what = f"convolution layer of {population} in generalization.layers"
                        raise unknown(what, layer, convolutions)
                    where = f"generalization.density for one network of {population}, {layer}"
                    section.density.neighbours(convolutions[layer], where)
                    check_kept(section.density, convolutions[layer], where, "widen the layer")
                    pooled = self.networks(population) if is_grid else 1
                    points = pooled * convolutions[layer]
                    if why := section.density.lacking(points):
                        which = f"{layer} of {pooled} network{'s' * (pooled > 1)} of {population}"
                        self._remark(f"generalization: {which}: {why}; correlations with its loops are not defined")
                groups.append(NetworkGroup(name, layer, tuple(items), is_grid))
        return groups

    @cached_property
    def null_sizes(self) -> dict[tuple[int, int], dict[Centre, tuple[Filtering, ...]]]:
        """Return what nulls are needed of, by number of filters of a cloud and side of these, and by centring."""
        sizes: dict[tuple[int, int], dict[Centre, tuple[Filtering, ...]]] = {}
        for clouds in self.layer_clouds:
            of_size = sizes.setdefault((clouds.points, clouds.layer.side), {})
            asked = (filtering for filterings in clouds.filterings.values() for filtering in filterings)
            tested = [filtering.at(clouds.points) for filtering in asked if not filtering.untested(clouds.points)]
            if tested:
                of_size[clouds.centre] = tuple(dict.fromkeys([*of_size.get(clouds.centre, ()), *tested]))
        return sizes

    def _layer_clouds(self) -> list[LayerClouds]:
        first: dict[tuple[str, str, Centre, Filtering], Filtering] = {}
        gathered: dict[tuple[str, str, Centre], list[tuple[Filtering, Cloud, tuple[int, ...]]]] = {}
        for index, cloud in enumerate(self.config.clouds):
            for population, name in self._layers_of_cloud(cloud, f"clouds[{index}]"):
                points = self.layer(population, name).filters * self.networks(population)
                steps = self._steps_of_cloud(cloud, population, f"clouds[{index}].steps")
                for number, asked in enumerate(cloud.filterings):
                    where = f"clouds[{index}].densities[{number}] for {population}, {name}"
                    filtering = self._feasible(asked, points, cloud.on_too_few, where)
                    if filtering is None:
                        continue
                    # 0.03125 and 200 are the same k for 6,400 points: asked for twice, computed once.
                    same = population, name, cloud.centre, filtering.at(points)
                    asked_first = first.setdefault(same, filtering)
                    gathered.setdefault((population, name, cloud.centre), []).append((asked_first, cloud, steps))
        result = []
        taken: set[tuple[str, str]] = set()
        for (population, name, centre), asked_of_layer in gathered.items():
            layer = self.layer(population, name)
            if (population, name) in taken:
                layer = replace(layer, name=f"{name}-{centre}")
            taken.add((population, name))
            points = layer.filters * self.networks(population)
            filterings = {
                step: tuple(dict.fromkeys(filtering for filtering, _, steps in asked_of_layer if step in steps))
                for step in dict.fromkeys(step for _, _, steps in asked_of_layer for step in steps)
            }
            headlines = {of_step[0] for of_step in filterings.values()}
            measured = dict.fromkeys(filtering for filtering, cloud, _ in asked_of_layer if cloud.circles == "all")
            besides = tuple(filtering for filtering in measured if filtering not in headlines)
            in_full = dict.fromkeys(filtering for filtering, cloud, _ in asked_of_layer if cloud.exact)
            result.append(LayerClouds(population, layer, points, filterings, centre, name, besides, tuple(in_full)))
        if self.remarks and not result:
            raise InputError("clouds: every layer was left out; " + "; ".join(self.remarks))
        return result

    def _feasible(self, asked: Filtering, points: int, on_too_few: str, where: str) -> Filtering | None:
        """Return a filtering that a layer has the points for: the one asked for, a capped one, or none."""
        enough = not isinstance(asked.k, int) or asked.k < points
        if on_too_few == "cap" and points > 1 and asked.neighbours_left(points) > largest_tested(points):
            # As a fraction it is still a tenth of a cloud that networks have failed out of.
            capped = Filtering(k=LARGEST_SHARE, p=asked.p, landmarks=asked.landmarks)
            count = capped.neighbours(points)
            self._remark(f"{where}: k = {asked.k} capped at {count}, a tenth of its {points} filters")
            asked = capped
        elif enough or on_too_few == "refuse":
            asked.neighbours(points, where)
        else:
            self._remark(f"{where} is left out: k = {asked.k} is not below its {points} filters")
            return None
        check_kept(asked, points, where)
        return asked

    def _remark(self, what: str) -> None:
        if what not in self.remarks:
            self.remarks.append(what)

    def _layers_of_cloud(self, cloud: Cloud, where: str) -> Iterator[tuple[str, str]]:
        names = (*self.config.populations, *self.config.checkpoints)
        for population in names if cloud.populations == "all" else cloud.populations:
            check_known(f"population in {where}.populations", population, names)
            layers = {layer.tensor or layer.name: layer.name for layer in self.layers(population) if layer.filters}
            others = self.checkpoint_layers[population].others if population in self.config.checkpoints else {}
            chosen = list(layers)
            if cloud.layers == "all":
                for line in describe_others(others):
                    self._remark(f"{population}: not analysed: {line}")
            else:
                chosen = fitting(layers, cloud.layers, others, f"convolution layer of {population} in {where}.layers")
            yield from ((population, layers[tensor]) for tensor in chosen)

    def _steps_of_cloud(self, cloud: Cloud, population: str, where: str) -> tuple[int, ...]:
        steps = self.steps(population)
        if cloud.steps == "all":
            return steps
        if cloud.steps == "last":
            return steps[-1:]
        for step in cloud.steps:
            if step not in steps:
                raise InputError(f"{where}: {population} keeps no snapshot at step {step}; it keeps {list(steps)}")
        return tuple(sorted(set(cloud.steps)))


def batched(values: Sequence[Item], size: int) -> Iterator[tuple[Item, ...]]:
    """Cut values into blocks of a size, the last of which may be smaller."""
    for start in range(0, len(values), size):
        yield tuple(values[start : start + size])
