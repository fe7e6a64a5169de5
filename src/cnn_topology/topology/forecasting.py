"""What a barcode will cost before it is computed: bytes and seconds by engine and number of points.

The annotations engine needs memory in proportion to the pairs of points, whatever the cloud. What Ripser and GUDHI
need depends on the cloud: the forecast is that of the worst cloud measured, a noisy circle.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cnn_topology.errors import InputError


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
# The same with RedZeD on an Intel Xeon core; above dimension 2 nothing is known and those of Ripser are taken.
REDZED_COSTS = {
    1: (3e8, 20.0, 4000, 2.2, 3.5),  # noisy circle
    2: (2e8, 5.0, 500, 3.9, 4.5),  # Klein bottle: 58 MB
}

# Bytes of an edge of a sparse graph: its length, both ends and its value, and what sorts them.
GRAPH_BYTES = 60

# Bytes of a pair of points that a cocycle or the loop of a bar takes beside a barcode (measured on 4,000 points: 4.5).
LOOP_BYTES = 5


def forecast(points: int, dimension: int = 1, engine: str = "annotations") -> Forecast:
    """Forecast the cost of a barcode.

    Parameters
    ----------
    points : int
        Points of the filtration, after the choice of landmarks.
    dimension : int
        Highest dimension of homology.
    engine : {'annotations', 'redzed', 'ripser', 'gudhi'}

    Returns
    -------
    Forecast
    """
    if engine in ("annotations", "auto") and dimension <= 1:
        # Entries, six rows of bits a point (edges, marks, four classes), a block of edges, and what the vectors of live
        # classes need (a little, per point).
        pairs = points * (points - 1) // 2
        block = min(pairs, max(LEAST_BLOCK, pairs // BLOCKS))
        size = 4 * pairs + points * (6 * points / 8 + 384) + 8 * block + 4000 * points
        return Forecast(points, "annotations", int(size), SECONDS_PER_PAIR * pairs + SECONDS_PER_ROW * points * pairs)
    costs = REDZED_COSTS if engine == "redzed" and dimension <= 2 else REFERENCE_COSTS
    size, seconds, at, power_bytes, power_seconds = costs[min(max(dimension, 1), 2)]
    ratio = points / at
    name = "ripser" if engine == "auto" else engine
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
            f"{what} is forecast to need {need / 1e9:.2g} GB; {free / 1e9:.2g} GB are free: give fewer points "
            "(landmarks_maxmin)"
        )


def check_memory(points: int, dimension: int, engine: str, beside: Callable[[int], int] = lambda used: 0) -> None:
    """Refuse a barcode that would not fit into memory, and say how many landmarks would.

    Parameters
    ----------
    points, dimension, engine
        As for `forecast`.
    beside : callable
        From the points of the filtration to the bytes that are taken besides the barcode's: to read the input.

    Raises
    ------
    InputError
        If the forecast is above what the system has left.
    """

    def needed(used: int) -> int:
        return forecast(used, dimension, engine).bytes + beside(used)

    if needed(points) <= NEVER_ASKED:
        return
    free = available_memory()
    if free is None or needed(points) <= free:
        return
    low, high = 0, max(points - 1, 0)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if needed(middle) <= free else (low, middle - 1)
    raise InputError(
        f"the barcode of {points} points in dimension {dimension} by engine {engine!r} is forecast to need "
        f"{needed(points) / 1e9:.2g} GB; {free / 1e9:.2g} GB are free: "
        + (
            f"take {low} landmarks or fewer (landmarks_maxmin, or landmarks= of barcode)"
            if low
            else "give fewer points or distances"
        )
        + ("" if engine == "annotations" or dimension > 1 else ", or use engine='annotations'")
    )
