"""The YAML of a config file, with the line of each key; keys of the format before this one have new names here."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cnn_topology.errors import InputError

CONFIG_VERSION = 2
# Keys of format 1 with their names in format 2: sections by name have a `*`, lists are passed through. None: the key is
# gone, as nothing that was published needs it.
RENAMED: dict[str, str | None] = {
    "populations.*.shard": "networks_per_job",
    "populations.*.recipe.batch": "batch_size",
    "populations.*.snapshots.epochs": None,
    "populations.*.architecture.pool_after": None,
    "clouds.few_points": "on_too_few",
    "mapper.most_points": "max_points",
    "mapper.least_node": None,
    "mapper.lens_of_scaled": "scaled_lens",
    "mapper.sweep_of_many": None,
    "mapper.cut": None,
    "mapper.sweep.lens_of_scaled": "scaled_lens",
    "mapper.sweep.cut": None,
    "dynamics.draws": "bootstrap_draws",
    "dynamics.layers": None,
    "generalization.bootstrap": "bootstrap_draws",
    "generalization.steps": None,
    "generalization.grids.*.snapshots": None,
    "controls.noise": None,
    "significance.covariance": None,
    "significance.one_circle_ratio": None,
    "resnets.*.scores": "n_classes",
    "resnets.*.recipe.batch": "batch_size",
    "resnets.*.recipe.factor": "decay_factor",
    "activation_clouds.*.networks": "population",
    "activation_clouds.*.of": "members",
    "activation_clouds.*.count": "n_images",
    "activation_clouds.*.most_points": "max_points",
    "activation_clouds.*.border": None,
    "activation_clouds.*.replacement": None,
    "activation_clouds.*.residual": None,
    "activation_mapper.*.most_points": "max_points",
    "activation_mapper.*.least_node": None,
    "activation_mapper.*.per_layer": None,
    "activation_mapper.*.memory_gb": "max_memory_gb",
    "activation_mapper.*.draws": "label_shuffles",
    "layer_distances.components.networks": "members",
    "improvements.*.target": "target_accuracy",
    "jobs.steps": "steps_per_job",
    "jobs.networks": "networks_per_job",
    "jobs.layers": "layers_per_job",
    "jobs.clouds": "clouds_per_job",
}
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_RENAMED = {tuple(path.split(".")): new for path, new in RENAMED.items()}
_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


# Of a config file: 1,500 checkpoint files with long names are a tenth of this.
MOST_BYTES, MOST_ENTRIES, DEEPEST = 1_000_000, 50_000, 50
# Numbers that do not mean what they look like: YAML reads 010 as 8, 1:30 as 90, 0x10 as 16 and 0b10 as 2.
_ODD_NUMBER = re.compile(r"[-+]?0[0-9_]|[-+]?0[bx]|.*:", re.I)


@dataclass(frozen=True)
class ConfigFile:
    """What a config file holds.

    Attributes
    ----------
    path : Path
    content : Any
        Its keys and values.
    node : yaml.Node or None
        The same with the line of each; None of an empty file.
    """

    path: Path
    content: Any
    node: yaml.Node | None

    def line(self, place: Sequence[str | int]) -> int | None:
        """Return the line of a key or of an item of a list, from 1; None where the file does not have it.

        Parameters
        ----------
        place : sequence of str or int
            Keys, and places in lists from 0: ``("clouds", 0, "layers")``.
        """
        entry = self._entry(place)
        return entry and entry[0]

    def text(self, place: Sequence[str | int], value: Any) -> str | None:
        """Return how the file writes a value: `yes`, where YAML reads true; None where it does not have this value.

        Parameters
        ----------
        place : sequence of str or int
            As in `line`.
        value : Any
            The value: one that `--config key=value` has put there is not the file's.
        """
        if (entry := self._entry(place)) is None or not isinstance(node := entry[1], yaml.ScalarNode):
            return None
        if repr(_StrictLoader("").construct_object(node)) != repr(value):
            return None
        return json.dumps(value, default=str, ensure_ascii=False) if node.style else str(node.value)

    def _entry(self, place: Sequence[str | int]) -> tuple[int, yaml.Node] | None:
        line, node = None, self.node
        for part in place:
            line, node = next(((line, value) for key, line, value in _entries(node) if key == part), (None, None))
        return None if line is None or node is None else (line, node)


class _StrictLoader(yaml.SafeLoader):
    """YAML whose size is bounded, and in which a key may not stand twice in one place: the first would be lost."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._entries = self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._entries, self._depth = self._entries + 1, self._depth + 1
        if self._entries > MOST_ENTRIES or self._depth > DEEPEST:
            raise _too_large(self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:  # dates such as 2026-13-45
            raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag not in (_TEXT, _MERGE):
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value} is no text; put quotes around it", problem_mark=key.start_mark
                )
            if key.tag == _TEXT and key.value in seen:
                first, again = seen[key.value], key.start_mark.line + 1
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} stands twice, in lines {first} and {again}; keep one of them",
                    problem_mark=key.start_mark,
                )
            seen[key.value] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> ConfigFile:
    """Read a YAML file, whatever its keys.

    Raises
    ------
    InputError
        If it is missing, no text, too large, no valid YAML, or a key stands twice in one place.
    """
    try:
        if path.exists() and (not path.is_file() or path.stat().st_size > MOST_BYTES):
            raise InputError(f"{path}: is no config, which is a text file of up to {MOST_BYTES / 1e6:g} MB")
        loader = _StrictLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        if node is None:
            return ConfigFile(path, None, None)
        _measure(node, {})
        return ConfigFile(path, loader.construct_document(node), node)
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: no such config file; config/demo.yaml of the checkout is one to start from"
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}: line {line}: is no text in UTF-8 ({error.reason}); save the file in UTF-8"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        said = " ".join(filter(None, (error.context, error.problem)))
        if isinstance(error, yaml.parser.ParserError | yaml.scanner.ScannerError):
            said += "; a line is `key: value`, indented by spaces as its neighbours are"
        raise InputError(f"{path}: {where}is not valid YAML: {said}") from error
    except (yaml.YAMLError, TypeError) as error:
        raise InputError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from error


def _measure(node: yaml.Node, known: dict[int, tuple[int, int] | None]) -> tuple[int, int]:
    """Return how many entries a node has and how deep they lie, its aliases written out.

    Raises
    ------
    yaml.MarkedYAMLError
        If they are too many or too deep, or the node holds itself.
    """
    if id(node) in known:
        measured = known[id(node)]
        if measured is None:
            raise yaml.MarkedYAMLError(
                problem="what an alias (*) stands for holds itself", problem_mark=node.start_mark
            )
        return measured
    known[id(node)] = None
    parts = node.value if isinstance(node, yaml.CollectionNode) else []
    flat = [part for pair in parts for part in (pair if isinstance(pair, tuple) else (pair,))]
    sizes = [_measure(part, known) for part in flat]
    entries, deep = 1 + sum(size for size, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)
    if entries > MOST_ENTRIES or deep > DEEPEST:
        raise _too_large(node.start_mark)
    known[id(node)] = entries, deep
    return entries, deep


def _too_large(mark: yaml.Mark) -> yaml.MarkedYAMLError:
    problem = f"with its aliases written out it has more than {MOST_ENTRIES:,} entries or {DEEPEST} levels"
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def read_config_file(path: Path) -> ConfigFile:
    """Read a config file of this format.

    Raises
    ------
    InputError
        As `read_yaml`; if it is a config of format 1, with the line and the new name of each of its keys; if a number
        is written in a way that YAML reads as another one.
    """
    file = read_yaml(path)
    if not isinstance(file.content, dict):
        return file  # the error of the whole config names what it is
    version, changes = file.content.get("version", 1), renamed_keys(file.node)
    if version == 1:
        at = file.line(["version"])
        changes += [f"line {at}: version: 1 -> {CONFIG_VERSION}" if at else f"version is missing: add {CONFIG_VERSION}"]
    if changes:
        listed = "\n  ".join(changes)
        raise InputError(f"{path}: has keys of config format 1; this program reads format 2. Rename:\n  {listed}")
    if odd := list(dict.fromkeys(_odd_values(file.node))):
        raise InputError("\n".join(f"{path}: {problem}" for problem in odd))
    return file


def renamed_keys(node: yaml.Node | None) -> list[str]:
    """List the keys of format 1 in a config file.

    Parameters
    ----------
    node : yaml.Node or None
        The file's.

    Returns
    -------
    list of str
        By line: ``line 12: populations.a.shard -> networks_per_job``.
    """
    return [f"line {line}: {path} -> {new or 'remove it'}" for line, path, new in sorted(set(_old_keys(node)))]


def _old_keys(node: yaml.Node | None, above: tuple[str, ...] = ()) -> Iterator[tuple[int, str, str]]:
    for key, line, value in _entries(node):
        here = above if isinstance(key, int) else (*above, key)
        for old, new in _RENAMED.items():
            if here != above and len(old) == len(here) and all(a in ("*", b) for a, b in zip(old, here, strict=True)):
                yield line, ".".join(here), new or ""
        yield from _old_keys(value, here)


def _entries(node: yaml.Node | None) -> Iterator[tuple[str | int, int, yaml.Node]]:
    """Yield key, line and value of each entry of a mapping, those that it takes over by `<<` last, or of a list."""
    if isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield place, item.start_mark.line + 1, item
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.tag != _MERGE:
                yield str(key.value), key.start_mark.line + 1, value
        for key, value in node.value:
            if key.tag == _MERGE:
                for taken in value.value if isinstance(value, yaml.SequenceNode) else (value,):
                    yield from _entries(taken)


def _odd_values(node: yaml.Node | None, above: str = "") -> Iterator[str]:
    """Yield the keys that are no text and the numbers that YAML reads as others."""
    for key, line, value in _entries(node):
        here = f"{above}[{key}]" if isinstance(key, int) else f"{above}.{key}".removeprefix(".")
        if (
            isinstance(value, yaml.ScalarNode)
            and value.tag in _NUMBERS
            and not value.style
            and _ODD_NUMBER.match(value.value)
        ):
            number = _StrictLoader("").construct_object(value)
            yield (
                f"line {line}: {here} = {value.value}: YAML reads this as {number:g}; write the number in plain "
                "digits, without zeros before them"
            )
        yield from _odd_values(value, here)
