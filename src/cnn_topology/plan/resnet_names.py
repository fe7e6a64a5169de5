"""Names of the tensors of residual networks in a user's file, and the layout that follows from names and shapes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnn_topology.errors import InputError
from cnn_topology.storage.weight_files import array_shapes

# The keys of a config that follow from a file.
LAYOUT = ("widths", "blocks", "shortcut", "stem")
# What torchvision calls the shortcuts and the last layer.
_TORCHVISION = {".downsample.": ".shortcut.", "fc.weight": "linear.weight", "fc.bias": "linear.bias"}
# A stage of either variant; `block_seq` counts from 0.
_STAGE = re.compile(r"(?<![^.])(layer|block_seq\.)([0-9]+)(?=\.[0-9]+\.)")
_BLOCK = re.compile(r"(?:layer|block_seq\.)([0-9]+)\.([0-9]+)\.conv1\.weight")


def own_names(names: Iterable[str], variant: str) -> dict[str, str]:
    """Return the names used here of a residual network's tensors, by their names in a file.

    Parameters
    ----------
    names : iterable of str
        Of torchvision's networks or those of either variant, with or without what wrappers put in front.
    variant : {'ph', 'mapper'}

    Raises
    ------
    InputError
        As `without_front`.
    """

    def stage(match: re.Match[str]) -> str:
        number = int(match[2]) + (match[1] != "layer")
        return f"block_seq.{number - 1}" if variant == "ph" else f"layer{number}"

    named = {}
    for name in names:
        own = _STAGE.sub(stage, name)
        for theirs, ours in _TORCHVISION.items():
            own = own.replace(theirs, ours)
        named[name] = own
    first = "block_seq.0" if variant == "ph" else "layer1"
    short = without_front(named.values(), ("conv1.weight", f"{first}.0.conv1.weight"))
    return {name: short[own] for name, own in named.items() if own in short}


def without_front(names: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Return names without what a wrapper or a larger network puts in front of all names of a network in it.

    Parameters
    ----------
    names : iterable of str
        Of tensors in a file.
    known : sequence of str
        Names that the network has.

    Returns
    -------
    dict of str to str
        By the name in the file, without those of other parts of a larger network; all as they are where the names that
        are known stand in the file without anything in front, or not at all.

    Raises
    ------
    InputError
        If the file holds several such networks.
    """
    names = list(names)
    there = set(names)
    fronts = {name.removesuffix(known[0]) for name in names if name == known[0] or name.endswith(f".{known[0]}")}
    fronts = {front for front in fronts if all(front + name in there for name in known)}
    if "" in fronts or not fronts:
        return {name: name for name in names}
    if len(fronts) > 1:
        entries = sorted(front.rstrip(".") for front in fronts)
        raise InputError(f"holds {len(entries)} networks, {', '.join(entries)}: state which by `entry`")
    (front,) = fronts
    return {name: name.removeprefix(front) for name in names if name.startswith(front)}


def own_shapes(path: Path, variant: str, entry: str | None) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a file's tensors of floating-point numbers, by the names used here.

    Raises
    ------
    InputError
        If the file cannot be used or holds several networks.
    """
    shapes = array_shapes(path, entry)
    try:
        return {own: shapes[name] for name, own in own_names(shapes, variant).items()}
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def layout_of(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """Return the keys of a config that describe the layout of a residual network.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        By the names used here.

    Returns
    -------
    dict
        `LAYOUT`; empty where the tensors are not those of such a network.
    """
    stages: dict[int, dict[int, int]] = {}
    for name, shape in shapes.items():
        if (match := _BLOCK.fullmatch(name)) and shape:
            stages.setdefault(int(match[1]), {})[int(match[2])] = shape[0]
    if not stages or len(shapes.get("conv1.weight", ())) != 4:
        return {}
    blocks = [stages[number] for number in sorted(stages)]
    return {
        "widths": tuple(next(iter(block.values())) for block in blocks),
        "blocks": tuple(map(len, blocks)),
        "shortcut": "projection" if any(".shortcut." in name for name in shapes) else "pad",
        "stem": "imagenet" if shapes["conv1.weight"][2] == 7 else "cifar",
    }
