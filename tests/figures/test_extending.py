"""What is needed besides the obvious file when a figure kind, a measure, a null or an image kind is added.

Each check says in a sentence what is missing; docs/extending.md lists the files in order.
"""

import re
from pathlib import Path
from typing import get_args

import pytest

from cnn_topology.figures import style
from cnn_topology.figures.layer_matrix import LABELS
from cnn_topology.figures.registry import kinds
from cnn_topology.plan.activations import MeasureName
from cnn_topology.plan.clouds import NullName
from cnn_topology.plan.findings import ImageFacts, _image_set
from cnn_topology.plan.images import SPLITS, ImageSetConfig, native_size, shape_of
from cnn_topology.statistics.null_clouds import NULLS
from cnn_topology.tables.registry import TABLES

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "src/cnn_topology/figures"


@pytest.mark.parametrize("kind", kinds())
def test_a_kind_of_figure_has_all_its_parts(kind: str) -> None:
    declared = kinds()[kind]
    assert len(declared.caption.split()) > 20, f"figures/{kind}.py: write its caption as the docstring's second part"
    unknown = set(declared.tables) - set(TABLES)
    assert not unknown, f"figures/{kind}.py: it reads {', '.join(unknown)}, which no row type in tables/ describes"


def test_what_draws_a_figure_declares_its_kind() -> None:
    draws = re.compile(r"^def (?:draw|page)\(parameters", re.M)
    drawing = {path.stem for path in FIGURES.glob("*.py") if draws.search(path.read_text(encoding="utf-8"))}
    assert drawing == set(kinds()), "declare draw(parameters, tables, notes) by KIND = FigureKind(section=..., ...)"


def test_every_measure_has_a_name_for_figures() -> None:
    missing = set(get_args(MeasureName)) - set(LABELS)
    assert not missing, f"figures/layer_matrix.py: LABELS lacks {', '.join(missing)}"


def test_every_null_can_be_drawn_and_has_a_line_of_its_own() -> None:
    for name in get_args(NullName):
        assert name in NULLS, f"statistics/null_clouds.py: NULLS lacks {name}"
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
    if not needed:
        for split in SPLITS:
            assert native_size(section, split), f"plan/images.py: NATIVE_{split.upper()} lacks {kind}, or native_size"
    assert isinstance(_image_set(section), ImageFacts), f"plan/findings.py: _image_set lacks {kind}"
