"""Which figures of the activations paper a run has; like `registry`, light enough to read while rules are parsed."""

from collections.abc import Iterator
from typing import Any

from cnn_topology.figures.graph_registry import GRAPH_KINDS, graph_figures
from cnn_topology.figures.layer_registry import LAYER_KINDS, layer_figures
from cnn_topology.figures.resnet_registry import RESNET_KINDS, resnet_figures
from cnn_topology.plan.expand import Plan

# The tables that each kind of figure reads.
ACTIVATION_KINDS: dict[str, tuple[str, ...]] = {**RESNET_KINDS, **LAYER_KINDS, **GRAPH_KINDS}


def activation_figures(plan: Plan) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """List kind, name and parameters (plain values only) of the figures of the activations paper."""
    yield from resnet_figures(plan)
    yield from layer_figures(plan)
    yield from graph_figures(plan)
