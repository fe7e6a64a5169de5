"""What the README shows works as it stands."""

import re
from pathlib import Path

import numpy as np

from cnn_topology.cli import VERBS

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_example_in_python_runs_on_a_layer_and_two_clouds(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    rng = np.random.default_rng(5)
    shallow = rng.normal(size=(60, 8))
    given = {
        "weight": rng.normal(size=(4, 16, 2, 3, 3)).astype(np.float32),
        "shallow": shallow,
        "deep": np.tanh(shallow @ rng.normal(size=(8, 12))),
        "images": np.arange(60),
    }
    exec(example, given)
    loops, cka, distance = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\[0\.\d+ 0\.\d+\]", loops)
    assert 0 < float(cka) < 1
    assert float(distance) > 0
    assert len(given["dense"]) == len(given["residual"]) == round(0.3 * 128)


def test_every_verb_that_the_readme_names_exists():
    named = set(re.findall(r"cnn-topology ([a-z][a-z-]*)", README)) - {"is", "resolves"}
    assert named <= set(VERBS), named - set(VERBS)
