"""What is needed besides the obvious file when a figure kind, a measure, a null or an image kind is added.

Each check says in a sentence what is missing; docs/extending.md lists the files in order.
"""

import ast
from pathlib import Path
from typing import get_args

import pytest

from cnn_topology.figures import style
from cnn_topology.figures.kinds import KINDS, PAGES, PAGES_ALONE
from cnn_topology.figures.layer_matrix import LABELS
from cnn_topology.plan.clouds import NullName
from cnn_topology.plan.findings import ImageFacts, _image_set
from cnn_topology.plan.images import ImageSetConfig, shape_of
from cnn_topology.plan.layer_distances import MeasureName
from cnn_topology.statistics.nulls import NULLS
from cnn_topology.tables.registry import TABLES

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "src/cnn_topology/figures"
EVERY_TABLE = {*TABLES}


def functions(module: str) -> set[str]:
    """List the functions of a module of figures, or none where there is no such file."""
    path = FIGURES / f"{module}.py"
    body = ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else []
    return {part.name for part in body if isinstance(part, ast.FunctionDef)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_figure_has_all_its_parts(kind: str) -> None:
    registries = "".join(path.read_text(encoding="utf-8") for path in FIGURES.glob("*registry.py"))
    if kind not in PAGES_ALONE:
        assert "draw" in functions(kind), f"write figures/{kind}.py with a function draw(parameters, tables, notes)"
    if kind in PAGES:
        assert "page" in functions(PAGES[kind]), f"write figures/{PAGES[kind]}.py with a function page(...)"
    assert f'"{kind}"' in registries, f"no figures/*registry.py lists {kind}: no run would ask for it"
    caption = ROOT / f"workflow/report/{kind}.rst"
    assert caption.is_file(), f"write its caption, workflow/report/{kind}.rst"
    unknown = set(KINDS[kind]) - EVERY_TABLE
    assert not unknown, f"figures/kinds.py: {kind} reads {', '.join(unknown)}, which no schema in tables/ describes"


def test_every_caption_belongs_to_a_kind_of_figure() -> None:
    others = {"run", "provenance", "summary"}
    assert {path.stem for path in (ROOT / "workflow/report").glob("*.rst")} - others == set(KINDS)


def test_every_measure_has_a_name_for_figures() -> None:
    missing = set(get_args(MeasureName)) - set(LABELS)
    assert not missing, f"figures/layer_matrix.py: LABELS lacks {', '.join(missing)}"


def test_every_null_can_be_drawn_and_has_a_line_of_its_own() -> None:
    for name in get_args(NullName):
        assert name in NULLS, f"statistics/nulls.py: NULLS lacks {name}"
        assert name in style.NULL_LINES, f"figures/style.py: NULL_LINES lacks {name}"
    assert len(set(style.NULL_LINES.values())) == len(style.NULL_LINES)


IMAGES = {
    kind: section
    for section in get_args(get_args(ImageSetConfig)[0])
    for kind in get_args(section.model_fields["kind"].annotation)
}


@pytest.mark.parametrize("kind", IMAGES)
def test_a_kind_of_images_has_a_shape_and_is_known_to_the_claims(kind: str) -> None:
    needed = {"path": "somewhere"} if "path" in IMAGES[kind].model_fields else {}
    section = IMAGES[kind](kind=kind, **needed)
    try:
        shape_of(section)
    except KeyError:
        pytest.fail(f"plan/images.py: NATIVE_SHAPE lacks {kind}, or shape_of a case for it")
    except ValueError as error:
        assert "state `shape" in str(error)
    assert isinstance(_image_set(section), ImageFacts), f"plan/findings.py: _image_set lacks {kind}"
