"""Which figures of comparisons and claims a run has; like `registry`, light enough to read while rules are parsed."""

from collections.abc import Iterator
from typing import Any

from cnn_topology.plan.expand import Plan


def finding_figures(plan: Plan) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """List kind, name and parameters (plain values only) of these figures."""
    for name, group in plan.config.improvements.items():
        parameters = {
            "group": name,
            "images": plan.population(group.baseline).images,
            "target": group.target,
            "baseline": group.baseline,
            "variants": list(group.variants),
            "controls": list(group.controls),
        }
        yield "improvements", f"improvements_{name}", parameters
    if plan.config.populations or plan.config.checkpoints:
        yield "scorecard", "scorecard_weights", {"paper": "weights"}
    if plan.config.resnets:
        yield "scorecard", "scorecard_activations", {"paper": "activations"}
