"""The page for users of other libraries: its blocks run; what is done elsewhere is refused with who does it."""

import re
import warnings
from importlib.util import find_spec
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.sparse import coo_array

import cnn_topology as ct

PAGE = (Path(__file__).parents[2] / "docs/peers.md").read_text(encoding="utf-8")
START, *SECTIONS = re.split(r"^## ", PAGE, flags=re.M)
# The module of the library that each section is about.
MODULES = {"ripser.py": "ripser", "GUDHI": "gudhi", "giotto-ph": "gph", "persim": "persim", "KeplerMapper": "kmapper"}


def blocks(text):
    return re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)


def test_every_section_with_code_is_about_a_known_library():
    assert [text.splitlines()[0] for text in SECTIONS if blocks(text)] == list(MODULES)


@pytest.mark.parametrize("section", MODULES)
def test_the_calls_of_a_section_run_and_agree(section):
    if find_spec(MODULES[section]) is None:
        pytest.skip(f"{section} is not installed")
    matplotlib.use("agg")
    (text,) = (text for text in SECTIONS if text.startswith(f"{section}\n"))
    names = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other libraries use is not ours to mend
        for block in [*blocks(START), *blocks(text)]:
            exec(block, names)
    plt.close("all")


@pytest.mark.parametrize(
    ("use", "library"),
    [
        (lambda points: ct.barcode(distances=np.ones((4, 4))), "ripser and GUDHI"),
        (lambda points: ct.barcode(distances=coo_array(np.eye(4) + np.ones((4, 4)))), "ripser and GUDHI"),
        (lambda points: ct.mapper_graph(points, clustering=object()), "KeplerMapper"),
        (lambda points: ct.sliced_wasserstein(ct.barcode(points).dgms[0], []), "finite"),
    ],
)
def test_what_is_done_elsewhere_is_refused_with_who_does_it(use, library):
    with pytest.raises(ct.InputError, match=library):
        use(np.random.default_rng(0).normal(size=(20, 9)))
