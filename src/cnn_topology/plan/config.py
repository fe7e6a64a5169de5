"""The config of a run: one model, read from YAML and validated once, before any job starts."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from cnn_topology.errors import InputError, check_known, readable
from cnn_topology.plan.activations import ActivationClouds, ActivationMapper, LayerDistances, check_of_module
from cnn_topology.plan.base import Distinct, Name, OrWord, Section
from cnn_topology.plan.checkpoints import Checkpoint
from cnn_topology.plan.clouds import Cloud, Controls, Jobs, Significance
from cnn_topology.plan.config_errors import explained, start_of
from cnn_topology.plan.config_file import CONFIG_VERSION, ConfigFile, read_config_file
from cnn_topology.plan.generalization import Dynamics, Generalization, grid_populations
from cnn_topology.plan.images import (
    ImageSetConfig,
    check_batch,
    check_count,
    check_labelled,
    check_sizes,
    shape_of,
    size_of,
)
from cnn_topology.plan.mapper import Mapper
from cnn_topology.plan.populations import Improvement, Population, check_improvements, check_matched
from cnn_topology.plan.recorded import ModuleNetworks, check_normalization
from cnn_topology.plan.resnets import AnyRecorded, ResNets, recorded_layers


class RunConfig(Section):
    """One run: one config file and everything made from it, under `results/<name>/`."""

    version: Literal[2] = Field(description="Version of the config format; this program reads version 2.")
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
    modules: dict[Name, ModuleNetworks] = Field(
        {}, description="Networks of your own, any torch module, whose activations are looked at, by name."
    )
    activation_clouds: dict[Name, ActivationClouds] = Field(
        {}, description="Point clouds of the activations of `resnets` and `modules`, by name."
    )
    activation_mapper: dict[Name, ActivationMapper] = Field(
        {}, description="Mapper graphs of activation clouds, by the name of the way to make them."
    )
    layer_distances: LayerDistances | None = Field(
        None, description="Distances between the layers of networks by their clouds, and the tests of the measures."
    )
    improvements: dict[Name, Improvement] = Field(
        {}, description="Populations compared with a plain one in learning speed and accuracy, by group."
    )
    figures: OrWord[Distinct[str], Literal["all"]] = Field(
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

    @property
    def recorded(self) -> dict[str, AnyRecorded]:
        """All networks whose activations may be looked at, by name."""
        return {**self.resnets, **self.modules}

    @model_validator(mode="after")
    def _references_hold(self) -> "RunConfig":
        if not (self.populations or self.checkpoints or self.recorded):
            raise ValueError(
                "a run needs `populations` or `checkpoints` (weights paper) or `resnets` or `modules` (activations "
                "paper)"
            )
        for name, images_config in self.images.items():
            check_sizes(name, images_config)
        self._check_names()
        for name, section in self.checkpoints.items():  # patterns find files of any name, and no JSON or YAML holds it
            for place, file in enumerate(section.files):
                if readable(file) != file:
                    raise ValueError(
                        f"checkpoints.{name}.files[{place}] = {readable(file)}: is not UTF-8; rename the file"
                    )
        varied = {
            f"generalization.grids.{grid} ({name})": population
            for grid, populations in self.grids.items()
            for name, population in populations.items()
        }
        listed = {f"populations.{name}": population for name, population in self.populations.items()}
        for where, population in {**listed, **varied}.items():
            for key, images in [("images", population.images), *(("cross_test", c) for c in population.cross_test)]:
                check_known(f"image set in {where}.{key}", images, self.images)
                check_labelled(f"{where}.{key}", images, self.images[images])
            images_config, crop = self.images[population.images], population.recipe.crop
            try:
                height, width, _ = shape_of(images_config)
            except ValueError as error:
                raise ValueError(f"{where} on images.{population.images}: {error}") from error
            if crop is not None and crop > min(height, width):
                raise ValueError(
                    f"{where}.recipe.crop = {crop}: images.{population.images} has images of {height}x{width} pixels; "
                    "use a smaller crop or a larger `shape` of the image set"
                )
            most, wanted = size_of(images_config, "train"), population.recipe.train_images
            if most is not None and wanted is not None and wanted > most:
                raise ValueError(f"{where}: train_images = {wanted}, but images.{population.images} has {most}")
            check_batch(where, population.recipe.batch_size, wanted or most, population.images)
            last = population.recipe.iterations
            late = [step for step in population.snapshots.iterations if step > last]
            if late:
                raise ValueError(f"{where}.snapshots.iterations: {late[0]} lies after the last iteration, {last}")
        check_improvements(self.improvements, self.populations)
        if self.dynamics and 1 / (self.dynamics.bootstrap_draws + 1) > self.significance.alpha:
            raise ValueError(
                f"dynamics.bootstrap_draws = {self.dynamics.bootstrap_draws}: the level alpha = "
                f"{self.significance.alpha} of significance needs at least {self.significance.least_draws} draws"
            )
        check_matched(self.trained)
        return self

    def _check_names(self) -> None:
        """Refuse networks of different kinds that share a name: they would share folders."""
        taken = dict.fromkeys(self.populations, "populations has")
        taken |= {name: f"generalization.grids.{grid} makes" for grid, found in self.grids.items() for name in found}
        for section in ("resnets", "modules", "checkpoints"):
            for name in getattr(self, section):
                if name in taken:
                    raise ValueError(f"{section}.{name}: {taken[name]} networks of that name too; rename one")
                taken[name] = f"{section} has"

    @model_validator(mode="after")
    def _activations_hold(self) -> "RunConfig":
        for name, networks in self.recorded.items():
            where = f"modules.{name}" if isinstance(networks, ModuleNetworks) else f"resnets.{name}"
            check_known(f"image set in {where}.images", networks.images, self.images)
            shape = shape_of(self.images[networks.images])
            if not isinstance(networks, ModuleNetworks) and not networks.checkpoints:
                if networks.n_classes is not None:
                    raise ValueError(
                        f"{where}.n_classes is for checkpoints; trained networks have the classes of their images"
                    )
                check_labelled(f"{where} is trained, and", networks.images, self.images[networks.images])
                size = size_of(self.images[networks.images], "train")
                check_batch(where, networks.recipe.batch_size, size, networks.images)
            try:
                check_normalization(networks, shape)
                recorded_layers(networks, shape)
            except ValueError as error:
                raise ValueError(f"{where} on images.{networks.images}: {error}") from error
        for name, clouds in self.activation_clouds.items():
            self._check_activation_clouds(f"activation_clouds.{name}", clouds)
        return self

    def _check_activation_clouds(self, where: str, clouds: ActivationClouds) -> None:
        check_known(f"population in {where}.population", clouds.population, self.recorded)
        networks = self.recorded[clouds.population]
        late = [number for number in clouds.members if number >= networks.networks] if clouds.members != "all" else []
        if late:
            raise ValueError(
                f"{where}.members: {clouds.population} has the networks 0 to {networks.networks - 1}, found {late[0]}"
            )
        images = self.images[networks.images]
        check_count(where, clouds.n_images, networks.images, images, clouds.split)
        shape = shape_of(images)
        layers = {layer.name: layer for layer in recorded_layers(networks, shape)}
        stem = None if isinstance(networks, ModuleNetworks) else networks.stem
        if clouds.masked and stem != "cifar":
            raise ValueError(
                f"{where}: sampling {clouds.sampling} weighs positions by a residual network with stem: cifar, and "
                f"{clouds.population} {f'has stem: {stem}' if stem else 'is a module'}; use random, full or top-l2"
            )
        side = min(shape[:2])
        if clouds.masked and shape != (side, side, 3):
            raise ValueError(
                f"{where}: sampling {clouds.sampling} takes masks by GrabCut, so it needs square images in colour; "
                f"images.{networks.images} has shape {list(shape)}: state shape: [{side}, {side}, 3] there"
            )
        if isinstance(networks, ModuleNetworks):
            check_of_module(where, clouds)
            if not networks.recorded:  # what its layers are, the start will see
                return
        elif clouds.tensor == "output":
            raise ValueError(f"{where}.tensor: `output` is for `modules`; residual networks have conv, bn or relu")
        for layer in () if clouds.layers == "all" else clouds.layers:
            check_known(f"layer of {clouds.population} in {where}.layers", layer, layers)
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


def read_config(path: Path) -> RunConfig:
    """Read and validate a config file.

    Raises
    ------
    InputError
        Naming the file, the line, the key, its value and what was expected; unknown keys with the nearest valid one.
    """
    file = read_config_file(path)
    return parse_config(file.content, str(path), [file])


def parse_config(content: Any, source: str = "config", files: Sequence[ConfigFile] = ()) -> RunConfig:
    """Validate a config that was already read, as Snakemake hands it over.

    Parameters
    ----------
    content : Any
        Its keys and values.
    source : str
        The place the content came from.
    files : sequence of ConfigFile
        The files that it was read from, which know the lines of keys.

    Raises
    ------
    InputError
        As `read_config`.
    """
    if not isinstance(content, Mapping):
        found = "an empty file" if content is None else "a list" if isinstance(content, list) else repr(content)
        raise InputError(f"{source}: expected keys and values, found {found}; start from config/demo.yaml")
    version = content.get("version")
    if version != CONFIG_VERSION:
        raise InputError(
            f"{start_of(source, files, ('version',))}version is {version!r}; this program reads version "
            f"{CONFIG_VERSION}. config/README.md lists every key of this version."
        )
    try:
        return RunConfig.model_validate(_with_tuples(content), strict=True)
    except ValidationError as error:
        problems = explained(error.errors(), RunConfig.model_json_schema(), source, files)
        raise InputError("\n".join(problems)) from error


def _with_tuples(content: Any) -> Any:
    """Return the content with tuples for lists, which is what the models have; nothing else is converted for them."""
    if isinstance(content, Mapping):
        return {key: _with_tuples(value) for key, value in content.items()}
    return tuple(map(_with_tuples, content)) if isinstance(content, list | tuple) else content
