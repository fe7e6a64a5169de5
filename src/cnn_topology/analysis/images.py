"""What is shown and measured of single images: masks, noise, position weights, activation tensors, as rows."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.activations.cloud_file import ActivationCloud
from cnn_topology.activations.influence import influences, position_weights
from cnn_topology.activations.mask_file import Masks
from cnn_topology.activations.masks import find_masks, overlap
from cnn_topology.activations.noise import noise_of
from cnn_topology.activations.positions import choose_images, heaviest_positions
from cnn_topology.data.image_set import ImageSet
from cnn_topology.data.statistics import normalization
from cnn_topology.errors import InputError
from cnn_topology.plan.activation_parameters import ExamplePixelParameters, MaskParameters
from cnn_topology.plan.base import MODES
from cnn_topology.plan.recorded import ModuleNetworks
from cnn_topology.plan.resnets import resnet_layers
from cnn_topology.seeds import derive_seed
from cnn_topology.tables.images import ActivationTensorRow, ExamplePixelRow, MaskRow, ModeRow

# Positions of both modes are compared on so many images at most, for each layer and both sides.
COMPARED_IMAGES = 2_000
TOPS = (1, 5)  # released code
EXAMPLES = 6  # images, of the first classes, one each


def mask_table(parameters: MaskParameters, found: Masks, classes: list[str]) -> pa.Table:
    """Measure the masks of each image in both modes, and how far the modes agree: rows of `masks`."""
    agreement = overlap(found.foreground["published"], found.foreground["corrected"])
    parts = []
    for mode in MODES:
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


def mode_rows(
    parameters: MaskParameters, found: Masks, shape: tuple[int, int, int], identity: tuple[str, str]
) -> list[ModeRow]:
    """Choose positions in both modes and compare them, for every layer, foreground and background, top 1 and 5."""
    ids = found.ids[:COMPARED_IMAGES]
    influence = {mode: influences(parameters.layout, shape, mode == "published") for mode in MODES}
    rows = []
    for layer in resnet_layers(parameters.layout, shape):
        seed = derive_seed(parameters.run_seed, "equal weights", *identity, layer.name)
        for sampling, masks in (("foreground", found.foreground), ("background", found.background)):
            sides = {mode: masks[mode][: len(ids)] for mode in MODES}
            weights = {mode: position_weights(influence[mode][layer.name], sides[mode]) for mode in MODES}
            empty = {mode: ~sides[mode].any((1, 2)) for mode in MODES}
            both = ~(empty["published"] | empty["corrected"])
            positions = layer.height * layer.width
            for top in (top for top in TOPS if top <= positions and both.any()):
                chosen = [heaviest_positions(weights[mode], top, ids, seed, mode == "published") for mode in MODES]
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


def panels(parameters: ExamplePixelParameters, image_set: ImageSet) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Yield what each panel is, and its values: (height, width), or (height, width, 3) of an image."""
    identity = (image_set.name, parameters.split)
    all_pixels, all_labels = image_set.split(parameters.split)
    key = f"activation_clouds: n_images (population: {parameters.population})"
    chosen = choose_images(image_set, parameters.split, parameters.count, parameters.run_seed, key)
    firsts = [chosen[all_labels[chosen] == label][:1] for label in np.unique(all_labels[chosen])[:EXAMPLES]]
    ids = np.concatenate(firsts)
    pixels = all_pixels[ids]
    shown_images = [{"image": int(i), "class_name": image_set.classes[all_labels[i]]} for i in ids]
    mean, sd = map(np.array, normalization(parameters.layout.normalization, image_set.train_images))
    noise_seed = derive_seed(parameters.run_seed, "noise", *identity)
    for sigma in (0.0, *parameters.sigmas):
        noise = noise_of(ids, image_set.shape, sigma, noise_seed).transpose(0, 2, 3, 1)
        for place, one in enumerate(shown_images):
            shown = np.clip(pixels[place] + 255 * sd * noise[place], 0, 255)
            yield {**one, "panel": "image", "sigma": sigma}, np.broadcast_to(shown, (*shown.shape[:2], 3))
    if not parameters.layers or isinstance(parameters.layout, ModuleNetworks):
        return
    found = find_masks(pixels, ids, mean, sd, derive_seed(parameters.run_seed, "grabcut", *identity))
    layers = {layer.name: layer for layer in resnet_layers(parameters.layout, image_set.shape)}
    for mode in MODES:
        influence = influences(parameters.layout, image_set.shape, mode == "published")
        for place, one in enumerate(shown_images):
            mask = found.foreground[mode][place]
            yield {**one, "panel": "foreground", "mode": mode}, mask.astype(float)
            for name in parameters.layers:
                weights = position_weights(influence[name], mask[None])[0]
                relative = (weights / weights.max() if weights.any() else weights).reshape(
                    layers[name].height, layers[name].width
                )
                yield {**one, "panel": "weight", "mode": mode, "layer": name}, relative


def panel_table(parameters: ExamplePixelParameters, panel: dict[str, Any], values: np.ndarray) -> pa.Table:
    """Return the rows of `example_pixels` of one panel."""
    height, width = values.shape[:2]
    y, x = np.indices((height, width)).reshape(2, -1)
    red, green, blue = values.reshape(-1, 3).T if values.ndim == 3 else (np.nan,) * 3
    return ExamplePixelRow.columns(
        **{"mode": "", "layer": "", "sigma": 0.0, **panel},
        population=parameters.population,
        split=parameters.split,
        y=y,
        x=x,
        red=red,
        green=green,
        blue=blue,
        value=np.nan if values.ndim == 3 else values.ravel(),
    )


def tensor_of(cloud: ActivationCloud) -> pa.Table:
    """Put the points of one image back into its activation tensor x in R^(c x h x w).

    Returns
    -------
    pyarrow.Table
        Rows of `activation_tensor`, channel by channel; the first image of the file that has all positions.

    Raises
    ------
    InputError
        If no image has all positions.
    """
    origin, layer = cloud.origin, cloud.origin.layer
    positions = layer.height * layer.width
    ids, first = np.unique(cloud.ids, return_index=True)
    for image in ids[np.argsort(first)]:
        mine = np.flatnonzero(cloud.ids == image)
        at = cloud.positions[mine]
        if len(at) == positions == len(np.unique(at)):
            tensor = cloud.points[mine[np.argsort(at)]].T.reshape(-1, layer.height, layer.width)
            channel, y, x = (axis.ravel() for axis in np.indices(tensor.shape))
            return ActivationTensorRow.columns(
                **origin.columns,
                tensor=origin.tensor,
                image=int(image),
                class_name=origin.classes[cloud.labels[mine[0]]],
                channel=channel,
                y=y,
                x=x,
                value=tensor.ravel().astype(np.float64),
            )
    raise InputError(
        f"cloud {origin.cloud} of {origin.population}, {layer.name}: no image has all {positions} positions; draw it "
        "from a cloud of sampling full whose max_points holds them"
    )
