"""The jobs of a run as Snakemake plans them: the one source for plan, status and verify."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from cnn_topology.errors import InputError
from cnn_topology.plan.config import RunConfig, read_config
from cnn_topology.plan.names import RunFolder

SNAKEFILE = Path(__file__).parents[3] / "Snakefile"
# What Snakemake puts around an error of the config.
_FRAME = re.compile(r'WorkflowError in file ".*", line \d+:$|  File ".*", line \d+, in <module>$')


@dataclass(frozen=True)
class Job:
    """One job: its rule, its files relative to the folder Snakemake runs in, and what it asks for."""

    rule: str
    outputs: tuple[str, ...] = ()
    log: str | None = None
    threads: int = 1
    resources: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The rule, and the item where a rule has several: as in the name of the log."""
        parts = Path(self.log or "").with_suffix("").parts[4:]
        return f"{self.rule} {'/'.join(parts)}".strip()

    @property
    def stage(self) -> str:
        """The stage that it is counted with: the folder of its log; figures are one."""
        parts = Path(self.log or self.rule).parts
        return parts[3] if len(parts) > 4 else Path(parts[-1]).stem


def list_jobs(config: Path, directory: Path) -> list[Job]:
    """List every job of a run, done or not; nothing is changed, written or locked in its folder.

    Parameters
    ----------
    config : Path
        The config file.
    directory : Path
        The folder that holds `results`.

    Returns
    -------
    list of Job
        At least one.

    Raises
    ------
    InputError
        With Snakemake's own words, if the config is wrong or the Snakefile is not at hand; or if no job is planned.
    """
    if not SNAKEFILE.is_file():
        raise InputError(f"{SNAKEFILE}: no such file; install the package from its checkout with `pip install -e .`")
    if not config.is_file():
        raise InputError(f"{config}: no such config file")
    with _view(directory.absolute(), read_config(config)) as view:
        command = [sys.executable, "-m", "cnn_topology.runs.planned_jobs"]
        command += [str(SNAKEFILE), str(view), str(config.resolve())]
        # Its words are decoded here, whatever encoding the terminal has; the home of a user may not be writable.
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "XDG_CACHE_HOME": str(view / ".snakemake")}
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        lines = done.stderr.splitlines()
        reason = [line for line in lines if line.strip() and "Using workflow" not in line and not _FRAME.match(line)]
        text = "\n".join(reason[-8:])
        raise InputError(text if text.startswith(str(config.resolve())) else f"snakemake cannot plan this run:\n{text}")
    jobs = [Job(**{**job, "outputs": tuple(job["outputs"])}) for job in json.loads(done.stdout)]
    jobs = [job for job in jobs if job.outputs]  # the target `all` makes nothing
    if not jobs:
        raise InputError(
            f"{config}: snakemake plans no job for this config, so there is nothing to forecast or to check"
        )
    return jobs


@contextmanager
def _view(directory: Path, config: RunConfig) -> Iterator[Path]:
    """Yield a folder that looks like another one while Snakemake plans in it, and is removed afterwards.

    Wherever it plans, Snakemake makes a `.snakemake`, and it refuses to plan what it could not write. Of the run, which
    may be someone else's, it is shown what was known of the user's own files, the logs, and which image sets are there.
    Folders above are shown as far as paths of the config lead there by `..`.
    """
    run = RunFolder(config.name)
    results, known, logs = Path(run.root).parent, Path(run.inputs("any")).parent, Path(run.logs)
    shown = ((Path(), (".snakemake", str(results))), (results, (config.name,)), (known, ()), (logs, ()))
    up = max(text.count("..") for text in config.model_dump_json().split('"'))
    folders = [directory.resolve(), *directory.resolve().parents][: up + 1]
    with TemporaryDirectory(prefix="cnn-topology-") as name:
        view = Path(name)
        for above, below in zip(folders[:0:-1], folders[-2::-1], strict=True):
            _link(above, view, (below.name,))
            view = view / below.name
            view.mkdir()
        for folder, but in shown:
            _link(directory / folder, view / folder, but)
        for images in map(run.images, config.images):
            if (directory / images).exists():
                (view / images).parent.mkdir(exist_ok=True)
                (view / images).touch()
        yield view


def _link(folder: Path, into: Path, but: Collection[str]) -> None:
    """Create a folder with links to what another one holds, but for some names; empty where that one is not there."""
    into.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.name not in but:
            (into / entry.name).symlink_to(entry)


def find_run(run: str) -> Path:
    """Find a run's folder, by its path or its name.

    Raises
    ------
    InputError
        If there is none, or it was never started.
    """
    folders = [path for path in (Path(run), Path("results") / run) if path.is_dir()]
    if not folders:
        there = sorted(path.parent.name for path in Path("results").glob("*/config.yaml"))
        raise InputError(f"{run}: no such run; under results/ there are: {', '.join(there) or 'none'}")
    # A folder of that name that has nothing to do with runs may stand beside `results`.
    folder = next((folder for folder in folders if (folder / "config.yaml").is_file()), None)
    if folder is None:
        raise InputError(f"{folders[-1]}: holds no config.yaml, which every run writes when it starts; start it first")
    return folder


def change_to(directory: Path) -> str:
    """Return what a command for the folder of Snakemake begins with, where its reader stands in another one."""
    return "" if directory == Path.cwd() else f"cd {shlex.quote(str(directory))} && "
