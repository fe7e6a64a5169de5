"""`docs/tables.md`: every table of a run with its columns, generated from the row types."""

import pyarrow as pa

from cnn_topology.tables.activation_graphs import GraphKey
from cnn_topology.tables.layers import MeasuredKey
from cnn_topology.tables.look import LookRow
from cnn_topology.tables.loops import CloudKey
from cnn_topology.tables.registry import ACTIVATION_ROWS, TABLES, WEIGHT_ROWS
from cnn_topology.tables.row import Row

# What rows are about, by the class that their tables share: its columns are the keys to join these tables on.
KEYS: dict[type[Row], str] = {
    CloudKey: "a cloud of filters: a layer at a step after rho(k, p)",
    GraphKey: "a mapper graph of activations",
    MeasuredKey: "layers compared by one measure",
}

HEAD = """# Tables: every column

Generated from the row types in `src/cnn_topology/tables/` by `cnn-topology reference`; a test fails when it is out of
step. The tables of a run lie in `results/<run>/tables/` as Parquet; small ones also as CSV. Meanings and units stand
in the files too, as metadata of the columns (`pyarrow.parquet.read_schema(path).field("longest").metadata`).

Any reader of Parquet opens them. `cnn_topology.storage.tables.read_table` also checks the content by its SHA-256.
"""

# A question, the same in SQL for DuckDB and in pandas; started in `results/<run>/tables/`. The tests run all of them.
QUERIES: tuple[tuple[str, str, str], ...] = (
    (
        "Which first layers form a circle at the end of training, and how accurate are the networks?",
        """SELECT l.population, l.longest, l.second, l.p_longest, l.verdict, avg(t.accuracy) AS accuracy
FROM 'loops.parquet' AS l
JOIN 'training.parquet' AS t USING (population, step)
WHERE l.headline AND l.depth = 1 AND t.own_images AND t.split = 'test' AND NOT t.failed
  AND l.step = (SELECT max(step) FROM 'loops.parquet' WHERE population = l.population)
GROUP BY ALL
ORDER BY l.population""",
        """loops, training = pd.read_parquet("loops.parquet"), pd.read_parquet("training.parquet")
last = loops[loops.headline & (loops.depth == 1)].sort_values("step").groupby("population").tail(1)
tested = training[training.own_images & (training.split == "test") & ~training.failed]
accuracy = tested.groupby(["population", "step"], as_index=False)["accuracy"].mean()
columns = ["population", "longest", "second", "p_longest", "verdict", "accuracy"]
result = last.merge(accuracy, on=["population", "step"])[columns].sort_values("population")""",
    ),
    (
        "How much longer is the longest loop than each null's critical value, over training?",
        """SELECT population, layer, step, null_name, longest, null_critical, longest / null_critical AS times
FROM 'loops.parquet'
JOIN 'significance.parquet' USING (population, layer, depth, step, density_k, density_p, landmarks)
WHERE headline
ORDER BY population, layer, step, null_name""",
        """loops, significance = pd.read_parquet("loops.parquet"), pd.read_parquet("significance.parquet")
cloud = ["population", "layer", "depth", "step", "density_k", "density_p", "landmarks"]
joined = loops[loops.headline].merge(significance, on=cloud, suffixes=("", "_of_null"))
joined["times"] = joined.longest / joined.null_critical
columns = ["population", "layer", "step", "null_name", "longest", "null_critical", "times"]
result = joined[columns].sort_values(["population", "layer", "step", "null_name"])""",
    ),
    (
        "How many claims of each paper have which verdict?",
        """SELECT paper, verdict, count(*) AS claims
FROM 'claims.parquet'
GROUP BY paper, verdict
ORDER BY paper, verdict""",
        """claims = pd.read_parquet("claims.parquet")
result = claims.groupby(["paper", "verdict"]).size().rename("claims").reset_index()""",
    ),
)


def data_dictionary() -> str:
    """Return the text of `docs/tables.md`."""
    parts = [HEAD, _keys(), _queries()]
    for title, rows in (
        ("Weights", WEIGHT_ROWS),
        ("Activations", ACTIVATION_ROWS),
        ("Claims", (TABLES["claims"],)),
        ("A look at trained networks (`cnn-topology look`)", (LookRow,)),
    ):
        parts += [f"## {title}\n", *map(_table, rows)]
    return "\n".join(parts)


def _keys() -> str:
    lines = ["## What to join on\n", "| rows about | share the columns | tables |", "| --- | --- | --- |"]
    for key, about in KEYS.items():
        tables = ", ".join(f"`{name}`" for name, row in TABLES.items() if issubclass(row, key))
        lines.append(f"| {about} | {', '.join(f'`{name}`' for name in key.schema.names)} | {tables} |")
    single = ", ".join(
        f"`{name}`" for name, row in TABLES.items() if {"population", "network"} <= set(row.schema.names)
    )
    lines.append(f"| a network | `population`, `network`, and `step` where there are several | {single} |")
    return "\n".join(lines) + "\n"


def _queries() -> str:
    parts = ["## Three questions\n"]
    for question, sql, pandas in QUERIES:
        parts.append(f"{question}\n\n```sql\n{sql}\n```\n\n```python\n{pandas}\n```\n")
    return "\n".join(parts)


def _table(row: type[Row]) -> str:
    words = " ".join((row.__doc__ or "").split())
    lines = [f"### {row.table_name}\n", f"{words}\n", "| column | type | unit or range | meaning |"]
    lines.append("| --- | --- | --- | --- |")
    for names, field in _merged(row):
        metadata = {key.decode(): value.decode() for key, value in field.metadata.items()}
        meaning = metadata["description"].replace("|", "\\|")
        lines.append(f"| {names} | {field.type} | {metadata['unit']} | {meaning} |")
    return "\n".join(lines) + "\n"


def _merged(row: type[Row]) -> list[tuple[str, pa.Field]]:
    """Return the columns of a table, those that one field fills on one line."""
    merged: list[tuple[str, pa.Field]] = []
    fields = list(row.schema)
    while fields:
        alike = [field for field in fields if field.metadata == fields[0].metadata and field.type == fields[0].type]
        first, last = alike[0].name, alike[-1].name
        merged.append((f"`{first}`" if len(alike) == 1 else f"`{first}` ... `{last}`", alike[0]))
        fields = [field for field in fields if field not in alike]
    return merged
