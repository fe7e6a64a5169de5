"""Point clouds, their null models and what is drawn (weights paper, steps 1 to 9 of section 1)."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cnn_topology.errors import InputError
from cnn_topology.plan.base import LayerName, Name, OneOrMore, OrWord, Section
from cnn_topology.storage.weight_forms import ANALYSED

# A loop that is not filled at once has at least four points.
LEAST_KEPT = 4
# What a test of loops needs to be able to find one (ours): so many points after the density filter, and a k-th
# neighbour that lies near by, k at most this share of the cloud. A trained layer of 256 filters is one loop at
# rho(0.03, 0.3), p = 0.005; rho(100, 0.1) kept 26 of them and found nothing, p = 0.97.
LEAST_TESTED, LARGEST_SHARE = 50, 0.1
# Verdicts on a cloud whose loops are not tested, see `Density.untested`. A layer is dead where fewer than two filters
# are not constant: none has a neighbour.
DEAD_LAYER, TOO_FEW = "dead layer", "too few filters"
LEAST_ALIVE = 2
# Up to so many density filters of one cloud are applied by counts, one by one. A search for the neighbours of all
# points serves any number of them, and takes as long as about four (`clouds.density`).
MOST_COUNTED = 3
# Clouds that keep more points are cut to so many landmarks, unless the config says otherwise.
MOST_POINTS = 6_000

Neighbours = Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)]


class Density(Section):
    """rho(k, p): keep the fraction p of points with the smallest distance to their k-th neighbour."""

    k: Neighbours = Field(
        description="Neighbour, as a fraction of the cloud's size (0.03125) or as a count (200). Above a tenth of the "
        "cloud the verdict is `too few filters`, as where the filter keeps fewer than 50 points."
    )
    p: float = Field(gt=0, le=1, description="Fraction of the points that is kept; 1 keeps all.")

    def neighbours(self, points: int, where: str = "density filter") -> int:
        """Turn `k` into a count.

        Parameters
        ----------
        points : int
            Number of points N of the cloud.

        Raises
        ------
        InputError
            If k is not below N: a point has only N - 1 neighbours.
        """
        k = self.k if isinstance(self.k, int) else self.neighbours_left(points)
        if k >= points:
            raise InputError(
                f"{where}: k = {k} of rho(k = {self.k}, p = {self.p}) must be below the number of points, {points}; "
                "pool more networks, lower k, or give k as a fraction such as 0.03125"
            )
        return k

    def neighbours_left(self, points: int) -> int:
        """Turn `k` into a count for a cloud that may have lost points since the run was planned, see the function."""
        return neighbours_left(self.k, points)

    def kept(self, points: int) -> int:
        """Return how many of N points are kept."""
        return kept_points(self.p, points)

    def untested(self, points: int) -> str:
        """Return the verdict on a cloud whose loops are not tested, since no test of so few points could say anything.

        Parameters
        ----------
        points : int
            Number of points N of the cloud, after constant filters and failed networks were left out.

        Returns
        -------
        str
            `DEAD_LAYER` of fewer than `LEAST_ALIVE` points; `TOO_FEW` where fewer than `LEAST_TESTED` are kept, or k
            is above `largest_tested`; empty where the cloud is tested.
        """
        if points < LEAST_ALIVE:
            return DEAD_LAYER
        return TOO_FEW if self.lacking(points) else ""

    def lacking(self, points: int) -> str:
        """Describe what a cloud of N points lacks for a test; empty where it lacks nothing."""
        k, kept, most = self.neighbours_left(points), self.kept(points), largest_tested(points)
        few = [f"p = {self.p:g} keeps {kept} of {points:,}, and a test needs {LEAST_TESTED}"] * (kept < LEAST_TESTED)
        far = [f"k = {k} is more than a tenth of {points:,}, which is {most}"] * (k > most)
        return "; ".join(few + far)


def check_kept(density: Density, points: int, where: str, otherwise: str = "pool more networks") -> None:
    """Refuse a density filter that keeps too few points for a loop, which takes four at least.

    A function, not a method: what is only checked before a run makes no job run again.
    """
    kept = density.kept(points)
    if kept < LEAST_KEPT:
        raise InputError(
            f"{where}: p = {density.p} keeps {kept} of {points} points, and a loop takes at least {LEAST_KEPT}; "
            f"raise p or {otherwise}"
        )


Centre = Literal["filter", "coordinate"]


class Filtering(Density):
    """What becomes of a cloud before persistence: rho(k, p), then at most `landmarks` max-min points."""

    landmarks: int = MOST_POINTS

    def at(self, points: int) -> "Filtering":
        """Return what it is for a cloud of N points: with k as a count, see `neighbours_left`."""
        return Filtering(k=self.neighbours_left(points), p=self.p, landmarks=self.landmarks)

    def used(self, points: int) -> int:
        """Return how many of N points persistence is computed of: those kept, or the landmarks among them."""
        return min(self.kept(points), self.landmarks)


def neighbours_left(k: int | float, points: int) -> int:
    """Turn k of a density filter into a count for a cloud that may have lost points since the run was planned.

    Networks fail and filters become constant: a count that is not below the number of points becomes the last
    neighbour. Such a cloud has too few points for a test, see `Density.untested`.

    Parameters
    ----------
    k : int or float
        A count, or a share of the points.
    points : int
        Number of points N of the cloud.

    Returns
    -------
    int
        From 1 to N - 1; 1 of a dead layer.
    """
    count = k if isinstance(k, int) else round(k * points)
    return max(1, min(count, points - 1))


def kept_points(p: float, points: int) -> int:
    """Return how many of N points a density filter keeps: floor(p N + 1/2), and at least one.

    Parameters
    ----------
    p : float
        Fraction in (0, 1].
    points : int
        Number of points N of the cloud.

    Returns
    -------
    int
    """
    return min(points, max(1, int(p * points + 0.5)))


def largest_tested(points: int) -> int:
    """Return the largest k of a density filter under which a cloud of N points is tested: ceil(N / 10).

    Parameters
    ----------
    points : int
        Number of points N of the cloud.

    Returns
    -------
    int
    """
    return math.ceil(LARGEST_SHARE * points)


class Cloud(Section):
    """Filters of one layer, pooled over a population, at chosen steps and densities."""

    populations: OrWord[OneOrMore[Name], Literal["all"]] = Field(
        "all", description="Keys of `populations` and of `checkpoints`, or `all` of both."
    )
    layers: OrWord[OneOrMore[LayerName], Literal["all"]] = Field(
        ("conv1",),
        description=f"Convolution layers by name, or `all` with {ANALYSED}. Layers of a checkpoint go by the name of "
        "their weight in the file, or by that of their artefacts.",
    )
    steps: OrWord[OneOrMore[int], Literal["all", "last"]] = Field(
        "all", description="Snapshot steps, `all` or `last`; a checkpoint has the one step 0."
    )
    on_too_few: Literal["refuse", "skip", "cap"] = Field(
        "refuse",
        description="What becomes of layers with no more filters than `k`: `refuse` the run or `skip` the density "
        "filter for that layer. Or `cap` k at a tenth of the filters in every layer where it is more. The summary "
        "names these layers (paper: not stated).",
    )
    densities: OneOrMore[Density] = Field(
        (Density(k=0.03125, p=0.3),),
        description="Density filters; the first one is the headline that figures draw. The default is the paper's "
        "rho(200, 0.3) of 6,400 filters, with k as a share of them.",
    )
    circles: Literal["headline", "all"] = Field(
        "headline",
        description="Which of `densities` are measured against the three-circle model; the headline always is. E6 of "
        "the paper looks at a local density estimate beside a coarse one.",
    )
    centre: Centre = Field(
        "filter",
        description="Subtract each filter's own mean (the paper), or each coordinate's mean over the cloud "
        "(one re-implementation). A layer that is centred in both ways in a run has the second as a layer of its own, "
        "named with the rule.",
    )
    landmarks: int = Field(
        MOST_POINTS,
        ge=10,
        description="Clouds that keep more points than this are cut to so many max-min landmarks; "
        "their covering radius r is recorded. No bar end lies farther than 2 r from that of all points, so no bar's "
        "length changes by more than 4 r.",
    )
    exact: bool = Field(
        False,
        description="Also compute the barcode of all points kept where landmarks stand for them: `exact_longest` and "
        "`exact_second` of the table `loops`. It decides nothing, since draws of the nulls have landmarks too. 26,214 "
        "filters take up to some minutes and 2 GB, 61,440 up to an hour and 12 GB; what does not fit is refused.",
    )

    @property
    def filterings(self) -> tuple[Filtering, ...]:
        """The density filters with the landmarks, the headline first."""
        return tuple(Filtering(k=density.k, p=density.p, landmarks=self.landmarks) for density in self.densities)


# Of random filters: uniform; the layer's own with their entries shuffled; Gaussian with the layer's own covariance;
# patches of a Gaussian field as smooth as the layer; the layer's own, each output channel shuffled in one way.
NullName = Literal["sphere", "permuted", "covariance", "lowpass", "block"]
# Those that every headline cloud is compared with, and those that it is where it has a loop, which they may explain;
# they decide no verdict unless the config lists them.
REPORTED_NULLS: tuple[NullName, ...] = ("covariance",)
ALTERNATIVE_NULLS: tuple[NullName, ...] = ("lowpass", "block")


class Significance(Section):
    """How a loop is tested. Fixed before a run: no number here is tuned to an outcome."""

    nulls: OneOrMore[NullName] = Field(
        ("sphere", "permuted"),
        description="`sphere`: Gaussian filters, centred and normalized, as many as the layer has. `permuted`: the "
        "layer's own filters, the entries of each shuffled. `covariance`: Gaussian filters with the second "
        "moments of the layer's own. `lowpass`: patches of a Gaussian random field with the layer's own stationary "
        "autocorrelation. `block`: as `permuted`, all filters of an output channel in one way. All pass the same "
        "density filter and landmarks. A loop must be significant under every null listed. The headline cloud of each "
        "step is tested against the last three in any case, which decide no verdict unless they are listed; `lowpass` "
        "needs filters with means, `block` layers with several input channels. A small p against `covariance` says "
        "that the loop is longer than the layer's second moments explain. A large p says nothing: this test has "
        "little power even against a noisy circle.",
    )
    draws: int = Field(
        199,
        ge=19,
        description="Draws of each null; the smallest p-value is 1 / (draws + 1), of a two-sided test twice that: with "
        "fewer than 2 / alpha - 1 draws these tests (own covariance, ring or mixture) cannot decide anything.",
    )
    alpha: float = Field(0.01, gt=0, lt=0.5, description="Level of the test, familywise over the bars of one cloud.")

    @property
    def least_draws(self) -> int:
        """The fewest draws that can give a p-value of `alpha`."""
        return math.ceil(1 / self.alpha - 1e-9) - 1

    @property
    def undecidable(self) -> str:
        """Describe why no two-sided test can decide anything with so few draws; empty with enough."""
        smallest, least = 2 / (self.draws + 1), math.ceil(2 / self.alpha - 1e-9) - 1
        if smallest <= self.alpha:
            return ""
        return (
            f"with draws = {self.draws} two-sided p-values go down to {smallest:.2g} only, above alpha = "
            f"{self.alpha:g}: the tests against the own covariance and of ring or mixture stay undecided; ask for at "
            f"least {least} draws"
        )

    @model_validator(mode="after")
    def _level_is_reachable(self) -> "Significance":
        if 1 / (self.draws + 1) > self.alpha:
            smallest = 1 / (self.draws + 1)
            raise ValueError(
                f"draws = {self.draws} give p-values down to {smallest:.2g} only, above alpha = {self.alpha:g}; "
                f"ask for at least {self.least_draws} draws"
            )
        return self


class Controls(Section):
    """Synthetic clouds with known topology that pass through the same code as positive and negative controls."""

    points: int = Field(1_000, ge=60, le=5_000, description="Points per control.")


class Jobs(Section):
    """How work is cut into jobs; it changes no result."""

    gpus: Literal[0, 1] = Field(
        0,
        description="GPUs that a training job asks a cluster for. A workstation's GPU is used in any case; with 1 here "
        "`snakemake --resources gpu=1` lets one training job have it at a time.",
    )
    steps_per_job: int = Field(6, ge=1, description="Snapshot steps that one job of clouds and barcodes handles.")
    networks_per_job: int = Field(
        5,
        ge=1,
        description="Residual networks of which one job draws clouds, and on each side of the pairs whose layers one "
        "job compares.",
    )
    layers_per_job: int = Field(4, ge=1, description="Layers that one job of mapper graphs of activations handles.")
    clouds_per_job: int = Field(
        1,
        ge=1,
        description="Clouds of the same images that one job draws from its residual networks, in the order of "
        "`activation_clouds`. Several save the start of a job each, two seconds; but if one is edited, added or "
        "cannot be drawn, the others of its job, and of later jobs whose share has changed, are drawn again.",
    )
