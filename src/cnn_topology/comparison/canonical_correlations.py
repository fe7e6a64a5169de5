"""Canonical correlation analysis (CCA) of two layers: mean CCA, SVCCA and PWCCA distances.

The canonical correlations of two clouds are the cosines of the angles between the spaces that their centred features
span in R^N. SVCCA (Raghu et al. 2017) first keeps the leading singular directions of each cloud, PWCCA (Morcos et al.
2018) weights each correlation by how much of the first cloud it explains. All are given as distances, one minus the
mean, as in Ding, Denain and Steinhardt (NeurIPS 2021).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cnn_topology.comparison.alignment import centred

# SVCCA keeps the fewest leading directions whose singular values make up this part of the sum of all.
SINGULAR_MASS = 0.99

Cloud = Float[np.ndarray, "samples features"]


@dataclass(frozen=True, eq=False)
class Directions:
    """The space in R^N that the centred features of a cloud span.

    Attributes
    ----------
    basis : ndarray, shape (samples, rank)
        Orthonormal columns.
    features : ndarray, shape (samples, features)
        The centred features.
    width : int
        Directions that take part: what the number of samples must exceed. All features, or those that SVCCA kept.
    """

    basis: np.ndarray
    features: np.ndarray
    width: int


def all_directions(points: Cloud) -> Directions:
    """Take the space of all features: the part of mean CCA and PWCCA per cloud.

    Parameters
    ----------
    points : ndarray, shape (samples, features)

    Returns
    -------
    Directions

    Raises
    ------
    InputError
        As `centred`.
    """
    features = centred(points)
    basis, singular, _ = np.linalg.svd(features, full_matrices=False)
    # The usual rank of a matrix in floating point: dependent and constant features span nothing of their own.
    rank = int((singular > singular[0] * max(features.shape) * np.finfo(np.float64).eps).sum())
    return Directions(basis[:, :rank], features, features.shape[1])


def leading_directions(points: Cloud) -> Directions:
    """Take the leading singular directions that hold 99% of the singular mass: the part of SVCCA per cloud.

    Parameters
    ----------
    points : ndarray, shape (samples, features)

    Returns
    -------
    Directions

    Raises
    ------
    InputError
        As `centred`.
    """
    features = centred(points)
    basis, singular, _ = np.linalg.svd(features, full_matrices=False)
    mass = np.cumsum(singular) / singular.sum()
    kept = int(np.searchsorted(mass, SINGULAR_MASS)) + 1
    return Directions(basis[:, :kept], features, kept)


def fewest_samples(first: Directions, second: Directions) -> int:
    """Return the fewest samples for which canonical correlations say anything.

    N centred samples span N - 1 dimensions: a cloud of that width spans them all, and every correlation is 1. The
    paper's layers, 512 features on 1,000 samples, pass. Note that two clouds of widths a and b share at least
    a + b - (N - 1) directions by their number alone, whose correlations are 1 whatever the layers are.

    Parameters
    ----------
    first, second : Directions

    Returns
    -------
    int
    """
    return max(first.width, second.width) + 2


def canonical_correlations(first: Directions, second: Directions) -> Float[np.ndarray, " correlations"]:
    """Compute the canonical correlations of two clouds.

    Parameters
    ----------
    first, second : Directions
        Of clouds on the same samples.

    Returns
    -------
    ndarray, shape (correlations,)
        In [0, 1] and descending; as many as the smaller rank.
    """
    return np.clip(np.linalg.svd(first.basis.T @ second.basis, compute_uv=False), 0.0, 1.0)


def cca_distance(first: Directions, second: Directions) -> float:
    """Compute one minus the mean canonical correlation.

    Parameters
    ----------
    first, second : Directions
        Of clouds on the same samples.

    Returns
    -------
    float
        In [0, 1]; a distance. On `leading_directions` it is that of SVCCA.
    """
    return float(1.0 - canonical_correlations(first, second).mean())


def pwcca_distance(first: Directions, second: Directions) -> float:
    """Compute the projection-weighted CCA distance of `first` to `second`, which is not symmetric.

    One minus sum_i alpha_i rho_i, with alpha_i the sum over the features x of the first cloud of |<h_i, x>|, h_i its
    unit canonical variables, scaled to sum to 1 over the correlations that exist (Morcos et al. 2018, eq. 2).

    Where the first cloud is wider, the code of Ding et al. also counts its directions without a counterpart, with
    correlation 0. Their axes, and so their weights, are not determined; they are left out here. So a cloud is at
    distance 0 from what is left of it when components are removed.

    Parameters
    ----------
    first, second : Directions
        Of clouds on the same samples.

    Returns
    -------
    float
        In [0, 1]; a distance.
    """
    turn, correlations, _ = np.linalg.svd(first.basis.T @ second.basis, full_matrices=False)
    weights = np.abs((first.basis @ turn).T @ first.features).sum(axis=1)
    return float(np.clip(1.0 - weights @ np.clip(correlations, 0.0, 1.0) / weights.sum(), 0.0, 1.0))
