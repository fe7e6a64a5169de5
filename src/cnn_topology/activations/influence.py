"""How much each pixel reaches each position of a layer: the constant-weight network of the paper (section 1.5).

All weights of the convolutions are 0.001 and there is no batch norm, so every convolution gives all its channels the
same value, 0.001 times the sum of its input over 3x3 positions and all channels, and nothing is ever negative. The sum
over channels is therefore all that has to be followed, in double precision and without the network itself. The
released code feeds 1,024 one-pixel images to the full network in single precision; both agree (tested).
"""

import numpy as np
from jaxtyping import Bool, Float64

from cnn_topology.plan.resnets import MapperResNets, PHResNets, resnet_layers

WEIGHT = 1e-3  # of every convolution, shortcuts included (released code)
CHANNELS = 3  # all three channels of the lit pixel are 1

Maps = Float64[np.ndarray, "pixels height width"]


def influences(
    section: PHResNets | MapperResNets, shape: tuple[int, int, int], published: bool
) -> dict[str, Float64[np.ndarray, "positions pixels"]]:
    """Compute the influence of every pixel on every position of every layer.

    Parameters
    ----------
    section : PHResNets or MapperResNets
        The layout; its own shortcuts (the paper has projections).
    shape : (int, int, int)
        Height, width and channels of an image.
    published : bool
        In the released code a block adds its shortcut to the output of its second convolution in place, after the
        hook has taken hold of it: these layers then hold the sum of both paths. Corrected: the convolution alone.

    Returns
    -------
    dict of str to float64 array (positions, pixels)
        By layer name: l2 norm over channels of the layer's output at each position for each one-pixel image.
    """
    layers = iter(resnet_layers(section, shape))
    height, width = shape[:2]
    stem = next(layers)
    value = _convolved(CHANNELS * np.eye(height * width).reshape(-1, height, width), 1)
    found = {stem.name: _flat(np.sqrt(stem.channels) * value)}
    # Sum and sum of squares over the channels of what enters the next block.
    total, square, before = stem.channels * value, stem.channels * value**2, stem.channels
    for stage, blocks in enumerate(section.blocks):
        for block in range(blocks):
            first, second = next(layers), next(layers)
            after, stride = first.channels, 2 if stage and not block else 1
            inner = _convolved(total, stride)
            outer = _convolved(after * inner, 1)
            total, square = total[:, ::stride, ::stride], square[:, ::stride, ::stride]
            if section.shortcut == "projection" and (stride != 1 or after != before):
                total, square = after * WEIGHT * total, after * (WEIGHT * total) ** 2
            total, square = after * outer + total, after * outer**2 + 2 * outer * total + square
            found[first.name] = _flat(np.sqrt(after) * inner)
            found[second.name] = _flat(np.sqrt(square) if published else np.sqrt(after) * outer)
            before = after
    return found


def position_weights(
    influence: Float64[np.ndarray, "positions pixels"], masks: Bool[np.ndarray, "images height width"]
) -> Float64[np.ndarray, "images positions"]:
    """Compute w(u, v) = sqrt(sum over the pixels q of a mask of a(u, v, q)^2) for each image.

    Parameters
    ----------
    influence : float64 array (positions, pixels)
        Of one layer, from `influences`.
    masks : bool array (images, height, width)
        Foreground or background.

    Returns
    -------
    float64 array (images, positions)
        All zero for an empty mask.
    """
    return np.sqrt(masks.reshape(len(masks), -1).astype(np.float64) @ (influence**2).T)


def _convolved(total: Maps, stride: int) -> Maps:
    """Return the common value of all channels after a 3x3 convolution with padding 1, from the sum over its input."""
    height, width = total.shape[1:]
    padded = np.pad(total, ((0, 0), (1, 1), (1, 1)))
    rows = padded[:, :height] + padded[:, 1 : height + 1] + padded[:, 2:]
    window = rows[:, :, :width] + rows[:, :, 1 : width + 1] + rows[:, :, 2:]
    return WEIGHT * window[:, ::stride, ::stride]


def _flat(maps: Maps) -> Float64[np.ndarray, "positions pixels"]:
    return maps.reshape(len(maps), -1).T
