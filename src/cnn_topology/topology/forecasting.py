"""What a barcode will cost before it is computed: bytes and seconds by engine and number of points.

The annotations engine needs memory in proportion to the pairs of points, and for the loops that live at once. What
Ripser and GUDHI need depends on the cloud. The forecast is that of a noisy circle, which takes longer than other clouds
of few dimensions. Points spread evenly over a sphere of many dimensions have thousands of loops alive at once, and take
far longer than it: 1,200 of them 5 times in R^25 and 600 times in R^121, 4,800 in R^25 50 times.
"""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from cnn_topology.checks import whole
from cnn_topology.errors import InputError, in_words


@dataclass(frozen=True)
class Forecast:
    """A forecast of one barcode: points, engine, bytes beyond the input, seconds of CPU."""

    points: int
    engine: str
    bytes: int
    seconds: float


# Our engine sorts edges in blocks of at most this many (8 bytes each), or of this share of all pairs if that is more.
LEAST_BLOCK = 1 << 19
BLOCKS = 16

# Less is free wherever Python runs; to ask would take a third of the time of a small barcode, and nulls draw hundreds.
NEVER_ASKED = 1 << 22

# One core, noisy circle of 2,000 to 26,214 points (November 2026): the constant part of an edge, and rows of bits, per
# point, from memory.
SECONDS_PER_PAIR = 2e-8
SECONDS_PER_ROW = 1e-11

# (bytes, seconds, points, exponent of bytes, exponent of seconds), measured on an AMD EPYC core with Ripser; GUDHI
# needs less.
REFERENCE_COSTS = {
    1: (4.45e9, 104.0, 2000, 3.3, 3.6),  # noisy circle, H0 and H1
    2: (2.1e9, 22.0, 500, 3.9, 4.5),  # Klein bottle, H0 to H2
}
# Above dimension 2, by simplex of the highest dimension: seconds and bytes of Ripser, taken for all engines (40 to 130
# points of a Klein bottle and of noise, dimensions 3 and 4: 33 to 76 ns, 1.9 to 4.1 bytes).
SECONDS_PER_SIMPLEX, SIMPLEX_BYTES = 6e-8, 4
# The same as `REFERENCE_COSTS` with RedZeD on an Intel Xeon core.
REDZED_COSTS = {
    1: (3e8, 20.0, 4000, 2.2, 3.5),  # noisy circle
    2: (2e8, 5.0, 500, 3.9, 4.5),  # Klein bottle: 58 MB
}

# Bytes of an edge of a sparse graph: its length, both ends and its value, and what sorts them.
GRAPH_BYTES = 60

# Bytes of a pair of points that the loop of a bar takes beside a barcode (measured on 4,000 points: 4.5).
LOOP_BYTES = 5


def automatic_engine(dimension: int, field: int = 2) -> str:
    """Return which engine ``auto`` stands for.

    Parameters
    ----------
    dimension : int
        Highest dimension of homology.
    field : int
        p of the coefficients Z/p.

    Returns
    -------
    {'annotations', 'redzed', 'ripser'}
    """
    if dimension <= 1 and field in (2, 3):
        return "annotations"
    quick = dimension == 2 and field == 2 and find_spec("redzed_tda") is not None
    return "redzed" if quick else "ripser"


def forecast(points: int, dimension: int = 1, engine: str = "auto") -> Forecast:
    """Forecast the cost of a barcode over Z/2 of all edges of a noisy circle; a threshold may make it less.

    Parameters
    ----------
    points : int
        Number of points of the filtration, after the choice of landmarks.
    dimension : int
        Highest dimension of homology.
    engine : {'auto', 'annotations', 'redzed', 'ripser', 'gudhi'}
        As for `cnn_topology.topology.persistence.barcode`.

    Returns
    -------
    Forecast
    """
    points, name = whole(points, "points", 0), automatic_engine(dimension) if engine == "auto" else engine
    if name == "annotations":
        # Entries, six rows of bits a point (edges, marks, four classes), a block of edges, and what the vectors of live
        # classes need (a little, per point).
        pairs = points * (points - 1) // 2
        block = min(pairs, max(LEAST_BLOCK, pairs // BLOCKS))
        size = 4 * pairs + points * (6 * points / 8 + 384) + 8 * block + 4000 * points
        return Forecast(points, name, int(size), SECONDS_PER_PAIR * pairs + SECONDS_PER_ROW * points * pairs)
    if dimension > 2:
        # Of the dimension up to it that has most of them: of 40 points there is one simplex of 40.
        simplices = math.comb(points, min(dimension + 2, (points + 1) // 2))
        return Forecast(points, name, SIMPLEX_BYTES * simplices + 4 * points**2, SECONDS_PER_SIMPLEX * simplices)
    costs = REDZED_COSTS if name == "redzed" else REFERENCE_COSTS
    size, seconds, at, power_bytes, power_seconds = costs[max(dimension, 1)]
    ratio = points / at
    return Forecast(points, name, int(size * ratio**power_bytes + 4 * points**2), seconds * ratio**power_seconds)


def bytes_of_graph(points: int, edges: int) -> int:
    """Forecast the bytes of the barcode of a sparse graph by our own engine: two rows of bits a point, and its edges.

    Parameters
    ----------
    points, edges : int

    Returns
    -------
    int
    """
    return points * (2 * points // 8 + 384 + 4000) + GRAPH_BYTES * edges


def available_memory() -> int | None:
    """Return the bytes this process may still take, or None where the system does not tell.

    Returns
    -------
    int or None
        The least of what the machine and each limit on this process leave.
    """
    limits = []
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                limits.append(int(line.split()[1]) * 1024)
    except (OSError, ValueError):
        pass
    return min([*limits, *_left_of_limits(), *_left_in_groups()], default=None)


def _left_of_limits(own: Path = Path("/proc/self/statm")) -> Iterator[int]:
    """Yield the bytes left of the limits on address space and data (`ulimit -v` and `-d`), where there are such."""
    with suppress(ImportError, OSError):
        import resource

        taken = [int(pages) * resource.getpagesize() for pages in own.read_text().split()]
        for limit, place in ((resource.RLIMIT_AS, 0), (resource.RLIMIT_DATA, 5)):
            most, _ = resource.getrlimit(limit)
            if most != resource.RLIM_INFINITY:
                yield most - taken[place]


def _left_in_groups(own: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> Iterator[int]:
    """Yield the bytes left of each memory limit on this process: its control group's (SLURM's) and all above."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:  # version 2
            top, limit, used, cached = root, "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            top, limit, used, cached = (
                root / "memory",
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            )
        else:
            continue
        folder = top / group.strip("/")
        for place in (folder, *folder.parents):
            with suppress(OSError, ValueError):  # not shown to this process, or no limit: "max"
                # Files read before are given up for whoever asks: they count as free.
                freed = re.findall(rf"^{cached} (\d+)$", (place / "memory.stat").read_text(), re.M)
                left = int((place / limit).read_text()) - int((place / used).read_text())
                yield left + sum(map(int, freed))
            if place == top:
                break


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.2g} GB" if count < 1e11 else f"{count / 1e9:,.0f} GB"


def check_free(need: int, what: str) -> None:
    """Refuse what is forecast to need more bytes than the system has left.

    Parameters
    ----------
    need : int
    what : str
        The subject of the message.

    Raises
    ------
    InputError
        If more is needed than is left.
    """
    if need <= NEVER_ASKED:
        return
    free = available_memory()
    if free is not None and need > free:
        raise InputError(
            f"{what} is forecast to need {_gigabytes(need)}; {_gigabytes(free)} are free: give fewer points "
            "(landmarks_maxmin chooses some of a cloud)"
        )


def fewer_points(most: int, *, cloud: bool) -> str:
    """Describe how a user comes to at most so many points.

    Parameters
    ----------
    most : int
        Below 2, no number is named: one point has no barcode to look at.
    cloud : bool
        Whether they are points with coordinates, of which landmarks can be chosen, and not distances.

    Returns
    -------
    str
    """
    if most < 2:
        return "give fewer points" if cloud else "give the distances of fewer points"
    if cloud:
        return f"take {most} landmarks or fewer (landmarks= of barcode; landmarks_maxmin)"
    return f"give the distances of at most {most} points"


def check_cost(
    points: int,
    dimension: int,
    engine: str,
    max_seconds: float = math.inf,
    beside: Callable[[int], int] = lambda used: 0,
    *,
    cloud: bool = True,
    field: int = 2,
) -> None:
    """Refuse a barcode that would not fit into memory, or take too long, and describe what would.

    Parameters
    ----------
    points, dimension, engine
        As for `forecast`; the engine is not ``auto``.
    max_seconds : float
        The longest time that is accepted.
    beside : callable
        From the points of the filtration to the bytes that are taken besides the barcode's: to read the input.
    cloud : bool
        As for `fewer_points`.
    field : int
        p of the coefficients Z/p, which not every engine serves.

    Raises
    ------
    InputError
        If the forecast is above what the system has left, or above `max_seconds`.
    """

    def costs(used: int, engine: str = engine) -> tuple[float, int]:
        cost = forecast(used, dimension, engine)
        return cost.seconds, cost.bytes + beside(used)

    seconds, needed = costs(points)
    known = available_memory() if needed > NEVER_ASKED else None
    free = math.inf if known is None else known

    def fits(time: float, memory: int) -> bool:
        return time <= max_seconds and memory <= free

    if fits(seconds, needed):
        return
    low, high = 0, max(points - 1, 0)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(*costs(middle)) else (low, middle - 1)
    ways = [fewer_points(low, cloud=cloud)]
    best = automatic_engine(dimension, field)
    if best != engine and fits(*costs(points, best)):
        ways.append(f"use engine={best!r}")
    why = f"need {_gigabytes(needed)}; {_gigabytes(free)} are free"
    if needed <= free:
        why = f"take up to {in_words(seconds)}, more than max_seconds = {max_seconds:g}"
        ways.append("go on with max_seconds=math.inf")
    raise InputError(
        f"the barcode of {points} points in dimension {dimension} by engine {engine!r} is forecast to {why}: "
        f"{', or '.join(ways)}"
    )
