"""Where an artefact comes from: hashes over what it was made from, as notes that go with it."""

import hashlib
from collections.abc import Iterable, Mapping


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
