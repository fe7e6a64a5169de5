"""One schema per table; columns that identify a row come first. Lengths are in units of unit-norm filters."""

from collections.abc import Sequence

import pyarrow as pa

from cnn_topology.tables.activation_mapper_schemas import ACTIVATION_MAPPER_TABLES
from cnn_topology.tables.activation_schemas import ACTIVATION_TABLES
from cnn_topology.tables.columns import FLAG, INT, REAL, TEXT, schema
from cnn_topology.tables.finding_schemas import FINDING_TABLES
from cnn_topology.tables.generalization_schemas import GENERALIZATION_TABLES
from cnn_topology.tables.layer_schemas import COMPARISON_TABLES

# Which cloud a row belongs to: a layer of a population at a step, after rho(k, p), with `landmarks` points at most.
_CLOUD = {"population": TEXT, "layer": TEXT, "depth": INT, "step": INT, "k": INT, "p": REAL, "landmarks": INT}
# Its sizes: N before and after the density filter, points in the filtration, and how well those cover the rest.
_SIZES = {"points": INT, "kept": INT, "used": INT, "covering_radius": REAL}

FILTER_COORDINATES = tuple(f"w{row}{column}" for row in range(3) for column in range(3))

# One network at one evaluated step on one image set; `split` is train or test. A network whose loss became NaN is
# `failed` from then on and left out of the clouds of those steps.
TRAINING = schema(
    population=TEXT,
    network=INT,
    seed=INT,
    step=INT,
    epoch=REAL,
    images=TEXT,
    split=TEXT,
    examples=INT,
    loss=REAL,
    accuracy=REAL,
    failed=FLAG,
)

# One bar. `p_value`: of its length, the largest over the nulls; 1 for dimension 0 and for bars that no null tests, null
# where the verdict on the cloud is `too few filters`.
BARCODES = schema(**_CLOUD, field=INT, dimension=INT, birth=REAL, death=REAL, p_value=REAL)

# One cloud: its two longest H1 bars and the verdict over all nulls, of `statistics.significance.VERDICTS`. Where that
# is `too few filters` nothing was tested: `significant_bars` and every p are null, and `significance` has no row. Of
# headlines besides, against filters of the layer's own covariance, which decides nothing: `covariance_longest_median`
# over its draws, and `p_covariance`. That test has little power against a noisy circle: only a small p says something.
LOOPS = schema(
    **_CLOUD,
    **_SIZES,
    networks=INT,
    headline=FLAG,
    engine=TEXT,
    bars=INT,
    longest=REAL,
    longest_birth=REAL,
    longest_death=REAL,
    second=REAL,
    ratio=REAL,
    significant_bars=INT,
    p_longest=REAL,
    p_ratio=REAL,
    p_bobrowski_skraba=REAL,
    verdict=TEXT,
    covariance_longest_median=REAL,
    p_covariance=REAL,
)

# One cloud against one null. `null_longest_*`: quantiles over draws of the longest H1 bar; `null_critical` is the
# level-alpha quantile that a bar must exceed.
SIGNIFICANCE = schema(
    **_CLOUD,
    null=TEXT,
    draws=INT,
    null_longest_median=REAL,
    null_longest_95=REAL,
    null_critical=REAL,
    p_longest=REAL,
    p_ratio=REAL,
    significant_bars=INT,
)

# One draw of the sphere null: the longest and second H1 bar and the largest death / birth.
NULLS = schema(
    null=TEXT, points=INT, k=INT, p=REAL, landmarks=INT, centre=TEXT, draw=INT,
    longest=REAL, second=REAL, largest_ratio=REAL,
)  # fmt: skip

# One filter that the headline density filter keeps. `theta1`, `theta2`, `residual`: nearest point of the Klein
# bottle and the distance to it; `model`: the nearest of its named circles; `plane1`, `plane2`: PCA of the kept filters.
FILTERS = schema(
    **_CLOUD,
    network=INT,
    out_channel=INT,
    in_channel=INT,
    neighbour_distance=REAL,
    **dict.fromkeys(FILTER_COORDINATES, pa.float32()),
    plane1=REAL,
    plane2=REAL,
    theta1=REAL,
    theta2=REAL,
    residual=REAL,
    model=TEXT,
)

# One headline cloud against one of the four named circles. `within`: kept filters with a residual of at most `near`;
# `nearest`: those of them to which no other circle is nearer; `permuted`, `sphere`: that number by chance, of the
# layer's filters with shuffled entries through the same rho(k, p) (mean over `shuffles`) and of filters drawn from the
# sphere. `coverage`: part of 36 arcs with a
# filter within, `arc00` ... how many each has. `degree`: how often the loop of the longest bar winds round the primary
# circle, null where no bar is significant. `fifth`, `sixth`: H1 bars; `five_loops`: the fifth is significant and more
# than twice the sixth; no finding where it is false, see `topology.circles.five_loops`. Where the verdict on the cloud
# is `too few filters`, `permuted`, `p_permuted`, `permuted_coverage`, `significant_bars` and `five_loops` are null.
CIRCLE_ARCS = tuple(f"arc{number:02d}" for number in range(36))
CIRCLES = schema(
    **_CLOUD,
    circle=TEXT,
    kept=INT,
    near=REAL,
    within=INT,
    nearest=INT,
    permuted=REAL,
    sphere=REAL,
    shuffles=INT,
    p_permuted=REAL,
    coverage=REAL,
    permuted_coverage=REAL,
    significant_bars=INT,
    degree=INT,
    fifth=REAL,
    sixth=REAL,
    five_loops=FLAG,
    **dict.fromkeys(CIRCLE_ARCS, INT),
)

# One mapper graph of the cloud of a headline. `kept`: points after rho(k, p); `used`: those of them in the graph, at
# most `most_points`, drawn by `seed`. `loops`: first Betti number of the graph, `filled_loops`: of its flag complex.
# `cut_at`: fraction of the height range or height; `explanation`: why a graph has no node or one (no node too
# where a lens or the metric has zero variance).
MAPPER_GRAPHS = schema(
    **_CLOUD,
    kept=INT,
    used=INT,
    most_points=INT,
    seed=INT,
    resolution=INT,
    gain=REAL,
    equalized=FLAG,
    metric=TEXT,
    lens_of_scaled=FLAG,
    cut=TEXT,
    cut_at=REAL,
    from_zero=FLAG,
    cubes=INT,
    nodes=INT,
    edges=INT,
    components=INT,
    loops=INT,
    filled_loops=INT,
    noise=INT,
    explanation=TEXT,
)

# One graph of the same cloud as a mapper graph, made in another way: `change` says which; "as drawn" is that graph.
MAPPER_SWEEP = pa.schema([*MAPPER_GRAPHS, ("change", TEXT)])

# One node of a mapper graph: how many points it holds, the means of their lens and of the filters themselves, and the
# Klein coordinates of that mean filter.
MAPPER_NODES = schema(
    **_CLOUD,
    node=INT,
    component=INT,
    members=INT,
    lens1=REAL,
    lens2=REAL,
    **dict.fromkeys(FILTER_COORDINATES, pa.float32()),
    theta1=REAL,
    theta2=REAL,
)

# One edge of a mapper graph, between nodes a < b that share so many points.
MAPPER_EDGES = schema(**_CLOUD, a=INT, b=INT, shared=INT)

# One bar of a synthetic control, over Z/2 or Z/3.
CONTROLS = schema(control=TEXT, points=INT, noise=REAL, field=INT, dimension=INT, birth=REAL, death=REAL)

# One filter of the cloud of a layer at a step: centred, unit norm, before any density filter.
CLOUD = schema(step=INT, network=INT, out_channel=INT, in_channel=INT, **dict.fromkeys(FILTER_COORDINATES, REAL))


def neighbour_column(k: int | float) -> str:
    """Name the column that holds the distance to the k-th neighbour, k as the config gives it: count or fraction."""
    return f"neighbour_{k}"


def cloud_schema(neighbours: Sequence[int | float]) -> pa.Schema:
    """Give the schema of a cloud that holds the distance to the k-th neighbour for each k asked for."""
    return pa.schema([*CLOUD, *((neighbour_column(k), REAL) for k in neighbours)])


TABLES = {
    "training": TRAINING,
    "barcodes": BARCODES,
    "loops": LOOPS,
    "significance": SIGNIFICANCE,
    "nulls": NULLS,
    "filters": FILTERS,
    "circles": CIRCLES,
    "mapper_graphs": MAPPER_GRAPHS,
    "mapper_sweep": MAPPER_SWEEP,
    "mapper_nodes": MAPPER_NODES,
    "mapper_edges": MAPPER_EDGES,
    "controls": CONTROLS,
    **ACTIVATION_MAPPER_TABLES,
    **ACTIVATION_TABLES,
    **COMPARISON_TABLES,
    **FINDING_TABLES,
    **GENERALIZATION_TABLES,
}
