"""Images that figures show, with masks, position weights and noise, as rows of a table."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from cnn_topology.activations.influence import influences, position_weights
from cnn_topology.activations.masks import find_masks
from cnn_topology.activations.noise import noise_of
from cnn_topology.activations.positions import choose_images
from cnn_topology.data.image_set import ImageSet
from cnn_topology.data.statistics import normalization
from cnn_topology.plan.activation_parameters import ExamplePixelParameters
from cnn_topology.plan.base import MODES
from cnn_topology.plan.resnets import resnet_layers
from cnn_topology.seeds import derive_seed
from cnn_topology.tables.images import ExamplePixelRow

EXAMPLES = 6  # images, of the first classes, one each


def panels(parameters: ExamplePixelParameters, image_set: ImageSet) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Yield what each panel is, and its values: (height, width), or (height, width, 3) of an image."""
    identity = (image_set.name, parameters.split)
    all_pixels, all_labels = image_set.split(parameters.split)
    key = f"activation_clouds: count (networks: {parameters.population})"
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
    if not parameters.layers:
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
