"""The one exception a user meets: it names what was read, what was expected and how to mend it."""

import io
import os
import sys
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches

# Problems that one message names.
MOST_NAMED = 5


class InputError(ValueError):
    """Something given to the program cannot be used; the command line prints the message without a traceback.

    Notes
    -----
    The message names what was read, what was expected and how to mend it. It is a ValueError, which code around other
    libraries of the field expects.

    Examples
    --------
    >>> import cnn_topology as ct
    >>> try:
    ...     ct.barcode([[0.0, 1.0], [float("nan"), 2.0]])
    ... except ct.InputError as error:
    ...     print(error)
    the point cloud has 1 of 2 points with NaN or infinite coordinates, first in row 1: drop them before
    """


def unknown(what: str, name: str, valid: Iterable[str]) -> InputError:
    """Return the error for a name that is none of the valid ones, with the nearest of them.

    Parameters
    ----------
    what : str
        The kind of thing the name should stand for, with its place: ``"layer in clouds[0].layers"``.
    name : str
        The name as given.
    valid : iterable of str
        All names that would have been accepted.
    """
    names = sorted(valid)
    near = get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return InputError(f"unknown {what}: {name!r}{hint}; valid: {', '.join(names) if names else 'none'}")


def check_known(what: str, name: str, valid: Collection[str]) -> None:
    """Refuse a name that is none of the valid ones, with the error of `unknown`."""
    if name not in valid:
        raise unknown(what, name, valid)


def readable(name: str) -> str:
    """Return the name of a file as text: bytes that are no UTF-8, as Latin-1 has them, are written as numbers."""
    return os.fsencode(name).decode(errors="backslashreplace")


def escape_unprintable() -> None:
    """Write what the encoding of standard output or error lacks as its number; by default to print it is an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def in_words(seconds: float | None) -> str:
    """Write a time in words: ``40 s``, ``3 min``, ``2.5 h``."""
    if seconds is None:
        return "unknown time"
    if seconds < 90:
        return f"{max(1, round(seconds))} s" if seconds else "0 s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def together(problems: Sequence[str]) -> InputError:
    """Return one error of several problems, so that all can be mended at once; it names the first `MOST_NAMED`."""
    if len(problems) == 1:
        return InputError(problems[0])
    named = " ".join(f"({number}) {problem}" for number, problem in enumerate(problems[:MOST_NAMED], start=1))
    more = f" and {len(problems) - MOST_NAMED} more" if len(problems) > MOST_NAMED else ""
    return InputError(f"{len(problems)} problems: {named}{more}")
