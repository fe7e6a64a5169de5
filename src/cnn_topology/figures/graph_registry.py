"""Which figures and pages of mapper graphs of activations a run has; light enough to read while rules are parsed."""

from collections.abc import Iterator
from typing import Any

from cnn_topology.plan.activation_graphs import GraphPlan
from cnn_topology.plan.activation_mapper import PUBLISHED, clean_of
from cnn_topology.plan.expand import Plan

# Graphs on one page; of more layers those of the paper are drawn, or the deepest.
MOST_PANELS = 9
# Tables of classes on one page, and layers up to which two of them fit beside each other; else a third as many fit.
TABLES, BESIDE = 6, 7


def graph_figures(plan: Plan) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """List kind, name and parameters (plain values only) of the figures of mapper graphs of activations.

    Of each cloud without noise there is a page of the graphs of its first network.
    """
    graphs = GraphPlan(plan)
    every = plan.config.activation_clouds
    for recipe, population, clouds in _groups(graphs):
        clean = [cloud for cloud in clouds if not every[cloud].sigma]
        ids = {"population": population, "recipe": recipe}
        name = f"{population}_{recipe}"
        least = {"least_node": graphs.section(recipe).least_node}
        if clean:
            first = next((cloud for cloud in clean if every[cloud].sampling == "foreground"), clean[0])
            layers = [layer.name for layer in graphs.layers(recipe, first)]
            if len(layers) > MOST_PANELS:
                layers = [layer for layer in layers if layer in PUBLISHED] or layers[-MOST_PANELS:]
            last = layers[-1]
            panels = [_panel(graphs, recipe, cloud, graphs.layers(recipe, cloud)[-1].name) for cloud in clean]
            yield "activation_mapper", f"mapper_clouds_{name}", {**least, "by": "cloud", "panels": panels[:MOST_PANELS]}
            panels = [_panel(graphs, recipe, first, layer) for layer in layers]
            yield "activation_mapper", f"mapper_layers_{name}", {**least, "by": "layer", "panels": panels}
            images = {"images": graphs.image_sets()[population]}
            yield "mapper_branches", f"mapper_branches_{name}", {**_panel(graphs, recipe, first, last), **images}
            for kind in ("purity", "neighbour_curves", "activation_channels"):
                yield kind, f"{kind}_{name}", {**ids, "clouds": clean}
            most = max(len(graphs.layers(recipe, cloud)) for cloud in clean)
            size = TABLES if most <= BESIDE else TABLES // 3
            pages = [clean[start : start + size] for start in range(0, len(clean), size)]
            for number, shown in enumerate(pages, start=1):
                suffix = f"_{number}" if len(pages) > 1 else ""
                yield "class_purity", f"class_purity_{name}{suffix}", {**ids, "clouds": shown}
        for cloud in clean:
            page = {**ids, **least, "cloud": cloud, "network": plan.activation_networks(cloud)[0]}
            yield "activation_page", f"graphs_{name}_{cloud}", {**page, "images": graphs.image_sets()[population]}
        yield "mapper_parameters", f"mapper_parameters_{name}", {**ids, "clouds": clouds}
        if graphs.section(recipe).sweep is not None:
            yield "graph_sweep", f"graph_sweep_{name}", {**ids, "clouds": clouds}
        for quiet in clean:
            noisy = [cloud for cloud in clouds if every[cloud].sigma and clean_of(cloud, every) == quiet]
            if noisy:
                noisy.sort(key=lambda cloud: every[cloud].sigma)
                last = graphs.layers(recipe, noisy[0])[-1].name
                panels = [_panel(graphs, recipe, cloud, last) for cloud in (quiet, *noisy)]
                yield "activation_mapper", f"mapper_noise_{name}_{quiet}", {**least, "by": "sigma", "panels": panels}
                levels = {**ids, "clean": quiet, "clouds": [quiet, *noisy]}
                yield "activation_noise", f"activation_noise_{name}_{quiet}", levels


def _groups(graphs: GraphPlan) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each entry of `activation_mapper` with each population it has graphs of, and the clouds of it."""
    for recipe in graphs.plan.config.activation_mapper:
        of_population: dict[str, list[str]] = {}
        for cloud in graphs.clouds(recipe):
            if graphs.layers(recipe, cloud):
                of_population.setdefault(graphs.population(cloud), []).append(cloud)
        for population, clouds in of_population.items():
            yield recipe, population, clouds


def _panel(graphs: GraphPlan, recipe: str, cloud: str, layer: str) -> dict[str, Any]:
    return {
        "population": graphs.population(cloud),
        "network": graphs.plan.activation_networks(cloud)[0],
        "recipe": recipe,
        "cloud": cloud,
        "layer": layer,
    }
