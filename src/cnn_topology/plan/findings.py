"""What the claims of the papers need to know of a run: on which data, by which networks and where it looked.

A claim that is tested by few or half-trained networks, on a part of the images or by another network is tested at a
reduced size; its verdict says so. How large the experiments of the papers are stands here.
"""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from cnn_topology.plan.activation_graphs import GraphPlan
from cnn_topology.plan.activations import ActivationClouds
from cnn_topology.plan.base import Section
from cnn_topology.plan.config import RunConfig
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.images import (
    NATIVE_TRAIN,
    ImageSetConfig,
    OwnImages,
    PaperSet,
    paper_set,
    shape_of,
    size_of,
)
from cnn_topology.plan.layer_comparisons import comparisons
from cnn_topology.plan.parameters import Parameters
from cnn_topology.plan.populations import Architecture, Improvement, LearnedFirstLayer, Population, Snapshots
from cnn_topology.plan.resnets import MapperResNets, PHResNets, Shortcut, StepRecipe, TriangularRecipe

# Weights paper: 100 networks an architecture; batch iterations on MNIST and SVHN, and on CIFAR-10 [M-med, M-low].
NETWORKS = 100
ITERATIONS = {"mnist": 40_000, "svhn": 40_000, "cifar10": 60_000}
ARCHITECTURES = {
    "mnist": ("M(64, 32, 64)", "M(64, 8, 512)"),
    "svhn": ("M(64, 32, 64)",),
    "cifar10": ("C(64, 32, 64)",),
}
# Pixels of a side: SVHN is cut down to the size of MNIST.
SIDES = {"mnist": 28, "svhn": 28, "cifar10": 32}
# Activations paper [code]: 100 networks of the persistent-homology half and one of the mapper half, with their epochs.
RESNETS = {"ph": NETWORKS, "mapper": 1}
EPOCHS = {"ph": TriangularRecipe().epochs, "mapper": StepRecipe().epochs}
# Images that an activation cloud is drawn from: of the test set, and all of the training set [code].
CLOUD_IMAGES = {"ph": 1_000, "mapper": 50_000}


def fewer(networks: int, of: int = NETWORKS) -> tuple[str, ...]:
    """Return the message that there are fewer networks than the paper has, if so."""
    return (f"{networks} of {of} networks",) if networks < of else ()


def population_reduced(population: Population, architecture: str, images: ImageSetConfig) -> tuple[str, ...]:
    """Describe what is smaller than in the weights paper, but for the number of networks; nothing on other data.

    Parameters
    ----------
    population : Population
    architecture : str
        As `ARCHITECTURES` writes it.
    images : ImageSetConfig
        What it is trained on.
    """
    paper = paper_set(images)
    if paper is None:
        return ()
    found = []
    if architecture not in (papers := ARCHITECTURES[paper]):
        found.append(f"{architecture}, not {papers[0]}")
    if population.recipe.iterations < (whole := ITERATIONS[paper]):
        found.append(f"{population.recipe.iterations:,} of {whole:,} iterations")
    return (*found, *_images_reduced(paper, images, population.recipe.train_images))


def resnets_reduced(
    networks: PHResNets | MapperResNets, images: ImageSetConfig, clouds: Iterable[ActivationClouds]
) -> tuple[str, ...]:
    """Describe what is smaller than in the activations paper; of a user's own weights the training is not known.

    Parameters
    ----------
    networks : PHResNets or MapperResNets
    images : ImageSetConfig
        What they are trained on.
    clouds : iterable of ActivationClouds
        What claims about them read.
    """
    if paper_set(images) != "cifar10":
        return ()
    found = list(fewer(networks.networks, RESNETS[networks.variant]))
    if not networks.checkpoints:
        if networks.recipe.epochs < (whole := EPOCHS[networks.variant]):
            found.append(f"{networks.recipe.epochs} of {whole} epochs")
        found += _images_reduced("cifar10", images)
    paper = CLOUD_IMAGES[networks.variant]
    if (fewest := min((cloud.n_images for cloud in clouds), default=paper)) < paper:
        found.append(f"clouds of {fewest:,} of {paper:,} images")
    return tuple(found)


def _images_reduced(paper: PaperSet, images: ImageSetConfig, taken: int | None = None) -> tuple[str, ...]:
    found = []
    whole = NATIVE_TRAIN[paper]
    if (used := min(size_of(images, "train") or whole, taken or whole)) < whole:
        found.append(f"{used:,} of {whole:,} training images")
    height, width, _ = shape_of(images)
    if min(height, width) < (side := SIDES[paper]):
        found.append(f"{height} x {width} of {side} x {side} pixels")
    return tuple(found)


# The tables that claims read, where a run has them.
CLAIM_TABLES = (
    "loops",
    "significance",
    "circles",
    "training",
    "comparisons",
    "generalization",
    "correlations",
    "onset",
    "loop_tracks",
    "measure_tests",
    "measure_agreement",
    "purity",
    "purity_tests",
    "class_purity",
    "activation_nodes",
    "activation_edges",
)
# The tables that the summary tells of, where a run has them.
SUMMARY_TABLES = (
    "training",
    "loops",
    "significance",
    "onset",
    "correlations",
    "comparisons",
    "resnet_training",
    "measure_tests",
    "activation_graphs",
    "purity",
    "claims",
)
# The tables that the page of a run is made from, where a run has them.
PAGE_TABLES = (*SUMMARY_TABLES, "mapper_sweep", "activation_sweep")
# Ours: handwritten digits for handwritten digits; printed ones, in many fonts under random maps, for house numbers.
STAND_INS = {"digits": "mnist", "printed": "svhn"}
# The layers of the ResNet-18 of the activations paper.
PAPER_WIDTHS, PAPER_BLOCKS = (64, 128, 256, 512), (2, 2, 2, 2)


class ImageFacts(Section):
    """Which set of the papers an image set is (`own`) or stands for; empty where neither."""

    stands_for: str
    own: bool


class PopulationFacts(Population):
    """One population of trained networks: its section of the config, but for what the claims do not depend on.

    `label`: its layers as the paper writes them; `plain`: whether all layers learn, from the images as they are and
    their own labels; `analysed`: its layers that have a cloud, by name, with their depth; `reduced`: what of it, but
    for the number of networks, is smaller than the paper's.
    """

    channels: int
    label: str
    plain: bool
    analysed: dict[str, int]
    steps: tuple[int, ...]
    reduced: tuple[str, ...]


class GridFacts(Section):
    """So many populations that differ in a few hyperparameters.

    `example`: the one that is smaller than the paper's in the fewest ways, the last of several: what it has smaller,
    all have, since a grid combines each value with each.
    """

    populations: int
    example: PopulationFacts


class CheckpointFacts(Section):
    """Networks that others trained: which model of torchvision, or `files`; `layers`: how many are analysed."""

    model: str
    networks: int
    layers: int
    analysed: dict[str, int]


class ResNetFacts(Section):
    """Residual networks, by what claims and the table of trainings read: other keys of theirs make neither anew.

    `paper`: whether with the paper's layers and data, `reduced`: what is smaller than there; `recipe`: None of weights
    that were read from files.
    """

    images: str
    variant: Literal["ph", "mapper"]
    networks: int
    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    shortcut: Shortcut
    recipe: TriangularRecipe | StepRecipe | None
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
    grids: dict[str, GridFacts] = Field(description="Grids of populations that accuracy varies over.")

    def layers(self, name: str) -> dict[str, int]:
        """Return the layers of a population or checkpoint that have a cloud, with their depth."""
        return self.populations[name].analysed if name in self.populations else self.checkpoints[name].analysed

    @classmethod
    def of(cls, plan: Plan) -> "RunFacts":
        """Gather them."""
        config = plan.config
        analysed: dict[str, dict[str, int]] = {}
        # A layer once more, centred in another way, is no further layer.
        for clouds in (clouds for clouds in plan.layer_clouds if not clouds.recentred):
            analysed.setdefault(clouds.population, {})[clouds.layer.name] = clouds.layer.depth
        return cls(
            alpha=config.significance.alpha,
            nulls=config.significance.nulls,
            draws=config.significance.draws,
            images={name: _image_set(section) for name, section in config.images.items()},
            populations={
                name: _population(plan, name, section, analysed.get(name, {}))
                for name, section in config.populations.items()
            },
            checkpoints={
                name: CheckpointFacts(
                    model=section.model if section.kind == "torchvision" else "files",
                    networks=plan.networks(name),
                    layers=len(plan.layers(name)),
                    analysed=analysed.get(name, {}),
                )
                for name, section in config.checkpoints.items()
            },
            resnets={name: _resnet(plan, name, section) for name, section in config.resnets.items()},
            improvements=config.improvements,
            grids={name: _grid(plan, populations) for name, populations in config.grids.items()},
        )


class ClaimParameters(Parameters):
    """For `cnn-topology claims`."""

    verb = "claims"
    facts: RunFacts

    @classmethod
    def of(cls, plan: Plan) -> "ClaimParameters":
        """Return the block of a run."""
        return cls(run_seed=plan.config.seed, facts=RunFacts.of(plan))


class SummaryParameters(Parameters):
    """For the summary of a run: what its sentences need to know of the config, and the remarks of its plan."""

    verb = "summary"
    facts: RunFacts
    remarks: tuple[str, ...]

    @classmethod
    def of(cls, plan: Plan) -> "SummaryParameters":
        """Return the block of a run."""
        return cls(run_seed=plan.config.seed, facts=RunFacts.of(plan), remarks=tuple(plan.remarks))


class ShownFigure(Section):
    """A figure as the page of a run shows it: the question it answers, and whether it has a print and a page."""

    name: str
    question: str
    printed: bool
    interactive: bool


class PageParameters(Parameters):
    """For the page of a run: what its sentences need to know of the config, and its figures in their order."""

    verb = "page"
    run: str
    facts: RunFacts
    figures: tuple[ShownFigure, ...]

    @classmethod
    def of(cls, plan: Plan, figures: tuple[ShownFigure, ...]) -> "PageParameters":
        """Return the block of a run."""
        return cls(run_seed=plan.config.seed, run=plan.config.name, facts=RunFacts.of(plan), figures=figures)


class ProvenanceParameters(Parameters):
    """For `cnn-topology provenance`: the config, defaults filled in."""

    verb = "provenance"
    config: RunConfig

    @classmethod
    def of(cls, plan: Plan) -> "ProvenanceParameters":
        """Return the block of a run."""
        return cls(run_seed=plan.config.seed, config=plan.config)


def _population(plan: Plan, name: str, population: Population, analysed: dict[str, int]) -> PopulationFacts:
    architecture, label = population.architecture, _label(population.architecture)
    learned = isinstance(architecture.first_layer, LearnedFirstLayer) and not architecture.angular_features
    return PopulationFacts(
        **dict(population.model_copy(update={"snapshots": Snapshots(), "networks_per_job": 1})),
        channels=plan.layers(name)[0].weight[1] // (1 + architecture.angular_features),
        label=label,
        plain=learned and population.recipe.label_noise == 0,
        analysed=analysed,
        steps=plan.steps(name),
        reduced=population_reduced(population, label, plan.config.images[population.images]),
    )


def _grid(plan: Plan, populations: dict[str, Population]) -> GridFacts:
    facts = [_population(plan, name, population, {}) for name, population in populations.items()]
    # Values are listed from small to large as a rule.
    return GridFacts(populations=len(facts), example=min(reversed(facts), key=lambda one: len(one.reduced)))


def _image_set(section: ImageSetConfig) -> ImageFacts:
    """Describe which set of the papers an image set is or stands for."""
    own = paper_set(section)
    stands_for = section.stands_for if isinstance(section, OwnImages) else STAND_INS.get(section.kind)
    return ImageFacts(stands_for="" if section.control else own or stands_for or "", own=own is not None)


def _label(layers: Architecture) -> str:
    """Write M(64, 32, 64): filters of each convolution, then units of each dense layer."""
    return f"{layers.family}({', '.join(map(str, (*layers.convolutions, *layers.dense)))})"


def _resnet(plan: Plan, name: str, section: PHResNets | MapperResNets) -> ResNetFacts:
    images = plan.config.images[section.images]
    clouds = [plan.config.activation_clouds[cloud] for cloud in _clouds_of_claims(plan, section.variant)]
    return ResNetFacts(
        images=section.images,
        variant=section.variant,
        networks=section.networks,
        widths=section.widths,
        blocks=section.blocks,
        shortcut=section.shortcut,
        recipe=None if section.checkpoints else section.recipe.model_copy(update={"precision": "auto"}),
        paper=paper_set(images) == "cifar10" and (section.widths, section.blocks) == (PAPER_WIDTHS, PAPER_BLOCKS),
        reduced=resnets_reduced(section, images, [cloud for cloud in clouds if cloud.population == name]),
    )


def _clouds_of_claims(plan: Plan, variant: str) -> list[str]:
    """Name the clouds that claims about a variant read: those whose layers are compared, or that have graphs."""
    if variant == "ph":
        return list(comparisons(plan))
    graphs = GraphPlan(plan)
    return [cloud for recipe in plan.config.activation_mapper for cloud in graphs.clouds(recipe)]
