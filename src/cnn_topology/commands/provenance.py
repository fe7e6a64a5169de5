"""`cnn-topology provenance`: say what a run was made by and what it took."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cnn_topology.cli import kinds_of_jobs
from cnn_topology.plan.code import PACKAGE, code_digest
from cnn_topology.plan.config import RunConfig
from cnn_topology.plan.findings import ProvenanceParameters
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.job import Job
from cnn_topology.runs.machine import logs_of_other_code, machines
from cnn_topology.runs.provenance import (
    checklist,
    commit_of,
    cost_by_rule,
    page,
    total_cost,
    versions,
)
from cnn_topology.storage.atomic import atomic_path, remove_leftovers
from cnn_topology.storage.tensors import read_metadata, read_shapes


def run(job: Job) -> None:
    """Write the record."""
    config = job.parameters(ProvenanceParameters).config
    run = RunFolder(config.name)
    rules = cost_by_rule(run)
    total, commit = total_cost(rules), commit_of(PACKAGE)
    total["jobs_of_other_code"] = len(logs_of_other_code(run))
    sets = {name: Path(run.images(name)) for name in config.images}
    data = {name: _image_set(path) for name, path in sets.items() if path.is_file()}
    record = {
        "run": config.name,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": config.seed,
        **commit,
        "code": {verb: code_digest(verb) for verb in kinds_of_jobs()},
        "config": config.model_dump(mode="json"),
        "config_sha256": config.sha256,
        "data": data,
        "checkpoints": _weights_of_others(config, run),
        "precision": _precisions(config, run),
        "versions": versions(),
        "machines": machines(run),
        "rules": rules,
        "total": total,
        "checklist": checklist(config, data, total, commit),
    }
    texts = (json.dumps(record, indent=1) + "\n", page(record))
    for name, text in zip(("record", "page"), texts, strict=True):
        with atomic_path(job.output(name)) as temporary:
            temporary.write_text(text, encoding="utf-8")
    remove_leftovers(Path(run.root))
    resumes = Path(run.resumes)
    for empty in (*resumes.glob("*"), resumes):
        with suppress(OSError):  # what a stopped job of another plan left there is kept
            empty.rmdir()
    print(f"{config.name}: {total['jobs']:.0f} jobs, {total['cpu_hours']:.3g} CPU hours")


def _precisions(config: RunConfig, run: RunFolder) -> dict[str, str]:
    """Return the arithmetic that networks were trained in, which `auto` leaves to the hardware."""
    first = {name: run.snapshot(name, 0, 0) for name in config.trained}
    first |= {name: run.resnet(name, 0) for name, networks in config.resnets.items() if not networks.checkpoints}
    return {name: _note(path, "precision") for name, path in first.items()}


def _weights_of_others(config: RunConfig, run: RunFolder) -> dict[str, str]:
    """Return SHA-256 sums by which weights that were not trained here are known: of files, of a ResNet's tensors."""
    found = {name: _note(run.snapshot(name, 0, 0), "data") for name in config.checkpoints}
    for name, networks in config.recorded.items():
        if networks.checkpoints:
            files = [run.resnet(name, number) for number in range(networks.networks)]
            found[name] = ",".join(f"{_note(file, 'checkpoint')} {_note(file, 'sha256')}" for file in files)
    return found


def _note(path: str, key: str) -> str:
    """Read a note of an artefact; a run made in part lacks some."""
    return read_metadata(Path(path)).get(key, "none") if Path(path).is_file() else "not made"


def _image_set(path: Path) -> dict[str, object]:
    """Return size, shape and hash of a prepared set; its arrays are not read."""
    shapes, notes = read_shapes(path), read_metadata(path)
    (train, *shape), (test, *_) = shapes["train_images"], shapes["test_images"]
    return {"train": train, "test": test, "shape": shape, "sha256": notes.get("data", "")}
