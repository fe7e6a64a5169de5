"""`import cnn_topology as ct`: the names a notebook uses, loaded when they are used, with examples that run."""

import ast
import doctest
import inspect
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from api_page import api_page

import cnn_topology as ct
from cnn_topology.plan.clouds import Cloud, Significance
from cnn_topology.storage.tables import write_table
from cnn_topology.tables.loops import LoopRow

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src/cnn_topology"
NAMES = [name for name in ct.__all__ if name != "__version__"]


def _python(code, **named):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, **named).stdout


def test_the_import_loads_no_library_and_a_name_only_what_it_needs():
    code = """
import sys
import cnn_topology as ct
heavy = ("torch", "pandas", "matplotlib", "numpy", "scipy", "pyarrow", "numba")
print(sorted(set(heavy) & set(sys.modules)))
ct.barcode
print(sorted({"torch", "pandas", "matplotlib", "pyarrow"} & set(sys.modules)))
[getattr(ct, name) for name in ct.__all__]
print(sorted({"torch", "pandas", "matplotlib"} & set(sys.modules)))
"""
    assert _python(code).splitlines() == ["[]", "[]", "[]"]


def test_all_names_are_listed_and_others_are_refused():
    assert set(NAMES) == set(ct._HOMES)
    assert set(ct.__all__) <= set(dir(ct))
    assert _python("from cnn_topology import *; print(barcode.__name__, InputError.__name__)").split() == [
        "barcode",
        "InputError",
    ]
    with pytest.raises(AttributeError, match="barcodes"):
        _ = ct.barcodes


def test_type_checkers_read_the_same_names_from_the_same_modules():
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    typed = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in typed.body if isinstance(node, ast.ImportFrom)]
    names = {name.asname: f"{node.module}:{name.name}" for node in imports for name in node.names}
    assert names == {name: f"cnn_topology.{home}" for name, home in ct._HOMES.items()}


def test_the_version_is_that_of_the_checkout(tmp_path):
    assert ct.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    (tmp_path / "src/cnn_topology").mkdir(parents=True)
    shutil.copy(PACKAGE / "__init__.py", tmp_path / "src/cnn_topology")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "cnn-topology"\nversion = "9.8.7"\n')
    code = "import cnn_topology; print(cnn_topology.__version__)"
    assert _python(code, cwd=tmp_path / "src").strip() == "9.8.7"


def test_a_built_package_holds_every_file_that_is_no_code(tmp_path):
    build = ["egg_info", "--egg-base", str(tmp_path), "build_py", "--build-lib", str(tmp_path / "built")]
    subprocess.run(
        [sys.executable, "-c", "from setuptools import setup; setup()", "--quiet", *build], cwd=ROOT, check=True
    )

    def files(folder):
        paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {str(path.relative_to(folder)) for path in paths}

    assert "py.typed" in files(tmp_path / "built/cnn_topology")
    assert files(tmp_path / "built/cnn_topology") == files(PACKAGE)


@pytest.fixture
def demo(tmp_path, monkeypatch):
    """Start in a folder where `make demo` has left a table."""
    monkeypatch.chdir(tmp_path)
    write_table(Path("results/demo/tables/loops.parquet"), LoopRow.schema.empty_table(), LoopRow.schema)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_each_name_runs_as_it_stands(name):
    (example,) = doctest.DocTestFinder(recurse=False).find(getattr(ct, name), name, globs={})
    assert any(f"ct.{name}" in line.source for line in example.examples)
    output = []
    doctest.DocTestRunner(verbose=False).run(example, out=output.append)
    assert not output, "".join(output)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_states_parameters_results_refusals_and_source(name):
    public = getattr(ct, name)
    sections = re.findall(r"^(\w[\w ]*)\n-+$", inspect.cleandoc(public.__doc__), re.M)
    expected = {"Notes", "Examples"} | (set() if inspect.isclass(public) else {"Parameters", "Returns", "Raises"})
    assert expected <= set(sections)


def test_the_page_of_names_is_in_step():
    assert (ROOT / "docs/api.md").read_text(encoding="utf-8") == api_page(), "run `make reference`"


def test_what_is_not_given_is_as_in_a_config_that_does_not_state_it():
    defaults = {name: parameter.default for name, parameter in inspect.signature(ct.loops).parameters.items()}
    for name in ("draws", "alpha", "nulls"):
        assert defaults[name] == Significance.model_fields[name].default
    (density,) = Cloud.model_fields["densities"].default
    assert (defaults["k"], defaults["p"]) == (density.k, density.p)
    assert defaults["landmarks"] == Cloud.model_fields["landmarks"].default
    shared = inspect.signature(ct.circles).parameters
    assert {name: shared[name].default for name in shared} == {name: defaults[name] for name in shared}
