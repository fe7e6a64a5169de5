"""The weight files of the networks that torchvision names."""

from pathlib import Path

from torchvision.models import get_model_weights

from cnn_topology.errors import InputError
from cnn_topology.storage.atomic import file_checksum
from cnn_topology.storage.downloads import download


def torchvision_file(model: str, folder: Path) -> Path:
    """Return the file with torchvision's ImageNet weights of a model, downloaded if it is not in `folder`.

    Raises
    ------
    InputError
        If it cannot be downloaded, or its SHA-256 does not begin as the file's name says.
    """
    weights = get_model_weights(model)["IMAGENET1K_V1"]
    path = folder / weights.url.rpartition("/")[2]
    if not path.is_file():
        try:
            download([weights.url], path, "sha256", _prefix(path))
        except InputError as error:
            raise InputError(
                f"{error}\nStart again with a network connection, or put the file there by hand (its "
                f"SHA-256 begins with {_prefix(path)})"
            ) from error
    digest = file_checksum(path)
    if not digest.startswith(_prefix(path)):
        raise InputError(f"{path}: its SHA-256 is {digest}, its name says {_prefix(path)}...; delete it, start again")
    return path


def _prefix(path: Path) -> str:
    """Return the beginning of the SHA-256 that torchvision puts into the names of its files."""
    return path.stem.rpartition("-")[2]
