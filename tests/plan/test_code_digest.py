"""The digest of the code behind a verb: it covers what computes, and nothing else reruns a job."""

import ast
import re
import shutil
import subprocess
import sys

import pytest

from cnn_topology import cli
from cnn_topology.plan import code
from cnn_topology.plan.parameters import Parameters, SeedParameters

VERBS = tuple(cli.purposes())


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a copy of the package whose files a test may change."""
    copy = tmp_path / "cnn_topology"
    shutil.copytree(code.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "PACKAGE", copy)
    _forget()
    yield copy
    _forget()


def _forget():
    for cached in (code._digest, code._imported, code._files, code._definitions):
        cached.cache_clear()


def _changed(package, name, text="x = 1\n"):
    """Append to a module and give the verbs whose digest changes."""
    _forget()
    before = {verb: code.code_digest(verb) for verb in VERBS}
    path = package / name
    path.write_text(path.read_text() + text)
    _forget()
    return {verb for verb in VERBS if code.code_digest(verb) != before[verb]}


def test_training_code_reruns_training_and_no_analysis(package):
    assert _changed(package, "training/stack.py") == {"train"}


def test_drawing_code_reruns_no_job_that_computes(package):
    assert not _changed(package, "figures/style.py") & {"images", "train", "clouds", "nulls", "barcodes", "mapper"}


def test_persistence_code_reruns_what_computes_barcodes(package):
    changed = _changed(package, "topology/annotation_kernels.py")
    assert {"nulls", "barcodes", "controls"} <= changed
    assert not changed & {"images", "train", "clouds", "figures"}


def test_a_figures_own_code_reruns_that_figure(package):
    before = [code.code_digest("figures", f"figures.{kind}") for kind in ("cloud", "nulls")]
    path = package / "figures/cloud.py"
    path.write_text(path.read_text() + "x = 1\n")
    _forget()
    after = [code.code_digest("figures", f"figures.{kind}") for kind in ("cloud", "nulls")]
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_the_template_of_a_page_counts(package):
    before = code.code_digest("figures", "figures.activation_page")
    (package / "figures/pages.html").write_text("<html></html>")
    _forget()
    assert code.code_digest("figures", "figures.activation_page") != before


def _replaced(package, name, old, new):
    """Change a module in one place and give the verbs whose digest changes."""
    text = (package / name).read_text()
    assert text.count(old) == 1
    _forget()
    before = {verb: code.code_digest(verb) for verb in VERBS}
    (package / name).write_text(text.replace(old, new))
    _forget()
    return {verb for verb in VERBS if code.code_digest(verb) != before[verb]}


def test_functions_of_the_plan_that_a_job_calls_count_for_that_job_alone(package):
    """`k` as a count of neighbours is computed in the job, by a function that stands with the config's models."""
    changed = _replaced(package, "plan/clouds.py", "round(k * points)", "int(k * points)")
    assert {"clouds", "nulls", "barcodes", "networks", "dynamics"} <= changed
    assert not changed & {"images", "train", "activations", "layer-distances", "collect", "controls"}


def test_methods_of_a_section_that_a_job_calls_count_where_its_block_holds_the_section(package):
    changed = _replaced(package, "plan/activations.py", 'return "bn" if self.masked', 'return "conv" if self.masked')
    assert "activations" in changed
    # What reads a cloud is made again after it in any case: each cloud holds its entry of the config.
    assert not changed & {"images", "train", "barcodes", "correlations", "train-resnet"}


def test_a_constant_and_a_function_behind_a_function_of_the_plan_count(package):
    assert "images" in _replaced(package, "plan/images.py", '"mnist": (28, 28, 1)', '"mnist": (28, 28, 3)')
    assert {"train", "networks"} & _replaced(package, "plan/populations.py", "def _pool_shrink(", "def _pool_shrink( ")


def test_checks_descriptions_and_what_makes_blocks_rerun_nothing(package):
    computing = {"images", "train", "clouds", "barcodes", "activations", "claims", "figures"}
    assert not computing & _replaced(package, "plan/clouds.py", "if kept < LEAST_KEPT:", "if kept <= LEAST_KEPT:")
    assert not computing & _replaced(package, "plan/clouds.py", "Fraction of the points that is kept", "Fraction kept")
    assert not computing & _replaced(package, "plan/clouds.py", "> self.alpha:", ">= self.alpha:")
    assert not computing & _replaced(package, "plan/parameters.py", "shard=shard.number,", "shard=shard.number + 0,")


def test_a_changed_column_reruns_what_writes_or_reads_its_table(package):
    """A column more, another type or another name: files of the old kind would be refused by their readers."""
    changed = _replaced(package, "tables/loops.py", "    verdict: str = column(", "    verdict: int = column(")
    assert {"barcodes", "dynamics", "collect", "claims", "summary"} <= changed
    assert not changed & {"images", "train", "clouds", "nulls", "mapper", "activations", "layer-distances"}
    assert "clouds" not in _replaced(package, "tables/filters.py", "    plane1: float", "    plane_1: float")


def test_a_changed_key_counts_for_every_table_that_has_it(package):
    column = '    landmarks: int = column("Most points in the filtration.", COUNT)\n'
    changed = _replaced(package, "tables/loops.py", column, "")
    assert {"nulls", "barcodes", "mapper"} <= changed
    assert not changed & {"images", "train", "clouds"}


def test_better_words_for_a_column_rerun_nothing(package):
    assert _replaced(package, "tables/loops.py", "Verdict on the loops of the cloud.", "The verdict.") == set()
    assert _replaced(package, "tables/loops.py", "One cloud: its two longest H1 bars and", "A cloud and") == set()


def test_every_name_of_the_plan_that_a_command_imports_is_found():
    """The text is compared with Python's own reading of it; a name that leads nowhere would count for nothing."""
    lost = []
    for verb in VERBS:
        for module in code.modules_behind(f"commands.{verb.replace('-', '_')}"):
            for path in code._files(module)[:1]:
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.ImportFrom) and re.match(
                        r"cnn_topology\.(plan|tables)\.", str(node.module)
                    ):
                        names = {(node.module.removeprefix("cnn_topology."), name.name) for name in node.names}
                        lost += names - set(code._imported(module))
                        lost += [(s, n) for s, n in names if n not in code._definitions(s) and "plan.code" not in s]
    assert lost == []


def test_comments_config_models_and_messages_rerun_nothing(package):
    assert _changed(package, "training/stack.py", "# a remark\n\n") == set()
    assert _changed(package, "plan/config.py", "# a remark\n") == set()
    assert _changed(package, "errors.py") == set()


def _loaded(module):
    script = f"import sys, cnn_topology.{module}\nprint(*sorted(m for m in sys.modules if 'cnn_topology.' in m))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.removeprefix("cnn_topology.") for name in done.stdout.split()}


def test_every_import_of_the_package_is_found():
    """The text is compared with what Python itself loads, without what the plan alone needs."""
    modules = _loaded("commands.barcodes") - _loaded("plan.parameters")
    counted = {
        m
        for m in modules
        if code._files(m) and not code.EXCLUDED_FROM_DIGEST.fullmatch(m) and not code.BY_NAME.fullmatch(m)
    }
    assert len(counted) > 10
    assert counted <= code.modules_behind("commands.barcodes")


def test_every_block_of_parameters_names_its_verb():
    def below(cls):
        return {cls, *(leaf for sub in cls.__subclasses__() for leaf in below(sub))}

    bases = {Parameters, SeedParameters}
    blocks = {block for block in below(Parameters) - bases if block.__module__.startswith("cnn_topology.")}
    assert blocks
    assert {block.__name__: block.verb for block in blocks if block.verb not in VERBS} == {}


def test_a_kind_of_figure_more_reruns_no_other_figure():
    behind = code.modules_behind("commands.figures", "figures.cloud")
    assert {"figures.cloud", "figures.drawing", "figures.style"} <= behind
    assert not behind & {"figures.planned", "figures.registry"}
