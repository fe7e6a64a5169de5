"""Which positions of which images make a cloud (activations paper, sections 1.2 and 1.5; Q5, Q6, Q13).

Positions are chosen before the network runs, wherever they do not depend on its activations, so that a layer whose
full cloud would fill the memory is never held as a whole. Every draw belongs to an image: more images, other networks
and other clouds leave it as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from cnn_topology.data.image_set import ImageSet
from cnn_topology.data.shapes import balanced_indices
from cnn_topology.errors import InputError
from cnn_topology.seeds import derive_seed

# Weights closer than this, relative to the larger, are one weight: sums in another order differ by rounding.
TIE = 1e-9
# Points of a part of `Everywhere`: 8 MB a column.
PIECE = 1_000_000

# Places and positions of some points.
Points = tuple[Int64[np.ndarray, " points"], Int64[np.ndarray, " points"]]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The points of a cloud before their activations are known, by image and then by position.

    Attributes
    ----------
    places : int64 array (points,)
        Place of the image among those the cloud looks at, rising.
    positions : int64 array (points,)
        row * width + column.
    """

    places: Int64[np.ndarray, " points"]
    positions: Int64[np.ndarray, " points"]

    def among(self, start: int, stop: int) -> Points:
        """Return places and positions of the points of the images with places from `start` to below `stop`."""
        first, last = np.searchsorted(self.places, [start, stop])
        return self.places[first:last], self.positions[first:last]

    def pieces(self) -> Iterator[Points]:
        """Yield places and positions of all points, a part at a time."""
        yield self.places, self.positions


@dataclass(frozen=True)
class Everywhere:
    """All positions of all images: a cloud of 50 million points whose places and positions fill no memory.

    Attributes
    ----------
    images, positions : int
        How many images, and positions of each.
    """

    images: int
    positions: int

    def among(self, start: int, stop: int) -> Points:
        """As `Chosen.among`."""
        places = np.arange(start, min(stop, self.images), dtype=np.int64)
        return np.repeat(places, self.positions), np.tile(np.arange(self.positions, dtype=np.int64), len(places))

    def pieces(self) -> Iterator[Points]:
        """As `Chosen.pieces`."""
        step = max(1, PIECE // self.positions)
        return (self.among(start, start + step) for start in range(0, self.images, step))


def choose_images(image_set: ImageSet, split: str, count: int, run_seed: int, key: str) -> Int64[np.ndarray, " count"]:
    """Draw the images of a cloud, balanced by class.

    Parameters
    ----------
    image_set : ImageSet
    split : {'train', 'test'}
    count : int
    run_seed : int
        With the set and the split it decides which images these are: the same for all clouds.
    key : str
        Where the config has the number, for the message.

    Returns
    -------
    int64 array (count,)
        Indices within the split.

    Raises
    ------
    InputError
        If there are fewer images.
    """
    _, labels = image_set.split(split)
    if count > len(labels):
        raise InputError(f"{key} is {count}, but the split has {len(labels)} images; ask for fewer")
    return balanced_indices(labels, count, derive_seed(run_seed, "activation images", image_set.name, split))


def random_positions(
    ids: Int64[np.ndarray, " images"], split_size: int, shape: tuple[int, int], published: bool, seed: int
) -> Chosen:
    """Draw one position per image.

    Parameters
    ----------
    ids : int64 array (images,)
        Index of each image in its split.
    split_size : int
        Images of the split.
    shape : (int, int)
        Height and width of the layer.
    published : bool
        Leave out the first row and column, as the released code does.
    seed : int
        Of split and layer.
    """
    low, high = int(published), np.array(shape)
    drawn = np.random.default_rng(seed).random((split_size, 2))[ids]
    rows, columns = (low + np.floor(drawn * (high - low)).astype(np.int64)).T
    return Chosen(np.arange(len(ids)), rows * shape[1] + columns)


def full_positions(images: int, positions: int, most: int, replacement: bool, seed: int) -> Chosen | Everywhere:
    """Take every position of every image, or draw `most` of them.

    Parameters
    ----------
    images, positions : int
        How many images, and positions of each.
    most : int
        Points at most.
    replacement : bool
        Draw with replacement (released code): some points then come more than once.
    seed : int
    """
    total = images * positions
    if total <= most:
        return Everywhere(images, positions)
    if replacement:
        flat = np.sort(np.random.default_rng(seed).integers(0, total, most))
    else:
        flat = np.sort(np.random.default_rng(seed).choice(total, most, replace=False, shuffle=False))
    return Chosen(*np.divmod(flat.astype(np.int64), positions))


def heaviest_positions(
    weights: Float64[np.ndarray, "images positions"],
    top: int,
    ids: Int64[np.ndarray, " images"],
    seed: int,
    published: bool,
) -> Int64[np.ndarray, "images top"]:
    """Choose the `top` positions of each image that weigh most.

    Parameters
    ----------
    weights : float64 array (images, positions)
        From `position_weights`.
    top : int
        At most the number of positions.
    ids : int64 array (images,)
        With `seed` they decide which of several equal weights are taken.
    seed : int
        Of split and layer.
    published : bool
        The released code draws `top` of all positions that reach the top-th weight; corrected, the heavier ones are
        sure and chance decides among those that equal it.

    Returns
    -------
    int64 array (images, top)
        Rising along each row.
    """
    threshold = np.partition(weights, -top, axis=1)[:, -top, None]
    reached = weights >= threshold * (1 - TIE)
    sure = np.zeros_like(reached) if published else weights > threshold * (1 + TIE)
    chosen = reached.copy()
    for place in np.flatnonzero(reached.sum(1) > top):
        candidates = np.flatnonzero(reached[place] & ~sure[place])
        rng = np.random.default_rng(derive_seed(seed, int(ids[place])))
        taken = rng.permutation(candidates)[: top - sure[place].sum()]
        chosen[place] = sure[place]
        chosen[place, taken] = True
    return np.nonzero(chosen)[1].reshape(len(weights), top)


def masked_positions(chosen: Int64[np.ndarray, "images top"], kept: Bool[np.ndarray, " images"]) -> Chosen:
    """Build the points of a cloud from the positions of each image, without the images that are not kept."""
    places = np.flatnonzero(kept)
    return Chosen(np.repeat(places, chosen.shape[1]), chosen[kept].ravel())
