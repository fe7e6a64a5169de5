"""Manifests: files of a user's own and their SHA-256, so that a file is read again only when its size or time changed.

What decides whether a result is up to date is the content of the files that it was made from. A manifest stands beside
the run and is renewed once per start. Losing it costs time alone: every file is then hashed anew. It takes a file for
unchanged whose size and time of modification (in nanoseconds) are as before.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cnn_topology.errors import InputError
from cnn_topology.storage.atomic import file_checksum, write_text


class Entry(NamedTuple):
    """One file: its size in bytes, when it was last modified, in nanoseconds, and its SHA-256."""

    size: int
    mtime_ns: int
    sha256: str


# By name, in the order in which the files are read.
Manifest = dict[str, Entry]


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Parameters
    ----------
    path : Path
        A file that `write_manifest` wrote.

    Returns
    -------
    dict of str to Entry
        Empty if there is no such file or it is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): Entry(int(size), int(time), str(digest)) for name, (size, time, digest) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest atomically.

    Parameters
    ----------
    path : Path
        A file of the run; missing folders are made.
    manifest : dict of str to Entry

    Raises
    ------
    InputError
        If the disk is full or the folder cannot be written.
    """
    write_text(path, json.dumps(manifest, indent=0), checksum=False)


def renewed(files: Mapping[str, Path], known: Manifest) -> Manifest:
    """Build the manifest of some files as they are now.

    Parameters
    ----------
    files : mapping of str to Path
        Names and places, in the order in which they are read; links are followed.
    known : dict of str to Entry
        An earlier manifest: a file of the same size and time is not read.

    Returns
    -------
    dict of str to Entry
        Of exactly these files, in this order.

    Raises
    ------
    InputError
        If a file is missing or cannot be read.
    """
    manifest: Manifest = {}
    for name, path in files.items():
        try:
            state = path.stat()
            entry = known.get(name)
            if entry is None or (entry.size, entry.mtime_ns) != (state.st_size, state.st_mtime_ns):
                entry = Entry(state.st_size, state.st_mtime_ns, file_checksum(path))
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}); repair or remove it") from error
        manifest[name] = entry
    return manifest


def content_digest(manifest: Manifest) -> str:
    """Digest the content of the files of a manifest.

    Parameters
    ----------
    manifest : dict of str to Entry

    Returns
    -------
    str
        SHA-256 over name and content of each file, in their order; sizes and times do not enter.
    """
    digest = hashlib.sha256()
    for name, entry in manifest.items():
        digest.update(os.fsencode(name) + b"\0" + entry.sha256.encode() + b"\n")
    return digest.hexdigest()


def check_unchanged(files: Mapping[str, Path], planned: Sequence[str] | None) -> None:
    """Refuse files that were just read if their content is not what the job was planned with.

    Parameters
    ----------
    files : mapping of str to Path
        As for `renewed`.
    planned : (str, str), optional
        The manifest of the run, by which files of the same size and time are not read again, and the `content_digest`
        of these files when the job was planned. Absent: a job that a person started by hand; nothing is refused.

    Raises
    ------
    InputError
        Naming the first file that changed, how many others did, and the way out.
    """
    if not planned:
        return
    manifest, digest = planned
    known = read_manifest(Path(manifest))
    now = renewed(files, known)
    if content_digest(now) == digest:
        return
    changed = [name for name in now if name not in known or known[name].sha256 != now[name].sha256]
    first, *others = changed or list(now)
    more = f" (and {len(others)} more)" if changed and others else ""
    raise InputError(
        f"{files[first]}{more}: changed after this job was planned; start again by the same command, and all that "
        "depends on it is made from its new content"
    )
