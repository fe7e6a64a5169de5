"""What a killed training job goes on from: the snapshots made so far and the state of each stack, in a private folder.

Each stack has one file of state, replaced as it trains, and files of finished snapshots, written before the state that
follows them. Every file carries the identity of the job; one of another job, or a damaged one, counts as not there.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from cnn_topology.errors import InputError
from cnn_topology.storage.tensors import read_metadata, read_tensors, write_tensors

Rows = list[dict[str, Any]]


def read_own(path: Path, identity: str) -> tuple[dict[str, np.ndarray], dict[str, str]] | None:
    """Read the tensors and the metadata of a file that this job has written; None of another's, or a damaged one."""
    try:
        return read_tensors(path) if read_metadata(path).get("identity") == identity else None
    except InputError:
        return None


class StackFolder:
    """The part of the resume folder that belongs to one stack.

    Parameters
    ----------
    folder : Path
        Folder of the stack.
    identity : str
        Hash of all that its bytes depend on.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder, self.identity = folder, identity
        self._waiting: dict[int, tuple[dict[str, np.ndarray], Rows]] = {}
        self._files: dict[int, Path] = {}
        for path in sorted(folder.glob("snapshots-*.safetensors")):
            if (read := read_own(path, identity)) is not None:
                self._files.update(dict.fromkeys(map(int, json.loads(read[1]["rows"])), path))

    def state(self) -> dict[str, np.ndarray] | None:
        """Return the last state, if the snapshots up to it are there too."""
        read = read_own(self.folder / "state.safetensors", self.identity)
        return None if read is None else read[0]

    def steps(self) -> set[int]:
        """Return the steps whose snapshots are on disk and whole."""
        return set(self._files)

    def add(self, step: int, tensors: dict[str, np.ndarray], rows: Rows) -> None:
        """Take a snapshot and its rows of the training log; they are written by the next `flush`."""
        self._waiting[step] = tensors, rows

    def flush(self, state: dict[str, np.ndarray] | None) -> None:
        """Write the waiting snapshots, then the state; without a state (all is done) the old one is removed."""
        if self._waiting:
            path = self.folder / f"snapshots-{max(self._waiting):08d}.safetensors"
            tensors = {f"{step}/{name}": x for step, (named, _) in self._waiting.items() for name, x in named.items()}
            rows = {step: rows for step, (_, rows) in self._waiting.items()}
            write_tensors(path, tensors, {"identity": self.identity, "rows": json.dumps(rows)})
            self._files.update(dict.fromkeys(rows, path))
            self._waiting.clear()
        if state is None:
            (self.folder / "state.safetensors").unlink(missing_ok=True)
        else:
            write_tensors(self.folder / "state.safetensors", state, {"identity": self.identity})

    def snapshot(self, step: int) -> tuple[dict[str, np.ndarray], Rows]:
        """Read back one snapshot and its rows of the training log.

        Raises
        ------
        InputError
            If its file is no longer as it was written: another process was at work in the same folder.
        """
        read = read_own(self._files[step], self.identity)
        rows = {} if read is None else json.loads(read[1]["rows"])
        if read is None or str(step) not in rows:
            raise InputError(
                f"{self._files[step]}: the file was removed or altered while this job was training; a second one may "
                "be at work in the same folder: wait for it to end, or end it, and start again"
            )
        prefix = f"{step}/"
        named = {key.removeprefix(prefix): value for key, value in read[0].items() if key.startswith(prefix)}
        return named, rows[str(step)]
