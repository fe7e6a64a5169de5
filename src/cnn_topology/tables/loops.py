"""Rows about the barcodes of clouds of filters and their tests (weights paper, sections 3 and 4)."""

from cnn_topology.plan.clouds import Filtering
from cnn_topology.tables.row import Row, column
from cnn_topology.tables.units import COUNT, ITERATIONS, LENGTH, PROBABILITY, RATIO, SHARE


class LayerOfFilters(Row):
    """Which layer a row is about: the filters of all networks, pooled."""

    population: str = column("Population, or networks of a checkpoint.")
    layer: str = column("Layer.")
    depth: int = column("Depth of the layer, 1 nearest the image.")


class LayerAtStep(LayerOfFilters):
    """Which layer a row is about, and when."""

    step: int = column("Training step.", ITERATIONS)


class FilteringKey(Row):
    """What became of a cloud before persistence: rho(k, p), then landmarks."""

    density_k: int = column("Neighbour that the density of a filter is read from.", COUNT)
    density_p: float = column("Share of the filters that the density filter keeps.", SHARE)
    landmarks: int = column("Most points in the filtration.", COUNT)


class CloudKey(FilteringKey, LayerAtStep):
    """Which cloud a row is about: the pooled filters of a layer at a step, after rho(k, p)."""


# Columns by which a row about a cloud is found in another table; the depth follows from the layer.
CLOUD = [name for name in CloudKey.schema.names if name != "depth"]
# Columns that the clouds of a layer at all steps share.
LAYER = [name for name in CloudKey.schema.names if name != "step"]


def filtering_key(filtering: Filtering, points: int) -> FilteringKey:
    """Return the columns on the filtering of a cloud that has so many points before it."""
    k = filtering.neighbours_left(points)
    return FilteringKey(density_k=k, density_p=filtering.p, landmarks=filtering.landmarks)


class BarRow(CloudKey, table="barcodes"):
    """One bar of the persistent homology of a cloud."""

    field: int = column("Prime of the coefficients.")
    dimension: int = column("Dimension of the class: 0 a component, 1 a loop.")
    birth: float = column("Diameter at which the class appears.", LENGTH)
    death: float = column("Diameter at which it ends; infinite for the last component.", LENGTH)
    p_value: float | None = column(
        "Familywise p-value of its length, the largest over the nulls; 1 for dimension 0 and for bars that no null "
        "tests, null where the cloud has too few filters.",
        PROBABILITY,
    )


class LoopRow(CloudKey, table="loops"):
    """One cloud: its two longest H1 bars and the verdict over all nulls.

    Where the verdict is `too few filters` or `dead layer` (at most one filter is not constant) nothing was tested:
    significant_bars and every p-value are null, and the table `significance` has no row. A dead layer has no bar, and
    no row in `filters` and `circles`.
    """

    points: int = column("Filters of the cloud before the density filter (N).", COUNT)
    constant: int = column("Filters that are constant, which are left out.", COUNT)
    kept: int = column("Filters that the density filter keeps.", COUNT)
    used: int = column("Points in the filtration: kept filters or their landmarks.", COUNT)
    covering_radius: float = column("Largest distance of a kept filter to the nearest point used.", LENGTH)
    networks: int = column("Networks pooled.", COUNT)
    headline: bool = column("Whether this is the cloud's first rho(k, p), which verdicts are quoted from.")
    kernel_side: int = column("Side of the kernels: 3 of 3x3.", COUNT)
    engine: str = column("Program that computed the barcode.")
    bars: int = column("H1 bars.", COUNT)
    longest: float = column("Length of the longest H1 bar.", LENGTH)
    longest_birth: float = column("Birth of that bar.", LENGTH)
    longest_death: float = column("Death of that bar.", LENGTH)
    second: float = column("Length of the second longest H1 bar.", LENGTH)
    ratio: float = column("Longest over second.", RATIO)
    exact_longest: float | None = column(
        "Length of the longest H1 bar of all filters kept, where the config asks for it; null elsewhere.", LENGTH
    )
    exact_second: float | None = column("Length of the second longest of these.", LENGTH)
    significant_bars: int | None = column("H1 bars longer than the critical value of every null.", COUNT)
    p_longest: float | None = column("p-value of the longest bar, the largest over the nulls.", PROBABILITY)
    q_longest: float | None = column(
        "Benjamini-Hochberg q-value of p_longest over the run's tested layers, each at its last step by its headline; "
        "null in other rows.",
        PROBABILITY,
        default=None,
    )
    p_ratio: float | None = column("p-value of the largest death / birth, the largest over the nulls.", PROBABILITY)
    p_bobrowski_skraba: float | None = column(
        "p-value of Bobrowski and Skraba's universal law, Bonferroni.", PROBABILITY
    )
    verdict: str = column("Verdict on the loops of the cloud.")
    covariance_longest_median: float | None = column(
        "Median longest bar over draws with the layer's own covariance, which decides no verdict.", LENGTH
    )
    p_covariance: float | None = column(
        "Two-sided p-value of the longest bar against these draws: a small one says that the bar is longer or shorter "
        "than the layer's second moments explain (compare covariance_longest_median), a large one says nothing.",
        PROBABILITY,
    )
    lowpass_longest_median: float | None = column(
        "Median longest bar over patches of Gaussian random fields with the layer's own stationary autocorrelation. "
        "Null where no loop is significant.",
        LENGTH,
    )
    p_lowpass: float | None = column(
        "p-value of the longest bar against these draws: a large one does not exclude that smooth filters "
        "alone have such loops. "
        "Null where no loop is significant, and where filters have no means, as after weight standardization.",
        PROBABILITY,
    )
    block_ratio: float | None = column(
        "Mean squared cosine of two filters of one output channel over that of two of different ones; above 1 the "
        "filters depend on each other, and p_longest is too small. Null where none or only one channel has two "
        "filters.",
        RATIO,
    )
    block_longest_median: float | None = column(
        "Median longest bar over draws with all filters of an output channel shuffled in one way.", LENGTH
    )
    p_block: float | None = column(
        "p-value of the longest bar against these draws, which takes channels as independent, not filters. Null where "
        "no loop is significant, there is one output channel, or each channel has one filter.",
        PROBABILITY,
    )
    verdict_stability: float | None = column(
        "Share of draws of the networks, with replacement and as many, with the same verdict; null of one network.",
        SHARE,
    )
    stability_draws: int | None = column("Draws of the networks.", COUNT)
    hollowness: float | None = column(
        "C = Var(r^2) / E(r^2)^2 over all filters of the layer, r the length of a filter in the plane of the two "
        "strongest axes: 0 for a ring. In the row of the headline.",
        RATIO,
    )
    hollowness_error: float | None = column("Standard error of C over output channels.", RATIO)
    hollowness_median: float | None = column(
        "Median of C over draws with the layer's own second moments, whitened entries shuffled; C below it is the "
        "hollow side, above it a mixture.",
        RATIO,
    )
    p_hollowness: float | None = column("Two-sided p-value of C against these draws.", PROBABILITY)
    power_circle: float | None = column(
        "Share of simulated layers of this size and filtering in which a loop is found, where half of the filters lie "
        "on the primary circle, with noise of norm 0.6, and the others are random.",
        SHARE,
    )
    power_faint_circle: float | None = column("The same, where a fifth of the filters lie on the circle.", SHARE)
    power_in_range: bool | None = column(
        "Whether layers of this size and filtering were simulated; if not, the nearest that were stand for them."
    )


class SignificanceRow(CloudKey, table="significance"):
    """One cloud against one null."""

    null_name: str = column("Name of the null.")
    draws: int = column("Draws of the null.", COUNT)
    null_longest_median: float = column("Median of the longest H1 bar over draws.", LENGTH)
    null_longest_95: float = column("95 % quantile of the longest H1 bar over draws.", LENGTH)
    null_critical: float = column("Length that a bar must exceed at the level of the test.", LENGTH)
    p_longest: float = column("Rank p-value of the longest bar.", PROBABILITY)
    p_ratio: float = column("Rank p-value of the largest death / birth.", PROBABILITY)
    significant_bars: int = column("H1 bars longer than the critical value.", COUNT)


class NullSize(Row):
    """Which null is drawn, and of how many filters of which size."""

    null_name: str = column("Name of the null.")
    points: int = column("Filters drawn (N).", COUNT)
    kernel_side: int = column("Side of the kernels: 3 of 3x3.", COUNT)


class NullRow(FilteringKey, NullSize, table="nulls"):
    """One draw of the sphere null under one density filter."""

    centre: str = column("How filters are centred: by filter or by coordinate.")
    draw: int = column("Number of the draw, from 0.")
    longest: float = column("Length of the longest H1 bar.", LENGTH)
    second: float = column("Length of the second longest H1 bar.", LENGTH)
    largest_ratio: float = column("Largest death / birth of an H1 bar.", RATIO)


class ControlRow(Row, table="controls"):
    """One bar of a synthetic cloud of known topology."""

    control: str = column("Name of the synthetic cloud.")
    points: int = column("Points of the cloud.", COUNT)
    noise_sd: float = column("Standard deviation of the noise added to each coordinate.", LENGTH)
    field: int = column("Prime of the coefficients: 2 or 3.")
    dimension: int = column("Dimension of the class: 0 a component, 1 a loop.")
    birth: float = column("Diameter at which the class appears.", LENGTH)
    death: float = column("Diameter at which it ends.", LENGTH)
