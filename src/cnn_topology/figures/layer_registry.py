"""Which figures compare layers by their activations; light enough to read while rules are parsed."""

from collections.abc import Iterator, Sequence
from typing import Any

from cnn_topology.plan.expand import Plan
from cnn_topology.plan.layer_comparisons import Comparison, comparisons, tensor_source

# Measures on one page of matrices, and layers in one row of sensitivity curves: of 17, those of depth 1, 5, 9, 13, 17,
# which the notes on the paper propose as 0, 4, 8, 12, 16.
MATRICES, CURVES = 4, 5


def layer_figures(plan: Plan) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """List kind, name and parameters of the figures that compare layers."""
    if plan.config.resnets:
        yield "activation_primer", "activation_primer", {}
    if tensor_source(plan):
        yield "activation_tensor", "activation_tensor", {}
    for cloud, comparison in comparisons(plan).items():
        about = {"population": comparison.population, "cloud": cloud}
        every = list(comparison.measures)
        pages = [every[start : start + MATRICES] for start in range(0, len(every), MATRICES)]
        network = {"network": comparison.networks[0]}
        yield from _pages("layer_heatmap", cloud, pages, {**about, **network})
        if len(comparison.networks) > 1:
            yield from _pages("layer_spread", f"same_{cloud}", pages, {**about, "between": "same"})
            yield from _pages("layer_spread", f"different_{cloud}", pages, {**about, "between": "different"})
            yield "layer_specificity", f"layer_specificity_{cloud}", {**about, "measures": every}
        for number in comparison.reduced:
            name = f"layer_sensitivity_{cloud}" + ("" if len(comparison.reduced) == 1 else f"_{number}")
            depths = _spread(comparison)
            yield "layer_sensitivity", name, {**about, "network": number, "measures": every, "depths": depths}
        if len(every) > 1:
            yield "measure_agreement", f"measure_agreement_{cloud}", {**about, "measures": every}


def _pages(
    kind: str, name: str, pages: Sequence[list[Any]], about: dict[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for number, page in enumerate(pages, start=1):
        suffix = f"_{number}" if len(pages) > 1 else ""
        yield kind, f"{kind}_{name}{suffix}", {**about, "measures": page}


def _spread(comparison: Comparison) -> list[int]:
    """Return the depths of some layers, the first and the last among them, evenly spread."""
    layers = comparison.layers
    places = {round(number * (len(layers) - 1) / (CURVES - 1)) for number in range(CURVES)}
    return [layers[place].depth for place in sorted(places)]
