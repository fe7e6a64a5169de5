"""What is needed besides the obvious file when a kind of job is added; docs/extending.md lists the files in order."""

import ast
import re
from pathlib import Path

import pytest

from cnn_topology.cli import VERBS, kinds_of_jobs
from cnn_topology.figures.registry import FigureParameters  # noqa: F401
from cnn_topology.forecast import activation_jobs, filter_jobs, image_jobs, table_jobs, training_jobs
from cnn_topology.plan import (  # noqa: F401 - classes of parameters are found once their modules are loaded
    activation_graphs,
    activation_parameters,
    findings,
)
from cnn_topology.plan.code import PACKAGE
from cnn_topology.plan.parameters import Parameters, SeedParameters

RULES = "".join(path.read_text() for path in (Path(__file__).parents[2] / "workflow/rules").glob("*.smk"))
FORECASTS = (activation_jobs, filter_jobs, image_jobs, table_jobs, training_jobs)


def _below(kind):
    return {kind, *(leaf for one in kind.__subclasses__() for leaf in _below(one))}


@pytest.mark.parametrize("verb", kinds_of_jobs())
def test_a_kind_of_job_has_all_its_parts(verb):
    name = verb.replace("-", "_")
    module = PACKAGE / f"commands/{name}.py"
    body = ast.parse(module.read_text()).body if module.is_file() else []
    functions = [part.name for part in body if isinstance(part, ast.FunctionDef)]
    assert "run" in functions, f"write commands/{name}.py with a function run(job)"
    kinds = {kind.__name__ for kind in _below(Parameters) - {Parameters, SeedParameters} if kind.verb == verb}
    assert kinds, f"plan/: no class of parameters has the verb {verb!r}"
    planned = [kind for kind in kinds if f"{kind}," in RULES or f"{kind})" in RULES]
    assert planned, f"workflow/rules/: no rule has **planned(...) with one of {', '.join(kinds)}"
    assert any(hasattr(module, name) for module in FORECASTS), f"forecast/: nothing says what {verb} costs"


def test_every_module_of_commands_is_a_verb_of_people_or_a_kind_of_job_with_its_purpose():
    modules = {path.stem.replace("_", "-") for path in (PACKAGE / "commands").glob("[!_]*.py")}
    assert modules == {*VERBS, *kinds_of_jobs()}
    assert [verb for verb, purpose in kinds_of_jobs().items() if not purpose or "\n" in purpose] == []


def test_logs_lie_under_the_kind_of_their_job():
    """What `cnn-topology status` and the forecasts beside a finished run call it by."""
    assert {*re.findall(r'RUN\.log\(\s*"([^"]+)"', RULES)} == {*kinds_of_jobs()}


def test_every_rule_that_runs_a_job_watches_its_code_and_parameters():
    """A rule without `planned` would keep what an earlier version of the code, or another config, made."""
    for rule in RULES.split("rule ")[1:]:
        if "cnn-topology job" in rule:
            assert "**planned(" in rule, f"add **planned(...) to the params of rule {rule[:40]}"
