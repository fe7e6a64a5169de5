"""Files that appear whole or not at all: a temporary file in the same folder, fsync, rename, fsync of the folder."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cnn_topology.errors import InputError


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target` that becomes `target` when the block ends without an error.

    Parameters
    ----------
    target : Path
        Where the finished file shall stand; missing folders are made.

    Yields
    ------
    Path
        The temporary path, with the same suffix as `target`. If the block raises, it is removed and `target`
        keeps its earlier content.

    Raises
    ------
    InputError
        If the disk is full, the quota is used up, or the folder cannot be written.
    """
    temporary = target.with_name(f".{target.stem}.{os.getpid()}.tmp{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        temporary.replace(target)
        _flush(target.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InputError(
                f"{target}: the disk is full; nothing was changed. Free some space and start again: "
                "finished files are kept."
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise InputError(
                f"{target}: its folder cannot be written ({error.strerror}); mend its permissions or its path"
            ) from error
        raise
    finally:
        with suppress(OSError):  # a folder that cannot be written has nothing to clean, and its error is on its way
            temporary.unlink()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
