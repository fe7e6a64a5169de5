"""The figure that stands where a run has nothing to draw."""

from __future__ import annotations

import pyarrow as pa

from cnn_topology.figures import style
from cnn_topology.figures.libraries import Figure
from cnn_topology.figures.selection import drawn


def empty_figure(reason: str, footer: str, title: str | None = None) -> tuple[Figure, pa.Table]:
    """Build a figure that says why it is empty, and the empty table of what it shows."""
    figure = style.new_figure(1.2, footer, title)
    style.explain(figure.subplots(), reason, characters=80)
    return figure, drawn()
