"""Sliced Wasserstein distance between persistence diagrams (Carriere, Cuturi and Oudot 2017), exact, for all pairs.

The activations paper (arXiv:2212.00222) compares layers by it, as persim defines it: for M directions theta_m =
pi (1/2 + m/M) both diagrams, each with the diagonal projections of the other added, are projected on the line of
theta_m, and the 1-Wasserstein distances of the two point sets on the line are averaged over m.

The projections of the other diagram cancel: in one direction the distance is the integral of |G1 - G2| with
G(x) = #{points <= x} - #{their diagonal projections <= x}. So each diagram becomes one step function per direction,
projected and sorted once for all pairs. A common grid of bins keeps of each step function the integral and the extremes
per bin. Where the extremes show that G1 - G2 has one sign in a bin, the two integrals give the exact answer; only the
other bins, a few in a hundred, are merged breakpoint by breakpoint. No approximation is made: the result differs from
the definition by rounding alone.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from jaxtyping import Float

from cnn_topology.checks import SQUARED_IN_FLOAT64, check_longest, real_array, whole
from cnn_topology.errors import InputError

# The number of directions of persim's default, and so of the paper's.
DIRECTIONS = 50

# Bins of the grid: about as many as a diagram has breakpoints (measured: 512 to 4,096 for 1,000 breakpoints), a power
# of two, and not so many that their tables outgrow the diagrams.
FEWEST_BINS, MOST_BINS = 64, 8192

# The grid is drawn through this many breakpoints at most: where it lies changes the speed, not the result.
GRID_SAMPLE = 1 << 16

# Diagrams that one thread takes at a time.
CHUNK = 16


def sliced_wasserstein(
    first: Float[np.ndarray, "bars 2"], second: Float[np.ndarray, "bars 2"], directions: int = DIRECTIONS
) -> float:
    """Compute the sliced Wasserstein distance of two diagrams.

    Parameters
    ----------
    first, second : ndarray, shape (bars, 2)
        Finite (birth, death) rows; no rows are allowed, negative births too.
    directions : int
        Number M of directions.

    Returns
    -------
    float
        In the unit of the births. It is a sum over bars, so it grows with their number.

    Raises
    ------
    InputError
        If a diagram is not of that shape or holds an essential (infinite) or NaN bar, or M < 1.

    Notes
    -----
    Carriere, Cuturi and Oudot 2017; the activations paper compares layers by it, with 50 directions as in persim.

    Examples
    --------
    A bar of twice the length is twice as far from the empty diagram.

    >>> import cnn_topology as ct
    >>> import numpy as np
    >>> short, long, none = np.array([[0.0, 1.0]]), np.array([[0.0, 2.0]]), np.empty((0, 2))
    >>> round(ct.sliced_wasserstein(short, none), 3), round(ct.sliced_wasserstein(long, none), 3)
    (0.45, 0.9)
    >>> ct.sliced_wasserstein(short, short)
    0.0
    """
    return float(sliced_wasserstein_matrix([first], [second], directions=directions)[0, 0])


def sliced_wasserstein_matrix(
    diagrams: Sequence[Float[np.ndarray, "bars 2"]],
    others: Sequence[Float[np.ndarray, "bars 2"]] | None = None,
    directions: int = DIRECTIONS,
    threads: int = 1,
) -> Float[np.ndarray, "diagrams others"]:
    """Compute the sliced Wasserstein distances of all pairs of diagrams, or of all pairs across two lists.

    Parameters
    ----------
    diagrams : sequence of ndarray, each of shape (bars, 2)
        Finite (birth, death) rows; lengths may differ.
    others : sequence of ndarray, optional
        The diagrams of the columns; by default `diagrams`, and then each pair is computed once.
    directions : int
        Number M of directions.
    threads : int
        Threads; the result has the same bits for any number.

    Returns
    -------
    ndarray of float64, shape (diagrams, others)
        Symmetric with a diagonal of exactly 0 if `others` is not given.

    Raises
    ------
    InputError
        If a diagram is not of that shape or holds an essential (infinite) or NaN bar, M < 1, or threads < 1.

    Notes
    -----
    Memory beyond the result is about 45 bytes per breakpoint (two per bar), for one direction at a time.
    """
    directions, threads = whole(directions, "directions", 1), whole(threads, "threads", 1)
    rows = len(diagrams)
    bars = [checked_diagram(diagram, f"diagram {i}") for i, diagram in enumerate(diagrams)]
    if others is not None:
        bars += [checked_diagram(diagram, f"diagram {i} of the others") for i, diagram in enumerate(others)]
    columns = 0 if others is None else rows
    sums = np.zeros((rows, len(bars) - columns))
    if sum(map(len, bars)):
        _add_directions(bars, rows, columns, directions, threads, sums)
    sums /= directions
    return sums + sums.T if others is None else sums


def checked_diagram(diagram: Float[np.ndarray, "bars 2"], name: str) -> Float[np.ndarray, "bars 2"]:
    """Return a diagram as float64 rows (birth, death), or say what is wrong with it.

    Parameters
    ----------
    diagram : array_like, shape (bars, 2)
        May be empty, then also of shape (0,).
    name : str
        What the error calls it.

    Returns
    -------
    ndarray of float64, shape (bars, 2)

    Raises
    ------
    InputError
        If the shape is another, or a bar is essential (infinite) or NaN, dies before it is born, or is so short or
        long that its square has no float64.
    """
    bars = np.asarray(real_array(diagram, name), dtype=np.float64)
    if bars.size == 0 and bars.ndim <= 2:
        return np.empty((0, 2))
    if bars.ndim != 2 or bars.shape[1] != 2:
        raise InputError(f"{name} has shape {bars.shape}; expected rows (birth, death), shape (bars, 2)")
    bad = np.flatnonzero(~np.isfinite(bars).all(axis=1))
    early = np.flatnonzero(bars[:, 1] < bars[:, 0])
    if len(early) and not len(bad):
        birth, death = bars[early[0]]
        raise InputError(
            f"{name} holds {len(early)} bars that die before they are born, the first ({birth}, {death}) in row "
            f"{early[0]}: a row is (birth, death), not (death, birth) nor (birth, length)"
        )
    if len(bad):
        birth, death = bars[bad[0]]
        raise InputError(
            f"{name} holds {len(bad)} bars that are infinite or NaN, the first ({birth}, {death}) in row {bad[0]}: the "
            "sliced Wasserstein distance is defined for finite bars; drop the essential classes first"
        )
    largest = float(np.abs(bars).max())
    check_longest(largest, largest, SQUARED_IN_FLOAT64, name)
    return bars


def _add_directions(
    bars: list[np.ndarray], rows: int, columns: int, directions: int, threads: int, sums: np.ndarray
) -> None:
    """Add the L1 distances of all directions to `sums`, one direction after the other."""
    # Compiled code takes half a second to load: only who computes pays for it.
    from cnn_topology.topology.sliced_wasserstein_kernels import add_distances, project, tabulate

    count = len(bars)
    birth = np.concatenate([diagram[:, 0] for diagram in bars])
    death = np.concatenate([diagram[:, 1] for diagram in bars])
    middle = np.concatenate([np.sort(diagram[:, 0] / 2 + diagram[:, 1] / 2) for diagram in bars])
    sizes = np.array([len(diagram) for diagram in bars])
    start = np.concatenate([[0], np.cumsum(2 * sizes + 1)])
    most = int(sizes.max())
    bins = 2 ** int(np.clip(np.round(np.log2(2 * most)), np.log2(FEWEST_BINS), np.log2(MOST_BINS)))
    step = np.int16 if most < 2**15 else np.int32
    position, level = np.empty(start[-1]), np.empty(start[-1], dtype=step)
    area = np.empty((count, bins))
    low, high = np.empty((2, count, bins), dtype=step)
    first = np.empty((count, bins + 1), dtype=np.int32)
    chunks = [(begin, min(begin + CHUNK, count)) for begin in range(0, count, CHUNK)]

    with ThreadPoolExecutor(threads) as pool:

        def each(work: Callable[[int, int], None]) -> None:
            # `list` waits for all chunks and passes on what went wrong in them.
            list(pool.map(lambda chunk: work(*chunk), chunks))

        for m in range(directions):
            angle = np.pi * (0.5 + m / directions)
            line = (np.cos(angle), np.sin(angle))
            each(partial(project, birth, death, middle, start, *line, position, level))
            table = (position, level, start, _grid(position, bins), area, low, high, first)
            each(partial(tabulate, *table))
            each(partial(add_distances, *table, rows, columns, sums))


def _grid(position: np.ndarray, bins: int) -> np.ndarray:
    """Lay the edges of the bins through quantiles of the breakpoints of all diagrams, shape (bins + 1,)."""
    finite = position[np.isfinite(position)]
    # An odd stride falls on all parts of all diagrams.
    sample = np.sort(finite[:: (len(finite) // GRID_SAMPLE) | 1])
    inner = sample[np.arange(1, bins) * len(sample) // bins]
    return np.concatenate([[finite.min()], inner, [finite.max()]])
