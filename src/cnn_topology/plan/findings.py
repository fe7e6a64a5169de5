"""What the claims of the papers need to know of a run: on which data, by which networks and where it looked."""

from typing import Literal

from pydantic import Field

from cnn_topology.plan.base import Section
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.first_layer import LearnedFirstLayer
from cnn_topology.plan.images import EmbeddedDigits, ImageSetConfig, OwnImages, PrintedDigits, TorchvisionImages
from cnn_topology.plan.improvements import Improvement
from cnn_topology.plan.paper_sizes import population_reduced, resnets_reduced
from cnn_topology.plan.parameters import Parameters
from cnn_topology.plan.populations import Population
from cnn_topology.plan.resnets import MapperResNets, PHResNets

# The tables that claims read, where a run has them.
CLAIM_TABLES = (
    "loops",
    "significance",
    "circles",
    "training",
    "comparisons",
    "correlations",
    "onset",
    "loop_tracks",
    "measure_tests",
    "measure_agreement",
    "purity",
    "purity_tests",
)
# The tables that the summary tells of, where a run has them.
SUMMARY_TABLES = ("training", "loops", "significance", "resnet_training", "measure_tests", "purity", "claims")
# The layers of the ResNet-18 of the activations paper.
PAPER_WIDTHS, PAPER_BLOCKS = (64, 128, 256, 512), (2, 2, 2, 2)


class ImageFacts(Section):
    """Which set of the papers an image set is (`own`) or stands for; empty where neither."""

    stands_for: str
    own: bool


class PopulationFacts(Section):
    """One population of trained networks.

    `analysed`: its layers that have a cloud, by name, with their depth; `reduced`: what of it, but for the number of
    networks, is smaller than the paper's.
    """

    images: str
    channels: int
    architecture: str
    plain: bool
    first_layer: str
    angular_features: int
    feature_filters: str
    networks: int
    iterations: int
    cross_test: tuple[str, ...]
    analysed: dict[str, int]
    steps: tuple[int, ...]
    reduced: tuple[str, ...]


class CheckpointFacts(Section):
    """Networks that others trained: which model of torchvision, or `files`."""

    model: str
    networks: int
    analysed: dict[str, int]


class ResNetFacts(Section):
    """Residual networks; `paper`: whether with the paper's layers and data, `reduced`: what is smaller than there."""

    images: str
    variant: Literal["ph", "mapper"]
    networks: int
    paper: bool
    reduced: tuple[str, ...]


class RunFacts(Section):
    """All that claims ask of a config."""

    alpha: float
    nulls: tuple[str, ...]
    draws: int
    images: dict[str, ImageFacts]
    populations: dict[str, PopulationFacts]
    checkpoints: dict[str, CheckpointFacts]
    resnets: dict[str, ResNetFacts]
    improvements: dict[str, Improvement]
    grids: dict[str, str] = Field(description="Grids of populations that accuracy varies over, with their base.")

    def layers(self, name: str) -> dict[str, int]:
        """Give the layers of a population or checkpoint that have a cloud, with their depth."""
        return self.populations[name].analysed if name in self.populations else self.checkpoints[name].analysed

    @classmethod
    def of(cls, plan: Plan) -> "RunFacts":
        """Gather them."""
        config = plan.config
        analysed: dict[str, dict[str, int]] = {}
        # A layer once more, centred in another way, is no further layer.
        for clouds in (clouds for clouds in plan.layer_clouds if not clouds.recentred):
            analysed.setdefault(clouds.population, {})[clouds.layer.name] = clouds.layer.depth
        populations = {}
        for name, population in config.populations.items():
            first = plan.layers(name)[0]
            populations[name] = PopulationFacts(
                images=population.images,
                channels=first.weight[1] // (1 + population.architecture.angular_features),
                architecture=_architecture(population),
                plain=_is_plain(population),
                first_layer=population.architecture.first_layer.kind,
                angular_features=population.architecture.angular_features,
                feature_filters=population.architecture.feature_filters,
                networks=population.networks,
                iterations=population.recipe.iterations,
                cross_test=population.cross_test,
                analysed=analysed.get(name, {}),
                steps=plan.steps(name),
                reduced=population_reduced(population, _architecture(population), config.images[population.images]),
            )
        return cls(
            alpha=config.significance.alpha,
            nulls=config.significance.nulls,
            draws=config.significance.draws,
            images={name: _image_set(section) for name, section in config.images.items()},
            populations=populations,
            checkpoints={
                name: CheckpointFacts(
                    model=getattr(section, "model", "files"),
                    networks=plan.networks(name),
                    analysed=analysed.get(name, {}),
                )
                for name, section in config.checkpoints.items()
            },
            resnets={name: _resnet(plan, section) for name, section in config.resnets.items()},
            improvements=config.improvements,
            grids={name: grid.base for name, grid in config.generalization.grids.items()}
            if config.generalization
            else {},
        )


class ClaimParameters(Parameters):
    """For `cnn-topology claims`."""

    verb = "claims"

    facts: RunFacts = Field(description="What the claims need to know of the run.")


def _image_set(section: ImageSetConfig) -> ImageFacts:
    """Say which set of the papers an image set is or stands for."""
    # Ours: handwritten digits for handwritten digits; printed ones, in many fonts under random maps, for house numbers.
    match section:
        case TorchvisionImages():
            return ImageFacts(stands_for=section.kind, own=True)
        case EmbeddedDigits():
            return ImageFacts(stands_for="mnist", own=False)
        case PrintedDigits():
            return ImageFacts(stands_for="svhn", own=False)
        case OwnImages():
            return ImageFacts(stands_for=section.stands_for or "", own=False)


def _architecture(population: Population) -> str:
    """Write M(64, 32, 64): filters of each convolution, then units of each dense layer."""
    layers = population.architecture
    return f"{layers.family}({', '.join(map(str, (*layers.convolutions, *layers.dense)))})"


def _is_plain(population: Population) -> bool:
    """Tell whether networks learn all their layers, from the images as they are and their own labels."""
    layers, recipe = population.architecture, population.recipe
    learned = isinstance(layers.first_layer, LearnedFirstLayer) and not layers.angular_features
    return learned and recipe.label_noise == 0


def _resnet(plan: Plan, section: PHResNets | MapperResNets) -> ResNetFacts:
    images = plan.config.images[section.images]
    return ResNetFacts(
        images=section.images,
        variant=section.variant,
        networks=section.networks,
        paper=images.kind == "cifar10" and (section.widths, section.blocks) == (PAPER_WIDTHS, PAPER_BLOCKS),
        reduced=resnets_reduced(section, images),
    )
