"""Parameter blocks of the commands that compare layers by their activations."""

from cnn_topology.plan.base import Mode
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.layer_comparisons import Comparison
from cnn_topology.plan.layer_distances import MeasureName
from cnn_topology.plan.parameters import Parameters, SeedParameters


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
