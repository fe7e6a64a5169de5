"""`cnn-topology provenance`: describe what a run was made by and what it took."""

import json
import platform
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from cnn_topology.cli import kinds_of_jobs
from cnn_topology.extras import EXTRAS
from cnn_topology.plan.code import PACKAGE, code_digest
from cnn_topology.plan.config import RunConfig
from cnn_topology.plan.findings import ProvenanceParameters
from cnn_topology.plan.names import RunFolder
from cnn_topology.plan.resnets import StepRecipe
from cnn_topology.runs.job import Job
from cnn_topology.runs.machine import MIXED, cost_by_rule, logs_of_other_code, machines
from cnn_topology.storage.atomic import remove_leftovers, write_text
from cnn_topology.storage.tensors import read_metadata, read_shapes

DISTRIBUTION = "cnn-topology"


def run(job: Job) -> None:
    """Write the record."""
    config = job.parameters(ProvenanceParameters).config
    run = RunFolder(config.name)
    rules = cost_by_rule(run)
    total, commit = total_cost(rules), commit_of(PACKAGE)
    total["jobs_of_other_code"] = len(logs_of_other_code(run))
    sets = {name: Path(run.images(name)) for name in config.images}
    data = {name: image_set_facts(path) for name, path in sets.items() if path.is_file()}
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
    write_text(job.output("record"), json.dumps(record, indent=1) + "\n")
    write_text(job.output("page"), page(record))
    remove_leftovers(Path(run.root))
    resumes = Path(run.resumes)
    for empty in (*resumes.glob("*"), resumes):
        with suppress(OSError):  # what a stopped job of another plan left there is kept
            empty.rmdir()


def commit_of(folder: Path) -> dict[str, Any]:
    """Return the commit of the checkout that a folder belongs to, and how many tracked files differ from it.

    Parameters
    ----------
    folder : Path
        A folder of which the checkout tracks files: one that merely lies in a checkout has no commit.

    Returns
    -------
    dict
        ``commit`` and ``changed_files``, each None where unknown, and ``git_error``: the reason, else None.
    """
    git = ("git", "-C", str(folder))
    tracked, error = _output(*git, "ls-files")
    if not tracked:
        return {"commit": None, "changed_files": None, "git_error": error or f"git tracks no file in {folder}"}
    head, error = _output(*git, "rev-parse", "HEAD")
    changes, later = _output(*git, "status", "--porcelain", "--untracked-files=no")
    count = None if changes is None else len(changes.splitlines())
    return {"commit": head, "changed_files": count, "git_error": error or later}


def versions() -> dict[str, str]:
    """Return the versions of Python, the system, this package, and of the libraries of its extras what is installed."""
    found = {
        "python": platform.python_version(),
        "system": platform.platform(),
        DISTRIBUTION: metadata.version(DISTRIBUTION),
    }
    asked = set()
    for line in metadata.requires(DISTRIBUTION) or ():
        extra = re.search(r"""extra == ['"]([^'"]+)""", line)
        if extra is None or extra[1] in EXTRAS:
            asked.add(re.split(r"[\s<>=!~;\[]", line)[0])
    for name in sorted(asked):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def total_cost(rules: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Add up the costs of all rules, in hours."""
    return {
        "jobs": sum(cost["jobs"] for cost in rules.values()),
        "wall_hours_of_all_jobs": round(sum(cost["wall_s"] for cost in rules.values()) / 3600, 4),
        "cpu_hours": round(sum(cost["cpu_s"] for cost in rules.values()) / 3600, 4),
        "peak_gb_of_a_job": round(max((cost["peak_mb"] for cost in rules.values()), default=0) / 1000, 3),
    }


def checklist(
    config: RunConfig, sets: Mapping[str, Mapping[str, Any]], total: Mapping[str, float], commit: Mapping[str, Any]
) -> dict[str, str]:
    """Answer the questions of a reproducibility checklist from what the run knows of itself.

    Parameters
    ----------
    config : RunConfig
        The run.
    sets : mapping
        By image set: ``train``, ``test`` (numbers of images), ``shape``, ``sha256``, and ``repeats``, which says what
        images come twice.
    total, commit : mapping
        From `total_cost` and `commit_of`.
    """
    splits = "; ".join(
        f"{name} ({config.images[name].kind}): {facts['train']} training and {facts['test']} test images of "
        f"{'x'.join(map(str, facts['shape']))}, SHA-256 {facts['sha256'][:12]}"
        + (f" ({facts['repeats']})" if facts["repeats"] else "")
        for name, facts in sets.items()
    )
    networks = {name: population.networks for name, population in {**config.trained, **config.recorded}.items()}
    networks |= {name: section.networks for name, section in config.checkpoints.items()}
    of_others = [name for name, section in config.recorded.items() if section.checkpoints] + [*config.checkpoints]
    untrained = [name for name, section in config.modules.items() if not section.checkpoints]
    trained = [name for name in networks if name not in of_others + untrained]
    by_test = [
        name
        for name, section in config.resnets.items()
        if isinstance(section.recipe, StepRecipe)
        and section.recipe.selection == "best-on-test"
        and not section.checkpoints
    ]
    chosen = f"; of {', '.join(by_test)} the epoch of the best test accuracy is kept, as published" if by_test else ""
    splits = f"{splits}. Subsets are drawn by seed and balanced by class" if splits else "No images"
    hyperparameters, loops = [], ""
    if trained:
        splits += f"; networks that are trained here are trained on training images alone{chosen}"
        hyperparameters.append(
            "All are in the config (config.yaml of the run's folder), fixed before the run; the program searches none."
        )
    if untrained:
        hyperparameters.append(f"The networks of {', '.join(untrained)} are as they are initialized, not trained.")
    if of_others:
        splits += (
            f". What the weights of {', '.join(of_others)} have seen of these or other images, the run cannot tell"
        )
        hyperparameters.append(f"The weights of {', '.join(of_others)} were read from files and not trained here.")
    if config.populations or config.checkpoints:
        test = config.significance
        loops = (
            f" Loops are tested against {test.draws} draws of each null ({', '.join(test.nulls)}) at level "
            f"{test.alpha:g}, familywise over the bars of a cloud; p-values are not corrected across clouds."
        )
    commit_line = commit["commit"] or f"unknown ({commit['git_error']})"
    if commit["commit"] and commit["changed_files"] is None:
        commit_line += f", unknown whether files were changed since ({commit['git_error']})"
    elif commit["changed_files"]:
        commit_line += f", {commit['changed_files']} tracked files changed since"
    edited = total.get("jobs_of_other_code", 0)
    return {
        "Data and splits": f"{splits}.",
        "Hyperparameters": " ".join(hyperparameters),
        "Number of runs and seeds": f"{'; '.join(f'{name}: n = {count}' for name, count in networks.items())}. The "
        f"run's seed is {config.seed}; each {'network, ' if trained or untrained else ''}draw and subset has a seed of "
        "its own, SHA-256 of the run's seed and of what the item is"
        f"{'; the tables `training` and `resnet_training` list those of networks' if trained else ''}.",
        "Error bars": f"Each figure says what its band is and how many networks it is over.{loops}",
        "Compute": f"{total['jobs']:.0f} jobs, {total['cpu_hours']:.3g} CPU hours, "
        f"{total['wall_hours_of_all_jobs']:.3g} hours of wall time added over jobs, at most "
        f"{total['peak_gb_of_a_job']:.2g} GB in a job, as each job measured itself when it ended. A job that was "
        "stopped and went on counts its last part alone; Snakemake's own time is not in it.",
        "Code": f"{DISTRIBUTION}, commit {commit_line}; exact versions of all libraries below."
        + (f" {MIXED.format(jobs=f'{edited:.0f} jobs')}" if edited else ""),
        "To repeat": "snakemake --cores all --configfile config.yaml (the one in the run's folder); the same seed "
        "gives the same tables, byte for byte on one machine and libraries.",
    }


def page(record: Mapping[str, Any]) -> str:
    """Write a record as text for people."""
    lines = [f"Provenance of the run {record['run']}, {record['finished']}", ""]
    for question, answer in record["checklist"].items():
        lines += [question, f"    {answer}", ""]
    lines += [
        "Time and memory of each rule",
        f"    {'rule':<22} {'jobs':>6} {'wall s':>10} {'CPU s':>10} {'peak MB':>9}",
    ]
    for name, cost in sorted(record["rules"].items(), key=lambda item: -item[1]["wall_s"]):
        lines.append(
            f"    {name:<22} {cost['jobs']:>6} {cost['wall_s']:>10.1f} {cost['cpu_s']:>10.1f} {cost['peak_mb']:>9.0f}"
        )
    sections = {
        "Arithmetic of training": record["precision"],
        "Machines by number of jobs": record["machines"],
        "Versions": record["versions"],
        "Image sets": {name: facts["sha256"] for name, facts in record["data"].items()},
        "Weights that others trained": record["checkpoints"],
        "Hashes": {"config": record["config_sha256"], **record["code"]},
    }
    for title, values in sections.items():
        if values:
            lines += ["", title, *(f"    {name}: {value}" for name, value in values.items())]
    return "\n".join(lines) + "\n"


def _output(*command: str) -> tuple[str | None, str | None]:
    """Return what a command prints and None, or None and why it did not answer."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except FileNotFoundError:
        return None, f"{command[0]} is not installed"
    except (subprocess.SubprocessError, OSError) as error:
        return None, f"{command[0]}: {error}"
    if done.returncode:
        return None, next(iter(done.stderr.strip().splitlines()), f"{command[0]} ended with status {done.returncode}")
    return done.stdout.strip(), None


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


def image_set_facts(path: Path) -> dict[str, object]:
    """Return size, shape and hash of a prepared set; its arrays are not read."""
    shapes, notes = read_shapes(path), read_metadata(path)
    (train, *shape), (test, *_) = shapes["train_images"], shapes["test_images"]
    about = {"sha256": notes.get("data", ""), "repeats": notes.get("repeats", "")}
    return {"train": train, "test": test, "shape": shape, **about}
