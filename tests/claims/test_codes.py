"""Every short code that a reader meets is explained in docs/codes.md."""

import re
from pathlib import Path

import pytest

from cnn_topology.claims.activations import ACTIVATIONS_CLAIMS
from cnn_topology.claims.weights import WEIGHTS_CLAIMS

ROOT = Path(__file__).parents[2]
CODE = re.compile(
    r"\b(?:E\d{1,2}[a-c]?|P[0-5]|M[0-7]|[UQ]\d{1,2}|[AST]\d[a-d]?|"
    r"[FT]-[A-M]|panel [A-L]|M-(?:high|med|low)|F2:[a-z-]+)\b"
)
SPHERES = {"S1", "S2", "S7", "S8"}
NUMBERS = {"U8", "U16", "U32", "U64"}  # types of numbers in safetensors files
KEY = (ROOT / "docs/codes.md").read_text(encoding="utf-8")
EXPLAINED = set(CODE.findall(KEY))


def first_column(text):
    """List the codes in the first cells of the tables of a text."""
    return CODE.findall("\n".join(re.findall(r"^\| ([^|]+) \|", text, re.M)))


READ = [
    *sorted((ROOT / "workflow/report").glob("*.rst")),
    *sorted((ROOT / "config").glob("*.yaml")),
    *(ROOT / name for name in ("README.md", "config/README.md", "docs/real-data.md")),
    *sorted((ROOT / "src/cnn_topology").rglob("*.py")),
]


@pytest.mark.parametrize("path", READ, ids=lambda path: path.name)
def test_codes_that_a_file_uses_are_explained(path):
    used = set(CODE.findall(path.read_text(encoding="utf-8"))) - SPHERES - NUMBERS
    # A number alone stands for all its parts: A4 for A4a and A4b.
    assert [
        code for code in used if not any(known.rstrip("abcd") == code or known == code for known in EXPLAINED)
    ] == []


def test_claims_their_tags_and_experiments_are_explained_and_no_code_means_two_things():
    claims = (*WEIGHTS_CLAIMS, *ACTIVATIONS_CLAIMS)
    assert {claim.claim for claim in claims} <= EXPLAINED
    assert {code for claim in claims for code in (claim.experiment or claim.claim).split(", ")} <= {
        *EXPLAINED,
        "abstract",
    }
    certainty = KEY.split("## How certain")[1].split("##")[0]
    tags = set(re.findall(r"[\w-]+", "\n".join(re.findall(r"^\| ([^|]+) \|", certainty, re.M))))
    assert {claim.certainty for claim in claims} <= tags
    once = first_column(KEY.split("## How certain")[0]) + first_column(KEY.split("## What the weights")[1])
    assert sorted(set(once)) == sorted(once)
