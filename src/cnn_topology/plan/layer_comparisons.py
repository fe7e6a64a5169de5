"""The expansion of `layer_distances` into jobs: networks, layers and blocks of pairs of networks."""

from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import isqrt

from cnn_topology.errors import InputError, check_known
from cnn_topology.plan.activations import CANONICAL_MEASURES, DIAGRAM_MEASURES, MATCHING_MEASURES, MeasureName
from cnn_topology.plan.expand import Plan, batched
from cnn_topology.plan.recorded import RecordedLayer

# Of canonical correlations, by the centring and one dimension that must be left (comparison.canonical_correlations).
MORE_SAMPLES = 2
# The U-centring of debiased CKA.
FEWEST_IMAGES = 4
# Of two layers nothing can be said about their order.
FEWEST_LAYERS = 3
# The removal grid starts here: a layer must have more channels.
FIRST_REMOVAL = 4
# Names of the blocks by the measures on diagrams: all pairs, and those by the measures that match bars.
DIAGRAMS, MATCHINGS = "diagrams", "matchings"
# Pairs of layers that the latter compare at most.
MOST_MATCHED = 2_000


@dataclass(frozen=True)
class TensorSource:
    """The cloud that the activation tensor of one image is drawn from: it holds all positions of every image."""

    cloud: str
    population: str
    network: int
    layer: RecordedLayer


@dataclass(frozen=True)
class Comparison:
    """The layers of one kind of cloud, compared within and across the networks that have it."""

    cloud: str
    population: str
    networks: tuple[int, ...]
    layers: tuple[RecordedLayer, ...]
    images: int
    on_clouds: tuple[MeasureName, ...]
    on_diagrams: tuple[MeasureName, ...]
    on_matchings: tuple[MeasureName, ...]
    reduced: tuple[int, ...]

    @property
    def measures(self) -> tuple[MeasureName, ...]:
        """All measures, those on diagrams first."""
        return self.on_diagrams + self.on_matchings + self.on_clouds

    def another(self, network: int) -> int | None:
        """Return the network after this one, the first after the last; none where it is the only one."""
        place = self.networks.index(network) + 1
        return self.networks[place % len(self.networks)] if len(self.networks) > 1 else None

    @property
    def matched(self) -> tuple[int, ...]:
        """The networks whose layers are compared by the measures that match bars."""
        return self.networks[: max(1, isqrt(2 * MOST_MATCHED) // len(self.layers))]

    def measures_of(self, block: str) -> tuple[MeasureName, ...]:
        """Return the measures of a block of `blocks`."""
        return {DIAGRAMS: self.on_diagrams, MATCHINGS: self.on_matchings}.get(block, self.on_clouds)

    def blocks(self, size: int) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
        """Cut the pairs of networks into blocks, one job each.

        Parameters
        ----------
        size : int
            Networks on each side of a block of measures on clouds. All pairs by diagrams are one block, those by
            matched bars another.

        Returns
        -------
        dict of str to (rows, columns)
            Numbers of networks; equal sides hold each pair once.
        """
        groups = list(batched(self.networks, size))
        found = {DIAGRAMS: (self.networks, self.networks)} if self.on_diagrams else {}
        if self.on_matchings:
            found[MATCHINGS] = self.matched, self.matched
        if self.on_clouds:
            for i, j in combinations_with_replacement(range(len(groups)), 2):
                found[f"{i:04d}-{j:04d}"] = groups[i], groups[j]
        return found


def comparisons(plan: Plan) -> dict[str, Comparison]:
    """Expand `layer_distances` of a run.

    Returns
    -------
    dict of str to Comparison
        By name of the cloud; empty where the run has no such section.

    Raises
    ------
    InputError
        If a cloud is unknown or has more than one point per image, a network is not among its own, images are too few
        for a measure, or a layer is too narrow to lose components.
    """
    section = plan.config.layer_distances
    if section is None:
        return {}
    found = {}
    for index, name in enumerate(section.clouds):
        where = f"layer_distances.clouds[{index}]"
        clouds = plan.config.activation_clouds
        check_known(f"cloud in {where}", name, clouds)
        cloud, layers, networks = clouds[name], plan.activation_layers(name), plan.activation_networks(name)
        if cloud.sampling == "full" or cloud.top > 1:
            raise InputError(
                f"{where}: {name} has several points per image (sampling {cloud.sampling}, top {cloud.top}); layers "
                "are compared image by image: name a cloud of sampling top-l2 or random, or with top: 1"
            )
        if len(layers) < FEWEST_LAYERS:
            raise InputError(
                f"{where}: {name} has {len(layers)} layers; the order of layers takes {FEWEST_LAYERS} or more: ask for "
                f"more in activation_clouds.{name}.layers"
            )
        widest = max(layers, key=lambda layer: layer.channels)
        for measure in section.measures:
            needed = widest.channels + MORE_SAMPLES if measure in CANONICAL_MEASURES else FEWEST_IMAGES
            if cloud.n_images < needed:
                raise InputError(
                    f"layer_distances.measures: {measure} needs at least {needed} images, for layer {widest.name} with "
                    f"{widest.channels} channels; activation_clouds.{name}.n_images is {cloud.n_images}: raise it, or "
                    f"leave {measure} out"
                )
        reduced: tuple[int, ...] = ()
        if section.components:
            chosen = section.components.members
            named = {"first": networks[:1], "all": networks}
            reduced = named[chosen] if isinstance(chosen, str) else chosen
            for network in reduced:
                if network not in networks:
                    raise InputError(
                        f"layer_distances.components.members: {name} has no network {network}; it has "
                        f"{', '.join(map(str, networks))}"
                    )
            narrow = [layer for layer in layers if layer.channels <= FIRST_REMOVAL]
            if narrow:
                raise InputError(
                    f"layer_distances.components: layer {narrow[0].name} has {narrow[0].channels} channels and the "
                    f"test removes {FIRST_REMOVAL} or more: use wider networks, or components: null"
                )
        found[name] = Comparison(
            cloud=name,
            population=cloud.population,
            networks=networks,
            layers=layers,
            images=cloud.n_images,
            on_clouds=tuple(m for m in section.measures if m not in DIAGRAM_MEASURES),
            on_diagrams=tuple(m for m in section.measures if m in DIAGRAM_MEASURES and m not in MATCHING_MEASURES),
            on_matchings=tuple(m for m in section.measures if m in MATCHING_MEASURES),
            reduced=reduced,
        )
    return found


def tensor_source(plan: Plan) -> TensorSource | None:
    """Choose what the activation tensor is drawn from; none where no cloud holds all positions of its images.

    Of the `full` cloud of fewest images, the middle one of the layers whose points were not drawn from more.
    """
    full = {name: cloud for name, cloud in plan.config.activation_clouds.items() if cloud.sampling == "full"}
    for name, cloud in sorted(full.items(), key=lambda item: item[1].n_images):
        whole = [
            layer
            for layer in plan.activation_layers(name)
            if cloud.n_images * layer.height * layer.width <= cloud.max_points
        ]
        if whole:
            return TensorSource(name, cloud.population, plan.activation_networks(name)[0], whole[len(whole) // 2])
    return None
