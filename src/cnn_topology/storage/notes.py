"""The string metadata of an artefact, with a checksum of its own: seeds, which networks failed, its origin.

Hashes over what it was made from are its lineage. Here stand the errors of artefacts that are missing or damaged too.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
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
        raise damaged(path, "its metadata was altered")
    return plain


def check_there(path: Path) -> None:
    """Refuse an artefact that is not there.

    Raises
    ------
    InputError
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; run the rule that makes it (snakemake names it with -n).")


def damaged(path: Path, reason: object) -> InputError:
    """Return the error of an artefact that is not as it was written; `reason` is an error or says what differs."""
    words = (str(reason).splitlines() or [type(reason).__name__])[0]
    return InputError(
        f"{path}: the file is cut short or altered ({words}); delete it and start again: it is made again."
    )


def _digest(notes: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(notes.items())).encode()).hexdigest()


def combined_notes(parts: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Combine the notes of the parts of a table into those of the whole."""
    notes = list(parts)
    configs = "\n".join(sorted(part.get("config", "") for part in notes))
    return {
        "config": hashlib.sha256(configs.encode()).hexdigest()[:12],
        "code": lineage("", notes, "code"),
        "data": union(part.get("data", "") for part in notes),
        "seed": union(part.get("seed", "") for part in notes),
    }


def lineage(own: str, upstream: Iterable[Mapping[str, str]], name: str) -> str:
    """Hash what is a job's own together with a note of all it was made from."""
    lines = [own, *sorted({notes[name] for notes in upstream if name in notes})]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def union(lists: Iterable[str]) -> str:
    """Join comma-separated lists into one, sorted, each entry once."""
    return ",".join(sorted({entry for entries in lists for entry in entries.split(",") if entry}))
