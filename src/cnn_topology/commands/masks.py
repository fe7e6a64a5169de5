"""`cnn-topology masks`: foreground and background of images by GrabCut, published and corrected."""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa

from cnn_topology.activations.influence import influences, position_weights
from cnn_topology.activations.mask_file import write_masks
from cnn_topology.activations.masks import MODES as BOTH
from cnn_topology.activations.masks import Masks, find_masks, overlap
from cnn_topology.activations.positions import choose_images, heaviest_positions
from cnn_topology.data.image_set import read_image_set
from cnn_topology.data.statistics import normalization
from cnn_topology.plan.activation_parameters import MaskParameters
from cnn_topology.plan.resnets import resnet_layers
from cnn_topology.seeds import derive_seed
from cnn_topology.storage.tables import write_table
from cnn_topology.storage.tensors import read_metadata
from cnn_topology.tables.images import MaskRow, ModeRow

# Positions of both modes are compared on so many images at most, for each layer and both sides.
COMPARED_IMAGES = 2_000
TOPS = (1, 5)  # released code


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--parameters", required=True, type=MaskParameters.parse, help="JSON: which images, the layout")
    parser.add_argument("--images", required=True, type=Path, help="the prepared image set")
    parser.add_argument("--masks", required=True, type=Path, help="the masks (.safetensors)")
    parser.add_argument("--masks-table", required=True, type=Path, help="this part of the table masks")
    parser.add_argument("--modes-table", required=True, type=Path, help="this part of the table modes")


def run(arguments: argparse.Namespace) -> None:
    """Find the masks and compare both modes."""
    parameters: MaskParameters = arguments.parameters
    image_set = read_image_set(arguments.images)
    notes = parameters.notes([read_metadata(arguments.images)])
    pixels, labels = getattr(image_set, f"{parameters.split}_images"), getattr(image_set, f"{parameters.split}_labels")
    identity = (image_set.name, parameters.split)
    chooser = derive_seed(parameters.run_seed, "activation images", *identity)
    ids = choose_images(
        labels, parameters.count, chooser, f"activation_clouds: count (networks: {parameters.population})"
    )
    mean, sd = map(np.array, normalization(parameters.layout.normalization, image_set.train_images))
    found = find_masks(pixels[ids], ids, mean, sd, derive_seed(parameters.run_seed, "grabcut", *identity))
    classes = [image_set.classes[label] for label in labels[ids]]
    write_masks(arguments.masks, ids, found.foreground, found.background, notes)
    write_table(arguments.masks_table, _masks(parameters, found, classes), MaskRow.schema, notes)
    rows = _modes(parameters, found, image_set.shape, identity)
    write_table(arguments.modes_table, ModeRow.table(rows), ModeRow.schema, notes)
    agreement = overlap(found.foreground["published"], found.foreground["corrected"])
    empty = {mode: int((~found.foreground[mode].any((1, 2))).sum()) for mode in BOTH}
    print(
        f"{parameters.population}: {len(ids)} {parameters.split} images, published and corrected foreground share "
        f"{100 * agreement.mean():.1f} % of their pixels; empty: {empty['published']} published, "
        f"{empty['corrected']} corrected"
    )


def _masks(parameters: MaskParameters, found: Masks, classes: list[str]) -> pa.Table:
    agreement = overlap(found.foreground["published"], found.foreground["corrected"])
    parts = []
    for mode in BOTH:
        foreground, background = found.foreground[mode], found.background[mode]
        part = MaskRow.columns(
            population=parameters.population,
            split=parameters.split,
            mode=mode,
            image=found.ids,
            class_name=classes,
            foreground=foreground.mean((1, 2)),
            background=background.mean((1, 2)),
            empty_foreground=~foreground.any((1, 2)),
            empty_background=~background.any((1, 2)),
            agreement=agreement,
        )
        parts.append(part)
    return pa.concat_tables(parts)


def _modes(
    parameters: MaskParameters, found: Masks, shape: tuple[int, int, int], identity: tuple[str, str]
) -> list[ModeRow]:
    """Choose positions in both modes and compare them, for every layer, foreground and background, top 1 and 5."""
    ids = found.ids[:COMPARED_IMAGES]
    influence = {mode: influences(parameters.layout, shape, mode == "published") for mode in BOTH}
    rows = []
    for layer in resnet_layers(parameters.layout, shape):
        seed = derive_seed(parameters.run_seed, "equal weights", *identity, layer.name)
        for sampling, masks in (("foreground", found.foreground), ("background", found.background)):
            sides = {mode: masks[mode][: len(ids)] for mode in BOTH}
            weights = {mode: position_weights(influence[mode][layer.name], sides[mode]) for mode in BOTH}
            empty = {mode: ~sides[mode].any((1, 2)) for mode in BOTH}
            both = ~(empty["published"] | empty["corrected"])
            positions = layer.height * layer.width
            for top in (top for top in TOPS if top <= positions and both.any()):
                chosen = [heaviest_positions(weights[mode], top, ids, seed, mode == "published") for mode in BOTH]
                shared = (chosen[0][:, :, None] == chosen[1][:, None, :]).any(axis=2).mean(axis=1)[both]
                rows.append(
                    ModeRow(
                        population=parameters.population,
                        split=parameters.split,
                        layer=layer.name,
                        depth=layer.depth,
                        sampling=sampling,
                        top=top,
                        n_images=int(both.sum()),
                        empty_published=int(empty["published"].sum()),
                        empty_corrected=int(empty["corrected"].sum()),
                        agreement=float(shared.mean()),
                        standard_error=float(shared.std(ddof=1) / np.sqrt(len(shared))) if len(shared) > 1 else np.nan,
                        chance=top / positions,
                    )
                )
    return rows
