"""Which figures of training dynamics and generalization a run has; like `registry`, light enough for the rules."""

from collections.abc import Iterator
from typing import Any

from cnn_topology.plan.expand import Plan

# Facets on one page.
COLUMNS = 3
CURVES = 6


def generalization_figures(plan: Plan) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """List kind, name and parameters (plain values only) of these figures."""
    clouds = [{"population": c.population, "layer": c.layer.name} for c in plan.dynamics_clouds]
    for number, start in enumerate(range(0, len(clouds), COLUMNS), start=1):
        name = "dynamics" if len(clouds) <= COLUMNS else f"dynamics_{number}"
        yield "dynamics", name, {"clouds": clouds[start : start + COLUMNS]}
    curves = [{**cloud, "images": plan.population(cloud["population"]).images} for cloud in clouds]
    for number, start in enumerate(range(0, len(curves), CURVES), start=1):
        name = "standardized" if len(curves) <= CURVES else f"standardized_{number}"
        yield "standardized", name, {"clouds": curves[start : start + CURVES]}
    if clouds:
        first = clouds[0]["layer"]
        yield "cross_accuracy", "cross_accuracy", {"clouds": [c for c in clouds if c["layer"] == first]}
    for group in plan.network_groups:
        parameters = {"group_name": group.name, "layer": group.layer, "scope": "grid" if group.is_grid else "networks"}
        yield "correlations", f"correlations_{group.name}_{group.layer}", parameters
