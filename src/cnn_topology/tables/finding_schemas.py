"""Schemas of the tables that compare populations, and of the claims of the papers."""

import pyarrow as pa

_TEXT, _INT, _REAL, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


# One measure of one network of a compared population. `role`: baseline, variant or control. `metric`:
# iterations_to_target (first time the test accuracy on its own images reaches `target`, interpolated linearly between
# tests), area_under_curve (mean of that accuracy over training), accuracy (at the last step) or cross_accuracy (at
# the last step, on the set `images`). `censored`: the target was not reached; `value` is then the last step tested.
IMPROVEMENTS = _schema(
    group=_TEXT,
    population=_TEXT,
    role=_TEXT,
    network=_INT,
    seed=_INT,
    images=_TEXT,
    metric=_TEXT,
    target=_REAL,
    value=_REAL,
    censored=_FLAG,
)

# One population against another by one metric. `centre`, `centre_against`: medians of iterations_to_target, in which a
# censored network counts as later than all others (infinite when most are), means of the other metrics. `estimate`:
# for iterations the ratio centre_against / centre, above 1 when `population` is faster, otherwise the difference
# centre - centre_against; `low`, `high`: its 95% bootstrap interval over networks. `p`: two-sided permutation test, of
# ranks for iterations; `p_holm`: adjusted for the `family` tests of the group.
COMPARISONS = _schema(
    group=_TEXT,
    population=_TEXT,
    role=_TEXT,
    against=_TEXT,
    against_role=_TEXT,
    metric=_TEXT,
    images=_TEXT,
    target=_REAL,
    effect=_TEXT,
    n=_INT,
    n_against=_INT,
    censored=_INT,
    censored_against=_INT,
    centre=_REAL,
    centre_against=_REAL,
    estimate=_REAL,
    low=_REAL,
    high=_REAL,
    p=_REAL,
    p_holm=_REAL,
    family=_INT,
)

# One claim of a paper on one subject: populations of the run. `source`, `certainty`: where it stands, and the tag of
# the notes on the papers. `published`: the paper's number with its tag. `statistic` and `rule` were fixed beforehand.
# `outcome`: what the rule gives on the data at hand, holds or fails; `verdict`: supported, not supported, or not
# tested, for the `reason` given; stand-in data never test a claim.
CLAIMS = _schema(
    paper=_TEXT,
    claim=_TEXT,
    experiment=_TEXT,
    statement=_TEXT,
    source=_TEXT,
    certainty=_TEXT,
    statistic=_TEXT,
    rule=_TEXT,
    published=_TEXT,
    published_value=_REAL,
    populations=_TEXT,
    data=_TEXT,
    stand_in=_FLAG,
    n=_INT,
    value=_REAL,
    low=_REAL,
    high=_REAL,
    p=_REAL,
    null=_TEXT,
    outcome=_TEXT,
    verdict=_TEXT,
    reason=_TEXT,
)

FINDING_TABLES = {"improvements": IMPROVEMENTS, "comparisons": COMPARISONS, "claims": CLAIMS}
