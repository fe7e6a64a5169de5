"""One schema per table; columns that identify a row come first. Lengths are in units of unit-norm filters."""

from collections.abc import Sequence

import pyarrow as pa

from cnn_topology.tables.activation_mapper_schemas import ACTIVATION_MAPPER_TABLES
from cnn_topology.tables.activation_schemas import ACTIVATION_TABLES
from cnn_topology.tables.finding_schemas import FINDING_TABLES
from cnn_topology.tables.generalization_schemas import GENERALIZATION_TABLES
from cnn_topology.tables.layer_schemas import COMPARISON_TABLES

_TEXT, _INT, _REAL, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


# Which cloud a row belongs to: a layer of a population at a step, after rho(k, p), with `landmarks` points at most.
_CLOUD = {"population": _TEXT, "layer": _TEXT, "depth": _INT, "step": _INT, "k": _INT, "p": _REAL, "landmarks": _INT}
# Its sizes: N before and after the density filter, points in the filtration, and how well those cover the rest.
_SIZES = {"points": _INT, "kept": _INT, "used": _INT, "covering_radius": _REAL}

FILTER_COORDINATES = tuple(f"w{row}{column}" for row in range(3) for column in range(3))

# One network at one evaluated step on one image set; `split` is train or test. A network whose loss became NaN is
# `failed` from then on and left out of the clouds of those steps.
TRAINING = _schema(
    population=_TEXT,
    network=_INT,
    seed=_INT,
    step=_INT,
    epoch=_REAL,
    images=_TEXT,
    split=_TEXT,
    examples=_INT,
    loss=_REAL,
    accuracy=_REAL,
    failed=_FLAG,
)

# One bar. `p_value`: of its length, the largest over the nulls; 1 for dimension 0 and for bars that no null tests.
BARCODES = _schema(**_CLOUD, field=_INT, dimension=_INT, birth=_REAL, death=_REAL, p_value=_REAL)

# One cloud: its two longest H1 bars and the verdict over all nulls.
LOOPS = _schema(
    **_CLOUD,
    **_SIZES,
    networks=_INT,
    headline=_FLAG,
    engine=_TEXT,
    bars=_INT,
    longest=_REAL,
    longest_birth=_REAL,
    longest_death=_REAL,
    second=_REAL,
    ratio=_REAL,
    significant_bars=_INT,
    p_longest=_REAL,
    p_ratio=_REAL,
    p_bobrowski_skraba=_REAL,
    verdict=_TEXT,
)

# One cloud against one null. `null_longest_*`: quantiles over draws of the longest H1 bar; `null_critical` is the
# level-alpha quantile that a bar must exceed.
SIGNIFICANCE = _schema(
    **_CLOUD,
    null=_TEXT,
    draws=_INT,
    null_longest_median=_REAL,
    null_longest_95=_REAL,
    null_critical=_REAL,
    p_longest=_REAL,
    p_ratio=_REAL,
    significant_bars=_INT,
)

# One draw of the sphere null: the longest and second H1 bar and the largest death / birth.
NULLS = _schema(
    null=_TEXT, points=_INT, k=_INT, p=_REAL, landmarks=_INT, centre=_TEXT, draw=_INT,
    longest=_REAL, second=_REAL, largest_ratio=_REAL,
)  # fmt: skip

# One filter that the headline density filter keeps. `theta1`, `theta2`, `residual`: nearest point of the Klein
# bottle and the distance to it; `model`: the nearest of its named circles; `plane1`, `plane2`: PCA of the kept filters.
FILTERS = _schema(
    **_CLOUD,
    network=_INT,
    out_channel=_INT,
    in_channel=_INT,
    neighbour_distance=_REAL,
    **dict.fromkeys(FILTER_COORDINATES, pa.float32()),
    plane1=_REAL,
    plane2=_REAL,
    theta1=_REAL,
    theta2=_REAL,
    residual=_REAL,
    model=_TEXT,
)

# One headline cloud against one of the four named circles. `within`: kept filters with a residual of at most `near`;
# `nearest`: those of them to which no other circle is nearer; `permuted`, `sphere`: that number by chance, of filters
# with shuffled entries (mean over `shuffles`) and of filters drawn from the sphere. `coverage`: part of 36 arcs with a
# filter within, `arc00` ... how many each has. `fifth`, `sixth`: H1 bars; `five_loops`: the fifth is significant and
# more than twice the sixth.
CIRCLE_ARCS = tuple(f"arc{number:02d}" for number in range(36))
CIRCLES = _schema(
    **_CLOUD,
    circle=_TEXT,
    kept=_INT,
    near=_REAL,
    within=_INT,
    nearest=_INT,
    permuted=_REAL,
    sphere=_REAL,
    shuffles=_INT,
    p_permuted=_REAL,
    coverage=_REAL,
    permuted_coverage=_REAL,
    significant_bars=_INT,
    fifth=_REAL,
    sixth=_REAL,
    five_loops=_FLAG,
    **dict.fromkeys(CIRCLE_ARCS, _INT),
)

# One mapper graph of the cloud of a headline. `kept`: points after rho(k, p); `used`: those of them in the graph, at
# most `most_points`, drawn by `seed`. `loops`: first Betti number of the graph, `filled_loops`: of its flag complex.
# `cut_at`: fraction of the height range or height; `explanation`: why a graph has no node or one.
MAPPER_GRAPHS = _schema(
    **_CLOUD,
    kept=_INT,
    used=_INT,
    most_points=_INT,
    seed=_INT,
    resolution=_INT,
    gain=_REAL,
    equalized=_FLAG,
    metric=_TEXT,
    lens_of_scaled=_FLAG,
    cut=_TEXT,
    cut_at=_REAL,
    from_zero=_FLAG,
    cubes=_INT,
    nodes=_INT,
    edges=_INT,
    components=_INT,
    loops=_INT,
    filled_loops=_INT,
    noise=_INT,
    explanation=_TEXT,
)

# One graph of the same cloud as a mapper graph, made in another way: `change` says which; "as drawn" is that graph.
MAPPER_SWEEP = pa.schema([*MAPPER_GRAPHS, ("change", _TEXT)])

# One node of a mapper graph: how many points it holds, the means of their lens and of the filters themselves, and the
# Klein coordinates of that mean filter.
MAPPER_NODES = _schema(
    **_CLOUD,
    node=_INT,
    component=_INT,
    members=_INT,
    lens1=_REAL,
    lens2=_REAL,
    **dict.fromkeys(FILTER_COORDINATES, pa.float32()),
    theta1=_REAL,
    theta2=_REAL,
)

# One edge of a mapper graph, between nodes a < b that share so many points.
MAPPER_EDGES = _schema(**_CLOUD, a=_INT, b=_INT, shared=_INT)

# One bar of a synthetic control, over Z/2 or Z/3.
CONTROLS = _schema(control=_TEXT, points=_INT, noise=_REAL, field=_INT, dimension=_INT, birth=_REAL, death=_REAL)

# One filter of the cloud of a layer at a step: centred, unit norm, before any density filter.
CLOUD = _schema(step=_INT, network=_INT, out_channel=_INT, in_channel=_INT, **dict.fromkeys(FILTER_COORDINATES, _REAL))


def neighbour_column(k: int | float) -> str:
    """Name the column that holds the distance to the k-th neighbour, k as the config gives it: count or fraction."""
    return f"neighbour_{k}"


def cloud_schema(neighbours: Sequence[int | float]) -> pa.Schema:
    """Give the schema of a cloud that holds the distance to the k-th neighbour for each k asked for."""
    return pa.schema([*CLOUD, *((neighbour_column(k), _REAL) for k in neighbours)])


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
