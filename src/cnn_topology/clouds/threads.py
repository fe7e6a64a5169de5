"""Work of compiled code, which releases the interpreter lock, on some threads."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from cnn_topology.checks import whole


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
    threads = whole(threads, "threads", 1)
    if threads == 1:
        for span in spans:
            work(*span)
        return
    with ThreadPoolExecutor(threads) as pool:
        # `list` waits for all and passes on what went wrong in them.
        list(pool.map(lambda span: work(*span), spans))
