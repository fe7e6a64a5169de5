"""This workflow as a part of others: as a module, in a container, in a catalog."""

import getpass
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def _snakemake(folder, *arguments):
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": "cache",
    }
    command = ["snakemake", "--cores", "1", "--max-jobs-per-timespan", "100/1s", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_module_of_the_how_to_is_planned_as_a_whole_and_its_jobs_run(tiny, tmp_path):
    page = (ROOT / "docs/howto/run.md").read_text(encoding="utf-8")
    example = page.partition("```python\n")[2].partition("```")[0]
    (tmp_path / "Snakefile").write_text(example.replace("/path/to/cnn-topology", str(ROOT)))
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"topology": tiny}))
    planned = _snakemake(tmp_path, "--dry-run", "--quiet", "rules")
    assert planned.returncode == 0, planned.stderr
    counts = dict(re.findall(r"^(\w+) +(\d+)$", planned.stdout + planned.stderr, re.M))
    assert {"count_loops", "topology_record_provenance", "topology_train_a"} <= counts.keys()
    # A job, which reads the file that the start of the run has written.
    images = "results/tiny/parts/images/digits.safetensors"
    done = _snakemake(tmp_path, images)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / images).is_file()


def test_the_recipe_of_the_container_installs_what_the_project_asks_for():
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    instructions = [line.split(maxsplit=1) for line in recipe.replace("\\\n", "").splitlines() if line[:1].isalpha()]
    (base,) = [rest for name, rest in instructions if name == "FROM"]
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    least, given = (
        int(re.fullmatch(pattern, text)[1])
        for pattern, text in ((r">=3\.(\d+)", asked), (r"python:3\.(\d+)-slim", base))
    )
    assert given >= least
    place = next(rest for name, rest in instructions if name == "WORKDIR")
    makefile = (ROOT / "Makefile").read_text()
    targets = [target for name, rest in instructions if name == "RUN" for target in re.findall(r"make (\w+)$", rest)]
    assert targets == ["install"]
    assert re.search(r"^install:", makefile, re.M)
    named = re.findall(rf"{place}/([\w./-]+)", "".join(rest for name, rest in instructions if name in ("ENV", "CMD")))
    assert named[0] == ".venv/bin"
    assert [path for path in named[1:] if not (ROOT / path).is_file()] == []


def test_someone_without_an_account_in_the_container_has_a_name_for_snakemake(monkeypatch):
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    given = dict(pair.split("=", 1) for line in re.findall(r"^ENV (.+)$", recipe, re.M) for pair in line.split())
    monkeypatch.setattr(os, "getuid", lambda: 54_321)  # of no account, as in `docker run --user`
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises((KeyError, OSError)):
        getpass.getuser()
    monkeypatch.setenv("USERNAME", given["USERNAME"])
    assert getpass.getuser() == given["USERNAME"]


def test_the_catalog_is_told_what_the_workflow_has():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    rules = "".join(path.read_text() for path in (ROOT / "workflow").rglob("*.smk"))
    stack = usage["software-stack-deployment"]
    assert stack == {"conda": "conda:" in rules, "apptainer": "container:" in rules, "apptainer+conda": False}
    assert usage["report"] is ("report(" in rules)
