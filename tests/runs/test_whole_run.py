"""What a run is finished by: every job has a file among the targets."""

import subprocess
import sys

from cnn_topology.runs.jobs import SNAKEFILE, list_jobs


def test_every_job_has_a_file_among_the_targets_of_a_run(tmp_path):
    """A job without one would not be run again after it failed in an edited run: its old successors are still there.

    The tour has the rules of both papers.
    """
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), "--directory", str(tmp_path)]
    command += ["--configfile", "config/tour.yaml", "--dry-run", "--forceall", "--cores", "1"]
    command += ["--profile", "none", "--workflow-profile", "none"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=SNAKEFILE.parent, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    last = done.stdout[done.stdout.index("rule all:") :]
    targets = set(last.splitlines()[1].removeprefix("    input: ").split(", "))
    jobs = list_jobs(SNAKEFILE.parent / "config/tour.yaml", tmp_path)
    assert len(jobs) > 50
    assert [job.name for job in jobs if not targets & set(job.outputs)] == []
