"""All tables of a run, by the names of their files."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from cnn_topology.errors import check_known
from cnn_topology.storage.tables import read_table
from cnn_topology.tables.activation_graphs import (
    ActivationChannelRow,
    ActivationEdgeRow,
    ActivationGraphRow,
    ActivationNodeRow,
    ActivationSweepRow,
    NeighbourCurveRow,
)
from cnn_topology.tables.dynamics import LoopTrackRow, OnsetRow
from cnn_topology.tables.filters import CircleRow, FilterRow
from cnn_topology.tables.findings import ClaimRow, ComparisonRow, ImprovementRow
from cnn_topology.tables.generalization import CorrelationRow, GeneralizationRow
from cnn_topology.tables.images import ActivationTensorRow, ExampleImageRow, ExamplePixelRow, MaskRow, ModeRow
from cnn_topology.tables.layers import (
    ComponentSensitivityRow,
    LayerDistanceRow,
    LayerPairRow,
    MeasureAgreementRow,
    MeasureTestRow,
    SpecificityRow,
)
from cnn_topology.tables.loops import BarRow, ControlRow, LoopRow, NullRow, SignificanceRow
from cnn_topology.tables.mapper import MapperEdgeRow, MapperGraphRow, MapperNodeRow, MapperSweepRow
from cnn_topology.tables.purity import ClassPurityRow, PurityDrawRow, PurityRow, PurityTestRow
from cnn_topology.tables.row import Row
from cnn_topology.tables.training import CrossAccuracyRow, ResnetAccuracyRow, ResnetTrainingRow, TrainingRow

# Tables about the filters of a layer, made by one job a block of steps.
BARCODE_ROWS: tuple[type[Row], ...] = (BarRow, LoopRow, SignificanceRow, FilterRow, CircleRow)
MAPPER_ROWS: tuple[type[Row], ...] = (MapperGraphRow, MapperNodeRow, MapperEdgeRow, MapperSweepRow)
# Tables of mapper graphs of activations, made by one job a network, cloud and block of layers.
GRAPH_ROWS: tuple[type[Row], ...] = (
    ActivationGraphRow,
    ActivationNodeRow,
    ActivationEdgeRow,
    PurityRow,
    ClassPurityRow,
    PurityDrawRow,
    ActivationSweepRow,
    NeighbourCurveRow,
    ActivationChannelRow,
)
# Tables that compare layers, and those of the activations half about networks and images.
MEASURE_ROWS: tuple[type[Row], ...] = (
    LayerDistanceRow,
    LayerPairRow,
    SpecificityRow,
    ComponentSensitivityRow,
    MeasureTestRow,
    MeasureAgreementRow,
)
RESNET_ROWS: tuple[type[Row], ...] = (ResnetTrainingRow, ResnetAccuracyRow, MaskRow, ModeRow, ExamplePixelRow)
# Tables that one job makes whole, by its kind: its rule and the list of a run's tables follow. All others are joined
# from parts.
WHOLE: dict[str, tuple[type[Row], ...]] = {
    "controls": (ControlRow,),
    "improvements": (ImprovementRow, ComparisonRow),
    "cross-accuracy": (CrossAccuracyRow,),
    "example-images": (ExampleImageRow,),
    "purity-tests": (PurityTestRow,),
    "measure-tests": MEASURE_ROWS,
    "activation-tensor": (ActivationTensorRow,),
    "claims": (ClaimRow,),
}
ACTIVATION_ROWS: tuple[type[Row], ...] = (
    *GRAPH_ROWS,
    *WHOLE["example-images"],
    *WHOLE["purity-tests"],
    *RESNET_ROWS,
    *WHOLE["measure-tests"],
    *WHOLE["activation-tensor"],
)
WEIGHT_ROWS: tuple[type[Row], ...] = (
    TrainingRow,
    *BARCODE_ROWS,
    NullRow,
    *MAPPER_ROWS,
    *WHOLE["controls"],
    *WHOLE["improvements"],
    GeneralizationRow,
    CorrelationRow,
    OnsetRow,
    LoopTrackRow,
    *WHOLE["cross-accuracy"],
)

ALL_ROWS: tuple[type[Row], ...] = (*WEIGHT_ROWS, *ACTIVATION_ROWS, *WHOLE["claims"])
TABLES = {row.table_name: row for row in ALL_ROWS}


def read_tables(paths: Iterable[Path]) -> dict[str, pa.Table]:
    """Read finished tables of a run, each checked by its row type.

    Parameters
    ----------
    paths : iterable of Path
        Files named after their tables, such as ``tables/loops.parquet``.

    Returns
    -------
    dict of str to pyarrow.Table
        By name.

    Raises
    ------
    InputError
        If a file is not named after a table, or is missing, altered or of other columns.
    """
    listed = list(paths)
    for path in listed:
        check_known(f"table {path}", path.stem, TABLES)
    return {path.stem: read_table(path, TABLES[path.stem].schema) for path in listed}
