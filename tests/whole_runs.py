"""Whole runs in folders of their own, as a person makes them, for tests that disturb them."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
# What tells of a run's course, not of its results.
COURSE = ("logs", "resume", "start.json", "logs.txt", "provenance.json", "provenance.txt")


class Run:
    """A run in a folder of its own."""

    def __init__(self, folder, config):
        self.folder, self.results = folder, folder / "results/tiny"
        folder.mkdir(exist_ok=True)
        (folder / "run.yaml").write_text(yaml.safe_dump(config))

    def start(self, *arguments):
        """Start snakemake in a process group of its own."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"]
        command += ["--directory", str(self.folder), *arguments, "--configfile", str(self.folder / "run.yaml")]
        command += ["--workflow-profile", str(ROOT / "profiles/default")]
        command += ["--max-jobs-per-timespan", "100/1s"]  # Snakemake waits for that time before it leaves
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
        environment["TMPDIR"] = str(self.folder)  # a Snakemake that is killed leaves its temporary folder
        with (self.folder / "said.txt").open("wb") as said:
            return subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=said, stderr=said, start_new_session=True
            )

    def make(self, *arguments):
        """Run snakemake to its end and return its exit status and what it printed."""
        status = self.start(*arguments).wait(600)
        return status, self.said()

    def said(self):
        """Return what the last start has printed."""
        return (self.folder / "said.txt").read_text(errors="replace")

    def finish(self):
        """Do what a person does after a crash: the same command, after --unlock where a lock was left."""
        status, said = self.make()
        if status and "--unlock" in said:
            assert self.make("--unlock")[0] == 0
            status, said = self.make()
        assert status == 0, said[-4000:]

    def artefacts(self):
        """Return every file of the results by its path."""
        return {
            str(path.relative_to(self.results)): path.read_bytes()
            for path in sorted(self.results.rglob("*"))
            if path.is_file() and not set(path.relative_to(self.results).parts) & set(COURSE)
        }
