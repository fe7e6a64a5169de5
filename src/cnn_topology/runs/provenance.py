"""What a run was made by and what it took: code, config, data, machine, time and memory of each rule.

With it the answers that a reviewer's checklist asks for (the list of the machine-learning conferences: data and
splits, hyperparameters, n and seeds, error bars, compute).
"""

import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from cnn_topology.extras import EXTRAS
from cnn_topology.plan.config import RunConfig
from cnn_topology.plan.names import RunFolder
from cnn_topology.plan.networks import Networks
from cnn_topology.plan.resnets import StepRecipe
from cnn_topology.runs.machine import cores, cost_of, logs_of_jobs, processor, system_text

PACKAGE = "cnn-topology"
MIXED = "Code was edited during the run: {jobs} were done by other code. Start again: what was edited is made anew."


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
    found = {"python": platform.python_version(), "system": platform.platform(), PACKAGE: metadata.version(PACKAGE)}
    asked = set()
    for line in metadata.requires(PACKAGE) or ():
        extra = re.search(r"""extra == ['"]([^'"]+)""", line)
        if extra is None or extra[1] in EXTRAS:
            asked.add(re.split(r"[\s<>=!~;\[]", line)[0])
    for name in sorted(asked):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def hardware() -> dict[str, Any]:
    """Return processor, cores, memory and GPUs of this machine, None where unknown; on a cluster, of the last one."""
    memory = re.findall(r"^MemTotal:\s*(\d+) kB$", system_text(Path("/proc/meminfo")), re.M)
    gpus: str | None = ""
    if shutil.which("nvidia-smi"):
        gpus, _ = _output("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
    return {
        "processor": processor(),
        "cores": cores(),
        "memory_gb": round(int(memory[0]) / 1e6, 1) if memory else None,
        "gpus": None if gpus is None else gpus.splitlines(),
    }


def cost_by_rule(run: RunFolder) -> dict[str, dict[str, float]]:
    """Add up what the jobs of a run took as their logs end, by folder of the logs: the last attempt of each job counts.

    Returns
    -------
    dict of str to dict
        ``jobs``, ``wall_s``, ``cpu_s`` and ``peak_mb``, the largest resident size of any of its jobs.
    """
    found: dict[str, dict[str, float]] = {}
    for path in logs_of_jobs(run):
        if took := cost_of(path):
            rule = path.relative_to(run.logs).parts[0]
            cost = found.setdefault(rule, {"jobs": 0, "wall_s": 0.0, "cpu_s": 0.0, "peak_mb": 0.0})
            cost["jobs"] += 1
            cost["wall_s"] = round(cost["wall_s"] + took[0], 3)
            cost["cpu_s"] = round(cost["cpu_s"] + took[1], 3)
            cost["peak_mb"] = max(cost["peak_mb"], took[2])
    return found


def unmeasured_jobs(run: RunFolder) -> int:
    """Count the jobs whose logs hold no cost, so that their time and memory are in no sum.

    The job that records the provenance, which counts them and has not ended yet, is left out.
    """
    own = Path(run.log("provenance"))
    return sum(cost_of(path) is None for path in logs_of_jobs(run) if path != own)


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
        By image set: ``train``, ``test`` (numbers of images), ``shape``, ``classes``, ``sha256``.
    total, commit : mapping
        From `total_cost` and `commit_of`.
    """
    splits = "; ".join(
        f"{name} ({config.images[name].kind}): {facts['train']} training and {facts['test']} test images of "
        f"{'x'.join(map(str, facts['shape']))}, SHA-256 {facts['sha256'][:12]}"
        for name, facts in sets.items()
    )
    populations = Networks(config).populations
    recipes = [
        f"{name}: {population.architecture.family}"
        f"({', '.join(map(str, (*population.architecture.convolutions, *population.architecture.dense)))}), "
        f"{population.recipe.optimizer}, learning rate {population.recipe.learning_rate:g}, batch "
        f"{population.recipe.batch_size}, {population.recipe.iterations} iterations"
        for name, population in populations.items()
    ]
    recipes += [
        f"{name}: residual network, variant {networks.variant}, {networks.recipe.epochs} epochs, learning rate "
        f"{networks.recipe.learning_rate:g}, batch {networks.recipe.batch_size}"
        for name, networks in config.resnets.items()
        if not networks.checkpoints
    ]
    others = {name: networks.networks for name, networks in config.recorded.items() if networks.checkpoints}
    recipes += [
        f"{name}: {networks.module} as it is initialized, not trained"
        for name, networks in config.modules.items()
        if not networks.checkpoints
    ]
    others |= {name: len(getattr(networks, "files", (name,))) for name, networks in config.checkpoints.items()}
    test = config.significance
    by_test = [
        name
        for name, networks in config.resnets.items()
        if isinstance(networks.recipe, StepRecipe)
        and networks.recipe.selection == "best-on-test"
        and not networks.checkpoints
    ]
    chosen = "no weights are chosen by their test accuracy"
    if by_test:
        chosen = f"the weights of {', '.join(by_test)} are those of the epoch with the best test accuracy, as published"
    trained = {name: networks.networks for name, networks in {**populations, **config.recorded}.items()}
    counts = "; ".join(f"{name}: n = {count}" for name, count in {**trained, **others}.items())
    items = "each network, draw and subset" if recipes else "each draw and subset"
    listed = "; the tables `training` and `resnet_training` list those of the networks" if recipes else ""
    splits += ". Subsets are drawn by seed and balanced by class" if splits else "No images"
    if recipes:
        splits += f"; no test image is trained on, and {chosen}"
        recipes.append(
            "All of them are in the config (config.yaml of the run's folder), fixed before the run; the program "
            "searches none"
        )
    if others:
        names = ", ".join(others)
        splits += f". What the weights of {names} have seen of these or other images, the run does not know"
        recipes.append(f"The weights of {names} were read from files and not trained here")
    loops = (
        f" Loops are tested against {test.draws} draws of each null ({', '.join(test.nulls)}) at level "
        f"{test.alpha:g}, familywise over the bars of a cloud; p-values are not corrected across clouds."
        if config.populations or config.checkpoints
        else ""
    )
    state = commit["commit"] or f"unknown ({commit['git_error']})"
    changed = f", {commit['changed_files']} tracked files changed since" if commit["changed_files"] else ""
    if commit["commit"] and commit["changed_files"] is None:
        changed = f", unknown whether files were changed since ({commit['git_error']})"
    missing = total.get("unmeasured_jobs", 0)
    edited = total.get("jobs_of_other_code", 0)
    mixed = f" {MIXED.format(jobs=f'{edited:.0f} jobs')}" if edited else ""
    unmeasured = f" {missing:.0f} further jobs left no measure in their logs and are in no sum." if missing else ""
    return {
        "Data and splits": f"{splits}.",
        "Hyperparameters": f"{'. '.join(recipes)}.",
        "Number of runs and seeds": f"{counts}. The run's seed is {config.seed}; {items} has a seed of its "
        f"own, SHA-256 of the run's seed and of what the item is{listed}.",
        "Error bars": f"Each figure says what its band is and how many networks it is over.{loops}",
        "Compute": f"{total['jobs']:.0f} jobs, {total['cpu_hours']:.3g} CPU hours, "
        f"{total['wall_hours_of_all_jobs']:.3g} hours of wall time added over jobs, at most "
        f"{total['peak_gb_of_a_job']:.2g} GB in a job, as each job measured itself when it ended. A job that was "
        "stopped and went on counts its last part alone; Snakemake's own time is not in it."
        f"{unmeasured}",
        "Code": f"{PACKAGE}, commit {state}{changed}; exact versions of all libraries below.{mixed}",
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
        "Machine that ended the run": record["hardware"],
        "Versions": record["versions"],
        "Image sets": {name: facts["sha256"] for name, facts in record["data"].items()},
        "Weights that others trained": record["checkpoints"],
        "Hashes": {"config": record["config_sha256"], **record["code"]},
    }
    for title, values in sections.items():
        if values:
            lines += ["", title, *_pairs(values)]
    return "\n".join(lines) + "\n"


def _pairs(values: Mapping[str, Any]) -> Iterable[str]:
    for name, value in values.items():
        said = ", ".join(value) or "none" if isinstance(value, list) else value
        yield f"    {name}: {'unknown' if said is None else said}"


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
