"""A digest of the code that a verb runs: rules carry it, so that a change of the code reruns what depends on it.

Snakemake watches inputs and parameters, not a package behind a command line. The digest covers the source of the
verb's module and of all it imports from this package, found in the text alone: nothing is imported, and no drawing
code is read for training. Of the modules of `plan`, which describe runs, and of `tables`, only what the verb's code
reaches by name counts: functions, methods, and of the row type of a table its columns and their types. It is computed
while the Snakefile is parsed, in a fraction of a second for all verbs.
"""

import ast
import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# What carries the work: what of it matters to a job stands in the job's parameter block.
EXCLUDED_FROM_DIGEST = re.compile(r"(cli|errors|plan\.code|figures\.(planned|registry))\b.*")
# The plan says which work there is, of which the block holds the outcome, and the tables have a class each: what of
# them matters to a job is taken name by name.
BY_NAME = re.compile(r"(plan|tables)\..*")
TABLES = re.compile(r"tables\..*")
_IMPORT = re.compile(
    r"^[ \t]*(?:from cnn_topology(\S*) import (?:\(([^)]*)\)|([^(\n]*))$|import cnn_topology\.(\S+))", re.M
)
_IDLE = re.compile(r"^\s*(#.*)?\n", re.M)
# Methods that check a config or make a block from it: their work is done before a job starts.
_BEFORE = {"model_validator", "field_validator", "classmethod"}
# Marks of names for types, which say what a config may hold.
_TYPES = {"Annotated", "Literal", "TypeVar"}


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
    modules = modules_behind(*roots)
    for module in sorted(modules):
        for path in _files(module):
            digest.update(f"{path.name}\n".encode() + _IDLE.sub("", path.read_text(encoding="utf-8")).encode())
    for name, code in sorted(planned_code(modules).items()):
        digest.update(f"{'.'.join(name)}\n{code}".encode())
    return digest.hexdigest()[:12]


def modules_behind(*roots: str) -> set[str]:
    """Return the modules of this package that some of its modules need, themselves included: ``"topology.klein"``."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            named = [name for source, part in _imported(module) for name in (source, f"{source}.{part}".strip("."))]
            # What carries the work does not count, and what is taken by name counts elsewhere.
            counted = [name for name in named if not (EXCLUDED_FROM_DIGEST.fullmatch(name) or BY_NAME.fullmatch(name))]
            waiting += [name for name in counted if _files(name)]
    return found


def planned_code(modules: set[str]) -> dict[tuple[str, str], str]:
    """Return the code of `plan` and `tables` that some modules reach: of each definition what matters to a job.

    Parameters
    ----------
    modules : set of str
        Modules outside of these packages.

    Returns
    -------
    dict
        By module and name: the source of a function or a constant, of the methods of a class, and of the columns of a
        row type.
    """
    found: dict[tuple[str, str], str] = {}
    waiting = [name for module in modules for name in _imported(module)]
    while waiting:
        module, name = waiting.pop()
        if (module, name) not in found and BY_NAME.fullmatch(module) and not EXCLUDED_FROM_DIGEST.fullmatch(module):
            found[module, name], mentioned = _definitions(module).get(name, ("", ()))
            waiting += [*mentioned]
    return found


@cache
def _imported(module: str) -> tuple[tuple[str, str], ...]:
    """List what a module imports from this package, by module and name; of a module as a whole the name is empty."""
    pairs = []
    for source, many, few, plain in _IMPORT.findall(_text(module)):
        names = [name.split()[0] for name in (many + few).split(",") if name.strip()]
        pairs += [(source.removeprefix("."), name) for name in names] or [(plain, "")]
    return tuple(pairs)


@cache
def _definitions(module: str) -> dict[str, tuple[str, tuple[tuple[str, str], ...]]]:
    """Return what a module defines: by name the code that counts, and where the names in it are defined."""
    text = _text(module)
    lines, imported = text.splitlines(keepends=True), {name: source for source, name in _imported(module)}
    defined = {}
    for node in ast.parse(text).body:
        counted = list(_counted(node))
        code = "".join("".join(lines[part.lineno - 1 : part.end_lineno]) for part in counted)
        if TABLES.fullmatch(module) and isinstance(node, ast.ClassDef):
            code += "".join(f"{ast.unparse(column)}\n" for column in _table_columns(node))
        # What the fields of a class hold may have methods that a job calls, so all names in it are followed.
        skipped = [part for part in getattr(node, "body", ()) if isinstance(part, ast.FunctionDef)]
        followed = [part for part in ast.iter_child_nodes(node) if part not in skipped] + counted
        mentioned = sorted(set().union(*map(_mentioned, followed)))
        for name in _names(node):
            defined[name] = _IDLE.sub("", code), tuple((imported.get(m, module), m) for m in mentioned)
    return defined


def _table_columns(row_type: ast.ClassDef) -> Iterator[ast.AnnAssign]:
    """Yield the columns of a row type, without their meanings and units: better words for these rerun nothing."""
    for field in row_type.body:
        if isinstance(field, ast.AnnAssign) and isinstance(field.value, ast.Call):
            kept = [option for option in field.value.keywords if option.arg != "unit"]
            field.value.args, field.value.keywords = [], kept
            yield field


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return sorted(set().union(*map(_mentioned, targets)))


def _counted(node: ast.stmt) -> Iterator[ast.stmt]:
    """Yield the parts of a definition whose code runs inside a job."""
    if isinstance(node, ast.ClassDef):
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and not _BEFORE & set().union(*map(_mentioned, item.decorator_list)):
                yield item
    elif not _TYPES & _mentioned(node) or isinstance(node, ast.FunctionDef):
        yield node


def _mentioned(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _text(module: str) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in _files(module)[:1])


@cache
def _files(module: str) -> tuple[Path, ...]:
    """Return the source of a module and whatever lies beside it under its name, such as the template of a page."""
    path = PACKAGE / (module.replace(".", "/") + ".py")
    return (path, *sorted(p for p in path.parent.glob(f"{path.stem}.*") if p.suffix != ".py")) if path.is_file() else ()
