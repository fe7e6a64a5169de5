"""Rows about how a loop forms in training (weights paper, E4 and E8)."""

from cnn_topology.tables.loops import CloudKey, FilteringKey, LayerOfFilters
from cnn_topology.tables.row import column
from cnn_topology.tables.units import COEFFICIENT, COUNT, ITERATIONS, LENGTH, PROBABILITY, RADIANS, SHARE


class OnsetRow(FilteringKey, LayerOfFilters, table="onset"):
    """When the loop of one layer of a population sets in.

    Snapshots with too few filters for a test do not count; where none has enough, onset, interval and lasting are null.
    """

    networks: int = column("Networks of the population.", COUNT)
    snapshots: int = column("Snapshots that count.", COUNT)
    last: int = column("Last of them.", ITERATIONS)
    alpha: float = column("Level of the test.", PROBABILITY)
    draws: int = column("Draws of resampled networks.", COUNT)
    onset: int | None = column("Snapshot at which the loop sets in, by `rule`; null without one.", ITERATIONS)
    previous: int | None = column("Snapshot before it: the loop sets in between the two.", ITERATIONS)
    low: int | None = column("Lower end of the 95 % interval over resampled networks.", ITERATIONS)
    high: int | None = column("Upper end; null where it lies after the last snapshot.", ITERATIONS)
    lasting: float | None = column("Share of the draws with a loop that lasts.", SHARE)
    rule: str = column("What counts as the onset.")


class LoopTrackRow(CloudKey, table="loop_tracks"):
    """The loop of one layer at one step, and how its filters moved since the snapshot before.

    Where the verdict is `too few filters`, what depends on critical values is null.
    """

    networks: int = column("Networks pooled.", COUNT)
    kept: int = column("Filters that the density filter keeps.", COUNT)
    draws: int = column("Draws of resampled networks.", COUNT)
    longest: float = column("Length of the longest H1 bar.", LENGTH)
    longest_low: float | None = column(
        "Lower end of its 95 % interval over networks: spread of the bars of resampled networks about the bar; null of "
        "a look at one network.",
        LENGTH,
    )
    longest_high: float | None = column("Upper end of that interval.", LENGTH)
    critical: float | None = column("Largest critical value of the nulls.", LENGTH)
    significant: bool | None = column("Whether the bar is longer.")
    critical_resampled: float | None = column("Largest critical value of nulls resampled like the networks.", LENGTH)
    share_significant: float | None = column("Share of the draws whose bar is longer than that.", SHARE)
    near: int = column("Kept filters near the primary circle.", COUNT)
    coverage: float = column("Share of its arcs that they cover.", SHARE)
    even: float = column("Share that as many filters cover at random angles.", SHARE)
    random: float = column("Share that as many filters drawn from the sphere cover.", SHARE)
    degree: int | None = column("How often the loop of the longest bar winds round the primary circle.", "turns")
    loop_filters: int | None = column("Filters on that loop.", COUNT)
    previous: int | None = column("Snapshot before this one; null at the first.", ITERATIONS)
    kept_at_both: int | None = column("Filters kept at both snapshots.", COUNT, default=None)
    stay: float | None = column("Share of the filters kept before that are kept still.", SHARE, default=None)
    correlation: float | None = column(
        "Circular correlation of the edge angles of filters kept at both.", COEFFICIENT, default=None
    )
    correlation_low: float | None = column("Lower end of its 95 % interval.", COEFFICIENT, default=None)
    correlation_high: float | None = column("Upper end of that interval.", COEFFICIENT, default=None)
    turn: float | None = column("Median turn of these filters.", RADIANS, default=None)
    kuiper: float | None = column("Kuiper distance of the two distributions of angles.", "0 to 1", default=None)
    first_correlation: float | None = column(
        "Circular correlation with the edge angles at the first snapshot, of the filters kept now.",
        COEFFICIENT,
        default=None,
    )
    first_correlation_low: float | None = column("Lower end of its 95 % interval.", COEFFICIENT, default=None)
    first_correlation_high: float | None = column("Upper end of that interval.", COEFFICIENT, default=None)
