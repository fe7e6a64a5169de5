"""The private folder of a training job, for one process at a time: a job may outlive the Snakemake that started it."""

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from cnn_topology.errors import InputError
from cnn_topology.storage.atomic import disk_errors


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a resume folder while a job trains; it is removed when the job has ended well.

    The hold is a lock on a file beside the folder, which ends with the process, however that ends. Without it the
    copy that ends last would put its files, perhaps of another recipe, in the place of those of the other.

    Raises
    ------
    InputError
        If another process holds it, or the disk cannot be written.
    """
    path = folder.with_name(f"{folder.name}.lock")
    with ExitStack() as stack:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(path.open("a+"))
            if not _held(file):
                file.seek(0)
                raise InputError(
                    f"{folder}: {file.read() or 'another process'} is training the same networks (a job can "
                    "outlive its Snakemake); wait for it to end, or end it, and start again"
                )
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}")
            file.flush()
        stack.callback(path.unlink, missing_ok=True)
        yield
        shutil.rmtree(folder, ignore_errors=True)


def _held(file: IO[str]) -> bool:
    """Lock a file, unless another process has it or has just removed it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: there, what is read back is still checked to be this job's
        return True
    return os.fstat(file.fileno()).st_nlink > 0
