"""Which tensors a residual network has, and whether a user's file of weights holds them.

Names and shapes follow from the config, so a file that does not fit is refused before a run starts, by its header.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.plan.images import UNLABELLED, ImageSetConfig, NpzImages, OwnImages
from cnn_topology.plan.resnet_names import own_shapes
from cnn_topology.plan.resnets import MapperResNets, PHResNets

# None: a length that only the data tell.
Expected = Mapping[str, tuple[int | None, ...]]

# Counts the batches seen; evaluation never reads it, and old files lack it.
COUNTER = "num_batches_tracked"
# Networks are passed on without it too: their activations are what is looked at.
LAST_LAYER = ("linear.weight", "linear.bias")
# Keys of the config that decide which tensors a network has.
_MEND = (
    "correct `variant`, `widths`, `blocks`, `shortcut` or `stem`, which follow from the file where they are absent, or "
    "describe a network of another kind in `modules`"
)


def check_header(path: Path, section: PHResNets | MapperResNets, images: ImageSetConfig, channels: int) -> None:
    """Refuse a file of weights that does not fit an entry of `resnets`; no weights are read.

    Parameters
    ----------
    path : Path
        Of a type that `storage.weight_files.array_shapes` reads.
    section : PHResNets or MapperResNets
    images : ImageSetConfig
        The set that the networks look at.
    channels : int
        Of an image.

    Raises
    ------
    InputError
        If the file cannot be used, or as `misfit` says.
    """
    shapes = own_shapes(path, section.variant, section.entry)
    found = {name: shape for name, shape in shapes.items() if not name.endswith(COUNTER)}
    expected = dict(tensor_shapes(section, channels, section.n_classes or _classes(images)))
    if not any(name in found for name in LAST_LAYER):
        expected = {name: shape for name, shape in expected.items() if name not in LAST_LAYER}
    problem = misfit(found, expected)
    if problem:
        raise InputError(f"{path}: {problem}")


def _classes(images: ImageSetConfig) -> int | None:
    """Count the classes of an image set; None where only the data can tell."""
    if isinstance(images, OwnImages) and not images.labels:
        return len(UNLABELLED)
    if isinstance(images, NpzImages) and images.classes is not None:
        return len(images.classes)
    return None if isinstance(images, OwnImages) else 10


def misfit(found: Mapping[str, tuple[int, ...]], expected: Expected, mend: str | None = None) -> str | None:
    """Describe why tensors are not those of a network, or None if they are.

    Parameters
    ----------
    found : mapping of str to tuple of int
        Shapes by name, as `own_names` gives them.
    expected : mapping of str to tuple of int or None
        From `tensor_shapes`.
    mend : str, optional
        The way out; absent: by keys of `resnets`.

    Returns
    -------
    str or None
        Names the first tensor, in the order of the network, that is missing or has another shape, else the first one
        that the network does not have.
    """
    at = "does not fit the architecture:"
    for name, shape in expected.items():
        if name not in found:
            near = get_close_matches(name, found, n=1, cutoff=0.5)
            hint = f"; nearest there: {near[0]!r}" if near else ""
            return f"{at} it has no tensor {name!r}{hint}; {mend or _MEND}"
        has = found[name]
        if len(has) != len(shape) or any(
            wanted not in (None, length) for length, wanted in zip(has, shape, strict=True)
        ):
            lengths = ", ".join("any" if length is None else str(length) for length in shape)
            wanted = f"({lengths},)" if len(shape) == 1 else f"({lengths})"
            return f"{at} {name!r} has shape {has}, expected {wanted}; {mend or _mend(name, has, shape)}"
    for name in found:
        if name not in expected:
            return f"{at} the network has no tensor {name!r}; {mend or _MEND}"
    return None


def _mend(name: str, shape: tuple[int, ...], expected: tuple[int | None, ...]) -> str:
    """Return the way out that the shape of one tensor points to."""
    if name == "conv1.weight" and shape[2:] == (7, 7) != expected[2:]:
        return "for a 7x7 first layer, as torchvision's, state `stem: imagenet`"
    if name.startswith("linear."):
        return f"for other class scores than the images have classes state `n_classes: {shape[0]}`; else {_MEND}"
    return _MEND


def tensor_shapes(section: PHResNets | MapperResNets, channels: int, classes: int | None) -> Expected:
    """List the tensors of floating-point numbers of a residual network, in its order.

    Parameters
    ----------
    section : PHResNets or MapperResNets
    channels : int
        Of an image.
    classes : int, optional
        Class scores; None: any number.

    Returns
    -------
    mapping of str to tuple of int or None
    """
    side = 3 if section.stem == "cifar" else 7
    shapes: dict[str, tuple[int | None, ...]] = {}

    def add(convolution: str, norm: str, shape: tuple[int, ...]) -> None:
        shapes[f"{convolution}.weight"] = shape
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{norm}.{part}"] = shape[:1]

    before = section.widths[0]
    add("conv1", "bn1", (before, channels, side, side))
    for stage, (after, blocks) in enumerate(zip(section.widths, section.blocks, strict=True)):
        for block in range(blocks):
            at = f"block_seq.{stage}.{block}" if section.variant == "ph" else f"layer{stage + 1}.{block}"
            add(f"{at}.conv1", f"{at}.bn1", (after, before, 3, 3))
            add(f"{at}.conv2", f"{at}.bn2", (after, after, 3, 3))
            changes = before != after or (stage > 0 and block == 0)
            if changes and section.shortcut == "projection":
                add(f"{at}.shortcut.0", f"{at}.shortcut.1", (after, before, 1, 1))
            before = after
    shapes |= dict(zip(LAST_LAYER, ((classes, before), (classes,)), strict=True))
    return shapes
