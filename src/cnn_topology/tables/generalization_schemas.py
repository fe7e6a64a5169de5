"""Schemas of the tables on training dynamics and generalization (weights paper, E4, E8, E11 to E13)."""

import pyarrow as pa

_TEXT, _INT, _REAL, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


# One network at one step, its layer alone. `group`: its population, or the grid that the population belongs to.
# `width`: filters of the first convolution; `train_images`: images trained on. Summaries of its own cloud after
# rho(k, p); plain statistics of its weights; what it learned. `train_*` on the labels it is trained on, noise and all;
# `gap`: training minus test accuracy; `cross_accuracy`: mean over the other sets (NaN without one), each alone in the
# table `training`.
GENERALIZATION = _schema(
    group=_TEXT,
    is_grid=_FLAG,
    population=_TEXT,
    layer=_TEXT,
    depth=_INT,
    network=_INT,
    seed=_INT,
    step=_INT,
    width=_INT,
    dropout=_REAL,
    learning_rate=_REAL,
    label_noise=_REAL,
    train_images=_INT,
    k=_REAL,
    p=_REAL,
    points=_INT,
    kept=_INT,
    bars=_INT,
    longest=_REAL,
    second=_REAL,
    ratio=_REAL,
    total_persistence=_REAL,
    coverage=_REAL,
    mean_residual=_REAL,
    frobenius=_REAL,
    distance=_REAL,
    spectral=_REAL,
    mean=_REAL,
    sd=_REAL,
    kurtosis=_REAL,
    minimum=_REAL,
    lower=_REAL,
    median=_REAL,
    upper=_REAL,
    maximum=_REAL,
    train_loss=_REAL,
    train_accuracy=_REAL,
    test_loss=_REAL,
    test_accuracy=_REAL,
    gap=_REAL,
    cross_accuracy=_REAL,
)

# One predictor against one outcome. `scope`: `grid` (networks of a grid's populations at their last step), `networks`
# (the networks of one population at all its steps) or `pooled` (snapshots of one population: the pooled cloud's bar).
# `predictor_kind`: topological or baseline. `given`: what a partial correlation holds fixed. `low`, `high`: 95 %
# bootstrap interval over networks. `p`: permutation, two-sided; `p_adjusted`: max-T over the predictors of one
# outcome and method; NaN where nothing is exchangeable. `exchanged`: what is permuted.
CORRELATIONS = _schema(
    group=_TEXT,
    scope=_TEXT,
    layer=_TEXT,
    predictor=_TEXT,
    predictor_kind=_TEXT,
    outcome=_TEXT,
    method=_TEXT,
    given=_TEXT,
    statistic=_REAL,
    low=_REAL,
    high=_REAL,
    p=_REAL,
    p_adjusted=_REAL,
    networks=_INT,
    rows=_INT,
    draws=_INT,
    permutations=_INT,
    exchanged=_TEXT,
)

# When the loop of one layer of a population sets in. `onset`: the snapshot that `rule` names, at level `alpha`; the
# loop sets in after `previous`. `low`, `high`: 95 % interval over resampled networks, null where it ends after the last
# snapshot; `lasting`: share of draws with a loop that lasts.
ONSET = _schema(
    population=_TEXT,
    layer=_TEXT,
    depth=_INT,
    k=_INT,
    p=_REAL,
    landmarks=_INT,
    networks=_INT,
    snapshots=_INT,
    last=_INT,
    alpha=_REAL,
    draws=_INT,
    onset=_INT,
    previous=_INT,
    low=_INT,
    high=_INT,
    lasting=_REAL,
    rule=_TEXT,
)

# The loop of one layer at one step. `longest_*`: 95 % interval over clouds of resampled
# networks, which are sparser, so that the bar itself may lie above it; `critical`: the largest of the
# nulls', `critical_resampled`: of nulls resampled alike, against which `share_significant` of the draws is counted.
# `near`, `coverage`: kept filters near the primary circle and the share of its arcs that they cover; `even`, `random`:
# what chance covers. `degree`: how often the loop of the longest bar winds around the primary circle, over
# `loop_filters` filters. Since the snapshot `previous`: filters kept at `both`, the share that `stay`, the circular
# correlation of their edge angles, the median `turn` (radians), the distance of the distributions (`kuiper`).
# `first_correlation`: of the filters kept now with where they were at the first snapshot.
LOOP_TRACKS = _schema(
    population=_TEXT,
    layer=_TEXT,
    depth=_INT,
    step=_INT,
    k=_INT,
    p=_REAL,
    landmarks=_INT,
    networks=_INT,
    kept=_INT,
    draws=_INT,
    longest=_REAL,
    longest_low=_REAL,
    longest_high=_REAL,
    critical=_REAL,
    significant=_FLAG,
    critical_resampled=_REAL,
    share_significant=_REAL,
    near=_INT,
    coverage=_REAL,
    even=_REAL,
    random=_REAL,
    degree=_INT,
    loop_filters=_INT,
    previous=_INT,
    both=_INT,
    stay=_REAL,
    correlation=_REAL,
    correlation_low=_REAL,
    correlation_high=_REAL,
    turn=_REAL,
    kuiper=_REAL,
    first_correlation=_REAL,
    first_correlation_low=_REAL,
    first_correlation_high=_REAL,
)

# Accuracy of a population's networks at the last step on the test images of one set: mean over the networks that did
# not fail, with its 95 % interval (Student's t; NaN for one network).
CROSS_ACCURACY = _schema(
    population=_TEXT,
    trained_on=_TEXT,
    tested_on=_TEXT,
    step=_INT,
    networks=_INT,
    mean=_REAL,
    low=_REAL,
    high=_REAL,
)

GENERALIZATION_TABLES = {
    "generalization": GENERALIZATION,
    "correlations": CORRELATIONS,
    "onset": ONSET,
    "loop_tracks": LOOP_TRACKS,
    "cross_accuracy": CROSS_ACCURACY,
}
