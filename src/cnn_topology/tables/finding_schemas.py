"""Schemas of the tables that compare populations, and of the claims of the papers."""

from cnn_topology.tables.columns import FLAG, INT, REAL, TEXT, schema

# One measure of one network of a compared population. `role`: baseline, variant or control. `metric`:
# iterations_to_target (first time the test accuracy on its own images reaches `target`, interpolated linearly between
# tests), area_under_curve (mean of that accuracy over training), accuracy (at the last step) or cross_accuracy (at
# the last step, on the set `images`). `censored`: the target was not reached; `value` is then the last step tested.
IMPROVEMENTS = schema(
    group=TEXT,
    population=TEXT,
    role=TEXT,
    network=INT,
    seed=INT,
    images=TEXT,
    metric=TEXT,
    target=REAL,
    value=REAL,
    censored=FLAG,
)

# One population against another by one metric. `centre`, `centre_against`: medians of iterations_to_target, in which a
# censored network counts as later than all others (infinite when most are), means of the other metrics. `estimate`:
# for iterations the ratio centre_against / centre, above 1 when `population` is faster, otherwise the difference
# centre - centre_against; `low`, `high`: its 95% interval over networks, of the bootstrap for iterations, Welch's
# otherwise. `p`: two-sided permutation test, of ranks for iterations; `p_holm`: adjusted for the `family` tests of
# the group.
COMPARISONS = schema(
    group=TEXT,
    population=TEXT,
    role=TEXT,
    against=TEXT,
    against_role=TEXT,
    metric=TEXT,
    images=TEXT,
    target=REAL,
    effect=TEXT,
    n=INT,
    n_against=INT,
    censored=INT,
    censored_against=INT,
    centre=REAL,
    centre_against=REAL,
    estimate=REAL,
    low=REAL,
    high=REAL,
    p=REAL,
    p_holm=REAL,
    family=INT,
)

# One claim of a paper on one subject: populations of the run, after the name of their group where a group of
# improvements is meant. `source`, `certainty`: where it stands, and the tag of the notes on the papers. `published`:
# the paper's number with its tag. `statistic` and `rule` were fixed beforehand; `stricter`: how the rule was
# changed after runs had been seen, mostly made stricter; empty where it was not.
# `n` counts what `unit` names; `spread`: what `low` and `high` are, "95% interval" (over the units unless it says over
# what), "range" (least and greatest) or "joined 95% intervals" (of a ratio, by the ends of the two).
# `outcome`: what the rule gives on the data at hand, holds or fails; `verdict`: supported, not supported, or not
# tested, for the `reason` given; on data or networks other than the paper's, `other_data`, no claim is tested.
# `reduced`: what is smaller than in the paper; a verdict then ends with ", reduced".
CLAIMS = schema(
    paper=TEXT,
    claim=TEXT,
    experiment=TEXT,
    statement=TEXT,
    source=TEXT,
    certainty=TEXT,
    statistic=TEXT,
    rule=TEXT,
    stricter=TEXT,
    published=TEXT,
    published_value=REAL,
    populations=TEXT,
    data=TEXT,
    other_data=FLAG,
    reduced=TEXT,
    n=INT,
    unit=TEXT,
    value=REAL,
    low=REAL,
    high=REAL,
    spread=TEXT,
    p=REAL,
    null=TEXT,
    outcome=TEXT,
    verdict=TEXT,
    reason=TEXT,
)

FINDING_TABLES = {"improvements": IMPROVEMENTS, "comparisons": COMPARISONS, "claims": CLAIMS}
