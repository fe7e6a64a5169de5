"""Point clouds of the layers of networks, drawn in one pass over the images (activations paper, section 1)."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from cnn_topology.activations.cloud_file import CloudOrigin, cloud_metadata
from cnn_topology.activations.extraction import Images, extract, hook_point
from cnn_topology.activations.influence import influences, position_weights
from cnn_topology.activations.mask_file import read_masks
from cnn_topology.activations.positions import (
    Chosen,
    Everywhere,
    choose_images,
    full_positions,
    heaviest_positions,
    masked_positions,
    random_positions,
)
from cnn_topology.data.image_set import ImageSet
from cnn_topology.errors import InputError
from cnn_topology.networks.recorded import network_of, to_device
from cnn_topology.plan.activation_parameters import ActivationParameters
from cnn_topology.plan.recorded import ModuleNetworks, RecordedLayer
from cnn_topology.plan.resnets import recorded_layers
from cnn_topology.seeds import derive_seed
from cnn_topology.storage.tables import write_table
from cnn_topology.storage.tensors import RowFile, read_metadata, read_tensors, write_tensors
from cnn_topology.tables.training import ResnetAccuracyRow
from cnn_topology.training.resnet_batches import Normalizer


@dataclass(frozen=True, eq=False)
class Look:
    """What all networks look at, and where: the same images, positions and noise."""

    image_set: ImageSet
    lineages: list[dict[str, str]]
    images: Images
    labels: np.ndarray
    empty_masks: int
    layers: list[RecordedLayer]
    chosen: dict[str, Chosen | Everywhere | None]


def looked_at(
    parameters: ActivationParameters, image_set: ImageSet, lineage: dict[str, str], mask_file: Path | None
) -> Look:
    """Choose the images of a cloud and the points of its layers."""
    section = parameters.clouds
    images, labels = image_set.split(section.split)
    key = f"activation_clouds.{parameters.cloud}.n_images"
    ids = choose_images(image_set, section.split, section.n_images, parameters.run_seed, key)
    noise = derive_seed(parameters.run_seed, "noise", image_set.name, section.split)
    layers = [layer for layer in recorded_layers(parameters.layout, image_set.shape) if layer.name in parameters.layers]
    masks, empty, lineages = None, 0, [lineage]
    if section.masked:
        assert mask_file is not None  # of a rule whose job has such a cloud
        masks = read_masks(mask_file, section.mode, section.sampling, ids)
        empty = int((~masks.any((1, 2))).sum())
        lineages.append(read_metadata(mask_file))
        where, what = f"activation_clouds.{parameters.cloud}", "drawn at random, as published"
        if section.mode == "corrected":
            what = "left out"
            if empty == len(ids):
                raise InputError(
                    f"{where}: GrabCut finds no {section.sampling} in any of {empty} images; use another sampling"
                )
        if empty:
            print(f"{where}: {empty} of {len(ids)} images have no {section.sampling} and are {what}", flush=True)
    return Look(
        image_set=image_set,
        lineages=lineages,
        images=Images(images, ids, section.sigma, noise),
        labels=labels[ids],
        empty_masks=empty,
        layers=layers,
        chosen=_choose(parameters, image_set, ids, layers, masks, len(labels)),
    )


def draw_clouds(
    parameters: ActivationParameters,
    number: int,
    look: Look,
    weights: Path,
    paths: dict[str, Path],
    accuracy: Path,
    device: torch.device,
) -> None:
    """Draw the clouds of a network, by its number, and write them with its accuracy on their images."""
    section, image_set, ids = parameters.clouds, look.image_set, look.images.ids
    tensors, metadata = read_tensors(weights)
    layout, classes = parameters.layout, len(image_set.classes)
    mean, sd = (json.loads(metadata[name]) for name in ("mean", "sd"))
    normalizer = Normalizer.of(mean, sd, device, channels_last=not isinstance(layout, ModuleNetworks))
    other_classes = None if isinstance(layout, ModuleNetworks) else layout.n_classes
    network = network_of(layout, tensors, image_set.shape[2], other_classes or classes, weights)
    to_device(network, layout, device)
    tensor = section.tensor_used(layout.variant)
    points = {
        layer.name: (
            hook_point(layer, "conv" if tensor == "conv" else "bn", section.published),
            look.chosen[layer.name],
        )
        for layer in look.layers
    }
    notes = parameters.notes([*look.lineages, metadata])
    with ExitStack() as stack:
        rows = {}
        for layer in look.layers:
            rows[layer.name] = stack.enter_context(RowFile(paths[layer.name], (layer.channels,)))
        positions, predictions = extract(
            network,
            normalizer,
            look.images,
            points,
            tensor == "relu",
            lambda name, part: rows[name].append(part),
            other_classes or classes,
            device,
        )
        for layer in look.layers:
            chosen = look.chosen[layer.name] or Chosen(np.arange(len(ids)), positions[layer.name])
            origin = CloudOrigin(
                population=parameters.population,
                network=number,
                seed=int(metadata["network_seed"]),
                weights=metadata["sha256"],
                layer=layer,
                cloud=parameters.cloud,
                drawn=section,
                tensor=tensor,
                images=len(ids),
                empty_masks=look.empty_masks,
                classes=image_set.classes,
            )
            _write_cloud(paths[layer.name], rows[layer.name], chosen, ids, look.labels, cloud_metadata(origin, notes))
    # Scores of other classes say nothing about the labels of these images.
    right = np.full(len(ids), np.nan)
    if predictions is not None and not other_classes:
        right = (predictions == look.labels).astype(float)
    table = _accuracy(parameters, number, int(metadata["network_seed"]), right, look)
    write_table(accuracy, table, ResnetAccuracyRow.schema, notes)
    print(
        f"{parameters.population} {number}, cloud {parameters.cloud}: {len(look.layers)} layers of {len(ids)} "
        f"images, accuracy {100 * right.mean():.2f} % at sigma = {section.sigma:g}",
        flush=True,
    )


def _write_cloud(
    path: Path,
    points: RowFile,
    chosen: Chosen | Everywhere,
    ids: np.ndarray,
    labels: np.ndarray,
    metadata: Mapping[str, str],
) -> None:
    """Write points, which wait on disk, with image, position and label of each, which may be as many."""
    with ExitStack() as stack:
        columns = {name: stack.enter_context(RowFile(path, (), "<i8")) for name in ("ids", "positions", "labels")}
        for places, positions in chosen.pieces():
            for name, values in zip(columns, (ids[places], positions, labels[places]), strict=True):
                columns[name].append(values)
        arrays = {name: column.array() for name, column in {"points": points, **columns}.items()}
        write_tensors(path, arrays, metadata)


def _choose(
    parameters: ActivationParameters,
    image_set: ImageSet,
    ids: np.ndarray,
    layers: list[RecordedLayer],
    masks: np.ndarray | None,
    split_size: int,
) -> dict[str, Chosen | Everywhere | None]:
    """Choose the points of each layer; None where the activations themselves choose."""
    section = parameters.clouds

    def seed(purpose: str, layer: str) -> int:
        return derive_seed(parameters.run_seed, purpose, image_set.name, section.split, layer)

    def of_layer(layer: RecordedLayer) -> Chosen | Everywhere | None:
        shape = (layer.height, layer.width)
        if section.sampling == "random":
            drawn = seed("random position", layer.name)
            return random_positions(ids, split_size, shape, section.published, drawn)
        if section.sampling == "full":
            drawn, positions = seed("full cloud", layer.name), layer.height * layer.width
            return full_positions(len(ids), positions, section.max_points, section.published, drawn)
        if masks is None:
            return None
        weights = position_weights(influence[layer.name], masks)
        heaviest = heaviest_positions(weights, section.top, ids, seed("equal weights", layer.name), published)
        # Published: an empty mask weighs all positions alike, and chance takes any of them (Q13).
        return masked_positions(heaviest, np.logical_or(masks.any((1, 2)), published))

    published = section.published
    layout, influence = parameters.layout, {}
    if masks is not None and not isinstance(layout, ModuleNetworks):
        influence = influences(layout, image_set.shape, published)
    return {layer.name: of_layer(layer) for layer in layers}


def _accuracy(parameters: ActivationParameters, network: int, seed: int, right: np.ndarray, look: Look) -> pa.Table:
    """Return accuracy by class and over all images."""
    groups = {"all": np.ones(len(right), bool)}
    groups |= {name: look.labels == label for label, name in enumerate(look.image_set.classes)}
    return ResnetAccuracyRow.table(
        ResnetAccuracyRow(
            population=parameters.population,
            network=network,
            seed=seed,
            cloud=parameters.cloud,
            split=parameters.clouds.split,
            sigma=parameters.clouds.sigma,
            class_name=name,
            examples=int(members.sum()),
            accuracy=float(right[members].mean()) if members.any() else float("nan"),
        )
        for name, members in groups.items()
    )
