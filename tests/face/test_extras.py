"""The package without its extras: what a cloud needs runs, and what needs more names the extra that has it."""

import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cnn_topology.errors import InputError
from cnn_topology.extras import EXTRAS, needing_an_extra

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Of libraries that a development environment may lack.
OPTIONAL = {"h5py": "h5py", "onnx": "onnx", "redzed_tda": "redzed-tda"}

# An import of anything but the standard library, the package and what it requires fails, as where nothing else is
# installed.
ALONE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import numpy as np
import cnn_topology as ct
"""


@cache
def absent():
    """Return the modules that `pip install .` does not install: of no requirement, nor of what these require."""
    required, waiting = set(), [Requirement(text) for text in PROJECT["dependencies"]]
    while waiting:
        name = canonicalize_name(waiting.pop().name)
        if name not in required:
            required.add(name)
            following = map(Requirement, requires(name) or ())
            waiting += [one for one in following if not one.marker or one.marker.evaluate({"extra": ""})]
    provided = packages_distributions()
    return {
        *(module for module, names in provided.items() if not required & set(map(canonicalize_name, names))),
        *(module for modules in EXTRAS.values() for module in modules),
    } - {"cnn_topology"}


def without_extras(code):
    start = f"ABSENT = {absent()!r}\n{ALONE}"
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, check=False)


def requirements(texts):
    return {re.match(r"[\w.-]+", text)[0].lower() for text in texts}


def test_each_library_of_an_extra_is_known_by_its_module():
    provided = packages_distributions() | {module: [name] for module, name in OPTIONAL.items()}
    for extra, modules in EXTRAS.items():
        listed = requirements(PROJECT["optional-dependencies"][extra])
        assert {provided[module][0].lower() for module in modules} == listed, extra
        assert not listed & requirements(PROJECT["dependencies"])


def test_what_is_not_installed_alone_is_known():
    assert {"torch", "matplotlib", "sklearn", "ripser", "pytest", "networkx"} <= absent()
    assert absent().isdisjoint({"numpy", "numba", "llvmlite", "pandas", "dateutil", "pydantic_core", "yaml", "scipy"})


def test_the_packages_of_the_engine_are_imported_without_extras():
    code = """
import pkgutil
from importlib import import_module
for package in ("clouds", "topology", "mapper", "comparison", "statistics"):
    for module in pkgutil.iter_modules(import_module(f"cnn_topology.{package}").__path__, f"cnn_topology.{package}."):
        print(import_module(module.name).__name__)
"""
    done = without_extras(code)
    assert done.returncode == 0, done.stderr
    assert {"cnn_topology.topology.annotations", "cnn_topology.mapper.graph"} <= set(done.stdout.split())


def test_clouds_barcodes_mapper_graphs_and_measures_need_no_extra(tmp_path):
    code = f"""
rng = np.random.default_rng(0)
filters = rng.standard_normal((40, 9))
for name in ct.__all__:
    getattr(ct, name)
print(ct.loops(filters, k=3, p=0.5, draws=99).verdict)
cloud, _ = ct.centre_and_normalize(filters)
ct.barcode(cloud[ct.density_filter(cloud, k=3, p=0.5)])
ct.klein_coordinates(cloud)
ct.mapper_graph(cloud)
from cnn_topology.mapper.cover import OverlapCover
from cnn_topology.mapper.recipes import mapper_of_activations
mapper_of_activations(filters, OverlapCover(5, 0.25), eps=2.0)
from cnn_topology.comparison.measures import MEASURES
layers = [ct.SampledCloud(filters @ rng.standard_normal((9, 3)), np.arange(40)) for _ in range(2)]
bars = [ct.barcode(layer.points).in_dimension(1) for layer in layers]
for name, measure in MEASURES.items():
    ct.compare(name, *(layers if measure.takes == "clouds" else bars))
np.save({str(tmp_path / "weights.npy")!r}, rng.standard_normal((8, 4, 3, 3)))
look = ct.look({str(tmp_path / "weights.npy")!r}, draws=99)
len(look.table)
for page in (look.to_html, look._repr_html_, look.layer(look.table.layer[0]).plot):
    try:
        page(*[{str(tmp_path / "page.html")!r}] * (page == look.to_html))
    except ct.InputError as error:
        print("figures" in str(error))
try:
    ct.barcode(cloud, field=5)
except ct.InputError as error:
    print("engines" in str(error))
"""
    done = without_extras(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == ["True"] * 4


def test_a_command_names_the_extra_that_it_needs():
    done = without_extras("from cnn_topology.cli import main; sys.exit(main(['look', 'net.pt']))")
    assert done.returncode == 2
    assert "cnn-topology[figures]" in done.stderr


def test_other_modules_that_lack_are_as_they_were():
    with pytest.raises(ModuleNotFoundError), needing_an_extra("this"):
        import cnn_topology.absent  # noqa: F401
    with pytest.raises(InputError, match="pip install absent_library"), needing_an_extra("this"):
        import absent_library  # noqa: F401


def test_a_library_that_is_installed_and_broken_is_named():
    said = r"a look needs h5py, which is installed and cannot be loaded: libhdf5\.so"
    with pytest.raises(InputError, match=said), needing_an_extra("a look"):
        raise ImportError("libhdf5.so: cannot open shared object file", name="h5py._errors")
    with pytest.raises(ImportError, match="no such name"), needing_an_extra("a look"):
        raise ImportError("no such name", name="cnn_topology.looks")
