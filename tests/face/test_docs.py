"""The documentation builds without a warning, and its notebook runs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

from cnn_topology.claims.rule_changes import EITHER_WAY, RULE_CHANGES

DOCS = Path(__file__).parents[2] / "docs"


def test_the_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("furo", reason="the site is built by the packages of the extra `docs`")
    pytest.importorskip("myst_nb", reason="the site is built by the packages of the extra `docs`")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    done = subprocess.run([*command, str(DOCS), str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert {page for page in pages if not (tmp_path / page).is_file()} == set()


def test_the_page_on_verdicts_counts_the_rules_that_were_changed():
    text = (DOCS / "verdicts.md").read_text(encoding="utf-8")
    changed, stricter = re.search(
        r"but for (\d+) that were changed .*?, (\d+) of them to be stricter only", text
    ).groups()
    assert (int(changed), int(stricter)) == (len(RULE_CHANGES), len(RULE_CHANGES) - len(EITHER_WAY))


def code_cells():
    cells = json.loads((DOCS / "tutorial.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run_cells(cells):
    matplotlib.use("agg")
    names = {}
    for cell in cells:
        exec(cell, names)
    return names


@pytest.mark.soak
def test_the_tutorial_finds_what_its_committed_output_shows(capsys):
    run_cells(code_cells())
    assert re.search(r"step 300:.*: one (loop|weak loop)", capsys.readouterr().out)


def test_every_cell_of_the_tutorial_runs_after_a_short_training(capsys):
    """Of 300 steps one is taken: what the filters learn is left to the long test."""
    short = [cell.replace("range(301)", "range(1)").replace("snapshots[300]", "snapshots[0]") for cell in code_cells()]
    assert short != code_cells()
    names = run_cells(short)
    assert list(names["snapshots"]) == [0]
    assert names["look"].table["verdict"].tolist() == ["no loop"]
    assert "step   0: longest" in capsys.readouterr().out


@pytest.mark.parametrize("page", [DOCS.parent / "README.md", *DOCS.rglob("*.md")], ids=lambda page: page.name)
def test_no_command_gives_a_target_to_configfile(page):
    """Snakemake takes every name after --configfile for a config: a target stands before it or behind --."""
    assert not re.findall(r"--configfile \S+ (?!-)[\w./]*results/\S+", page.read_text(encoding="utf-8"))
