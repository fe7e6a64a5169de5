"""The loop of one layer followed over training, as rows of tables (weights paper, E4, E8 and E11)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cnn_topology.analysis.filter_cloud import filters_of
from cnn_topology.clouds.density import densest_points
from cnn_topology.plan.clouds import Centre
from cnn_topology.plan.parameters import DynamicsParameters
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.dynamics import (
    RULE,
    longest_interval,
    onset_interval,
    primary_coverage,
    resampled_longest,
    resampled_networks,
    resampled_null,
    track,
    winding,
)
from cnn_topology.statistics.networks import OUTCOMES, outcomes
from cnn_topology.statistics.null_clouds import null_cloud
from cnn_topology.statistics.series import correlated_series
from cnn_topology.statistics.significance import DEAD_LAYER, critical_value, onset
from cnn_topology.tables.dynamics import LoopTrackRow, OnsetRow
from cnn_topology.tables.filters import cloud_at, neighbour_column
from cnn_topology.tables.generalization import CorrelationRow
from cnn_topology.tables.loops import CLOUD, LAYER
from cnn_topology.topology.klein import edge_angles

IDS = ["network", "out_channel", "in_channel"]
# Snapshots of a training run follow each other: no exchange of them is as likely as their order.
NOT_EXCHANGEABLE = "nothing: snapshots of one training are not exchangeable"


def loop_dynamics(
    parameters: DynamicsParameters,
    clouds: Iterable[pa.Table],
    loops: pd.DataFrame,
    significance: pd.DataFrame,
    training: pd.DataFrame,
) -> tuple[OnsetRow, list[LoopTrackRow], list[CorrelationRow]]:
    """Find since when a layer has a loop, follow it from snapshot to snapshot, and compare its bar with accuracy.

    Parameters
    ----------
    parameters : DynamicsParameters
    clouds : iterable of pyarrow.Table
        The layer's clouds, of some steps each.
    loops, significance, training : DataFrame
        The tables of these names, of the layer's clouds and of its population.

    Returns
    -------
    onset : OnsetRow
    tracks : list of LoopTrackRow
        One a snapshot at which the layer is not dead.
    correlations : list of CorrelationRow
    """
    headlines = loops[loops["headline"]].sort_values("step")
    last, headlines = headlines.iloc[-1], headlines[headlines["verdict"] != DEAD_LAYER]
    critical = headlines[CLOUD].merge(significance, on=CLOUD).groupby("step")["null_critical"].max()
    networks = np.sort(training["network"].unique())
    drawn = resampled_networks(len(networks), parameters.draws, _random(parameters, "resampled networks"))
    tables = {int(step): table for table in clouds for step in set(table["step"].to_pylist())}
    tracks, longest = _tracks(parameters, tables, headlines, critical, networks, drawn)
    limits = np.array([track.critical_resampled for track in tracks], dtype=float)
    tested = headlines["step"].isin(critical.index).to_numpy()
    steps = [int(step) for step in headlines.loc[tested, "step"]]
    has_loop = headlines.loc[tested, "longest"].to_numpy() > critical.loc[steps].to_numpy()
    key = {name: last[name] for name in LAYER}
    interval = onset_interval(steps, longest[tested], limits[tested]) if steps else (None, None, None)
    onset = onset_row(
        key, len(networks), steps, has_loop.tolist(), int(last["step"]), parameters.alpha, parameters.draws, interval
    )
    return onset, tracks, _correlations(parameters, headlines, longest, training, networks, drawn)


def _tracks(
    parameters: DynamicsParameters,
    tables: Mapping[int, pa.Table],
    headlines: pd.DataFrame,
    critical: pd.Series,
    networks: np.ndarray,
    drawn: np.ndarray,
) -> tuple[list[LoopTrackRow], np.ndarray]:
    """Return the rows of `loop_tracks`, and the longest bar of every draw at every step, (steps, draws)."""
    rows: list[LoopTrackRow] = []
    longest = []
    nulls: dict[tuple[Any, ...], np.ndarray] = {}
    frames: dict[str, pd.DataFrame] = {}
    for cloud in headlines.to_dict("records"):
        step = cloud["step"]
        (headline,) = parameters.clouds.filterings[step]
        table, points, _, _ = cloud_at(tables[step], step)
        kept = densest_points(table[neighbour_column(headline.k)].to_numpy(), headline.p)
        ids = table.select(IDS).to_pandas()
        now = filters_at(ids, points, kept)
        place = np.searchsorted(networks, ids["network"])
        bars = resampled_longest(points, place, headline, drawn)
        longest.append(bars)
        # A snapshot with too few filters has no row in the table `significance`: it is not tested here either.
        tested = step in critical.index
        limits = []
        for name in parameters.nulls if tested else ():
            # The sphere null knows nothing of the step: where no network has failed since, it is the same.
            key = (name, headline, place.tobytes()) if name == "sphere" else (name, step)
            if key not in nulls:
                rng = _random(parameters, name) if name == "sphere" else _random(parameters, name, step)
                make = null_cloud(name, filters_of(table, points, parameters.clouds.centre)[0])
                nulls[key] = resampled_null(make, place, headline, drawn, rng)
            limits.append(critical_value(nulls[key], parameters.alpha))
        limit = max(limits, default=None)
        low, high = longest_interval(cloud["longest"], bars)
        rows.append(
            LoopTrackRow(
                **{name: cloud[name] for name in (*CLOUD, "depth", "kept", "longest")},
                networks=cloud["networks"],
                draws=parameters.draws,
                longest_low=low,
                longest_high=high,
                critical=critical[step] if tested else None,
                significant=bool(cloud["longest"] > critical[step]) if tested else None,
                critical_resampled=limit,
                share_significant=None if limit is None else float((bars > limit).mean()),
                previous=rows[-1].step if rows else None,
                **around_circle(points[kept], headline.landmarks, parameters.clouds.centre),
                **followed(frames.get("previous"), frames.get("first"), now, networks, drawn),
            )
        )
        frames["previous"] = now
        frames.setdefault("first", now)
        print(f"step {step}: longest {cloud['longest']:.3f}, {low:.3f} to {high:.3f} over networks", flush=True)
    return rows, np.array(longest)


def _random(parameters: DynamicsParameters, *what: str | int) -> np.random.Generator:
    """Build the random stream of one thing that is drawn for this layer."""
    of_layer = (parameters.clouds.population, parameters.clouds.layer.name)
    return np.random.default_rng(derive_seed(parameters.run_seed, "dynamics", *of_layer, *what))


def filters_at(ids: pd.DataFrame, points: np.ndarray, kept: np.ndarray) -> pd.DataFrame:
    """Return the filters of a layer at one step, with their edge angles and whether the density filter keeps them.

    Parameters
    ----------
    ids : DataFrame
        The columns `IDS`, a row a filter.
    points : ndarray, shape (points, entries)
        In the same order.
    kept : ndarray of int
        Rows that are kept.
    """
    theta, _ = edge_angles(points)
    return ids.assign(theta=theta, kept=np.isin(np.arange(len(ids)), kept))


def around_circle(kept: np.ndarray, landmarks: int, centre: Centre) -> dict[str, Any]:
    """Return the columns of `loop_tracks` on how the kept filters and their loop lie about the primary circle."""
    around = winding(kept, landmarks)
    return {
        **primary_coverage(kept, centre)._asdict(),
        "degree": around.degree if around else None,
        "loop_filters": around.vertices if around else None,
    }


def followed(
    previous: pd.DataFrame | None,
    first: pd.DataFrame | None,
    now: pd.DataFrame,
    networks: np.ndarray,
    drawn: np.ndarray,
) -> dict[str, Any]:
    """Return the columns of `loop_tracks` on what became of the filters since an earlier step.

    Parameters
    ----------
    previous, first, now : DataFrame, optional
        From `filters_at`. Of the first step only where the filters were counts, not whether they were kept.
    networks : ndarray of int, shape (networks,)
        Numbers of the networks, ascending.
    drawn : ndarray of int, shape (draws, networks)
        From `resampled_networks`, for the intervals.
    """
    columns: dict[str, Any] = {}
    names = {"low": "correlation_low", "high": "correlation_high", "both": "kept_at_both"}
    for before, prefix in ((previous, ""), (None if first is None else first.assign(kept=True), "first_")):
        if before is None:
            continue
        both = before.merge(now, on=IDS, suffixes=("_before", "_now"))
        angles = both["theta_before"].to_numpy(), both["theta_now"].to_numpy()
        kept = both["kept_before"].to_numpy(), both["kept_now"].to_numpy()
        found = track(angles, kept, np.searchsorted(networks, both["network"]), drawn)._asdict()
        wanted = ("correlation", "low", "high") if prefix else tuple(found)
        columns |= {prefix + names.get(name, name): found[name] for name in wanted}
    return columns


def onset_row(
    key: Mapping[str, Any],
    networks: int,
    steps: Sequence[int],
    has_loop: Sequence[bool],
    last: int,
    alpha: float,
    draws: int = 0,
    interval: tuple[int | None, int | None, float | None] = (None, None, None),
) -> OnsetRow:
    """Return the row of `onset`: the step from which on a layer has a loop at every later one.

    Parameters
    ----------
    key : mapping
        Population, layer, depth, density filter and landmarks.
    networks : int
    steps : sequence of int
        Those with enough filters for a test, ascending.
    has_loop : sequence of bool
        Whether there is a loop at each.
    last : int
        The last step where none was tested.
    alpha : float
    draws : int
        Of networks, for the interval.
    interval : (int or None, int or None, float or None)
        Its ends, and the share of draws in which a loop lasts; of one network there is none.

    Returns
    -------
    OnsetRow
    """
    first = onset(steps, has_loop)
    low, high, lasting = interval
    return OnsetRow(
        **key,
        networks=networks,
        snapshots=len(steps),
        last=max(steps, default=last),
        alpha=alpha,
        draws=draws,
        onset=first,
        previous=max((step for step in steps if first is not None and step < first), default=None),
        low=low,
        high=high,
        lasting=lasting,
        rule=RULE,
    )


def _correlations(
    parameters: DynamicsParameters,
    headlines: pd.DataFrame,
    longest: np.ndarray,
    training: pd.DataFrame,
    networks: np.ndarray,
    drawn: np.ndarray,
) -> list[CorrelationRow]:
    """Correlate the pooled cloud's longest bar with mean accuracy over snapshots (E11); draws are those of the bars."""
    steps = headlines["step"].to_numpy()
    at = training[training["step"].isin(steps)]
    failed = set(at.loc[at["failed"], "network"])
    found = [
        {"network": network, "step": step, **outcomes(log, parameters.images)}
        for (network, step), log in at[~at["network"].isin(failed)].groupby(["network", "step"])
    ]
    rows = []
    for outcome in OUTCOMES if found and len(steps) else ():
        table = pd.DataFrame(found).pivot(index="network", columns="step", values=outcome).reindex(networks)[steps]
        if table.isna().to_numpy().all():
            continue
        for result in correlated_series(headlines["longest"].to_numpy(), longest, table.to_numpy(), steps, drawn):
            rows.append(
                CorrelationRow(
                    group_name=parameters.clouds.population,
                    scope="pooled",
                    layer=parameters.clouds.layer.name,
                    predictor="longest",
                    predictor_kind="topological",
                    outcome=outcome,
                    **result._asdict(),
                    p_value=np.nan,
                    reliability=np.nan,
                    p_adjusted=np.nan,
                    networks=len(networks) - len(failed),
                    rows=len(steps),
                    draws=parameters.draws,
                    permutations=0,
                    exchanged=NOT_EXCHANGEABLE,
                )
            )
    return rows
