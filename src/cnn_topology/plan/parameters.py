"""The parameters of each kind of job: all that matters to a job and nothing else, so that no other edit reruns it.

They stand in the job's file as a block of JSON. The hash of a block, together with the hashes of what the job read, is
the job's `config` note: it stands on every artefact, table and figure, and changes when something upstream does.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

from pydantic import Field, ValidationError

from cnn_topology.errors import InputError
from cnn_topology.plan.base import Section, described
from cnn_topology.plan.checkpoints import Checkpoint
from cnn_topology.plan.clouds import Centre, Controls, Density, Filtering, NullName, Significance
from cnn_topology.plan.code import code_digest
from cnn_topology.plan.expand import LayerClouds, NetworkGroup, Plan, Shard
from cnn_topology.plan.images import ImageSetConfig, OwnImages, size_of
from cnn_topology.plan.mapper import MapperChange, MapperRecipe
from cnn_topology.plan.populations import Architecture, Improvement, Recipe
from cnn_topology.storage.notes import lineage, union


class Parameters(Section):
    """The base of all blocks."""

    verb: ClassVar[str]
    run_seed: int = Field(description="The run's seed.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a block from JSON.

        Raises
        ------
        InputError
            If it is no JSON or lacks a key.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise InputError(f"parameters of `{cls.verb}`: {described(error)}") from error

    def notes(self, inputs: Iterable[Mapping[str, str]] = ()) -> dict[str, str]:
        """Build the notes of an artefact from this block and the notes of all it was made from.

        Returns
        -------
        dict
            ``config``: hash over this block and all upstream blocks; ``code``: hash over the source behind this verb
            and all upstream verbs; ``data``: hashes of the image sets upstream; ``seed``: the run's seed.
        """
        upstream = list(inputs)
        return {
            "config": lineage(self.model_dump_json(), upstream, "config"),
            "code": lineage(code_digest(self.verb), upstream, "code"),
            "data": union(notes.get("data", "") for notes in upstream),
            "seed": str(self.run_seed),
        }


class ImagesParameters(Parameters):
    """For `cnn-topology images`."""

    verb = "images"
    name: str
    images: ImageSetConfig

    @classmethod
    def of(cls, plan: Plan, name: str) -> "ImagesParameters":
        """Return the block of one set; what it stands for matters to claims alone."""
        section = plan.config.images[name]
        if isinstance(section, OwnImages):
            section = section.model_copy(update={"stands_for": None})
        return cls(run_seed=plan.config.seed, name=name, images=section)


class TrainParameters(Parameters):
    """For `cnn-topology train`."""

    verb = "train"
    population: str
    shard: int
    first: int
    count: int
    images: str
    cross_test: tuple[str, ...]
    architecture: Architecture
    recipe: Recipe
    steps: tuple[int, ...]
    test_steps: tuple[int, ...]

    @classmethod
    def of(cls, plan: Plan, shard: Shard) -> "TrainParameters":
        """Return the block of one shard."""
        section = plan.populations[shard.population]
        return cls(
            run_seed=plan.config.seed,
            population=shard.population,
            shard=shard.number,
            first=shard.first,
            count=shard.count,
            images=section.images,
            cross_test=section.cross_test,
            architecture=section.architecture,
            recipe=section.recipe,
            steps=plan.steps(shard.population),
            test_steps=plan.test_steps(shard.population),
        )


class CheckpointParameters(Parameters):
    """For `cnn-topology checkpoint`: the layers to import, the name of each weight in the files, and its shape."""

    verb = "checkpoint"
    population: str
    checkpoint: Checkpoint
    tensors: dict[str, str]
    shapes: dict[str, tuple[int, ...]]

    @classmethod
    def of(cls, plan: Plan, name: str) -> "CheckpointParameters":
        """Return the block of one checkpoint, with all its layers: an edit of `clouds` imports nothing anew."""
        layers = plan.layers(name)
        return cls(
            run_seed=plan.config.seed,
            population=name,
            checkpoint=plan.config.checkpoints[name],
            tensors={layer.name: layer.tensor for layer in layers},
            shapes={layer.name: layer.weight for layer in layers},
        )


class CloudParameters(Parameters):
    """For `cnn-topology clouds`: one layer, a block of steps."""

    verb = "clouds"
    population: str
    layer: str
    weights: str
    steps: tuple[int, ...]
    centre: Centre
    neighbours: tuple[int | float, ...]

    @classmethod
    def of(cls, plan: Plan, clouds: LayerClouds, steps: tuple[int, ...]) -> "CloudParameters":
        """Return the block of some steps of a layer; `neighbours` holds every k asked for, as it was given."""
        asked = dict.fromkeys(filtering.k for step in steps for filtering in clouds.filterings[step])
        return cls(
            run_seed=plan.config.seed,
            population=clouds.population,
            layer=clouds.layer.name,
            weights=clouds.weights,
            steps=steps,
            centre=clouds.centre,
            neighbours=tuple(asked),
        )


class NullParameters(Parameters):
    """For `cnn-topology nulls`: all sphere nulls for clouds of one size."""

    verb = "nulls"
    points: int
    side: int
    filterings: dict[Centre, tuple[Filtering, ...]]
    draws: int

    @classmethod
    def of(cls, plan: Plan, points: int, side: int) -> "NullParameters":
        """Return the block of one number of filters and side of these."""
        return cls(
            run_seed=plan.config.seed,
            points=points,
            side=side,
            filterings=plan.null_sizes[points, side],
            draws=plan.config.significance.draws,
        )


class BarcodeParameters(Parameters):
    """For `cnn-topology barcodes`: one layer, a block of steps, every filtering of each."""

    verb = "barcodes"
    clouds: LayerClouds
    significance: Significance

    @classmethod
    def of(cls, plan: Plan, clouds: LayerClouds, steps: tuple[int, ...]) -> "BarcodeParameters":
        """Return the block of some steps of a layer."""
        return cls(run_seed=plan.config.seed, clouds=clouds.at(steps), significance=plan.config.significance)


class MapperParameters(Parameters):
    """For `cnn-topology mapper`: one layer, a block of steps, the headline filtering of each."""

    verb = "mapper"
    clouds: LayerClouds
    recipe: MapperRecipe
    sweep: tuple[MapperChange, ...]

    @classmethod
    def of(cls, plan: Plan, clouds: LayerClouds, steps: tuple[int, ...]) -> "MapperParameters":
        """Return the block of those of some steps of a layer that have a mapper graph."""
        mapper = plan.config.mapper
        assert mapper is not None, "the run has no mapper graphs"
        return cls(
            run_seed=plan.config.seed,
            clouds=clouds.headlines(plan.mapper_steps(clouds, steps)),
            recipe=mapper,  # of which the block holds what `MapperRecipe` has
            sweep=mapper.sweep,
        )


class SeedParameters(Parameters):
    """The base of blocks that hold nothing but the run's seed: all else that matters stands in the files read."""

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Return the block of a run."""
        return cls(run_seed=plan.config.seed)


class CollectParameters(SeedParameters):
    """For `cnn-topology collect`."""

    verb = "collect"


class ImprovementParameters(Parameters):
    """For `cnn-topology improvements`: the groups, and the image set that each group is trained on."""

    verb = "improvements"
    groups: dict[str, Improvement]
    images: dict[str, str]

    @classmethod
    def of(cls, plan: Plan) -> "ImprovementParameters":
        """Return the block of all groups of a run."""
        groups = plan.config.improvements
        images = {name: plan.populations[group.baseline].images for name, group in groups.items()}
        return cls(run_seed=plan.config.seed, groups=groups, images=images)


class ControlParameters(Parameters):
    """For `cnn-topology controls`."""

    verb = "controls"
    controls: Controls

    @classmethod
    def of(cls, plan: Plan) -> "ControlParameters":
        """Return the block of a run."""
        return cls(run_seed=plan.config.seed, controls=plan.config.controls)


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
        section = plan.populations[name]
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
    """For `cnn-topology dynamics`: one layer of a population, the headline filtering of each step."""

    verb = "dynamics"
    clouds: LayerClouds
    images: str
    alpha: float
    nulls: tuple[NullName, ...]
    draws: int

    @classmethod
    def of(cls, plan: Plan, clouds: LayerClouds) -> "DynamicsParameters":
        """Return the block of one layer."""
        assert plan.config.dynamics is not None, "the run follows no loops"
        return cls(
            run_seed=plan.config.seed,
            clouds=clouds.headlines(clouds.filterings),
            images=plan.populations[clouds.population].images,
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
