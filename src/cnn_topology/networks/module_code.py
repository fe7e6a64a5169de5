"""Files of Python that a user's module is made from: a change in one of them makes its networks anew."""

import ast
import sys
import sysconfig
from collections.abc import Iterator, Set
from itertools import accumulate
from pathlib import Path

from cnn_topology.plan.code import PACKAGE

_STANDARD = Path(sysconfig.get_path("stdlib"))
# Of a module, those that no text names and that were loaded with it, by `importlib`: Python loads each only once.
_UNNAMED: dict[str, set[str]] = {}


def own_code(root: str, before: Set[str]) -> list[str]:
    """List the files below the folder of the start that a module was made from, but for packages and this program.

    Parameters
    ----------
    root : str
        Name of the module of Python that was imported, and run.
    before : set of str
        Names in `sys.modules` before that: what only others need is left out.

    Returns
    -------
    list of str
        Paths from that folder, sorted.
    """
    here = Path.cwd()
    files = {name: Path(file) for name, module in [*sys.modules.items()] if (file := getattr(module, "__file__", None))}
    own = {name: file for name, file in files.items() if file.is_relative_to(here) and not _is_installed(file)}
    named, new = _reached(root, own), own.keys() - before
    _UNNAMED.update(dict.fromkeys(new, new - named))
    return sorted({str(own[name].relative_to(here)) for name in named | new})


def _is_installed(file: Path) -> bool:
    installed = {"site-packages", "dist-packages"} & {*file.parts}
    return bool(installed) or file.is_relative_to(_STANDARD) or file.is_relative_to(PACKAGE)


def _reached(root: str, own: dict[str, Path]) -> set[str]:
    """Return which modules one imports, and these, themselves included, as far as they are loaded."""
    reached: set[str] = set()
    waiting = [*_with_packages(root)]
    while waiting:
        name = waiting.pop()
        if name in own and name not in reached:
            reached.add(name)
            waiting += [*_imports(name, own[name]), *_UNNAMED.get(name, ())]
    return reached


def _imports(name: str, file: Path) -> Iterator[str]:
    """Yield what the text of a module imports, in functions too; of names in a module it is open what they are."""
    if file.suffix != ".py":
        return
    package = name.split(".") if file.stem == "__init__" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_packages(alias.name)
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) + 1 - node.level] if node.level else []
            source = [*parents, *([node.module] if node.module else [])]
            for alias in node.names:
                yield from _with_packages(".".join([*source, alias.name]))


def _with_packages(name: str) -> Iterator[str]:
    """Yield a name and those of the packages that it is in, which are imported with it."""
    return accumulate(name.split("."), "{}.{}".format)
