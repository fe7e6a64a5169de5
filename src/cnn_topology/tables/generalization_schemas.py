"""Schemas of the tables on training dynamics and generalization (weights paper, E4, E8, E11 to E13)."""

from cnn_topology.tables.columns import FLAG, INT, REAL, TEXT, schema

# One network at one step, its layer alone. `group`: its population, or the grid that the population belongs to.
# `width`: filters of the first convolution; `train_images`: images trained on. Summaries of its own cloud after
# rho(k, p); plain statistics of its weights; what it learned. `train_*` on the labels it is trained on, noise and all;
# `gap`: training minus test accuracy; `cross_accuracy`: mean over the other sets (NaN without one), each alone in the
# table `training`.
GENERALIZATION = schema(
    group=TEXT,
    is_grid=FLAG,
    population=TEXT,
    layer=TEXT,
    depth=INT,
    network=INT,
    seed=INT,
    step=INT,
    width=INT,
    dropout=REAL,
    learning_rate=REAL,
    label_noise=REAL,
    train_images=INT,
    k=REAL,
    p=REAL,
    points=INT,
    kept=INT,
    bars=INT,
    longest=REAL,
    second=REAL,
    ratio=REAL,
    total_persistence=REAL,
    coverage=REAL,
    mean_residual=REAL,
    frobenius=REAL,
    distance=REAL,
    spectral=REAL,
    mean=REAL,
    sd=REAL,
    kurtosis=REAL,
    minimum=REAL,
    lower=REAL,
    median=REAL,
    upper=REAL,
    maximum=REAL,
    train_loss=REAL,
    train_accuracy=REAL,
    test_loss=REAL,
    test_accuracy=REAL,
    gap=REAL,
    cross_accuracy=REAL,
)

# One predictor against one outcome. `scope`: `grid` (networks of a grid's populations at their last step), `networks`
# (the networks of one population at all its steps) or `pooled` (snapshots of one population: the pooled cloud's bar).
# `predictor_kind`: topological or baseline. `given`: what a partial correlation holds fixed. `low`, `high`: 95 %
# bootstrap interval over networks, of a grid over its populations. `p`: permutation, two-sided;
# `p_adjusted`: max-T over the predictors of one outcome and method; NaN where nothing is exchangeable, or what is held
# fixed leaves too little. `exchanged`: what is permuted.
CORRELATIONS = schema(
    group=TEXT,
    scope=TEXT,
    layer=TEXT,
    predictor=TEXT,
    predictor_kind=TEXT,
    outcome=TEXT,
    method=TEXT,
    given=TEXT,
    statistic=REAL,
    low=REAL,
    high=REAL,
    p=REAL,
    p_adjusted=REAL,
    networks=INT,
    rows=INT,
    draws=INT,
    permutations=INT,
    exchanged=TEXT,
)

# When the loop of one layer of a population sets in. `onset`: the snapshot that `rule` names, at level `alpha`; the
# loop sets in after `previous`. `low`, `high`: 95 % interval over resampled networks, null where it ends after the last
# snapshot; `lasting`: share of draws with a loop that lasts. `snapshots`: how many count, up to `last`. Those with too
# few filters for a test do not, and where none does `onset`, `low`, `high` and `lasting` are null.
ONSET = schema(
    population=TEXT,
    layer=TEXT,
    depth=INT,
    k=INT,
    p=REAL,
    landmarks=INT,
    networks=INT,
    snapshots=INT,
    last=INT,
    alpha=REAL,
    draws=INT,
    onset=INT,
    previous=INT,
    low=INT,
    high=INT,
    lasting=REAL,
    rule=TEXT,
)

# The loop of one layer at one step. `longest_*`: 95 % interval over networks, the spread of the
# bars of clouds of resampled networks laid about the bar itself (theirs are shorter, since these clouds are sparser);
# `critical`: the largest of the nulls', `critical_resampled`: of nulls resampled alike, against which
# `share_significant` of the draws is counted; these and `significant` are null where the verdict is `too few filters`.
# `near`, `coverage`: kept filters near the primary circle and the share of its arcs that they cover; `even`, `random`:
# what chance covers. `degree`: how often the loop of the longest bar winds around the primary circle, over
# `loop_filters` filters. Since the snapshot `previous`: filters kept at `both`, the share that `stay`, the circular
# correlation of their edge angles, the median `turn` (radians), the distance of the distributions (`kuiper`).
# `first_correlation`: of the filters kept now with where they were at the first snapshot.
LOOP_TRACKS = schema(
    population=TEXT,
    layer=TEXT,
    depth=INT,
    step=INT,
    k=INT,
    p=REAL,
    landmarks=INT,
    networks=INT,
    kept=INT,
    draws=INT,
    longest=REAL,
    longest_low=REAL,
    longest_high=REAL,
    critical=REAL,
    significant=FLAG,
    critical_resampled=REAL,
    share_significant=REAL,
    near=INT,
    coverage=REAL,
    even=REAL,
    random=REAL,
    degree=INT,
    loop_filters=INT,
    previous=INT,
    both=INT,
    stay=REAL,
    correlation=REAL,
    correlation_low=REAL,
    correlation_high=REAL,
    turn=REAL,
    kuiper=REAL,
    first_correlation=REAL,
    first_correlation_low=REAL,
    first_correlation_high=REAL,
)

# Accuracy of a population's networks at the last step on the test images of one set: mean over the networks that did
# not fail, with its 95 % interval (Student's t; NaN for one network).
CROSS_ACCURACY = schema(
    population=TEXT,
    trained_on=TEXT,
    tested_on=TEXT,
    step=INT,
    networks=INT,
    mean=REAL,
    low=REAL,
    high=REAL,
)

GENERALIZATION_TABLES = {
    "generalization": GENERALIZATION,
    "correlations": CORRELATIONS,
    "onset": ONSET,
    "loop_tracks": LOOP_TRACKS,
    "cross_accuracy": CROSS_ACCURACY,
}
