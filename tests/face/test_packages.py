"""The packages import each other in one direction, and jobs import no jobs."""

import ast
import re
from pathlib import Path

import cnn_topology

PACKAGE = Path(cnn_topology.__file__).parent
# None imports one further down.
ORDER = [
    *("storage", "plan", "tables", "data", "networks", "training", "activations", "clouds", "topology", "statistics"),
    *("mapper", "comparison", "analysis", "claims", "summary", "forecast", "figures", "looks", "runs", "commands"),
]
# Modules that all may import, and one that may import all. The command line lies between jobs and the rest: it loads a
# job by its name.
BELOW, ABOVE = ["errors", "extras", "compiled", "seeds", "checks"], ["__init__"]


def test_no_package_imports_one_that_comes_after_it_and_no_job_another_job():
    assert sorted(ORDER) == sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    place = {name: number for number, name in enumerate([*BELOW, *ORDER[:-1], "cli", *ORDER[-1:], *ABOVE])}
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        package = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cnn_topology":
                first = str(node.module).split(".")[1:2] or [name.name for name in node.names]
                wrong += [
                    f"{path.relative_to(PACKAGE)}: {name}"
                    for name in first
                    if place[name] > place[package] or name == package == "commands"
                ]
    assert wrong == []


def test_the_page_for_developers_lists_the_packages_in_this_order():
    page = (PACKAGE.parents[1] / "docs/extending.md").read_text(encoding="utf-8")
    table = page[page.index("none of which imports one further down") : page.index("`workflow/rules/`")]
    listed = [name for cell in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`(\w+)`", cell)]
    assert listed == ORDER


def test_modules_of_pyarrow_are_imported_where_they_are_used():
    """Some other module that happens to be loaded before would hide that."""
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id in ("pa", "pyarrow")
            ):
                name = node.attr
                if name in ("compute", "csv", "parquet", "dataset", "feather") and f"import pyarrow.{name}" not in text:
                    wrong.append(f"{path.relative_to(PACKAGE)}: {name}")
    assert wrong == []
