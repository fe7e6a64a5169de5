"""Choosing rows of tables for a figure, naming them, angles of filters, and the table of what was drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from cnn_topology.figures.libraries import pd
from cnn_topology.statistics.significance import FORMS
from cnn_topology.tables.loops import CLOUD
from cnn_topology.tables.row import matching

# Why a cloud is missing.
NO_CLOUD = "no cloud: every network failed, or the tables hold no row for it"


class Empty(Exception):
    """Why the tables hold nothing to draw, which the figure then says."""


def rows(table: pa.Table, **equal: Any) -> pd.DataFrame:
    """Return the rows of a table in which each named column has the given value."""
    return matching(table, **equal).to_pandas()


def unfailed(log: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `training` of the networks that never failed."""
    return log[~log["network"].isin(log.loc[log["failed"], "network"])]


def headlines(loops: pa.Table, cloud: Mapping[str, Any], **equal: Any) -> pd.DataFrame:
    """Return the headline clouds of one layer of a population, one row per step, by step."""
    found = rows(loops, population=cloud["population"], layer=cloud["layer"], headline=True, **equal)
    return found.sort_values("step").reset_index(drop=True)


def headlines_at(loops: pa.Table, clouds: Iterable[Mapping[str, Any]], which: str) -> pd.DataFrame:
    """Return the headline cloud of each layer at its ``first`` or ``last`` step, without those that are missing."""
    found = [headlines(loops, cloud, step=cloud[which]) for cloud in clouds]
    return pd.concat([loops.slice(0, 0).to_pandas(), *found], ignore_index=True)


def headline_at(loops: pa.Table, cloud: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.Series]:
    """Return the headline cloud of a layer at its last step, as rows and as the one row.

    Raises
    ------
    Empty
        If there is none.
    """
    found = headlines_at(loops, [cloud], "last")
    if found.empty:
        raise Empty(NO_CLOUD)
    return found, found.iloc[0]


def with_rows(
    table: pa.Table, clouds: Sequence[Mapping[str, Any]], at: str = "last"
) -> tuple[list[Mapping[str, Any]], str]:
    """Return the clouds that a table has a row of, at the step that they name so, and the remark that others lack one.

    Raises
    ------
    Empty
        If there is none.
    """
    columns = ["population", "layer", *(["step"] if at else [])]
    known = set(zip(*(table[name].to_pylist() for name in columns), strict=True))
    is_there = [tuple(cloud[at if name == "step" else name] for name in columns) in known for cloud in clouds]
    if not any(is_there):
        raise Empty(NO_CLOUD)
    found = [cloud for cloud, yes in zip(clouds, is_there, strict=True) if yes]
    lacking = [f"{cloud['population']}, {cloud['layer']}" for cloud in clouds if cloud not in found]
    return found, f"; no row in the tables: {' · '.join(lacking)}" if lacking else ""


def when(cloud: Mapping[str, Any], which: str = "last") -> str:
    """Describe at which step a cloud is drawn; networks that others trained have none."""
    return "pretrained" if cloud.get("pretrained") else f"step {cloud[which]:,}"


def null_of(significance: pa.Table, clouds: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `significance` that belong to any of some rows of `loops`, in their order."""
    return clouds[CLOUD].merge(significance.to_pandas(), on=CLOUD)


def of_cloud(table: pa.Table, cloud: pd.Series) -> pd.DataFrame:
    """Return the rows of a table that belong to the same cloud as a row of `loops`."""
    return rows(table, **{column: cloud[column] for column in CLOUD})


def p_in_brackets(cloud: pd.Series) -> str:
    """Write the p-value of the longest bar of a cloud, `` (p = 0.005)``, where it was tested."""
    return f" (p = {cloud['p_longest']:.2g})" if np.isfinite(cloud["p_longest"]) else ""


def cloud_title(cloud: pd.Series, where: str) -> str:
    """Write what the filters of a cloud form, ``Filters of conv1 form one loop (p = 0.005)``, and where."""
    forms = f"{FORMS[cloud['verdict']]}{p_in_brackets(cloud)}"
    return f"Filters of {cloud['layer']} {forms}\n{where}; verdict: {cloud['verdict']}"


def entries_of(filters: pd.DataFrame) -> np.ndarray:
    """Return the entries of each filter of a table, or of each mean filter, shape (filters, entries)."""
    return np.array(filters["coordinates"].tolist(), dtype=float)


def entry_rows(filters: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a row for each entry of each filter that has some, with the filter's value of the column `name`."""
    finite = filters[np.array([np.isfinite(entries).all() for entries in filters["coordinates"]], dtype=bool)]
    entries = finite[[name, "coordinates"]].explode("coordinates")
    entries = entries.assign(entry=entries.groupby(level=0).cumcount(), weight=entries["coordinates"].astype(float))
    return entries[[name, "entry", "weight"]]


def lengths(bars: pd.DataFrame, dimension: int) -> pd.DataFrame:
    """Return the bars of a dimension with their length, longest first; infinite bars come first."""
    found = bars[bars["dimension"] == dimension].copy()
    found["length"] = found["death"] - found["birth"]
    return found.sort_values(["length", "birth"], ascending=[False, True], kind="stable").reset_index(drop=True)


def drawn(**panels: pd.DataFrame | Sequence[pd.DataFrame]) -> pa.Table:
    """Join what each panel shows to one table; the column `panel` says which, others are empty where they do not apply.

    The table is plain: no index and no metadata of pandas, so that the same data give the same bytes. NaN stays NaN: a
    null stands where a column does not apply, and for text that is missing.

    Parameters
    ----------
    **panels : DataFrame or sequence of DataFrame
        By the name of a panel its rows, or the parts that these come in.
    """
    frames = [
        frame.assign(panel=name)
        for name, shown in panels.items()
        for frame in ([shown] if isinstance(shown, pd.DataFrame) else shown)
        if len(frame)
    ]
    parts = [pa.table({column: _plain(values) for column, values in frame.items()}) for frame in frames]
    if not parts:
        return pa.table({"panel": pa.array([], pa.string())})
    joined = pa.concat_tables(parts, promote_options="permissive").combine_chunks()
    return joined.select(["panel", *(name for name in joined.column_names if name != "panel")])


def _plain(values: pd.Series) -> pa.Array:
    # Of text pandas calls what is missing NaN, of which pyarrow would make numbers.
    return pa.array(values, pa.string()) if values.dtype == "str" else pa.array(values.to_numpy())


def provenance(
    notes: Mapping[str, str], clouds: pd.DataFrame | None = None, draws: Iterable[int] = (), extra: str = ""
) -> str:
    """Write the footer: how many networks and points, which density filter, how many null draws, seed and hashes.

    Parameters
    ----------
    notes : mapping of str to str
        ``seed``, ``config`` and ``data``; hashes are cut to 8 characters.
    clouds : DataFrame, optional
        Rows of `loops`; ranges are given where they differ.
    draws : iterable of int
        Draws of the nulls shown.
    extra : str
        What else the reader must know, put first; a line may end at each semicolon.
    """
    parts = [part for part in extra.split("; ") if part]
    if clouds is not None and len(clouds):
        parts.append(f"networks {spread(clouds['networks'])}")
        parts.append(f"points N {spread(clouds['points'])} → kept {spread(clouds['kept'])}")
        if (clouds["used"] < clouds["kept"]).any():
            parts.append(
                f"landmarks {spread(clouds['used'])} (covering radius ≤ {clouds['covering_radius'].max():.2g})"
            )
        parts.append(f"ρ(k = {spread(clouds['density_k'])}, p = {spread(clouds['density_p'])})")
    counts = pd.Series(sorted(set(draws)), dtype=int)
    if len(counts):
        parts.append(f"null draws {spread(counts)}")
    parts += [f"seed {notes['seed']}"] if notes.get("seed") else []
    parts += [f"{key} {_hashes(notes[key])}" for key in ("config", "data") if notes.get(key)]
    # Words of one part stay together when the footer is wrapped.
    return "\N{NO-BREAK SPACE}· ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


def _hashes(text: str) -> str:
    """Shorten each of a comma-separated list of hashes, which may follow a name and a colon, and the list itself."""
    entries = [f"{name}{colon}{digest[:8]}" for name, colon, digest in (e.rpartition(":") for e in text.split(","))]
    return ", ".join(entries[:4]) + (f" and {len(entries) - 4} more" if len(entries) > 4 else "")


def spread(values: pd.Series) -> str:
    """Write one value, or the smallest and the largest."""
    low, high = values.min(), values.max()
    return number(low) if low == high else f"{number(low)}–{number(high)}"


def number(value: float) -> str:
    """Write a count with thousands apart, another number with three digits."""
    return f"{int(value):,}" if float(value).is_integer() else f"{value:.3g}"


def length(value: float | None) -> str:
    """Write the length of a bar, or a dash where there is none."""
    return "–" if value is None or not np.isfinite(value) else f"{value:.2f}"


# A patch has several pairs (theta1, theta2): it is the same at (theta1 + pi, theta2) and (theta1, -theta2), as its
# quadratic part is even (weights paper, section 6). Figures draw the one in a fixed square.
def fundamental(patches: pd.DataFrame) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Bring the columns theta1 and theta2, in radians, to the square 0 <= theta1 < pi, 0 <= theta2 < 2 pi."""
    theta1, theta2 = patches["theta1"].to_numpy(), patches["theta2"].to_numpy()
    half_turns = np.floor(theta1 / np.pi)
    sign = np.where(half_turns % 2 == 0, 1.0, -1.0)
    return theta1 - half_turns * np.pi, np.mod(sign * theta2, 2 * np.pi)


def edge_angle(patches: pd.DataFrame) -> Float[np.ndarray, " points"]:
    """Return the direction, 0 to 2 pi, in which the linear part of a patch rises; a line's is known up to pi only."""
    half, phase = fundamental(patches)
    return half + np.pi * (phase > np.pi)
