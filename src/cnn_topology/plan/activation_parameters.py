"""Parameter blocks of the commands of the activations paper; see `parameters` for what a block is."""

from typing import Any, TypeVar

from cnn_topology.plan.activations import ActivationClouds, MeasureName
from cnn_topology.plan.base import Mode
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.layer_comparisons import Comparison
from cnn_topology.plan.parameters import Parameters, SeedParameters
from cnn_topology.plan.recorded import ModuleNetworks, RecordedNetworks
from cnn_topology.plan.resnets import AnyRecorded, ResNets

Layout = TypeVar("Layout", bound=RecordedNetworks)


class ResNetParameters(Parameters):
    """For `cnn-topology train-resnet`: one network; how many others there are does not matter to it."""

    verb = "train-resnet"
    population: str
    network: int
    section: AnyRecorded

    @classmethod
    def of(cls, plan: Plan, population: str, network: int) -> "ResNetParameters":
        """Return the block of one network."""
        section = plan.config.recorded[population]
        files = section.checkpoints[network : network + 1]
        alone = section.model_copy(update={"networks": 1, "checkpoints": files})
        return cls(run_seed=plan.config.seed, population=population, network=network, section=alone)


class ActivationParameters(Parameters):
    """One cloud, all its layers, of any of its networks: which others share a job does not matter to it."""

    verb = "activations"
    population: str
    layout: AnyRecorded
    cloud: str
    clouds: ActivationClouds
    layers: tuple[str, ...]

    @classmethod
    def of(cls, plan: Plan, cloud: str) -> "ActivationParameters":
        """Return the block of a cloud."""
        clouds = plan.config.activation_clouds[cloud]
        return cls(
            run_seed=plan.config.seed,
            population=clouds.population,
            layout=layout_of(plan.config.recorded[clouds.population]),
            cloud=cloud,
            clouds=clouds.model_copy(update={"members": "all", "layers": "all"}),
            layers=tuple(layer.name for layer in plan.activation_layers(cloud)),
        )


class ExtractionParameters(Parameters):
    """For `cnn-topology activations`: some clouds of the same networks, which one pass over the images gives."""

    verb = "activations"
    networks: tuple[int, ...]
    clouds: tuple[ActivationParameters, ...]

    @classmethod
    def of(cls, plan: Plan, clouds: tuple[str, ...], networks: tuple[int, ...]) -> "ExtractionParameters":
        """Return the block of some clouds of some networks."""
        blocks = tuple(ActivationParameters.of(plan, cloud) for cloud in clouds)
        return cls(run_seed=plan.config.seed, networks=networks, clouds=blocks)


class MaskParameters(Parameters):
    """For `cnn-topology masks`: some images of a split, as the networks of a population see them."""

    verb = "masks"
    population: str
    layout: ResNets
    split: str
    count: int

    @classmethod
    def of(cls, plan: Plan, population: str, split: str, count: int) -> "MaskParameters":
        """Return the block of the masks of some images."""
        layout = layout_of(plan.config.resnets[population])
        return cls(run_seed=plan.config.seed, population=population, layout=layout, split=split, count=count)


class ExamplePixelParameters(Parameters):
    """For `cnn-topology example-pixels`: some of the images that the clouds of a population look at."""

    verb = "example-pixels"
    population: str
    layout: AnyRecorded
    split: str
    count: int
    layers: tuple[str, ...]
    sigmas: tuple[float, ...]

    @classmethod
    def of(cls, plan: Plan, population: str) -> "ExamplePixelParameters":
        """Return the block of a population; `layers`, at most three, are weighed by masks."""
        named = {name: c for name, c in plan.config.activation_clouds.items() if c.population == population}
        masked = {name: clouds for name, clouds in named.items() if clouds.masked}
        first = next(iter((masked or named).values()))
        depths = {layer.depth: layer.name for name in masked for layer in plan.activation_layers(name)}
        found = [depths[depth] for depth in sorted(depths)]
        return cls(
            run_seed=plan.config.seed,
            population=population,
            layout=layout_of(plan.config.recorded[population]),
            split=first.split,
            count=first.n_images,
            layers=tuple(dict.fromkeys(found[place] for place in (0, len(found) // 2, -1))) if found else (),
            sigmas=tuple(sorted({clouds.sigma for clouds in named.values() if clouds.sigma})),
        )


def layout_of(section: Layout) -> Layout:
    """Return what a network is rebuilt from; recipe and number of networks do not matter to it."""
    plain: dict[str, Any] = {"networks": 1, "checkpoints": ()}
    if not isinstance(section, ModuleNetworks):
        plain["recipe"] = type(section).model_fields["recipe"].default
    return section.model_copy(update=plain)


class ActivationTensorParameters(SeedParameters):
    """For `cnn-topology activation-tensor`."""

    verb = "activation-tensor"


class ActivationBarcodeParameters(Parameters):
    """For `cnn-topology activation-barcodes`: all layers of one network."""

    verb = "activation-barcodes"
    population: str
    cloud: str
    network: int

    @classmethod
    def of(cls, plan: Plan, population: str, cloud: str, network: int) -> "ActivationBarcodeParameters":
        """Return the block of one network."""
        return cls(run_seed=plan.config.seed, population=population, cloud=cloud, network=network)


class LayerDistanceParameters(Parameters):
    """For `cnn-topology layer-distances`: all pairs of networks of one block; equal sides hold each pair once."""

    verb = "layer-distances"
    population: str
    cloud: str
    measures: tuple[MeasureName, ...]
    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @classmethod
    def of(cls, plan: Plan, comparison: Comparison, block: str) -> "LayerDistanceParameters":
        """Return the block of parameters of one block of pairs."""
        rows, columns = comparison.blocks(plan.config.jobs.networks_per_job)[block]
        return cls(
            run_seed=plan.config.seed,
            population=comparison.population,
            cloud=comparison.cloud,
            measures=comparison.measures_of(block),
            rows=rows,
            columns=columns,
        )


class ComponentSensitivityParameters(Parameters):
    """For `cnn-topology component-sensitivity`: all layers of one network, and `another` of another seed, if any."""

    verb = "component-sensitivity"
    population: str
    cloud: str
    network: int
    another: int | None
    measures: tuple[MeasureName, ...]
    modes: tuple[Mode, ...]

    @classmethod
    def of(cls, plan: Plan, comparison: Comparison, network: int) -> "ComponentSensitivityParameters":
        """Return the block of one network."""
        section = plan.config.layer_distances
        assert section is not None
        assert section.components is not None, "the run removes no components"
        return cls(
            run_seed=plan.config.seed,
            population=comparison.population,
            cloud=comparison.cloud,
            network=network,
            another=comparison.another(network),
            measures=comparison.measures,
            modes=section.components.modes,
        )


class MeasureTestParameters(Parameters):
    """For `cnn-topology measure-tests`: all clouds of a run."""

    verb = "measure-tests"
    draws: int

    @classmethod
    def of(cls, plan: Plan) -> "MeasureTestParameters":
        """Return the block of a run."""
        section = plan.config.layer_distances
        assert section is not None, "the run compares no layers"
        return cls(run_seed=plan.config.seed, draws=section.draws)
