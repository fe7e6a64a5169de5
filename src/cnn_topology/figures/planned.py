"""What the lists of figures of a run share: facets of layers and of graphs, and pages of a few facets each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cnn_topology.figures.registry import numbered
from cnn_topology.plan.activation_graphs import GraphPlan
from cnn_topology.plan.activations import PUBLISHED, clean_of
from cnn_topology.plan.expand import LayerClouds, Plan
from cnn_topology.plan.layer_comparisons import Comparison, comparisons

# Graphs on one page.
MOST_PANELS = 9


def facet(clouds: LayerClouds) -> dict[str, Any]:
    """Describe one layer of a population with its first and last step."""
    steps = sorted(clouds.filterings)
    where = {"population": clouds.population, "layer": clouds.layer.name, "first": steps[0], "last": steps[-1]}
    return {**where, "pretrained": True} if clouds.pretrained else where


def pages_of_clouds(
    plan: Plan, kind: str, facets: Sequence[dict[str, Any]], size: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """List the pages of a kind that shows several clouds, with the level of the test."""
    for name, page in numbered(kind, facets, size):
        yield name, {"clouds": page, "alpha": plan.config.significance.alpha}


def networks_by_depth(plan: Plan) -> dict[str, list[dict[str, Any]]]:
    """Gather the layers of each population that has three or more, the one nearest the image first."""
    layers: dict[str, list[LayerClouds]] = {}
    for clouds in plan.layer_clouds:
        if not clouds.recentred:
            layers.setdefault(clouds.population, []).append(clouds)
    return {
        population: [facet(clouds) for clouds in sorted(listed, key=lambda clouds: clouds.layer.depth)]
        for population, listed in layers.items()
        if len(listed) >= 3
    }


@dataclass(frozen=True)
class GraphGroup:
    """The mapper graphs of one entry of `activation_mapper` and one population, which figures show together."""

    graphs: GraphPlan
    recipe: str
    population: str
    clouds: list[str]

    @property
    def name(self) -> str:
        """What the names of its figures end in."""
        return f"{self.population}_{self.recipe}"

    @property
    def ids(self) -> dict[str, Any]:
        """What tells its rows in the tables from others."""
        return {"population": self.population, "recipe": self.recipe}

    @property
    def clean(self) -> list[str]:
        """Its clouds without noise."""
        return [cloud for cloud in self.clouds if not self._section(cloud).sigma]

    @property
    def shown_layers(self) -> list[str]:
        """The layers of its first cloud, on one page: of too many those of the paper, or the deepest."""
        layers = self.layers(self.first) if self.first else []
        if len(layers) <= MOST_PANELS:
            return layers
        return [layer for layer in layers if layer in PUBLISHED] or layers[-MOST_PANELS:]

    @property
    def images(self) -> str:
        """The image set of its networks."""
        return self.graphs.plan.config.recorded[self.population].images

    @property
    def first(self) -> str | None:
        """The cloud without noise that is shown where there is room for one alone."""
        chosen = (cloud for cloud in self.clean if self._section(cloud).sampling == "foreground")
        return next(chosen, next(iter(self.clean), None))

    def noisy(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each cloud without noise that has noisy ones, with these by the strength of the noise."""
        every = self.graphs.plan.config.activation_clouds
        for quiet in self.clean:
            noisy = [cloud for cloud in self.clouds if every[cloud].sigma and clean_of(cloud, every) == quiet]
            if noisy:
                yield quiet, sorted(noisy, key=lambda cloud: every[cloud].sigma)

    def layers(self, cloud: str) -> list[str]:
        """Return the layers of a cloud that have graphs, nearest the image first."""
        return [layer.name for layer in self.graphs.layers(self.recipe, cloud)]

    def graph(self, cloud: str, layer: str) -> dict[str, Any]:
        """Return what tells a graph of the first network from others."""
        return {**self.ids, "network": self.network(cloud), "cloud": cloud, "layer": layer}

    def network(self, cloud: str) -> int:
        """Return the number of the first network of a cloud."""
        return self.graphs.plan.activation_networks(cloud)[0]

    def _section(self, cloud: str) -> Any:
        return self.graphs.plan.config.activation_clouds[cloud]


def graph_groups(plan: Plan) -> Iterator[GraphGroup]:
    """Yield each entry of `activation_mapper` with each population it has graphs of."""
    graphs = GraphPlan(plan)
    for recipe in plan.config.activation_mapper:
        of_population: dict[str, list[str]] = {}
        for cloud in graphs.clouds(recipe):
            if graphs.layers(recipe, cloud):
                of_population.setdefault(plan.config.activation_clouds[cloud].population, []).append(cloud)
        for population, clouds in of_population.items():
            yield GraphGroup(graphs, recipe, population, clouds)


def of_clean_clouds(plan: Plan, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """List one figure of a kind for each group of graphs: of its clouds without noise."""
    for group in graph_groups(plan):
        if group.clean:
            yield f"{kind}_{group.name}", {**group.ids, "clouds": group.clean}


def compared_layers(plan: Plan) -> Iterator[tuple[dict[str, Any], Comparison]]:
    """Yield each cloud whose layers are compared: what tells its rows from others, and the comparison."""
    for cloud, comparison in comparisons(plan).items():
        yield {"population": comparison.population, "cloud": cloud}, comparison
