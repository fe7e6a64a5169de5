"""Files that appear whole or not at all: a temporary file in the same folder, fsync, rename, fsync of the folder.

Arrays and tables carry a checksum inside. Of every other file (figures, pages, text) it stands in a small file beside
it, in the folder `.sha256`, written here: `cnn-topology verify` reads both.
"""

import errno
import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cnn_topology.errors import InputError

# Formats that `storage` gives a checksum inside.
CHECKED_INSIDE = (".parquet", ".safetensors")
# What a job asks before each of its files takes its place: see `writing_while`.
_checks: list[Callable[[], None]] = []


@contextmanager
def atomic_path(target: Path, *, checksum: bool = True, flush: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `target` that becomes `target` when the block ends without an error.

    Parameters
    ----------
    target : Path
        Where the finished file shall stand; missing folders are made.
    checksum : bool
        Write the checksum of a format that carries none beside it; not for files outside of a run.
    flush : bool
        Wait until the disk has it: five to ten milliseconds. Not for the many small files that a start writes again
        where a power cut has spoiled them.

    Yields
    ------
    Path
        The temporary path, with the same suffix as `target`. If the block raises, it is removed and `target`
        keeps its earlier content.

    Raises
    ------
    InputError
        If the disk is full or fails, a quota or limit is used up, or the folder cannot be written.
    """
    temporary = target.with_name(f".{target.stem}.{_unique()}.tmp{target.suffix}")
    try:
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            if flush:
                _flush(temporary)
            for check in _checks:
                check()
            if checksum and target.suffix not in CHECKED_INSIDE:
                _write_checksum(temporary, target)
            temporary.replace(target)
            if flush:
                _flush(target.parent)
    finally:
        with suppress(OSError):  # a folder that cannot be written has nothing to clean, and its error is on its way
            temporary.unlink()


def write_text(target: Path, text: str, *, checksum: bool = True) -> None:
    """Write a text in UTF-8 atomically.

    Parameters
    ----------
    target, checksum
        As for `atomic_path`.
    text : str

    Raises
    ------
    InputError
        If the disk is full or fails, a quota or limit is used up, or the folder cannot be written.
    """
    with atomic_path(target, checksum=checksum) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def writing_while(check: Callable[[], None]) -> Iterator[None]:
    """Call a function before each file that this process writes takes its place; if it raises, the file stays away.

    Parameters
    ----------
    check : function
        Raises what the block shall end with.
    """
    _checks.append(check)
    try:
        yield
    finally:
        _checks.remove(check)


@contextmanager
def disk_errors(target: Path) -> Iterator[None]:
    """Describe what is wrong when a block cannot write a file, and the way out.

    Raises
    ------
    InputError
        If the disk is full or fails, a quota or limit is used up, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                f"{target}: the disk is full; nothing was changed. Free some space and start again: "
                "finished files are kept."
            ) from error
        if error.errno in (errno.EFBIG, errno.EIO, errno.ESTALE):
            raise InputError(
                f"{target}: could not be written ({os.strerror(error.errno)}); nothing was changed. Look at the limits "
                "of this account (`ulimit -f`) and the health of the disk, and start again: finished files are kept."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise InputError(
                f"{target}: its folder cannot be written ({os.strerror(error.errno)}); correct its permissions or "
                "its path"
            ) from error
        raise


def checksum_path(target: Path) -> Path:
    """Return the place of the checksum of a file that does not carry one inside."""
    return target.parent / ".sha256" / target.name


def file_checksum(path: Path) -> str:
    """Compute the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_checksum(content: Path, target: Path) -> None:
    """Write the checksum before the file it is of: a stop between the two leaves a mismatch, never a false match."""
    path = checksum_path(target)
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f".{path.name}.{_unique()}.tmp")
    temporary.write_text(file_checksum(content) + "\n")
    _flush(temporary)
    temporary.replace(path)


def _unique() -> str:
    """Return a name that no other process uses: the same process id may be at work on two nodes of a cluster."""
    return uuid.uuid4().hex[:12]


def entries_below(folder: Path) -> Iterator[Path]:
    """List all files and folders below a folder, those behind links too; `Path.rglob` passes over them.

    Parameters
    ----------
    folder : Path
        Where to begin; one that is not there holds nothing.

    Yields
    ------
    Path
        Each once, even where a link leads back.
    """
    visited: set[Path] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = Path(root).resolve()
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        yield from (Path(root, name) for name in (*folders, *files))


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that killed jobs left below a folder; none may be at work there."""
    for path in entries_below(folder):
        if path.match(".*.tmp*"):
            path.unlink(missing_ok=True)


def clamp_future_mtimes(folder: Path) -> None:
    """Set the times of files below a folder that lie ahead of the clock to now.

    Snakemake takes a job for failed whose output is older than its input: after a clock has jumped none would pass.
    """
    now = time.time()
    for path in entries_below(folder):
        with suppress(OSError):  # another job may replace it meanwhile
            if path.lstat().st_mtime > now:
                os.utime(path, (now, now), follow_symlinks=False)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
