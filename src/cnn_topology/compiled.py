"""The decorator of compiled functions: they are kept on disk where a folder can be written."""

import sys
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numba as nb
from numba.core import event

# Functions that are kept on disk: those whose compilation is announced.
_KEPT: set[Callable[..., Any]] = set()


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles a function, releases the interpreter lock in it, and keeps it on disk.

    Parameters
    ----------
    **options
        Further options of ``numba.njit``.

    Returns
    -------
    callable
    """

    def decorated(function: Callable[..., Any]) -> Any:
        try:
            kernel = nb.njit(nogil=True, cache=True, **options)(function)
        except RuntimeError:  # neither the package's folder nor a home can be written
            _warn_of_no_cache()
            return nb.njit(nogil=True, **options)(function)
        _KEPT.add(function)
        _listen()
        return kernel

    return decorated


@cache
def _warn_of_no_cache() -> None:
    warnings.warn(
        "cnn-topology compiles its kernels anew in each process, some seconds each: neither the folder of the package "
        "nor the home can be written. Set NUMBA_CACHE_DIR to a folder that can",
        stacklevel=4,
    )


class _Announcement(event.Listener):
    """One line on stderr when the first kernel is compiled and not read from disk."""

    def on_start(self, event: Any) -> None:
        if event.data["dispatcher"].py_func in _KEPT:
            _announce()

    def on_end(self, event: Any) -> None: ...


@cache
def _announce() -> None:
    print(
        "cnn-topology compiles its kernels: half a minute at most, once after each installation",
        file=sys.stderr,
        flush=True,
    )


@cache
def _listen() -> None:
    event.register("numba:compile", _Announcement())
