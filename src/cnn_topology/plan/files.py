"""Files of a user's own that a config names: they are looked at before a run starts, not when a job needs them."""

from collections.abc import Iterator
from filecmp import cmp
from pathlib import Path

from cnn_topology.errors import InputError
from cnn_topology.plan.config import RunConfig
from cnn_topology.plan.image_folder import class_folders, split_folders
from cnn_topology.plan.images import FolderImages, ImageSetConfig, NpzImages, check_classes, shape_of
from cnn_topology.plan.names import RunFolder
from cnn_topology.plan.resnet_files import check_header

# Bytes at the start of a file of weights: its header and some of its weights.
COMPARED_FIRST = 65_536


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
        if not isinstance(images, FolderImages | NpzImages) or Path(run.images(name)).exists():
            continue
        folder = isinstance(images, FolderImages)
        if not (Path(images.path).is_dir() if folder else Path(images.path).is_file()):
            what = "folder" if folder else "file"
            yield f"images.{name}.path", images.path, what, "correct the path, or give another image set"
    for name, networks in config.recorded.items():
        is_trained = name in config.resnets
        key = f"resnets.{name}" if is_trained else f"modules.{name}"
        for number, file in enumerate(networks.checkpoints):
            if not Path(file).is_file():
                rest = " to have the networks trained" if is_trained else " for the module as it is initialized"
                yield (
                    f"{key}.checkpoints[{number}]",
                    file,
                    "file",
                    f"correct the path, or leave `checkpoints` out{rest}",
                )


def _check_weights(config: RunConfig) -> None:
    for name, networks in config.resnets.items():
        images = config.images[networks.images]
        for number, file in enumerate(networks.checkpoints):
            try:
                check_header(Path(file), networks, images, shape_of(images)[2])
            except InputError as error:
                raise InputError(f"resnets.{name}.checkpoints[{number}] = {error}") from error
    for name, recorded in config.recorded.items():
        section = "resnets" if name in config.resnets else "modules"
        _refuse_copies(f"{section}.{name}.checkpoints", recorded.checkpoints)


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
            ours, theirs = (_classes(config.images[key]) for key in (trained, other))
            if ours is not None and theirs is not None:
                check_classes(name, trained, ours, other, theirs)


def _classes(images: ImageSetConfig) -> tuple[str, ...] | None:
    """Return the names of the classes, or None where only the data can tell."""
    if isinstance(images, NpzImages):
        return images.classes
    if isinstance(images, FolderImages):
        path = Path(images.path)
        return (class_folders(split_folders(path)["train"]) or None) if path.is_dir() else None
    return None if images.kind == "cifar10" else tuple("0123456789")
