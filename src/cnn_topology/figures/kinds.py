"""The kinds of figures, and the tables that each of them reads.

A kind is the name of the module that draws it. Nothing is imported here: this is read while rules are parsed and before
every figure is drawn.
"""

from dataclasses import dataclass
from typing import Any

# Of filters of a layer.
WEIGHTS_KINDS: dict[str, tuple[str, ...]] = {
    "primer": (),
    "patch_models": (),
    "cloud": ("loops", "barcodes", "significance", "filters"),
    "mapper": ("loops", "mapper_graphs", "mapper_nodes", "mapper_edges"),
    "mapper_sweep": ("loops", "mapper_sweep"),
    "evolution": ("loops", "significance", "training"),
    "sensitivity": ("loops",),
    "klein_coordinates": ("loops", "filters"),
    "circles": ("loops", "circles", "barcodes", "significance"),
    "training_curves": ("training",),
    "depth": ("loops", "significance"),
    "layers": ("loops", "filters"),
    "controls": ("controls", "loops", "significance"),
    "nulls": ("nulls", "loops", "significance"),
}
# Of training dynamics and generalization.
GENERALIZATION_KINDS: dict[str, tuple[str, ...]] = {
    "dynamics": ("onset", "loop_tracks"),
    "standardized": ("loop_tracks", "training", "correlations"),
    "cross_accuracy": ("cross_accuracy", "loop_tracks"),
    "correlations": ("correlations",),
}
# Of comparisons and claims.
FINDING_KINDS: dict[str, tuple[str, ...]] = {
    "improvements": ("training", "improvements", "comparisons"),
    "scorecard": ("claims",),
}
# Of residual networks and their images.
RESNET_KINDS: dict[str, tuple[str, ...]] = {
    "resnet_training": ("resnet_training",),
    "masks": ("masks", "modes", "example_pixels"),
    "noisy_images": ("example_pixels", "resnet_accuracy"),
}
# Of layers compared by their activations.
LAYER_KINDS: dict[str, tuple[str, ...]] = {
    "activation_primer": (),
    "activation_tensor": ("activation_tensor",),
    "layer_heatmap": ("layer_distances",),
    "layer_spread": ("layer_pairs",),
    "layer_specificity": ("specificity", "layer_pairs"),
    "layer_sensitivity": ("component_sensitivity",),
    "measure_agreement": ("measure_agreement", "measure_tests"),
}
# Of mapper graphs of activations.
GRAPH_KINDS: dict[str, tuple[str, ...]] = {
    "activation_mapper": ("activation_graphs", "activation_nodes", "activation_edges", "class_purity"),
    "mapper_branches": ("activation_graphs", "activation_nodes", "activation_edges", "class_purity", "example_images"),
    "purity": ("purity", "activation_graphs"),
    "class_purity": ("class_purity", "activation_graphs"),
    "mapper_parameters": ("activation_graphs",),
    "activation_noise": ("purity", "activation_graphs", "resnet_accuracy"),
    "neighbour_curves": ("neighbour_curves", "activation_graphs"),
    "activation_channels": ("activation_channels", "activation_graphs"),
    "graph_sweep": ("activation_sweep", "activation_graphs"),
}
KINDS = {
    **WEIGHTS_KINDS,
    **GENERALIZATION_KINDS,
    **FINDING_KINDS,
    **RESNET_KINDS,
    **LAYER_KINDS,
    **GRAPH_KINDS,
}

# The interactive page of the graphs of one cloud, one per layer.
PAGE_TABLES = (
    "activation_graphs", "activation_nodes", "activation_edges", "purity", "class_purity", "example_images",
)  # fmt: skip


@dataclass(frozen=True)
class FigureSpec:
    """One figure: its name (a target of the workflow), its kind, the tables it reads and what it shows of them."""

    name: str
    kind: str
    tables: tuple[str, ...]
    parameters: dict[str, Any]
