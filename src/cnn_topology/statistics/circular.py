"""Statistics of angles: turns, circular correlation and the distance of two circular distributions."""

import numpy as np
from jaxtyping import Float


def turn(now: Float[np.ndarray, " points"], before: Float[np.ndarray, " points"]) -> Float[np.ndarray, " points"]:
    """Compute the angle from `before` to `now`.

    Parameters
    ----------
    now, before : ndarray, shape (points,)
        Angles in radians.

    Returns
    -------
    ndarray, shape (points,)
        In (-pi, pi].
    """
    return np.angle(np.exp(1j * (now - before)))


def circular_correlation(a: Float[np.ndarray, " points"], b: Float[np.ndarray, " points"]) -> float:
    """Compute the circular correlation of Fisher and Lee (Biometrika 70, 327, 1983).

    rho_T = sum_{i<j} sin(a_i - a_j) sin(b_i - b_j) / sqrt(sum sin^2(a_i - a_j) sum sin^2(b_i - b_j)): 1 if b is a
    turned by a constant, -1 if also reversed, 0 on average for independent angles. Unlike correlations that subtract
    a mean direction it is defined for angles all around the circle, which have none.

    Parameters
    ----------
    a, b : ndarray, shape (points,)
        Radians.

    Returns
    -------
    float
        NaN for fewer than two points, or angles that are all the same.
    """
    n = len(a)
    if n < 2:
        return float("nan")
    # Sums over pairs by sums over points: products of sines and cosines (their formula 3).
    cc, ss = (np.cos(a) * np.cos(b)).sum(), (np.sin(a) * np.sin(b)).sum()
    cs, sc = (np.cos(a) * np.sin(b)).sum(), (np.sin(a) * np.cos(b)).sum()
    spread_a = n**2 - np.cos(2 * a).sum() ** 2 - np.sin(2 * a).sum() ** 2
    spread_b = n**2 - np.cos(2 * b).sum() ** 2 - np.sin(2 * b).sum() ** 2
    if min(spread_a, spread_b) <= 1e-9 * n**2:
        return float("nan")
    return float(np.clip(4 * (cc * ss - cs * sc) / np.sqrt(spread_a * spread_b), -1, 1))


def kuiper(a: Float[np.ndarray, " first"], b: Float[np.ndarray, " second"]) -> float:
    """Compute Kuiper's distance of two circular distributions, 0 (equal) to 1, wherever zero lies.

    Parameters
    ----------
    a, b : ndarray, shape (points,) each
        Angles; numbers may differ.

    Returns
    -------
    float
        NaN if one of them is empty.
    """
    if not len(a) or not len(b):
        return float("nan")
    a, b = np.sort(a), np.sort(b)
    grid = np.concatenate([a, b])
    above = np.searchsorted(a, grid, side="right") / len(a) - np.searchsorted(b, grid, side="right") / len(b)
    return float(max(above.max(), 0) - min(above.min(), 0))
