"""The kinds of figures by section, and the tables that each of them reads.

A kind is the name of the module that draws it. Nothing is imported here: this is read while rules are parsed and before
every figure is drawn.
"""

from dataclasses import dataclass
from typing import Any

# The interactive page of the graphs of one cloud reads these, and the graphs' print some of them.
_GRAPHS = ("activation_graphs", "activation_nodes", "activation_edges", "class_purity")

# One job draws the figures of one section: what takes longest of a figure is to start Python and to read tables.
SECTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "filters": {
        "primer": (),
        "patch_models": (),
        "evolution": ("loops", "significance", "training"),
        "sensitivity": ("loops", "significance"),
        "klein_coordinates": ("loops", "filters"),
        "circles": ("loops", "circles", "barcodes", "significance"),
        "training_curves": ("training",),
        "depth": ("loops", "significance"),
        "layers": ("loops", "filters"),
        "controls": ("controls", "loops", "significance"),
        "nulls": ("nulls", "loops", "significance"),
    },
    "clouds": {"cloud": ("loops", "barcodes", "significance", "filters")},
    "filter_graphs": {
        "mapper": ("loops", "mapper_graphs", "mapper_nodes", "mapper_edges"),
        "mapper_sweep": ("loops", "mapper_sweep"),
    },
    "generalization": {
        "dynamics": ("onset", "loop_tracks"),
        "standardized": ("loop_tracks", "training", "correlations"),
        "cross_accuracy": ("cross_accuracy", "loop_tracks"),
        "correlations": ("correlations",),
    },
    "findings": {
        "improvements": ("training", "improvements", "comparisons"),
        "scorecard": ("claims",),
    },
    "resnets": {
        "resnet_training": ("resnet_training",),
        "masks": ("masks", "modes", "example_pixels"),
        "noisy_images": ("example_pixels", "resnet_accuracy"),
    },
    "layers": {
        "activation_primer": (),
        "activation_tensor": ("activation_tensor",),
        "layer_heatmap": ("layer_distances",),
        "layer_spread": ("layer_pairs",),
        "layer_specificity": ("specificity", "layer_pairs"),
        "layer_sensitivity": ("component_sensitivity",),
        "measure_agreement": ("measure_agreement", "measure_tests"),
    },
    "activation_graphs": {
        "activation_mapper": _GRAPHS,
        "mapper_branches": (*_GRAPHS, "example_images"),
        "purity": ("purity", "activation_graphs"),
        "class_purity": ("class_purity", "activation_graphs"),
        "mapper_parameters": ("activation_graphs",),
        "activation_noise": ("purity", "activation_graphs", "resnet_accuracy"),
        "neighbour_curves": ("neighbour_curves", "activation_graphs"),
        "activation_channels": ("activation_channels", "activation_graphs"),
        "graph_sweep": ("activation_sweep", "activation_graphs"),
        "activation_page": (*_GRAPHS, "purity", "example_images"),
    },
}
KINDS = {kind: tables for kinds in SECTIONS.values() for kind, tables in kinds.items()}

# Kinds with an interactive page beside the print, or alone: the module that writes it.
PAGES = {"mapper": "mapper_page", "activation_page": "activation_page"}
PAGES_ALONE = {"activation_page"}


@dataclass(frozen=True)
class FigureSpec:
    """One figure: its name (a target of the workflow), its kind, the tables it reads and what it shows of them."""

    name: str
    kind: str
    tables: tuple[str, ...]
    parameters: dict[str, Any]

    @property
    def section(self) -> str:
        """The section whose job draws it."""
        return next(section for section, kinds in SECTIONS.items() if self.kind in kinds)

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of its files: of the print with the data drawn, and of the page."""
        printed = () if self.kind in PAGES_ALONE else ("pdf", "png", "parquet")
        return (*printed, "html") if self.kind in PAGES else printed

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that make it."""
        return tuple(f"figures.{name}" for name in sorted({self.kind, PAGES.get(self.kind, self.kind)}))
