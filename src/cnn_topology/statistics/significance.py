"""Is a loop more than noise? Rank tests against simulated nulls, the universal null of bars, and the verdict.

A bar is significant when it is longer than the longest bar of a matched null nearly ever is: the test is familywise
over all H1 bars of the cloud. The universal null of Bobrowski and Skraba (Scientific Reports 13, 12274, 2023) needs
no simulation and is reported beside it; it is conservative and misses faint loops.
"""

from collections.abc import Sequence
from math import comb

import numpy as np
from jaxtyping import Float

from cnn_topology.errors import InputError
from cnn_topology.plan.clouds import DEAD_LAYER, TOO_FEW

# Ours, of tests whose level neither paper nor config gives: familywise where there are several.
LEVEL = 0.05

NO_LOOP, WEAK_LOOP, ONE_LOOP, SEVERAL_LOOPS = "no loop", "one weak loop", "one loop", "several loops"
# The one significant bar is that of `one loop` if it is so many times as long as the second, else of `one weak loop`.
ONE_LOOP_RATIO = 3.0
# All verdicts on a cloud, the first that applies: those without a test (`plan.clouds.untested`), then by `verdict`.
UNTESTED = (DEAD_LAYER, TOO_FEW)
LOOPS = (SEVERAL_LOOPS, WEAK_LOOP, ONE_LOOP)
VERDICTS = (*UNTESTED, NO_LOOP, *LOOPS)
# What a verdict says of filters, after "the filters of conv1".
FORMS = {
    ONE_LOOP: "form one loop",
    WEAK_LOOP: "form one loop, less than three times as long as the next",
    SEVERAL_LOOPS: "form several loops",
    NO_LOOP: "show no loop that noise of the same size has not",
    TOO_FEW: "are too few for a test",
    DEAD_LAYER: "are all constant or all but one: the layer is dead",
}

# The scale A of log log(death / birth): 1 for Vietoris-Rips complexes, 1/2 for Cech ones.
RIPS_SCALE = 1.0


def rank_p_value(observed: float, null: Float[np.ndarray, " draws"]) -> float:
    """Compute the Monte-Carlo p-value (1 + #{null >= observed}) / (1 + draws), valid at any number of draws.

    Parameters
    ----------
    observed : float
    null : ndarray, shape (draws,)

    Returns
    -------
    float
        At least 1 / (1 + draws); NaN where the observed value is.
    """
    if np.isnan(observed):
        return float("nan")
    return (1 + int(np.count_nonzero(null >= observed))) / (1 + len(null))


def two_sided_p_value(observed: float, null: Float[np.ndarray, " draws"]) -> float:
    """Compute twice the smaller rank p-value of both sides, at most 1.

    Parameters
    ----------
    observed : float
    null : ndarray, shape (draws,)

    Returns
    -------
    float
        At least 2 / (1 + draws); NaN where the observed value is.
    """
    return min(1.0, 2 * min(rank_p_value(observed, null), rank_p_value(-observed, -null)))


def binomial_tail(successes: int, trials: int, chance: float) -> float:
    """Compute the probability of so many successes or more.

    Parameters
    ----------
    successes, trials : int
    chance : float
        Of each trial.

    Returns
    -------
    float
    """
    return sum(comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(successes, trials + 1))


def critical_value(null: Float[np.ndarray, " draws"], alpha: float) -> float:
    """Return the value that a statistic must exceed for ``rank_p_value(statistic, null) <= alpha``.

    Parameters
    ----------
    null : ndarray, shape (draws,)
        For example the longest bar of each draw.
    alpha : float
        Level of the test.

    Returns
    -------
    float
        The m-th largest draw, m = floor(alpha (draws + 1)).

    Raises
    ------
    InputError
        If there are too few draws for a p-value of alpha.
    """
    rank = int(np.floor(alpha * (len(null) + 1) + 1e-9))  # 0.29 x 100 is 29, whatever floating point says
    if rank < 1:
        raise InputError(
            f"{len(null)} draws give p-values down to {1 / (len(null) + 1):.3g} only, above alpha = {alpha}; "
            f"ask for at least {int(np.ceil(1 / alpha - 1e-9)) - 1} draws"
        )
    return float(np.sort(null)[-rank])


def bar_p_values(lengths: Float[np.ndarray, " bars"], longest: Float[np.ndarray, " draws"]) -> np.ndarray:
    """Compute the familywise p-value of each bar: its rank among the longest bars of the null.

    Parameters
    ----------
    lengths : ndarray, shape (bars,)
        Lengths of the H1 bars of the cloud, in any order.
    longest : ndarray, shape (draws,)
        Longest H1 bar of each draw.

    Returns
    -------
    ndarray, shape (bars,)
    """
    at_least = len(longest) - np.searchsorted(np.sort(longest), lengths, side="left")
    return (1 + at_least) / (1 + len(longest))


def q_values(p_values: Float[np.ndarray, " tests"]) -> Float[np.ndarray, " tests"]:
    """Compute the q-values of Benjamini and Hochberg: the false discovery rate at which each test is a discovery.

    Parameters
    ----------
    p_values : ndarray, shape (tests,)
        NaN where nothing was tested; such entries stay NaN and do not count.

    Returns
    -------
    ndarray, shape (tests,)
    """
    from scipy.stats import false_discovery_control

    adjusted = np.full(len(p_values), np.nan)
    tested = ~np.isnan(p_values)
    if tested.any():
        adjusted[tested] = false_discovery_control(p_values[tested])
    return adjusted


def significant_bars(lengths: Float[np.ndarray, " bars"], longest: Float[np.ndarray, " draws"], alpha: float) -> int:
    """Count the bars longer than the familywise critical value, the level-alpha value of the null's longest bar.

    Parameters
    ----------
    lengths : ndarray, shape (bars,)
        Lengths of the H1 bars of the cloud.
    longest : ndarray, shape (draws,)
        Longest H1 bar of each draw of the null.
    alpha : float
        Level of the test.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If there are too few draws for a p-value of alpha.
    """
    return int(np.count_nonzero(lengths > critical_value(longest, alpha)))


def bobrowski_skraba(bars: Float[np.ndarray, "bars 2"]) -> Float[np.ndarray, " bars"]:
    """Compute the universal-null p-value of each H1 bar of a Vietoris-Rips barcode, Bonferroni-corrected.

    With pi = death / birth, l = A loglog(pi) - A mean(loglog(pi)) - lambda, A = 1 and lambda Euler's constant, l is
    conjectured to follow the left-skewed Gumbel distribution for noise of any kind: p = exp(-exp(l)), times the
    number of bars, at most 1.

    Parameters
    ----------
    bars : ndarray, shape (bars, 2)
        Finite births and deaths of all H1 bars of the cloud, 0 < birth < death.

    Returns
    -------
    ndarray, shape (bars,)
    """
    log_log = np.log(np.log(bars[:, 1] / bars[:, 0]))
    if not len(log_log):
        return np.empty(0)
    excess = RIPS_SCALE * (log_log - log_log.mean()) - np.euler_gamma
    return np.minimum(1.0, len(bars) * np.exp(-np.exp(excess)))


def onset(steps: Sequence[int], significant: Sequence[bool]) -> int | None:
    """Find the first step from which on every step is significant, or None.

    Parameters
    ----------
    steps : sequence of int
        Ascending.
    significant : sequence of bool
        One for each step.

    Returns
    -------
    int or None
    """
    first = None
    for step, holds in zip(reversed(steps), reversed(significant), strict=True):
        if not holds:
            break
        first = step
    return first


def verdict(lengths: Float[np.ndarray, " bars"], nulls: Sequence[Float[np.ndarray, " draws"]], alpha: float) -> str:
    """Return which loops a tested cloud has.

    A bar counts if it is significant under every null. No such bar is ``no loop``; more than one are
    ``several loops``; exactly one is ``one loop`` if it is at least `ONE_LOOP_RATIO` times as long as the second
    longest bar of the cloud, otherwise ``one weak loop``.

    Parameters
    ----------
    lengths : ndarray, shape (bars,)
        Lengths of the H1 bars, the longest first.
    nulls : sequence of ndarray, shape (draws,)
        Longest H1 bar of each draw, for each null.
    alpha : float
        Level of the test under each null, familywise over the bars.

    Returns
    -------
    str
        One of `VERDICTS` other than those of `UNTESTED`.
    """
    count = min(significant_bars(lengths, longest, alpha) for longest in nulls)
    if count == 0:
        return NO_LOOP
    if count > 1:
        return SEVERAL_LOOPS
    second = lengths[1] if len(lengths) > 1 else 0.0
    return ONE_LOOP if lengths[0] >= ONE_LOOP_RATIO * second else WEAK_LOOP
