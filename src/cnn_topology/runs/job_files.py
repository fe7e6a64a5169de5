"""The files that describe the jobs of a run, and the manifests of the user's own files that jobs read.

A rule names the file of its job, and `cnn-topology job FILE` carries it out, as often as a person repeats that line.
The files are planned while Snakemake looks at the jobs and written when a start begins. The name of each ends with the
digest of its content, which is never changed. When the run is started again and something else is planned for the same
output, the file is removed: a job of the earlier start that is still at work then writes nothing more. What a job knows
of a user's own files makes it run again when their content changes.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cnn_topology.errors import InputError, together
from cnn_topology.plan.names import RunFolder
from cnn_topology.storage.atomic import atomic_path
from cnn_topology.storage.manifest import Manifest, content_digest, read_manifest, renewed, write_manifest

# The end of the name of a job's file.
DIGEST = re.compile(r"\.([0-9a-f]{16})\.json$")
Files = Mapping[str, str | Sequence[str]]


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
    return hashlib.sha256(text.encode()).hexdigest()[:16]


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


class Inputs:
    """The manifests of a run, each renewed at most once per start, when Snakemake first asks for it.

    Parameters
    ----------
    run : RunFolder
        Manifests stand in it. Before the first start the folder does not exist, and a dry run does not make it.
    renew : bool
        Look at the files. False in Snakemake's processes inside jobs, which take the manifests as they were planned.
    """

    def __init__(self, run: RunFolder, *, renew: bool) -> None:
        self.run, self.renew = run, renew
        self._manifests: dict[str, Manifest] = {}
        self._unwritten: set[str] = set()
        self._problems: list[str] = []

    def planned(
        self, name: str, files: Callable[[], Mapping[str, Path]], part: Iterable[str] | None = None
    ) -> list[str]:
        """Return what a job knows of the content that it is planned with.

        Parameters
        ----------
        name : str
            Of the input, ``"images/leaves"``.
        files : function
            Lists all its files, in the order in which they are read; none where they are gone and the run goes on with
            what it made from them.
        part : iterable of str, optional
            The files that the job reads, in its order. Absent: all.

        Returns
        -------
        list of str
            The manifest and the digest of the content. Empty if a file is missing or cannot be read: a
            dry run then plans the job anew, and `write` refuses the start.
        """
        path = Path(self.run.inputs(name))
        if name not in self._manifests:
            known = read_manifest(path)
            manifest = self._manifests[name] = self._manifest(name, known, files)
            if manifest and list(manifest.items()) != list(known.items()):  # their order counts too
                self._unwritten.add(name)
                if Path(self.run.root).is_dir():
                    with suppress(InputError):  # a run of someone else's that is only looked at
                        self._write()
        manifest = self._manifests[name]
        read = manifest if part is None else {file: manifest[file] for file in part if file in manifest}
        return [str(path), content_digest(read)] if read else []

    def write(self) -> None:
        """Write the manifests that changed into the run's folder, as a start does before its first job.

        Raises
        ------
        InputError
            If a file is missing or cannot be read (a job that met it would cost what the run has made of it before),
            the disk is full or the folder cannot be written.
        """
        if self._problems:
            raise together(self._problems)
        self._write()

    def _write(self) -> None:
        for name in sorted(self._unwritten):
            write_manifest(Path(self.run.inputs(name)), self._manifests[name])
            self._unwritten.discard(name)

    def _manifest(self, name: str, known: Manifest, files: Callable[[], Mapping[str, Path]]) -> Manifest:
        if known and not self.renew:
            return known
        try:
            there = files()
            return renewed(there, known) if there else known
        except (InputError, OSError) as error:
            key = name.replace("/", ".")
            self._problems.append(str(error) if str(error).startswith(key) else f"{key}: {error}")
            return {}
