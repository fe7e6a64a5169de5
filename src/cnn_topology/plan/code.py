"""A digest of the code that a verb runs: rules carry it, so that a change of the code reruns what depends on it.

Snakemake watches inputs and parameters, not a package behind a command line. The digest covers the source of the
verb's module and of all it imports from this package, found in the text alone: nothing is imported, and no drawing
code is read for training. It is computed while the Snakefile is parsed, in milliseconds.
"""

import hashlib
import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# What says which work there is and carries it: what of it matters to a job stands in the job's parameter block. Of the
# plan only what computes counts: seeds, and the layers of an architecture.
CARRIERS = re.compile(
    r"(plan(?!\.(seeds|populations|resnets)$)|cli|errors|tables\.(\w*schemas|columns)|figures\.kinds)\b.*"
)
_IMPORT = re.compile(
    r"^[ \t]*(?:from cnn_topology(\S*) import \(?([^)\n]*|[^)]*)\)?$|import cnn_topology\.(\S+))", re.M
)
_IDLE = re.compile(r"^\s*(#.*)?\n", re.M)


def code_digest(verb: str, *modules: str) -> str:
    """Digest the code behind a verb.

    Parameters
    ----------
    verb : str
        A verb of `cnn-topology`: a module of `commands`.
    *modules : str
        Modules that the command loads by name besides, such as ``"figures.cloud"``.

    Returns
    -------
    str
        Twelve hexadecimal digits; blank lines and lines of comment do not count.
    """
    return _digest((f"commands.{verb.replace('-', '_')}", *modules))


@cache
def _digest(roots: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for module in sorted(modules_behind(*roots)):
        for path in _files(module):
            digest.update(f"{path.name}\n".encode() + _IDLE.sub("", path.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()[:12]


def modules_behind(*roots: str) -> set[str]:
    """Give the modules of this package that some of its modules need, themselves included: ``"topology.klein"``."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imports(module)
    return found


@cache
def _imports(module: str) -> tuple[str, ...]:
    """List what a module imports from this package and is no carrier."""
    named: list[str] = []
    for path in _files(module)[:1]:
        for source, names, plain in _IMPORT.findall(path.read_text(encoding="utf-8")):
            parent = source.removeprefix(".")
            candidates = [f"{parent}.{name.split()[0]}".removeprefix(".") for name in names.split(",") if name.strip()]
            named += [name for name in (plain, parent, *candidates) if name and _files(name)]
    return tuple(name for name in dict.fromkeys(named) if not CARRIERS.fullmatch(name))


@cache
def _files(module: str) -> tuple[Path, ...]:
    """Give the source of a module and whatever lies beside it under its name, such as the template of a page."""
    path = PACKAGE / (module.replace(".", "/") + ".py")
    return (path, *sorted(p for p in path.parent.glob(f"{path.stem}.*") if p.suffix != ".py")) if path.is_file() else ()
