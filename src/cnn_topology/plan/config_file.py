"""The YAML of a config file, with the line of each key; keys of the format before this one have new names here."""

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
    "mapper.sweep_of_many": "sweep_large_clouds",
    "mapper.cut": None,
    "mapper.sweep.lens_of_scaled": "scaled_lens",
    "mapper.sweep.cut": None,
    "mapper.sweep_of_many.lens_of_scaled": "scaled_lens",
    "mapper.sweep_of_many.cut": None,
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
_RENAMED = {tuple(path.split(".")): new for path, new in RENAMED.items()}
_MERGE = "tag:yaml.org,2002:merge"


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


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key may not stand twice in one place: the first of them would be lost without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:str" and key.value in seen:
                first, again = seen[key.value], key.start_mark.line + 1
                raise yaml.constructor.ConstructorError(
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
        If it is missing, no text, no valid YAML, or a key stands twice in one place.
    """
    try:
        loader = _StrictLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
        return ConfigFile(path, None if node is None else loader.construct_document(node), node)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such config file; config/demo.yaml is one to start from") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text: {error}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from error
    except (RecursionError, ValueError, TypeError) as error:  # nesting without end; dates such as 2026-13-45
        raise InputError(f"{path}: is not valid YAML: {error}") from error


def read_config_file(path: Path) -> ConfigFile:
    """Read a config file of this format.

    Raises
    ------
    InputError
        As `read_yaml`; or if it is a config of format 1, with the line and the new name of each of its keys.
    """
    file = read_yaml(path)
    if not isinstance(file.content, dict):
        return file  # the error of the whole config names what it is
    version, changes = file.content.get("version", 1), renamed_keys(file.node)
    if version == 1:
        at = line_of(file.node, ["version"])
        changes += [f"line {at}: version: 1 -> {CONFIG_VERSION}" if at else f"version is missing: add {CONFIG_VERSION}"]
    if changes:
        listed = "\n  ".join(changes)
        raise InputError(f"{path}: has keys of config format 1; this program reads format 2. Rename:\n  {listed}")
    return file


def line_of(node: yaml.Node | None, location: Sequence[str | int]) -> int | None:
    """Return the line of a key or of an item of a list, from 1; None where the file does not have it.

    Parameters
    ----------
    node : yaml.Node or None
        The file's.
    location : sequence of str or int
        Keys, and places in lists from 0: ``("clouds", 0, "layers")``.
    """
    line = None
    for part in location:
        line, node = next(((line, value) for key, line, value in _entries(node) if key == part), (None, None))
    return line


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
