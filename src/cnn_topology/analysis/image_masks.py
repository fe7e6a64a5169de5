"""Masks of images and positions chosen by them, published and corrected, as rows of tables."""

import numpy as np
import pyarrow as pa

from cnn_topology.activations.influence import influences, position_weights
from cnn_topology.activations.masks import Masks, overlap
from cnn_topology.activations.positions import heaviest_positions
from cnn_topology.plan.activation_parameters import MaskParameters
from cnn_topology.plan.base import MODES
from cnn_topology.plan.resnets import resnet_layers
from cnn_topology.seeds import derive_seed
from cnn_topology.tables.images import MaskRow, ModeRow

# Positions of both modes are compared on so many images at most, for each layer and both sides.
COMPARED_IMAGES = 2_000
TOPS = (1, 5)  # released code


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
