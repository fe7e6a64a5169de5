"""How a user's folder of images is laid out: its splits, its classes and its files, by their names alone."""

import os
from collections.abc import Mapping
from pathlib import Path

from cnn_topology.errors import InputError, together
from cnn_topology.plan.images import Split

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
