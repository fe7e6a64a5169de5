"""Work of compiled code, which releases the interpreter lock, on some threads."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from cnn_topology.checks import whole

# Items that are taken for each thread before all threads wait for the last of these.
AT_ONCE = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def usable_cores() -> int:
    """Return the number of cores that this process may use.

    Returns
    -------
    int
    """
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()) or 1


def in_threads(work: Callable[[int, int], object], spans: Iterable[tuple[int, int]], threads: int) -> None:
    """Call `work` with the begin and end of each span; errors are passed on.

    One thread is the caller's own: to start and end another takes as long as a null draw's search for neighbours.

    Parameters
    ----------
    work : callable
        Takes the begin and the end of a span.
    spans : iterable of (int, int)
    threads : int
        1 or more.

    Raises
    ------
    InputError
        If that is no number of threads.
    """
    mapped(lambda span: work(*span), spans, threads)


def mapped(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> list[Result]:
    """Return what `work` gives for each item, in their order; errors are passed on.

    Parameters
    ----------
    work : callable
    items : iterable
        Of which a few for each thread are taken at once.
    threads : int
        1 or more. Ctrl-C waits for the items under way and begins no other.

    Returns
    -------
    list

    Raises
    ------
    InputError
        If that is no number of threads.
    """
    if whole(threads, "threads", 1) == 1:
        return [work(item) for item in items]
    left = iter(items)
    done: list[Result] = []
    with ThreadPoolExecutor(threads) as pool:
        while taken := list(islice(left, AT_ONCE * threads)):
            done += pool.map(work, taken)
    return done
