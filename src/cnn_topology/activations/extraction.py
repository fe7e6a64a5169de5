"""Activations of a network at chosen positions, in one pass for all layers, batch by batch (sections 1.2 and 1.5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import nn

from cnn_topology.activations.noise import noise_of
from cnn_topology.activations.positions import Chosen, Everywhere
from cnn_topology.errors import InputError
from cnn_topology.networks.recorded import class_scores
from cnn_topology.plan.activations import Tensor
from cnn_topology.plan.recorded import RecordedLayer

BATCH = 50  # images at once: 13 MB for the widest tensor of the full ResNet-18; larger ones are no faster on a CPU

Sink = Callable[[str, np.ndarray], None]


@dataclass(frozen=True, eq=False)
class Images:
    """What a cloud looks at.

    Attributes
    ----------
    pixels : uint8 array (split, height, width, channels)
        Of the whole split: a batch is taken at a time.
    ids : int64 array (images,)
        Which of them, in order.
    sigma : float
        Noise after normalization.
    noise_seed : int
        Of the split.
    """

    pixels: UInt8[np.ndarray, "split height width channels"]
    ids: Int64[np.ndarray, " images"]
    sigma: float
    noise_seed: int


@dataclass
class _Layer:
    """One hooked layer: its points, or None where the largest norm chooses, and what was found of it."""

    chosen: Chosen | Everywhere | None
    positions: list[np.ndarray] = field(default_factory=list)
    low: np.ndarray | None = None
    high: np.ndarray | None = None


def hook_point(layer: RecordedLayer, tensor: Tensor, residual: bool) -> str:
    """Name the module whose output is wanted.

    Parameters
    ----------
    layer : RecordedLayer
    tensor : str
        ``conv``, ``bn`` or ``relu`` (which is taken of the output of ``bn``).
    residual : bool
        For the second convolution of a block: after batch norm, with the shortcut added.
    """
    if tensor == "conv":
        return layer.convolution
    return f"{layer.norm.removesuffix('.bn2')}.total" if residual and layer.norm.endswith(".bn2") else layer.norm


@torch.no_grad()
def extract(
    network: nn.Module,
    normalized: Callable[[torch.Tensor], torch.Tensor],
    images: Images,
    layers: Mapping[str, tuple[str, Chosen | Everywhere | None]],
    rectified: bool,
    sink: Sink,
    classes: int,
    device: torch.device,
) -> tuple[dict[str, Int64[np.ndarray, " images"]], Int64[np.ndarray, " images"] | None]:
    """Run a network over images once and hand over the activations of all layers.

    Parameters
    ----------
    network : Module
        In evaluation mode, on the device.
    normalized : callable
        Brings uint8 (images, height, width, channels) to what the network takes.
    images : Images
    layers : mapping of str to (str, Chosen, Everywhere or None)
        By name of the layer: the module whose output is wanted, and the points; None takes the position of the
        largest l2 norm of each image, the first on ties.
    rectified : bool
        Take the ReLU of the output.
    sink : callable
        Gets the name of a layer and its next points, float32 (n, channels), in order.
    classes : int
        Scores that predictions are made from.
    device : torch.device

    Returns
    -------
    positions : dict of str to int64 array (images,)
        Of the layers whose points the norm chose.
    predictions : int64 array (images,), optional
        None of a network whose output is not as many scores.

    Raises
    ------
    InputError
        If an activation is not finite, or all points of a layer are the same.
    """
    modules = dict(network.named_modules())
    states: dict[str, _Layer] = {}
    start, handles = 0, []

    def take(name: str, _module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        state = states[name]
        rows = _points(state, torch.relu(output) if rectified else output, start)
        if not np.isfinite(rows).all():
            raise InputError(f"layer {name}: an activation is NaN or infinite: this network has failed, leave it out")
        if len(rows):
            low, high = rows.min(0), rows.max(0)
            state.low = low if state.low is None else np.minimum(state.low, low)
            state.high = high if state.high is None else np.maximum(state.high, high)
        sink(name, rows)

    for name, (module, chosen) in layers.items():
        states[name] = _Layer(chosen)
        handles.append(modules[module].register_forward_hook(partial(take, name)))
    predictions: list[np.ndarray] | None = []  # None once an output is no scores
    try:
        for start in range(0, len(images.ids), BATCH):
            rows = slice(start, start + BATCH)
            batch = normalized(torch.from_numpy(images.pixels[images.ids[rows]]).to(device))
            if images.sigma:
                shape = (*images.pixels.shape[1:3], images.pixels.shape[3])
                noise = noise_of(images.ids[rows], shape, images.sigma, images.noise_seed)
                batch = batch + torch.from_numpy(noise).to(device)
            scores = class_scores(network(batch), classes)
            if scores is None:
                predictions = None
            elif predictions is not None:
                predictions.append(scores.argmax(1).cpu().numpy())
    finally:
        for handle in handles:
            handle.remove()
    for name, state in states.items():
        if state.low is None or (state.low == state.high).all():
            raise InputError(
                f"layer {name}: all points are the same, every feature is constant: the network is dead there, or "
                "all images are the same; train it longer, leave the layer out or look at the images"
            )
    found = {name: np.concatenate(state.positions) for name, state in states.items() if state.chosen is None}
    return found, None if predictions is None else np.concatenate(predictions)


def _points(state: _Layer, output: torch.Tensor, start: int) -> np.ndarray:
    """Gather the points of one batch, whose first image has place `start`."""
    if output.ndim == 2:  # of a linear layer: one position
        output = output[:, :, None, None]
    images, channels = output.shape[:2]
    vectors = output.permute(0, 2, 3, 1).reshape(images, -1, channels)
    if state.chosen is None:
        positions = torch.linalg.vector_norm(vectors, dim=2).argmax(1)  # the first on ties
        state.positions.append(positions.cpu().numpy())
        return vectors[torch.arange(images, device=output.device), positions].cpu().numpy()
    places, positions = state.chosen.among(start, start + images)
    here = torch.from_numpy(places - start).to(output.device)
    return vectors[here, torch.from_numpy(positions).to(output.device)].cpu().numpy()
