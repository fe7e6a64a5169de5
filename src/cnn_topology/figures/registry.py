"""Which figures a run has, by name.

The Snakefile asks for the names while it is parsed, in every job of a cluster: no array or drawing library is imported.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from cnn_topology.errors import InputError, unknown
from cnn_topology.figures.finding_registry import finding_figures
from cnn_topology.figures.generalization_registry import generalization_figures
from cnn_topology.figures.graph_registry import graph_figures
from cnn_topology.figures.kinds import KINDS, SECTIONS, FigureSpec
from cnn_topology.figures.layer_registry import layer_figures
from cnn_topology.figures.resnet_registry import resnet_figures
from cnn_topology.plan.clouds import neighbours
from cnn_topology.plan.expand import LayerClouds, Plan

# Facets on one page: more go to a further figure, so that each stays legible on paper.
FACETS = {
    "layers": 20,
    "evolution": 9,
    "mapper_sweep": 6,
    "sensitivity": 4,
    "klein_coordinates": 4,
    "circles": 4,
    "training_curves": 12,
    "controls": 40,
    "nulls": 12,
}

# Drawn by one job at most: a minute's work, and its description stays far below the longest command line.
JOB_FIGURES = 40

# From so many layers on a network is drawn over depth.
DEEP = 3


def figure_specs(plan: Plan) -> dict[str, FigureSpec]:
    """List the figures of a run by name.

    A kind with more facets than fit on a page becomes several figures: ``evolution_1``, ``evolution_2`` ...

    Parameters
    ----------
    plan : Plan
        The expanded run.

    Returns
    -------
    dict of str to FigureSpec
        Parameters hold plain values only (they can be written as JSON). Those that `figures` of the config asks for.

    Raises
    ------
    InputError
        If the config asks for a figure that the run does not have.
    """
    alpha = {"alpha": plan.config.significance.alpha}
    clouds = plan.layer_clouds
    specs = [_spec("primer"), _spec("patch_models")] if clouds else []
    specs += [_spec("cloud", f"cloud_{c.population}_{c.layer.name}", **_cloud(c), **alpha) for c in clouds]
    if mapper := plan.config.mapper:
        least = {"least_node": mapper.least_node}
        specs += [_spec("mapper", mapper_name(c.population, c.layer.name), **_cloud(c), **least) for c in clouds]
    pages: dict[str, Sequence[Any]] = {
        "evolution": [
            {**_cloud(c), "images": plan.config.populations[c.population].images} for c in clouds if len(c.variants) > 1
        ],
        "sensitivity": [_cloud(c) for c in clouds if _has_grid(c)],
        "klein_coordinates": [_cloud(c) for c in clouds],
        "mapper_sweep": [_cloud(c) for c in clouds if plan.mapper_sweep(c)],
        "circles": [facet for c in clouds for facet in (_cloud(c), *_measured(c))],
        "controls": [_cloud(c) for c in clouds if not c.pretrained],
    }
    for kind, facets in pages.items():
        specs += [_spec(kind, name, clouds=page, **alpha) for name, page in _pages(kind, facets)]
    if clouds and not pages["controls"]:  # no network was trained here: the synthetic controls alone
        specs.append(_spec("controls", "controls", clouds=[], **alpha))
    for population, layers in _by_depth(clouds).items():
        specs.append(_spec("depth", f"depth_{population}", population=population, clouds=layers, **alpha))
        for name, page in _pages("layers", layers):
            specs.append(_spec("layers", name.replace("layers", f"layers_{population}"), clouds=page))
    specs += [
        _spec("nulls", name, clouds=[cloud for null in page for cloud in null], **alpha)
        for name, page in _pages("nulls", _by_null(clouds))
    ]
    curves = [{"population": name, "images": p.images} for name, p in plan.config.populations.items()]
    specs += [_spec("training_curves", name, populations=page) for name, page in _pages("training_curves", curves)]
    for listed in (resnet_figures, layer_figures, graph_figures, finding_figures, generalization_figures):
        specs += [_spec(kind, name, **parameters) for kind, name, parameters in listed(plan)]
    named = {spec.name: spec for spec in specs}
    if len(named) < len(specs):
        twice = next(spec.name for spec in specs if spec is not named[spec.name])
        raise InputError(f"two figures would be called {twice}: rename a population or checkpoint")
    wanted = plan.config.figures
    for name in () if wanted == "all" else wanted:
        if name not in named:
            raise unknown("figure in figures", name, named)
    return {name: spec for name, spec in named.items() if wanted == "all" or name in wanted}


def figure_jobs(specs: Iterable[FigureSpec]) -> dict[str, list[FigureSpec]]:
    """Divide figures among jobs: one a section of `kinds.SECTIONS`, or several of `JOB_FIGURES` where it has more."""
    of_section: dict[str, list[FigureSpec]] = {section: [] for section in SECTIONS}
    for spec in specs:
        of_section[spec.section].append(spec)
    return {
        name: drawn for section, found in of_section.items() for name, drawn in _numbered(section, found, JOB_FIGURES)
    }


def mapper_name(population: str, layer: str) -> str:
    """Name the mapper graph of a layer: a figure, and the interactive page beside it."""
    return f"mapper_{population}_{layer}"


def _spec(kind: str, name: str | None = None, **parameters: Any) -> FigureSpec:
    return FigureSpec(name or kind, kind, KINDS[kind], parameters)


def _cloud(clouds: LayerClouds) -> dict[str, Any]:
    steps = sorted(clouds.variants)
    where = {"population": clouds.population, "layer": clouds.layer.name, "first": steps[0], "last": steps[-1]}
    return {**where, "pretrained": True} if clouds.pretrained else where


def _measured(clouds: LayerClouds) -> list[dict[str, Any]]:
    """Return the variants of a layer's last step that are compared with the three-circle model besides the headline."""
    last = clouds.variants[max(clouds.variants)]
    return [{**_cloud(clouds), "asked": [v.k, v.p, v.landmarks]} for v in clouds.measured if v in last]


def _by_depth(clouds: Sequence[LayerClouds]) -> dict[str, list[dict[str, Any]]]:
    """Gather the layers of each network that has enough of them, the one nearest the image first."""
    found: dict[str, list[LayerClouds]] = {}
    for item in clouds:
        if not item.recentred:
            found.setdefault(item.population, []).append(item)
    return {
        population: [_cloud(item) for item in sorted(layers, key=lambda item: item.layer.depth)]
        for population, layers in found.items()
        if len(layers) >= DEEP
    }


def _has_grid(clouds: LayerClouds) -> bool:
    densities = clouds.variants[max(clouds.variants)]
    return min(len({density.k for density in densities}), len({density.p for density in densities})) >= 2


def _by_null(clouds: Sequence[LayerClouds]) -> list[list[dict[str, Any]]]:
    """Gather the clouds whose headline is tested against the same draws of the sphere null."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for item in clouds:
        headline = item.headline
        key = (item.points, neighbours(headline, item.points), headline.p, headline.landmarks)
        found.setdefault((*key, headline.centre), []).append({**_cloud(item), "centre": headline.centre})
    return list(found.values())


def _pages(kind: str, facets: Sequence[Any]) -> list[tuple[str, list[Any]]]:
    return _numbered(kind, facets, FACETS[kind])


def _numbered(name: str, items: Sequence[Any], size: int) -> list[tuple[str, list[Any]]]:
    """Cut items into parts of a size, which are numbered where there are several."""
    parts = [list(items[start : start + size]) for start in range(0, len(items), size)]
    return [(name if len(parts) == 1 else f"{name}_{number}", part) for number, part in enumerate(parts, start=1)]
