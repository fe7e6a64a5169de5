"""The files that describe the jobs of a run: what each computes, from which files, into which files.

A rule names the file of its job, and `cnn-topology job FILE` carries it out, as often as a person repeats that line.
The files are planned while Snakemake looks at the jobs and written when a start begins. The name of each ends with the
digest of its content, which is never changed. When the run is started again and something else is planned for the same
output, the file is removed: a job of the earlier start that is still at work then writes nothing more.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from cnn_topology.errors import InputError, check_known
from cnn_topology.plan.base import described
from cnn_topology.plan.names import RunFolder
from cnn_topology.storage.atomic import atomic_path

if TYPE_CHECKING:  # the models of the whole config, which a job that joins tables has no use of
    from cnn_topology.plan.parameters import Parameters

Block = TypeVar("Block", bound="Parameters")
# The end of the name of a job's file.
DIGEST = re.compile(r"\.([0-9a-f]{16})\.json$")
Files = Mapping[str, str | Sequence[str]]


@cache
def kinds_of_jobs() -> dict[str, str]:
    """Return what each kind of job does: the first line of every module of `commands` whose `run` takes a `Job`."""
    kinds = {}
    for path in sorted(Path(__file__).parents[1].glob("commands/*.py")):
        text = path.read_text(encoding="utf-8")
        if "def run(job: Job)" in text:
            kinds[path.stem.replace("_", "-")] = text.partition("`: ")[2].partition('."""')[0]
    return kinds


class Job(BaseModel):
    """What a job is asked to do; it knows its files by the names that they have in its rule.

    Attributes
    ----------
    verb : str
        The module of `commands` that carries it out.
    planned : (str, str) or None
        The manifest of a user's own files, and the digest of their content when the job was planned.
    threads : int
        CPU threads that it may use.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verb: str
    block: dict[str, JsonValue] = Field(alias="parameters")
    read: dict[str, str | list[str]] = Field(alias="input")
    written: dict[str, str | list[str]] = Field(alias="output")
    resumed: Path | None = Field(None, alias="resume")
    planned: tuple[str, str] | None = None
    threads: int = 1

    def parameters(self, kind: type[Block]) -> Block:
        """Return the parameters of this job as an instance of the class that describes them.

        Raises
        ------
        InputError
            If they are not those of this class.
        """
        return kind.parse(json.dumps(self.block))

    def input(self, name: str) -> Path:
        """Return the only input file of this name."""
        return _only(self.inputs(name), f"input {name}")

    def inputs(self, name: str) -> list[Path]:
        """Return the input files of this name, in the order of the rule."""
        return _files(self.read, name, f"input of a job of `{self.verb}`")

    def output(self, name: str) -> Path:
        """Return the only output file of this name."""
        return _only(self.outputs(name), f"output {name}")

    def outputs(self, name: str) -> list[Path]:
        """Return the output files of this name, in the order of the rule."""
        return _files(self.written, name, f"output of a job of `{self.verb}`")

    @property
    def resume(self) -> Path:
        """The folder where the job keeps what it needs to go on after a stop."""
        if self.resumed is None:
            raise InputError(f"a job of `{self.verb}` needs a folder `resume`")
        return self.resumed


def _files(files: Mapping[str, str | list[str]], name: str, what: str) -> list[Path]:
    check_known(what, name, files)
    paths = files[name]
    return [Path(path) for path in ([paths] if isinstance(paths, str) else paths)]


def _only(paths: list[Path], what: str) -> Path:
    if len(paths) != 1:
        raise InputError(f"{what}: {len(paths)} files, where the job takes one")
    return paths[0]


def job_text(verb: str, parameters: str, inputs: Files, outputs: Files, **others: Any) -> str:
    """Return the content of the file of a job.

    Parameters
    ----------
    verb : str
        The module of `commands` that carries it out.
    parameters : str
        Its parameters as JSON.
    inputs, outputs : dict
        The paths of its files by their names in the rule; of several files a list.
    **others
        What else belongs to the job: the folder `resume`, and what was `planned` of a user's own files.
    """
    rest = {"input": dict(inputs), "output": dict(outputs), **others}
    lines = [f'"verb": "{verb}"', f'"parameters": {parameters}']
    return "{" + ",\n".join([*lines, *(f'"{name}": {json.dumps(value)}' for name, value in rest.items())]) + "}\n"


def job_digest(text: str) -> str:
    """Return the digest of the content of a job's file, with which its name ends."""
    return _digest(text.encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def read_job(path: Path, threads: int = 1) -> Job:
    """Read a job from its file.

    Parameters
    ----------
    path : Path
        A file that the start of a run wrote, or a person: the digest counts only where the name ends with one.
    threads : int
        CPU threads that it may use.

    Raises
    ------
    InputError
        If there is no such file, or it does not hold what was written.
    """
    check_planned(path)
    content = path.read_bytes()
    digest = DIGEST.search(path.name)
    if digest and _digest(content) != digest[1]:
        raise InputError(f"{path}: damaged or edited; remove it and start the run again, or edit a copy `mine.json`")
    try:
        job = Job.model_validate_json(content)
    except ValidationError as error:
        raise InputError(f"{path}: describes no job: {described(error)}") from error
    check_known(f"kind of job in {path}", job.verb, kinds_of_jobs())
    return job.model_copy(update={"threads": threads})


class Replaced(InputError):
    """A later start of the run plans another job for the same files."""


def check_planned(path: Path) -> None:
    """Refuse a job whose file is gone: the run has been started again since, and plans something else in its place.

    Raises
    ------
    Replaced
        If there is no such file.
    """
    if not path.is_file():
        raise Replaced(
            f"{path}: no such job; if the run was started again since with other settings, another job makes its "
            "files, and this one leaves them as they are"
        )


class JobFiles:
    """The files of the jobs that are planned and not yet written.

    Parameters
    ----------
    run : RunFolder
        The files stand in it; a dry run writes none.
    keep : bool
        Keep what is planned until it is written. False in Snakemake's processes inside jobs, which write none.
    """

    def __init__(self, run: RunFolder, *, keep: bool) -> None:
        self.run, self.keep = run, keep
        self._texts: dict[str, str] = {}

    def plan(self, text: str, output: str) -> str:
        """Return the path of the file of a job.

        Parameters
        ----------
        text : str
            Its content, as `job_text` has it.
        output : str
            The first file that the job makes: no other job makes it.
        """
        path = self.run.job(output, job_digest(text))
        if self.keep:
            self._texts[path] = text
        return path

    def write(self, paths: Iterable[str]) -> None:
        """Write the files of jobs that have none, and remove those that an earlier start planned for the same outputs.

        A file that a power cut has spoiled is of another length.

        Parameters
        ----------
        paths : iterable of str
            The files of the jobs of this start.

        Raises
        ------
        InputError
            If the disk is full or the folder cannot be written.
        """
        folders: dict[Path, dict[str, set[Path]]] = {}
        for path in map(Path, paths):
            if path.parent not in folders:
                folders[path.parent] = _by_output(path.parent)
            written = folders[path.parent].get(DIGEST.sub("", path.name), set())
            content = self._texts[str(path)].encode()
            if path not in written or path.stat().st_size != len(content):
                with atomic_path(path, checksum=False, flush=False) as temporary:
                    temporary.write_bytes(content)
            for other in written - {path}:
                other.unlink(missing_ok=True)
        self.keep = False
        self._texts.clear()


def _by_output(folder: Path) -> dict[str, set[Path]]:
    """Sort the files of jobs in a folder by the outputs that the jobs make."""
    files: dict[str, set[Path]] = {}
    for path in folder.glob("*.json") if folder.is_dir() else ():
        files.setdefault(DIGEST.sub("", path.name), set()).add(path)
    return files
