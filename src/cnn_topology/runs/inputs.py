"""The user's own files of a run: what the rules pass to the jobs that read them, so that a change of content reruns."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from cnn_topology.errors import InputError, together
from cnn_topology.plan.names import RunFolder
from cnn_topology.storage.manifest import Manifest, content_digest, read_manifest, renewed, write_manifest


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
