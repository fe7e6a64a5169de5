"""The scorecard says under each claim on which networks and images its number is."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cnn_topology.figures.drawing import draw
from cnn_topology.figures.kinds import FigureSpec
from cnn_topology.tables.findings import ClaimRow

SPEC = FigureSpec("scorecard_weights", "scorecard", {"paper": "weights"})
DIGITS = "digits: 12 x M(64, 8, 64), 600 iterations"


def row(claim: str, data: str, value: float = 0.145) -> dict[str, Any]:
    empty = {field.name: "" if field.type == pa.string() else np.nan for field in ClaimRow.schema}
    said = {"paper": "weights", "claim": claim, "statement": "MNIST, layer 1: one circle.", "data": data}
    counts = {"n": 12, "unit": "networks", "value": value, "other_data": True}
    return {
        **empty,
        **said,
        **counts,
        "verdict": "not tested",
        "outcome": "fails" if np.isfinite(value) else "",
        "reason": "no set",
    }


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (DIGITS, "here: digits: 12 x M(64, 8, 64), 600 steps"),
        (f"{DIGITS}; {DIGITS}; vgg16, pretrained, 5 layers", "here: digits, vgg16"),
    ],
)
def test_a_number_stands_beside_the_networks_that_it_is_from(data: str, said: str) -> None:
    table = pa.Table.from_pylist([row("E1", data), row("E5", DIGITS, np.nan)], schema=ClaimRow.schema)
    figure, _ = draw(SPEC, {"claims": table}, {})
    (axes,) = figure.axes
    places = {text.get_text(): text.get_position() for text in axes.texts}
    words = " ".join(text.get_text() for text in axes.texts)
    assert words.count("here:") == 1
    assert places[said][0] == places["MNIST, layer 1: one circle."][0]
    assert places["E5"][1] < places[said][1] < places["E1"][1]
