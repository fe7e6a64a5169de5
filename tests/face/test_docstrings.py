"""Public functions of the science packages state what they take, return and refuse, as numpydoc does."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src/cnn_topology"
# Packages of which every public function is described; a package that is made complete is added here.
COMPLETE = ("clouds", "topology", "mapper", "comparison", "statistics")


def _functions(package):
    """Yield public functions and methods of a package, with the name that a message calls them by."""
    for path in sorted((SOURCE / package).glob("*.py")):
        if "kernels" in path.stem:  # compiled code, which only its own package calls
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            members = node.body if isinstance(node, ast.ClassDef) and node.name[0] != "_" else [node]
            for function in members:
                if isinstance(function, ast.FunctionDef) and function.name[0] != "_":
                    yield f"{path.name}: {function.name}", function


def _lacking(function):
    sections = dict(
        re.findall(r"^(\w+)\n-+\n(.*?)(?=\n\n\w+\n-+\n|\Z)", ast.get_docstring(function) or "", re.M | re.S)
    )
    named = re.findall(r"^(\*{0,2}\w[\w, *]*?)(?: :.*)?$", sections.get("Parameters", ""), re.M)
    stated = {name.strip(" *") for line in named for name in line.split(",")}
    taken = function.args
    names = [
        name.arg for name in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs, taken.vararg, taken.kwarg) if name
    ]
    lacking = [name for name in names if name not in stated | {"self", "cls"}]
    is_property = "property" in {getattr(mark, "id", "") for mark in function.decorator_list}
    returns_nothing = function.returns is None or ast.unparse(function.returns) == "None"
    if not returns_nothing and not is_property and not {"Returns", "Yields"} & set(sections):
        lacking.append("Returns")
    if any(isinstance(node, ast.Raise) for node in ast.walk(function)) and "Raises" not in sections:
        lacking.append("Raises")
    return lacking


@pytest.mark.parametrize("package", COMPLETE)
def test_every_public_function_states_what_it_takes_returns_and_refuses(package):
    functions = list(_functions(package))
    assert len(functions) >= 8
    assert not {name: lacking for name, function in functions if (lacking := _lacking(function))}
