"""Columns of tables that only all rows of a run can say; apart from what makes the rows, which reruns no collecting."""

import numpy as np
import pyarrow as pa

from cnn_topology.statistics.significance import q_values
from cnn_topology.tables.loops import LoopRow


def completed(table: str, rows: pa.Table) -> pa.Table:
    """Fill the columns that only all rows of a run can say: the q-value of each layer in `loops`.

    Parameters
    ----------
    table : str
        Name of the table.
    rows : pyarrow.Table
        Of all layers of a run or a look.

    Returns
    -------
    pyarrow.Table
        That of any other table as it is.
    """
    return _with_q_values(rows) if table == LoopRow.table_name else rows


def _with_q_values(loops: pa.Table) -> pa.Table:
    frame = loops.select(["population", "layer", "step", "headline", "p_longest"]).to_pandas()
    headlines = frame[frame["headline"]]
    last = headlines.loc[headlines.groupby(["population", "layer"])["step"].idxmax()].index
    q_longest = np.full(loops.num_rows, np.nan)
    q_longest[last] = q_values(frame["p_longest"].to_numpy(dtype=float)[last])
    place = loops.schema.get_field_index("q_longest")
    return loops.set_column(place, loops.schema.field(place), pa.array(q_longest, from_pandas=True))
