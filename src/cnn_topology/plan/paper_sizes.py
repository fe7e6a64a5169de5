"""How large the experiments of the papers are, and what of a run is smaller.

A claim that is tested by few or half-trained networks, on a part of the images or by another network is tested at a
reduced size; its verdict says so.
"""

from collections.abc import Iterable

from cnn_topology.plan.activations import ActivationClouds
from cnn_topology.plan.images import NATIVE_TRAIN, ImageSetConfig, PaperSet, paper_set, shape_of, size_of
from cnn_topology.plan.populations import Population
from cnn_topology.plan.resnets import MapperResNets, PHResNets, StepRecipe, TriangularRecipe

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
