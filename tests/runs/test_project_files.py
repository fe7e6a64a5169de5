"""What several files of the project state is the same in each: version, authors, papers, checks."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _yaml(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_the_citation_is_of_this_version_and_of_both_papers():
    citation = _yaml("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    papers = dict(re.findall(r"\*([^*]+)\*\s+\([^)]*arXiv ([\d.]+)\)", readme))
    assert len(papers) == 2
    cited = {paper["title"]: paper["identifiers"][0]["value"] for paper in citation["references"]}
    assert cited == {title: f"arXiv:{number}" for title, number in papers.items()}


def test_the_authors_hold_the_licence():
    (holder,) = re.findall(r"^Copyright \(c\) \d+ (.+)$", (ROOT / "LICENSE").read_text(encoding="utf-8"), re.M)
    assert [author["name"].lower() for author in PROJECT["authors"]] == [holder.lower()]


def test_the_changelog_has_this_version_and_the_tables_that_change_in_each():
    _, *versions = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.M)
    latest = versions[0].split()[0].strip("[]")
    assert latest in {"Unreleased", PROJECT["version"]}
    lacking = [text.splitlines()[0] for text in versions if "\n### Tables and figures that change\n" not in text]
    assert lacking == []


def test_the_hooks_of_pre_commit_are_the_checks_of_ci_but_for_tests_and_runs():
    """Dry runs of the configs, two at a time by `xargs`, count as runs."""
    (repository,) = _yaml(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    hooks = [hook["entry"].removeprefix(".venv/bin/") for hook in repository["hooks"]]
    commands = re.findall(r"^step (.+)$", (ROOT / ".ci/checks").read_text(encoding="utf-8"), re.M)
    assert hooks == [command for command in commands if not command.startswith(("pytest ", "xargs "))]
    assert not any(hook["pass_filenames"] for hook in repository["hooks"])
