"""Mapper graphs of activation clouds (activations paper, experiments M1 to M6): settings, published ones among them.

The radius of DBSCAN depends on the scale of the trained weights: for networks of one's own the elbow rule comes first,
and the table of the paper's project stands as `published`.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from cnn_topology.errors import check_known
from cnn_topology.plan.activations import ActivationClouds
from cnn_topology.plan.base import Distinct, LayerName, Name, OneOrMore, Section


def _is_eps(value: Any) -> Any:
    if value not in ("elbow", "published") and not (_is_number(value) and value > 0):
        raise ValueError("expected a number above 0, elbow or published")
    return value


def _is_overlap(value: Any) -> Any:
    if value != "published" and not (_is_number(value) and 0 <= value < 1):
        raise ValueError("expected a fraction from 0 to below 1 (0.25 for 25 %), or published")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# Checked before pydantic tries one branch after the other and reports each.
Eps = Annotated[Annotated[float, Field(gt=0)] | Literal["elbow", "published"], BeforeValidator(_is_eps)]
Overlap = Annotated[Annotated[float, Field(ge=0, lt=1)] | Literal["published"], BeforeValidator(_is_overlap)]
Intervals = Annotated[int, Field(ge=1, le=1_000)]

# Columns of the table below: sampling and top of a cloud.
PUBLISHED_CLOUDS = {("random", 1): 0, ("foreground", 1): 1, ("background", 1): 2, ("full", 1): 3}
# Radius of DBSCAN by layer for random, fg_1, bg_1 and full, and the overlap of full, from the names of the files that
# the follow-up's released code reads (mapper-compare); the others have overlap 0.25. 40 intervals everywhere.
PUBLISHED = {
    "layer4.1.bn2": ((8.71, 10.65, 12.091, 8.5), 0.25),
    "layer4.1.bn1": ((4.2, 8.5, 8.188, 2.5), 0.25),
    "layer4.0.bn2": ((5.5, 13.0, 13.984, 5.0), 0.25),
    "layer4.0.bn1": ((5.004, 9.286, 9.2, 3.5), 0.25),
    "layer3.1.bn2": ((7.69, 11.865, 12.409, 5.41), 0.30),
    "layer2.1.bn2": ((6.8, 8.511, 8.198, 4.5), 0.30),
    "layer1.1.bn2": ((4.5, 4.993, 4.847, 3.5), 0.30),
}
PUBLISHED_OVERLAP = 0.25


class Sweep(Section):
    """Graphs made again with one setting changed at a time, to see what depends on it (ours)."""

    eps_factors: Distinct[Annotated[float, Field(gt=0, le=100)]] = Field(
        (0.8, 1.25), description="Factors on the radius."
    )
    overlaps: Distinct[Annotated[float, Field(ge=0, lt=1)]] = Field((0.3,), description="Other overlaps.")
    intervals: Distinct[Intervals] = Field((30, 50), description="Other numbers of intervals.")


class GraphRecipe(Section):
    """What all graphs of an entry share."""

    min_samples: int = Field(5, ge=1, description="Of DBSCAN: points within eps that make a core point, itself too.")
    max_points: int = Field(
        100_000,
        ge=5,
        description="Of clouds with more points so many are drawn by seed; both numbers are recorded. The paper took "
        "all, up to 800,000: time grows with the square of the points of an interval.",
    )
    max_memory_gb: float = Field(
        3.0,
        gt=0,
        description="A graph that is forecast to need more memory than this, in addition to its cloud, is refused.",
    )
    label_shuffles: int = Field(199, ge=19, description="Label shuffles that purity is compared with.")
    sweep: Sweep | None = Field(None, description="Settings to vary; absent: none.")


class ActivationMapper(GraphRecipe):
    """One way to make mapper graphs of activation clouds: l2 lens, intervals, DBSCAN in each."""

    clouds: OneOrMore[Name] | Literal["all"] = Field("all", description="Keys of `activation_clouds`, or `all`.")
    layers: OneOrMore[LayerName] | Literal["all"] = Field(
        "all", description="Which layers of those clouds, by name, or `all` that they have."
    )
    intervals: Intervals = Field(40, description="Intervals that cover the l2 norm, scaled to [0, 1].")
    overlap: Overlap = Field(
        0.25,
        description="Overlap of neighbours as a fraction of an interval, or `published`: 0.25, and for full clouds "
        "of the layers up to layer3.1.bn2 0.3.",
    )
    eps: Eps = Field(
        "elbow",
        description="Radius of DBSCAN in units of the activations; `elbow`: the knee of the distances to the nearest "
        "neighbour; `published`: the paper's table, for the layers and clouds it lists. Clouds with noise take the "
        "radius that the elbow rule gives on the same cloud without noise.",
    )


class GraphSettings(Section):
    """The settings of the graph of one layer, with where the radius comes from."""

    intervals: int
    overlap: float
    eps: float | None
    eps_from: Literal["given", "published", "elbow", "clean"]


def settings_of(section: ActivationMapper, cloud: ActivationClouds, layer: str) -> GraphSettings:
    """Resolve the settings of one layer of one cloud.

    Returns
    -------
    GraphSettings
        Without `eps` where it is found from the cloud (``elbow``) or was found on the cloud without noise (``clean``).

    Raises
    ------
    ValueError
        If published settings are asked for and the table does not list this layer and cloud.
    """
    eps, overlap, intervals = section.eps, section.overlap, section.intervals
    if overlap == "published":
        overlap = _published_overlap(cloud, layer)
    if eps == "published":
        radius = _published(cloud, layer)
        return GraphSettings(intervals=intervals, overlap=overlap, eps=radius, eps_from="published")
    if eps == "elbow":
        found: Literal["clean", "elbow"] = "clean" if cloud.sigma else "elbow"
        return GraphSettings(intervals=intervals, overlap=overlap, eps=None, eps_from=found)
    return GraphSettings(intervals=intervals, overlap=overlap, eps=eps, eps_from="given")


def clean_of(name: str, clouds: Mapping[str, ActivationClouds]) -> str | None:
    """Name the cloud that differs from a noisy one in nothing but its missing noise, if there is one."""
    quiet = clouds[name].model_copy(update={"sigma": 0.0, "layers": "all", "members": "all"})
    for other, cloud in clouds.items():
        if cloud.model_copy(update={"layers": "all", "members": "all"}) == quiet:
            return other
    return None


def check_activation_mapper(
    sections: Mapping[str, ActivationMapper],
    clouds: Mapping[str, ActivationClouds],
    layers: Mapping[str, tuple[str, ...]],
    networks: Mapping[str, tuple[int, ...]],
) -> None:
    """Raise ValueError unless clouds, layers and radii of all entries can be found.

    Parameters
    ----------
    sections : mapping
        The section `activation_mapper`.
    clouds : mapping
        The section `activation_clouds`.
    layers, networks : mapping
        Names of the layers and numbers of the networks of each cloud.
    """
    for name, section in sections.items():
        where = f"activation_mapper.{name}"
        taken = tuple(clouds) if section.clouds == "all" else section.clouds
        if not taken:
            raise ValueError(f"{where}: there are no clouds: describe some in activation_clouds")
        for cloud in taken:
            check_known(f"cloud in {where}.clouds", cloud, clouds)
        known = {layer for cloud in taken for layer in layers[cloud]}
        for layer in () if section.layers == "all" else section.layers:
            check_known(f"layer of its clouds in {where}", layer, known)
        for cloud in taken:
            _check_cloud(where, section, cloud, clouds, layers, networks)


def _check_cloud(
    where: str,
    section: ActivationMapper,
    cloud: str,
    clouds: Mapping[str, ActivationClouds],
    layers: Mapping[str, tuple[str, ...]],
    networks: Mapping[str, tuple[int, ...]],
) -> None:
    used = layers[cloud] if section.layers == "all" else [name for name in layers[cloud] if name in section.layers]
    for layer in used:
        try:
            settings = settings_of(section, clouds[cloud], layer)
        except ValueError as error:
            raise ValueError(f"{where}, cloud {cloud}: {error}") from error
        if settings.eps_from != "clean":
            continue
        clean = clean_of(cloud, clouds)
        if clean is None or (section.clouds != "all" and clean not in section.clouds):
            raise ValueError(
                f"{where}: cloud {cloud} has noise and takes eps from the same cloud without noise: "
                + (f"add {clean} to clouds" if clean else "describe one with sigma: 0 in activation_clouds")
                + ", or give eps as a number"
            )
        if layer not in layers[clean] or not set(networks[cloud]) <= set(networks[clean]):
            raise ValueError(
                f"{where}: cloud {cloud} takes eps from {clean}, which does not have its layer {layer} or one of its "
                "networks: give both the same layers and networks"
            )


def published_eps(sampling: str, top: int, layer: str) -> float | None:
    """Return the radius that the paper's project used for such a cloud of a layer, if it has one."""
    column = PUBLISHED_CLOUDS.get((sampling, top))
    return None if column is None or layer not in PUBLISHED else PUBLISHED[layer][0][column]


def _published(cloud: ActivationClouds, layer: str) -> float:
    eps = published_eps(cloud.sampling, cloud.top, layer)
    if eps is None:
        kind = cloud.sampling + (f" top {cloud.top}" if cloud.sampling in ("foreground", "background") else "")
        raise ValueError(
            f"no published eps for {layer}, {kind}: it exists for random, foreground top 1, background top 1 and full "
            f"of {', '.join(PUBLISHED)}; use eps: elbow"
        )
    return eps


def _published_overlap(cloud: ActivationClouds, layer: str) -> float:
    if cloud.sampling != "full":
        return PUBLISHED_OVERLAP
    if layer not in PUBLISHED:
        raise ValueError(f"no published overlap for {layer}, full: it exists for {', '.join(PUBLISHED)}; give a number")
    return PUBLISHED[layer][1]
