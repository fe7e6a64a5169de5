"""The string metadata of an artefact, with a checksum of its own: seeds, hashes, and which networks failed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from cnn_topology.errors import InputError

CHECKSUM = "notes_sha256"


def sealed(notes: Mapping[str, str]) -> dict[str, str]:
    """Add the checksum to notes, and put all in the order of their names."""
    return dict(sorted({**notes, CHECKSUM: _digest(notes)}.items()))


def opened(notes: Mapping[str, str], path: Path) -> dict[str, str]:
    """Check notes against their checksum and take it off.

    Raises
    ------
    InputError
        If a note was altered.
    """
    plain = {name: value for name, value in notes.items() if name != CHECKSUM}
    if notes.get(CHECKSUM) != _digest(plain):
        raise InputError(f"{path}: its metadata was altered; delete it and start again: it is made again.")
    return plain


def _digest(notes: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(notes.items())).encode()).hexdigest()
