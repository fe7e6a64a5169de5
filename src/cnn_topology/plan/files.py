"""Files of a user's own that a config names: they are looked at before a run starts, not when a job needs them.

Names and shapes of the tensors of a residual network follow from the config, so a file that does not fit is refused by
its header.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from filecmp import cmp
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.plan.config import RunConfig
from cnn_topology.plan.images import (
    UNLABELLED,
    FolderImages,
    NpzImages,
    OwnImages,
    check_classes,
    class_folders,
    shape_of,
    split_folders,
)
from cnn_topology.plan.names import RunFolder
from cnn_topology.plan.resnets import MapperResNets, PHResNets, convolutions, own_shapes

# Bytes at the start of a file of weights: its header and some of its weights.
COMPARED_FIRST = 65_536
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


def check_files(config: RunConfig, run: RunFolder) -> None:
    """Look for the images and the weights of residual networks that a user brings; `plan.checkpoints` opens the others.

    Parameters
    ----------
    config : RunConfig
        Relative paths in it begin in the folder that Snakemake works in.
    run : RunFolder
        Images that it holds already are not looked for again.

    Raises
    ------
    InputError
        Naming the key, the first path that is missing, how many others are, and the ways out; or the first file of
        weights that does not fit its networks or is a copy of another, or networks that are tested on images of other
        classes.
    """
    missing = list(_missing(config, run))
    if not missing:
        _check_weights(config)
        _check_classes(config)
        return
    key, path, what, mend = missing[0]
    more = f" ({len(missing) - 1} more of this config are missing too)" if len(missing) > 1 else ""
    place = "" if Path(path).is_absolute() else f" in {Path.cwd()}, where relative paths begin"
    raise InputError(f"{key} = {path}: no such {what}{place}{more}: {mend}")


def _missing(config: RunConfig, run: RunFolder) -> Iterator[tuple[str, str, str, str]]:
    """Yield key, path, kind and way out of all that is missing."""
    for name, images in config.images.items():
        if isinstance(images, FolderImages | NpzImages) and not Path(run.images(name)).exists():
            kind, is_there = ("folder", Path.is_dir) if isinstance(images, FolderImages) else ("file", Path.is_file)
            if not is_there(Path(images.path)):
                yield f"images.{name}.path", images.path, kind, "correct the path, or give another image set"
    for name, networks in config.recorded.items():
        without = "have the networks trained" if name in config.resnets else "take the module as it is initialized"
        for number, file in enumerate(networks.checkpoints):
            if not Path(file).is_file():
                mend = f"correct the path, or leave `checkpoints` out to {without}"
                yield f"{_section(config, name)}.checkpoints[{number}]", file, "file", mend


def _section(config: RunConfig, name: str) -> str:
    return f"resnets.{name}" if name in config.resnets else f"modules.{name}"


def _check_weights(config: RunConfig) -> None:
    for name, networks in config.resnets.items():
        if not networks.checkpoints:
            continue
        images = config.images[networks.images]
        channels = shape_of(images)[2]
        classes = 10 if images.kind == "cifar10" else len(_classes(config, networks.images) or ()) or None
        for number, file in enumerate(networks.checkpoints):
            try:
                check_header(Path(file), networks, channels, classes)
            except InputError as error:
                raise InputError(f"resnets.{name}.checkpoints[{number}] = {error}") from error
    for name, recorded in config.recorded.items():
        _refuse_copies(f"{_section(config, name)}.checkpoints", recorded.checkpoints)


def _refuse_copies(where: str, files: tuple[str, ...]) -> None:
    """Refuse a network that comes twice, as a copy or a link: statistics over networks would count it as two."""
    alike: dict[tuple[int, bytes], list[str]] = {}
    for file in files:
        # Other weights differ near their start; only files that agree there are read as a whole.
        with Path(file).open("rb") as opened:
            start = opened.read(COMPARED_FIRST)
        others = alike.setdefault((Path(file).stat().st_size, start), [])
        for other in others:
            if cmp(other, file, shallow=False):
                raise InputError(f"{where}: {other} and {file} are the same, byte for byte; list each network once")
        others.append(file)


def _check_classes(config: RunConfig) -> None:
    for name, population in config.populations.items():
        trained = population.images
        for other in population.cross_test:
            ours, theirs = (_classes(config, key) for key in (trained, other))
            if ours is not None and theirs is not None:
                check_classes(name, trained, ours, other, theirs)


def _classes(config: RunConfig, name: str) -> tuple[str, ...] | None:
    """Return the names of the classes of an image set, or None where only the data can tell."""
    images = config.images[name]
    if isinstance(images, OwnImages) and not images.labels:
        return UNLABELLED
    if isinstance(images, NpzImages):
        return images.classes
    if isinstance(images, FolderImages):
        path = Path(images.path)
        try:
            return (class_folders(split_folders(path)["train"]) or None) if path.is_dir() else None
        except InputError as error:
            raise InputError(f"images.{name}.path = {error}") from error
    return None if images.kind == "cifar10" else tuple("0123456789")


def check_header(path: Path, section: PHResNets | MapperResNets, channels: int, classes: int | None) -> None:
    """Refuse a file of weights that does not fit an entry of `resnets`; no weights are read.

    Parameters
    ----------
    path : Path
        Of a type that `storage.weight_files.array_shapes` reads.
    section : PHResNets or MapperResNets
    channels : int
        Of an image.
    classes : int, optional
        Of the images, where they are known.

    Raises
    ------
    InputError
        If the file cannot be used, or as `misfit` says.
    """
    shapes = own_shapes(path, section.variant, section.entry)
    found = {name: shape for name, shape in shapes.items() if not name.endswith(COUNTER)}
    expected = dict(tensor_shapes(section, channels, section.n_classes or classes))
    if not any(name in found for name in LAST_LAYER):
        expected = {name: shape for name, shape in expected.items() if name not in LAST_LAYER}
    problem = misfit(found, expected)
    if problem:
        raise InputError(f"{path}: {problem}")


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
    shapes: dict[str, tuple[int | None, ...]] = {}
    for unit in convolutions(section, channels):
        shapes[f"{unit.name}.weight"] = (unit.after, unit.before, unit.side, unit.side)
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{unit.norm}.{part}"] = (unit.after,)
    return shapes | dict(zip(LAST_LAYER, ((classes, section.widths[-1]), (classes,)), strict=True))
