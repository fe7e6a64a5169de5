"""The project's own checks and targets fail where they see nothing."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_packages_whose_array_shapes_are_checked_are_there():
    """A name that no package has any more would be checked without a word."""
    listed = re.findall(r"^(?:clouds|shaped)=(.*)$", (ROOT / ".ci/checks").read_text(), re.M)
    names = {name for names in listed for name in names.split(",")} - {"$clouds"}
    assert len(names) > 5
    assert [name for name in sorted(names) if importlib.util.find_spec(name) is None] == []


def test_make_demo_fails_where_the_run_leaves_no_summary(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.txt", "pyproject.toml", ".venv/installed", ".venv/bin/snakemake"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("#!/bin/sh\n")
    (tmp_path / ".venv/bin/snakemake").chmod(0o755)
    os.utime(tmp_path / ".venv/installed", (2e9, 2e9))
    done = subprocess.run(["make", "demo"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "results/demo/summary.txt" in done.stderr
    assert "The report" not in done.stdout
