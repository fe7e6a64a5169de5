"""Centred kernel alignment (CKA) with the linear kernel, biased and debiased, and the Procrustes distance.

Formulas as in Ding, Denain and Steinhardt (NeurIPS 2021) on matrices that are centred per feature and scaled; the
debiased CKA is that of Kornblith et al. (2019) with the unbiased estimate of the Hilbert-Schmidt independence criterion
by Song et al. (2012). Each measure has a part per cloud, done once, and a part per pair.
"""

import numpy as np
from jaxtyping import Float

from cnn_topology.comparison.clouds import constant_features
from cnn_topology.errors import InputError

Cloud = Float[np.ndarray, "samples features"]
OtherCloud = Float[np.ndarray, "samples others"]
Gram = Float[np.ndarray, "samples samples"]


def centred(points: Cloud) -> Cloud:
    """Centre every feature of a cloud and scale the whole to Frobenius norm 1.

    Parameters
    ----------
    points : ndarray, shape (samples, features)

    Returns
    -------
    ndarray, shape (samples, features)

    Raises
    ------
    InputError
        If every feature is constant: then nothing is left to compare.
    """
    constant = constant_features(points)
    if len(constant) == points.shape[1]:
        raise InputError(
            f"all {points.shape[1]} features of a cloud are constant over its {len(points)} samples (a dead layer, or "
            "one sample only): no measure of similarity is defined; leave this layer out"
        )
    # Any row will do as a first centre; it keeps a constant feature at exactly 0.
    shifted = points - points[0]
    moved = shifted - shifted.mean(axis=0)
    # Scaled twice, so that the squares of tiny or huge activations neither vanish nor overflow.
    moved /= np.abs(moved).max()
    return moved / np.linalg.norm(moved)


def aligned(points: Cloud) -> Cloud:
    """Centre a cloud X and scale it so that the Frobenius norm of X^T X is 1: the part of linear CKA per cloud.

    Parameters
    ----------
    points : ndarray, shape (samples, features)

    Returns
    -------
    ndarray, shape (samples, features)

    Raises
    ------
    InputError
        As `centred`.
    """
    unit = centred(points)
    return unit / np.sqrt(np.linalg.norm(unit.T @ unit if unit.shape[1] < len(unit) else unit @ unit.T))


def linear_cka(first: Cloud, second: OtherCloud) -> float:
    """Compute linear CKA, |X^T Y|^2 / (|X^T X| |Y^T Y|) in Frobenius norms, of two clouds made by `aligned`.

    Parameters
    ----------
    first, second : ndarray, shape (samples, features) each
        Made by `aligned`, on the same samples; features may differ in number.

    Returns
    -------
    float
        In [0, 1]; a similarity. With few samples it is biased upwards (`debiased_cka` is not).
    """
    return float(min(np.sum((first.T @ second) ** 2), 1.0))


def linear_cka_distance(first: Cloud, second: OtherCloud) -> float:
    """Compute 1 - linear CKA (Ding et al.) of two clouds made by `aligned`.

    Parameters
    ----------
    first, second : ndarray, shape (samples, features) each
        Made by `aligned`, on the same samples; features may differ in number.

    Returns
    -------
    float
        In [0, 1]; a distance.
    """
    return 1.0 - linear_cka(first, second)


def debiased_gram(points: Cloud) -> Gram:
    """Compute the U-centred Gram matrix of a cloud, scaled to Frobenius norm 1: the part of debiased CKA per cloud.

    Song et al. (2012), Szekely and Rizzo (2014): off the diagonal, K_ij minus the sums of its row and its column over
    N - 2, plus the sum of all over (N - 1)(N - 2); 0 on the diagonal. The scalar product of two such matrices is
    N (N - 3) times the unbiased estimate of the criterion.

    Parameters
    ----------
    points : ndarray, shape (samples, features)

    Returns
    -------
    ndarray, shape (samples, samples)

    Raises
    ------
    InputError
        As `centred`; and if nothing is left, because all samples are equally similar to each other.
    """
    unit = centred(points)
    samples = len(unit)
    gram = unit @ unit.T
    np.fill_diagonal(gram, 0.0)
    if samples < FEWEST_DEBIASED:
        return gram  # too few for the formula: the measure refuses such a cloud by its number of samples
    rows = gram.sum(axis=1) / (samples - 2)
    gram -= rows[:, None] + rows[None, :] - rows.sum() / (samples - 1)
    np.fill_diagonal(gram, 0.0)
    left = np.linalg.norm(gram)
    if left < np.finfo(np.float64).eps * samples:
        raise InputError(
            f"all {samples} samples of a cloud are equally similar to each other: debiased CKA is 0/0; use linear_cka"
        )
    return gram / left


# With 3 samples every U-centred matrix is zero.
FEWEST_DEBIASED = 4


def debiased_cka(first: Gram, second: Gram) -> float:
    """Compute the debiased linear CKA of two clouds from their `debiased_gram`.

    Parameters
    ----------
    first, second : ndarray, shape (samples, samples) each

    Returns
    -------
    float
        In [-1, 1]; a similarity, 0 in the mean for unrelated clouds whatever their size.
    """
    return float(np.clip(np.vdot(first, second), -1.0, 1.0))


def procrustes_distance(first: Cloud, second: OtherCloud) -> float:
    """Compute the orthogonal Procrustes distance |X|^2 + |Y|^2 - 2 |X^T Y|_* of two clouds made by `centred`.

    Parameters
    ----------
    first, second : ndarray, shape (samples, features) each
        Made by `centred`, on the same samples; features may differ in number.

    Returns
    -------
    float
        In [0, 2]: the squared distance that is left after the best rotation (Ding et al.); a distance.
    """
    return float(np.clip(2.0 - 2.0 * np.linalg.svd(first.T @ second, compute_uv=False).sum(), 0.0, 2.0))
