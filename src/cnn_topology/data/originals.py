"""MNIST, SVHN and CIFAR-10 from their original files, with the addresses and checksums of `torchvision.datasets`.

The files lie where torchvision puts them below `folder`: `MNIST/raw/`, `cifar-10-batches-py/`, SVHN's two beside them.
Either the archives as distributed or what torchvision extracts from them will do, and no file is read before its MD5
is that of the original.
"""

import gzip
import hashlib
import shutil
import tarfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cnn_topology.data.image_set import DIGITS, ImageSet
from cnn_topology.errors import InputError
from cnn_topology.plan.images import TorchvisionImages
from cnn_topology.storage.downloads import download

# torchvision knows MNIST's checksums before extraction only. These are of the four files after it, computed from
# archives that had torchvision's checksums.
MNIST_EXTRACTED = {
    "MNIST/raw/train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "MNIST/raw/train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "MNIST/raw/t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "MNIST/raw/t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


@dataclass(frozen=True)
class Originals:
    """The files of one set: paths below its folder, with their MD5."""

    archives: Mapping[str, str]  # as distributed
    extracted: Mapping[str, str]  # what is read; the archives themselves where nothing is packed
    urls: Mapping[str, Sequence[str]]  # where each archive is to be had
    read: Callable[[str, Path], ImageSet]  # the set's name and the folder of verified extracted files


def load_original(name: str, config: TorchvisionImages) -> ImageSet:
    """Load a set of the papers in its own shape; download what is missing if the config allows it.

    Parameters
    ----------
    name : str
        The name the image set has in the config.
    config : TorchvisionImages
        Which set, in which folder.

    Raises
    ------
    InputError
        If a file is missing and cannot be downloaded, or is cut short or altered: named with its expected MD5.
    """
    originals = {"mnist": _mnist, "svhn": _svhn, "cifar10": _cifar10}[config.kind]()
    folder = Path(config.folder)
    with ExitStack() as stack:
        if not _present(folder, originals.extracted):
            if not _present(folder, originals.archives):
                _fetch(name, config, originals)
            if originals.archives != originals.extracted:
                # Into a temporary folder: the user's own may be read-only, and two jobs may be at work.
                temporary = Path(stack.enter_context(TemporaryDirectory()))
                for archive, md5 in originals.archives.items():
                    _verify(folder / archive, md5)
                    _extract(folder / archive, temporary / Path(archive).parent)
                folder = temporary
        for file, md5 in originals.extracted.items():
            _verify(folder / file, md5)
        return originals.read(name, folder)


def _present(folder: Path, files: Mapping[str, str]) -> bool:
    return all((folder / file).is_file() for file in files)


def _verify(path: Path, expected: str) -> None:
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected one with MD5 {expected}.")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != expected:
        raise InputError(
            f"{path}: the file is cut short or altered: its MD5 is {found}, expected {expected}; "
            "delete it and start again (it is downloaded again), or put the original in its place."
        )


def _extract(archive: Path, into: Path) -> None:
    if archive.name.endswith(".tar.gz"):
        # File by file: what keeps `extractall` inside its folder is not in every Python 3.11, not in Debian 12's.
        with tarfile.open(archive) as tar:
            for member in tar:
                target = into / member.name
                content = tar.extractfile(member) if member.isfile() else None
                if content and target.resolve().is_relative_to(into.resolve()):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with content, target.open("wb") as file:
                        shutil.copyfileobj(content, file)
    else:
        into.mkdir(parents=True, exist_ok=True)
        with gzip.open(archive) as packed, (into / archive.stem).open("wb") as plain:
            shutil.copyfileobj(packed, plain)


def _fetch(name: str, config: TorchvisionImages, originals: Originals) -> None:
    """Download the archives that are missing; each appears in the folder whole or not at all, and stays."""
    folder, where = Path(config.folder), f"images.{name} ({config.kind})"
    if not config.download:
        raise InputError(f"{where}: files are missing and `download` is false. {_by_hand(folder, originals)}")
    try:
        for archive, md5 in originals.archives.items():
            if not (folder / archive).is_file():
                download(originals.urls[archive], folder / archive, "md5", md5)
    except InputError as error:
        further = f"Start again when there is a network, or go on without. {_by_hand(folder, originals)}"
        raise InputError(f"{where}: {error}\n{further}") from error


def _by_hand(folder: Path, originals: Originals) -> str:
    """List the archives that are missing."""
    missing = [archive for archive in originals.archives if not (folder / archive).is_file()]
    listing = "".join(f"\n  {folder / archive} (MD5 {originals.archives[archive]})" for archive in missing)
    return f"Put the original files there:{listing}"


def _mnist() -> Originals:
    from torchvision.datasets import MNIST

    return Originals(
        archives={f"MNIST/raw/{file}": md5 for file, md5 in MNIST.resources},
        extracted=MNIST_EXTRACTED,
        urls={f"MNIST/raw/{file}": [mirror + file for mirror in MNIST.mirrors] for file, _ in MNIST.resources},
        read=_read_mnist,
    )


def _read_mnist(name: str, folder: Path) -> ImageSet:
    def split(stem: str) -> tuple[np.ndarray, np.ndarray]:
        images = np.fromfile(folder / f"MNIST/raw/{stem}-images-idx3-ubyte", dtype=np.uint8, offset=16)
        labels = np.fromfile(folder / f"MNIST/raw/{stem}-labels-idx1-ubyte", dtype=np.uint8, offset=8)
        return images.reshape(-1, 28, 28, 1), labels.astype(np.int64)

    return ImageSet(name, *split("train"), *split("t10k"), DIGITS)


def _svhn() -> Originals:
    from torchvision.datasets import SVHN

    splits = [SVHN.split_list[split] for split in ("train", "test")]
    files = {file: md5 for _, file, md5 in splits}
    return Originals(
        archives=files,
        extracted=files,
        urls={file: [url] for url, file, _ in splits},
        read=_read_svhn,
    )


def _read_svhn(name: str, folder: Path) -> ImageSet:
    from torchvision.datasets import SVHN

    def split(split: str) -> tuple[np.ndarray, np.ndarray]:
        original = SVHN(folder, split=split)  # labels the digit 0 with 0, not 10 as the files do
        return np.ascontiguousarray(original.data.transpose(0, 2, 3, 1)), original.labels.astype(np.int64)

    return ImageSet(name, *split("train"), *split("test"), DIGITS)


def _cifar10() -> Originals:
    from torchvision.datasets import CIFAR10

    batches = [*CIFAR10.train_list, *CIFAR10.test_list, (CIFAR10.meta["filename"], CIFAR10.meta["md5"])]
    return Originals(
        archives={CIFAR10.filename: CIFAR10.tgz_md5},
        extracted={f"{CIFAR10.base_folder}/{file}": md5 for file, md5 in batches},
        urls={CIFAR10.filename: [CIFAR10.url]},
        read=_read_cifar10,
    )


def _read_cifar10(name: str, folder: Path) -> ImageSet:
    from torchvision.datasets import CIFAR10

    train, test = CIFAR10(folder, train=True), CIFAR10(folder, train=False)
    train_labels, test_labels = (np.array(split.targets, dtype=np.int64) for split in (train, test))
    return ImageSet(name, train.data, train_labels, test.data, test_labels, tuple(train.classes))
