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
from pathlib import Path
from typing import Any

from cnn_topology.plan.names import RunFolder
from cnn_topology.storage.atomic import atomic_path

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
