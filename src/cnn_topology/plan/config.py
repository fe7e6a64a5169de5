"""The config of a run: one model, read from YAML and validated once, before any job starts."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from cnn_topology.errors import InputError, unknown
from cnn_topology.plan.activation_mapper import ActivationMapper, check_activation_mapper
from cnn_topology.plan.activations import ActivationClouds
from cnn_topology.plan.base import Distinct, Name, Section
from cnn_topology.plan.checkpoints import Checkpoint
from cnn_topology.plan.clouds import Cloud, Controls, Jobs, Significance
from cnn_topology.plan.generalization import Dynamics, Generalization, grid_populations
from cnn_topology.plan.images import ImageSetConfig, batch_problem, check_sizes, count_problem, shape_of, size_of
from cnn_topology.plan.improvements import Improvement, check_improvements
from cnn_topology.plan.layer_distances import LayerDistances
from cnn_topology.plan.mapper import Mapper
from cnn_topology.plan.populations import Population, check_matched
from cnn_topology.plan.resnets import ResNets, check_normalization, resnet_layers

CONFIG_VERSION = 1

# Sections whose entries come in kinds, told apart by `kind`.
UNIONS = ("images", "checkpoints", "resnets")
# What pydantic says in the words of Python, in those of a config file.
PLAIN_WORDS = {
    "missing": "this key is required, and is not there",
    "too_short": "expected at least one item",
    "tuple_type": "expected a list, as [a, b]",
    "union_tag_not_found": "`kind` (of `resnets`: `variant`) is required, and is not there",
    "string_type": "expected a text; put quotes around it",
    "string_pattern_mismatch": "expected letters, digits, _ and - only, the first a letter or digit, at most 80",
}
# What pydantic calls the branches of a key that takes a list or a word.
LIST = "function-after[_each_once(), tuple["
BRANCHES = (LIST, "literal[")


class RunConfig(Section):
    """One run: one config file and everything made from it, under `results/<name>/`."""

    version: Literal[1] = Field(description="Version of the config format; this program reads version 1.")
    name: Name = Field(description="Name of the run and of its folder under `results/`.")
    seed: int = Field(2018, ge=0, lt=2**63, description="The run's seed; every item's own seed is derived from it.")
    images: dict[Name, ImageSetConfig] = Field({}, description="Image sets, by a name of your choice.")
    populations: dict[Name, Population] = Field({}, description="Populations of networks, by name (weights paper).")
    checkpoints: dict[Name, Checkpoint] = Field(
        {}, description="Networks that others trained, by name; `clouds` names them like populations (weights paper)."
    )
    clouds: tuple[Cloud, ...] = Field((Cloud(),), min_length=1, description="Point clouds to analyse.")
    significance: Significance = Field(Significance(), description="How loops are tested.")
    mapper: Mapper | None = Field(Mapper(), description="Mapper graphs of each layer; `null` leaves them out.")
    dynamics: Dynamics | None = Field(None, description="Onset and following of loops over training; absent: left out.")
    generalization: Generalization | None = Field(
        None, description="Topology of single networks against accuracy; absent: left out."
    )
    controls: Controls = Field(Controls(), description="Synthetic controls.")
    resnets: dict[Name, ResNets] = Field(
        {}, description="Populations of residual networks, by name (activations paper)."
    )
    activation_clouds: dict[Name, ActivationClouds] = Field(
        {}, description="Point clouds of the activations of `resnets`, by name."
    )
    activation_mapper: dict[Name, ActivationMapper] = Field(
        {}, description="Mapper graphs of activation clouds, by the name of the way to make them."
    )
    layer_distances: LayerDistances | None = Field(
        None, description="Distances between the layers of `resnets` by their clouds, and the tests of the measures."
    )
    improvements: dict[Name, Improvement] = Field(
        {}, description="Populations compared with a plain one in learning speed and accuracy, by group."
    )
    figures: Distinct[str] | Literal["all"] = Field(
        "all", description="Figures to draw, by the names that `snakemake --list` gives, or `all`."
    )
    jobs: Jobs = Field(Jobs(), description="How work is cut into jobs.")

    @property
    def grids(self) -> dict[str, dict[str, Population]]:
        """The populations of each grid, by name; they are no part of `populations`."""
        return grid_populations(self.generalization.grids, self.populations) if self.generalization else {}

    @property
    def trained(self) -> dict[str, Population]:
        """All populations that are trained: those of the config, then those of its grids."""
        return {**self.populations, **{name: found for grid in self.grids.values() for name, found in grid.items()}}

    @model_validator(mode="after")
    def _references_hold(self) -> "RunConfig":
        if not self.populations and not self.checkpoints and not self.resnets:
            raise ValueError(
                "a run needs `populations` or `checkpoints` (weights paper) or `resnets` (activations paper)"
            )
        for name, images_config in self.images.items():
            check_sizes(name, images_config)
        self._check_names()
        varied = {
            f"generalization.grids.{grid} ({name})": population
            for grid, populations in self.grids.items()
            for name, population in populations.items()
        }
        listed = {f"populations.{name}": population for name, population in self.populations.items()}
        for where, population in {**listed, **varied}.items():
            for key, images in [("images", population.images), *(("cross_test", c) for c in population.cross_test)]:
                if images not in self.images:
                    raise ValueError(str(unknown(f"image set in {where}.{key}", images, self.images)))
            images_config = self.images[population.images]
            try:
                shape_of(images_config)
            except ValueError as error:
                raise ValueError(f"{where} on images.{population.images}: {error}") from error
            most, wanted = size_of(images_config, "train"), population.recipe.train_images
            if most is not None and wanted is not None and wanted > most:
                raise ValueError(f"{where}: train_images = {wanted}, but images.{population.images} has {most}")
            if problem := batch_problem(where, population.recipe.batch, wanted or most, population.images):
                raise ValueError(problem)
            last = population.recipe.iterations
            late = [step for step in population.snapshots.iterations if step > last]
            if late:
                raise ValueError(f"{where}.snapshots.iterations: {late[0]} lies after the last iteration, {last}")
        check_improvements(self.improvements, self.populations)
        if self.dynamics and 1 / (self.dynamics.draws + 1) > self.significance.alpha:
            needed = math.ceil(1 / self.significance.alpha) - 1
            raise ValueError(
                f"dynamics.draws = {self.dynamics.draws}: the level alpha = {self.significance.alpha} of significance "
                f"needs at least {needed} draws"
            )
        check_matched(self.trained)
        return self

    def _check_names(self) -> None:
        """Refuse networks of different kinds that share a name: they would share folders."""
        taken = dict.fromkeys(self.populations, "populations has")
        taken |= {name: f"generalization.grids.{grid} makes" for grid, found in self.grids.items() for name in found}
        for section, names in (("resnets", self.resnets), ("checkpoints", self.checkpoints)):
            for name in names:
                if name in taken:
                    raise ValueError(f"{section}.{name}: {taken[name]} networks of that name too; rename one")
                taken[name] = f"{section} has"

    @model_validator(mode="after")
    def _activations_hold(self) -> "RunConfig":
        for name, networks in self.resnets.items():
            where = f"resnets.{name}"
            if networks.images not in self.images:
                raise ValueError(str(unknown(f"image set in {where}.images", networks.images, self.images)))
            if networks.scores is not None and not networks.checkpoints:
                raise ValueError(
                    f"{where}.scores is for checkpoints; trained networks have the classes of their images"
                )
            shape = shape_of(self.images[networks.images])
            if not networks.checkpoints:
                size = size_of(self.images[networks.images], "train")
                if problem := batch_problem(where, networks.recipe.batch, size, networks.images):
                    raise ValueError(problem)
            try:
                check_normalization(networks, shape)
                resnet_layers(networks, shape)
            except ValueError as error:
                raise ValueError(f"{where} on images.{networks.images}: {error}") from error
        for name, clouds in self.activation_clouds.items():
            self._check_activation_clouds(f"activation_clouds.{name}", clouds)
        self._check_activation_mapper()
        return self

    def _check_activation_mapper(self) -> None:
        layers, networks = {}, {}
        for name, clouds in self.activation_clouds.items():
            section = self.resnets[clouds.networks]
            known = resnet_layers(section, shape_of(self.images[section.images]))
            layers[name] = tuple(x.name for x in known if clouds.layers == "all" or x.name in clouds.layers)
            networks[name] = tuple(range(section.networks)) if clouds.of == "all" else clouds.of
        check_activation_mapper(self.activation_mapper, self.activation_clouds, layers, networks)

    def _check_activation_clouds(self, where: str, clouds: ActivationClouds) -> None:
        if clouds.networks not in self.resnets:
            raise ValueError(str(unknown(f"networks in {where}.networks", clouds.networks, self.resnets)))
        networks = self.resnets[clouds.networks]
        late = [number for number in clouds.of if number >= networks.networks] if clouds.of != "all" else []
        if late:
            raise ValueError(
                f"{where}.of: {clouds.networks} has the networks 0 to {networks.networks - 1}, found {late[0]}"
            )
        images = self.images[networks.images]
        if problem := count_problem(where, clouds.count, networks.images, images, clouds.split):
            raise ValueError(problem)
        shape = shape_of(images)
        layers = {layer.name: layer for layer in resnet_layers(networks, shape)}
        for layer in () if clouds.layers == "all" else clouds.layers:
            if layer not in layers:
                raise ValueError(str(unknown(f"layer of {clouds.networks} in {where}.layers", layer, layers)))
        if clouds.masked and shape[2] != 3:
            raise ValueError(
                f"{where}: sampling {clouds.sampling} needs colour for GrabCut, but images.{networks.images} are gray; "
                f"state shape: [{shape[0]}, {shape[1]}, 3] there"
            )
        if clouds.masked and shape[0] != shape[1]:
            raise ValueError(
                f"{where}: sampling {clouds.sampling} needs square images, whose masks the published code transposes, "
                f"but images.{networks.images} are {shape[0]}x{shape[1]}; state another `shape` there"
            )
        if clouds.masked and networks.stem != "cifar":
            raise ValueError(
                f"{where}: sampling {clouds.sampling} weighs positions by a network with stem: cifar, "
                f"{clouds.networks} has stem: {networks.stem}; use random, full or top-l2"
            )
        asked = layers if clouds.layers == "all" else clouds.layers
        for layer in asked:
            height, width = layers[layer].height, layers[layer].width
            if clouds.masked and clouds.top > height * width:
                raise ValueError(
                    f"{where}.top is {clouds.top}, but {layer} has {height * width} positions; leave it out"
                )
            if clouds.sampling == "random" and clouds.published and min(height, width) == 1:
                raise ValueError(
                    f"{where}: mode: published leaves out the first row and column of {layer} ({height}x{width}), and "
                    "no position remains; use corrected"
                )

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole config, defaults filled in."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def to_yaml(self) -> str:
        """Write the config as YAML, defaults filled in: a config file like any other."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


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


def read_config(path: Path) -> RunConfig:
    """Read and validate a config file.

    Raises
    ------
    InputError
        Naming the file, the key, its value and what was expected; unknown keys with the nearest valid one.
    """
    return parse_config(load_yaml(path), str(path))


def load_yaml(path: Path) -> Any:
    """Read a YAML file.

    Raises
    ------
    InputError
        If it is missing, no text, no valid YAML, or a key stands twice in one place.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such config file; config/demo.yaml is one to start from") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text: {error}") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from error
    except (RecursionError, ValueError, TypeError) as error:  # nesting without end; dates such as 2026-13-45
        raise InputError(f"{path}: is not valid YAML: {error}") from error


def parse_config(content: Any, source: str = "config") -> RunConfig:
    """Validate a config that was already read, as Snakemake hands it over.

    Raises
    ------
    InputError
        As `read_config`; `source` names the place the content came from.
    """
    if not isinstance(content, dict):
        raise InputError(
            f"{source}: expected keys and values, found {type(content).__name__}; start from config/demo.yaml"
        )
    version = content.get("version")
    if version != CONFIG_VERSION:
        raise InputError(
            f"{source}: version is {version!r}; this program reads version {CONFIG_VERSION}. "
            "config/README.md lists every key of this version."
        )
    try:
        return RunConfig.model_validate(content)
    except ValidationError as error:
        problems = error.errors()
        # A list with one bad item is also reported as too short: only the innermost problem helps.
        inner = [p for p in problems if not any(q["loc"][: len(p["loc"])] == p["loc"] for q in problems if q is not p)]
        raise InputError(
            "\n".join(dict.fromkeys(_explain(problem, source) for problem in _of_what_was_given(inner)))
        ) from error


def _of_what_was_given(problems: list[Any]) -> list[Any]:
    """Of keys that take a list or a word (`layers: [conv1]`, `layers: all`) keep what is wrong with the one given."""
    branches = [next((i for i, x in enumerate(p["loc"]) if str(x).startswith(BRANCHES)), None) for p in problems]
    lists = {p["loc"][:i] for p, i in zip(problems, branches, strict=True) if i and p["loc"][i].startswith(LIST)}
    kept = []
    for problem, at in zip(problems, branches, strict=True):
        where = problem["loc"]
        if at is None or where[:at] not in lists:
            kept.append(problem)
            continue
        problem = {**problem, "loc": where[:at] + where[at + 1 :]}
        if where[at].startswith(LIST):
            if len(where) > at + 1 or problem["type"] != "tuple_type":  # an item of the list, or how many there are
                kept.append(problem)
        elif not isinstance(problem["input"], list | tuple):
            kept.append({**problem, "msg": "expected a list, or " + problem["msg"].removeprefix("Input should be ")})
    return kept


def _explain(problem: Any, source: str) -> str:
    """Describe one problem of pydantic in the words of the config file."""
    # pydantic counts the branch of a union it tried (`npz`, `constrained-int`) as a step of the location.
    location = [p for i, p in enumerate(problem["loc"]) if not (problem["loc"][0] in UNIONS and i == 2)]
    branch = [p for p in location if str(p).startswith("constrained-")]
    parts = [str(part) for part in location if part not in branch]
    if problem["type"] == "extra_forbidden":
        key, place = parts[-1], _path(parts[:-1])
        section = f"key in {place}" if place else "key at the top level"
        return f"{source}: {unknown(section, key, _keys_at(problem['loc'][:-1]))}"
    key = _path(parts)
    if problem["type"] == "union_tag_invalid":
        said = {name: str(text).replace("'", "") for name, text in problem["ctx"].items()}
        error = unknown(f"{said['discriminator']} in {key}", said["tag"], said["expected_tags"].split(", "))
        return f"{source}: {error}"
    message = PLAIN_WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
    if branch:
        message = "expected a whole number from 1 (a count) or a fraction between 0 and 1"
    given = problem.get("input")
    if not key or isinstance(given, dict | list):
        return f"{source}: {key + ': ' if key else ''}{message}"
    return f"{source}: {key} = {json.dumps(given, default=str)}: {message}"


def _path(parts: list[str]) -> str:
    """Write a location as the config file has it: ``clouds[0].densities[1].k``."""
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts).removeprefix(".")


def _keys_at(location: tuple[Any, ...]) -> list[str]:
    """List the valid keys of the section that a pydantic location leads to."""
    schema = RunConfig.model_json_schema()
    here: dict[str, Any] = schema
    for part in location:
        here = _resolve(here, schema)
        if "oneOf" in here:  # a union told apart by its `kind`, which pydantic counts as one step of the location
            here = {"$ref": here["discriminator"]["mapping"][part]}
        elif isinstance(part, int):
            here = here["items"]
        else:
            named = [here.get("additionalProperties"), *here.get("patternProperties", {}).values()]
            here = here.get("properties", {}).get(part) or next(node for node in named if isinstance(node, dict))
    return list(_resolve(here, schema).get("properties", {}))


def _resolve(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference, and the one non-null branch of an optional section."""
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in node and len(branches := [b for b in node["anyOf"] if b.get("type") != "null"]) == 1:
            node = branches[0]
        elif "allOf" in node and len(node["allOf"]) == 1:
            node = node["allOf"][0]
        else:
            return node
