"""Single networks, as rows of tables: their topology and weight statistics, and what these say about accuracy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from cnn_topology.errors import InputError
from cnn_topology.plan.clouds import LEAST_TESTED, Density
from cnn_topology.plan.generalization import LEAST_NETWORKS
from cnn_topology.plan.parameters import CorrelationParameters, Member, NetworksParameters
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.coefficients import spearman
from cnn_topology.statistics.correlations import METHODS, Sample, correlate
from cnn_topology.statistics.networks import (
    BASELINES,
    HYPERPARAMETERS,
    OUTCOMES,
    PREDICTORS,
    TOPOLOGICAL,
    WIDTH,
    loop_summary,
    outcomes,
    weight_statistics,
)
from cnn_topology.tables.generalization import CorrelationRow, GeneralizationRow
from cnn_topology.training.snapshots import Snapshot

# What partial correlations hold fixed besides the training step: every hyperparameter that a grid varies, since each
# moves weights and accuracy both, weight norm and the simple statistics (the reviewers' question of Tan et al. 2024 and
# Girrbach et al. 2023). Dropout, label noise and training images were added after a review: without them a partial
# correlation could be that of label noise alone.
GIVEN = (*HYPERPARAMETERS, "frobenius", "mean", "sd", "kurtosis")
# Of a pool these are means over its networks.
AVERAGED = (*BASELINES, *OUTCOMES, "train_loss", "train_accuracy", "test_loss")
# Kendall's coefficients compare all pairs of rows, too many over the steps of a training run.
OVER_TRAINING = ("pearson", "spearman", "partial_pearson", "partial_spearman")


def network_row(
    parameters: NetworksParameters, member: Member, start: Snapshot, now: Snapshot, place: int, log: pd.DataFrame
) -> GeneralizationRow:
    """Summarize the layer of one network of a population at one step.

    Parameters
    ----------
    parameters : NetworksParameters
    member : Member
        The population and the step.
    start, now : Snapshot
        Of its shard, at step 0 and at that step, with the weights of the layer.
    place : int
        Of the network in the shard.
    log : DataFrame
        Rows of `training` of the population and the step.

    Returns
    -------
    GeneralizationRow
    """
    network, weight = now.networks[place], now.tensors[f"{parameters.layer}.weight"][place]
    return GeneralizationRow(
        group_name=parameters.group,
        is_grid=parameters.is_grid,
        layer=parameters.layer,
        network=network,
        pool="",
        networks=1,
        seed=now.seeds[place],
        **member.model_dump(exclude={"images", "shards"}),
        density_k_given=float(parameters.density.k),
        density_p=parameters.density.p,
        **loop_summary(weight, parameters.density)._asdict(),
        **weight_statistics(weight, start.tensors[f"{parameters.layer}.weight"][place])._asdict(),
        **outcomes(log[log["network"] == network], member.images),
    )


def pooled_rows(
    networks: Sequence[GeneralizationRow], weights: Sequence[Float[np.ndarray, "out in 3 3"]], density: Density
) -> list[GeneralizationRow]:
    """Summarize the networks of one population of a grid pooled, and each half of them.

    The bars of one network's filters say little: that of a circle is above that of noise in .53 of pairs at 64 filters,
    in .97 at 320 (docs/calibration.md).

    Parameters
    ----------
    networks : sequence of GeneralizationRow
        From `network_row`; those that failed are left out.
    weights : sequence of ndarray, shape (out, in, 3, 3)
        Of the layer of each.
    density : Density

    Returns
    -------
    list of GeneralizationRow
        All, and those with even and with odd numbers; none for a half without a network.
    """
    rows = []
    for pool, halves in (("all", (0, 1)), ("even", (0,)), ("odd", (1,))):
        places = [place for place, row in enumerate(networks) if row.network % 2 in halves]
        if not places:
            continue
        means = {name: float(np.mean([getattr(networks[place], name) for place in places])) for name in AVERAGED}
        loops = loop_summary(np.concatenate([weights[place] for place in places]), density)._asdict()
        changed: dict[str, Any] = {"network": -1, "seed": -1, "pool": pool, "networks": len(places), **loops, **means}
        rows.append(replace(networks[places[0]], **changed))
    return rows


def correlations(networks: pd.DataFrame, parameters: CorrelationParameters) -> Iterator[CorrelationRow]:
    """Correlate predictors with outcomes over the networks of every group and layer.

    Parameters
    ----------
    networks : DataFrame
        The table `generalization`.
    parameters : CorrelationParameters

    Yields
    ------
    CorrelationRow
    """
    for (group, layer), members in networks.groupby(["group_name", "layer"], sort=False):
        scope = "grid" if members["is_grid"].any() else "networks"
        for outcome in OUTCOMES:
            balanced = balance(members, outcome, scope)
            if balanced.empty:
                continue
            reliable = reliability(members) if scope == "grid" else {}
            for method in METHODS if scope == "grid" else OVER_TRAINING:
                for given, sample in samples(balanced, outcome, scope, method):
                    identity = ("correlations", str(group), str(layer), outcome, method, given)
                    seed = derive_seed(parameters.run_seed, *identity)
                    key = {"group_name": group, "scope": scope, "layer": layer, "outcome": outcome, "given": given}
                    try:
                        yield from _correlated(sample, method, parameters, seed, key, reliable)
                    except InputError as error:
                        print(f"left out: {group}, {layer}, {outcome}: {error}", flush=True)


def balance(networks: pd.DataFrame, outcome: str, scope: str) -> pd.DataFrame:
    """Return the rows of a group as blocks of equal size.

    Parameters
    ----------
    networks : DataFrame
        Rows of `generalization` of one group and layer.
    outcome : str
        Its column; rows without it are left out.
    scope : {'grid', 'networks'}
        A block is a population of the grid, its networks pooled, or one network over its steps.

    Returns
    -------
    DataFrame
        With a column `block`. A network that failed before the last step is left out.
    """
    found = networks[np.isfinite(networks[outcome])].sort_values(["population", "network", "step"])
    if scope == "grid":
        found = found[found["pool"] == "all"]
        return found.assign(block=found["population"].factorize()[0]).reset_index(drop=True)
    steps = found["step"].nunique()
    whole = found.groupby("network")["step"].transform("size") == steps
    return found[whole].assign(block=found.loc[whole, "network"]).reset_index(drop=True)


def reliability(members: pd.DataFrame) -> dict[str, float]:
    """Compute the split-half reliability of each predictor over the populations of a grid.

    Parameters
    ----------
    members : DataFrame
        Rows of `generalization` of one grid and layer.

    Returns
    -------
    dict of str to float
        2 r / (1 + r), r the rank correlation over populations of the pool of even networks with that of odd ones; 0
        where it is below 0: halves that disagree have nothing in common. NaN of fewer than four populations with both.
    """
    even, odd = (members[members["pool"] == pool].set_index("population") for pool in ("even", "odd"))
    both = even.index.intersection(odd.index)
    if len(both) < LEAST_NETWORKS:
        return dict.fromkeys(PREDICTORS, np.nan)
    halves = ((even.loc[both, name].to_numpy(float), odd.loc[both, name].to_numpy(float)) for name in PREDICTORS)
    found = {
        name: float(spearman(one[:, None], other)[0]) for name, (one, other) in zip(PREDICTORS, halves, strict=True)
    }
    return {name: 2 * max(r, 0.0) / (1 + max(r, 0.0)) if np.isfinite(r) else np.nan for name, r in found.items()}


def samples(networks: pd.DataFrame, outcome: str, scope: str, method: str) -> Iterator[tuple[str, Sample]]:
    """Yield what is correlated, once for each choice of what is held fixed, with its description.

    Parameters
    ----------
    networks : DataFrame
        From `balance`.
    outcome, scope, method : str

    Yields
    ------
    given : str
        Names joined by commas; empty where nothing is held fixed.
    sample : Sample
    """
    # Bars of a few filters are noise: below the size of a test none counts.
    counted = PREDICTORS if networks["kept"].min() >= LEAST_TESTED else BASELINES
    columns = [name for name in counted if np.isfinite(networks[name]).all()]
    step = pd.get_dummies(networks["step"], drop_first=True, dtype=float).to_numpy()
    fixed: dict[str, np.ndarray] = {"step": step} if step.shape[1] else {}
    quantities = {name: _held(networks[name]) for name in GIVEN if networks[name].nunique(dropna=False) > 1}
    choices = [{**fixed, **quantities}]
    if scope == "networks":
        choices = [fixed, *choices]
    elif WIDTH in quantities:
        # Alone, too: a wider layer has more filters in its cloud, and with them other bars. Each width is a class:
        # nothing is said about how bars change with it.
        width = pd.get_dummies(networks[WIDTH], drop_first=True, dtype=float).to_numpy()
        choices = [{**fixed, WIDTH: width}, *choices]
    for given in choices if method.startswith("partial") else [{}]:
        yield (
            ", ".join(given),
            Sample(
                predictors={name: networks[name].to_numpy(float) for name in columns},
                outcome=networks[outcome].to_numpy(float),
                blocks=networks["block"].to_numpy(),
                networks=int(networks.drop_duplicates(["population", "network"])["networks"].sum()),
                given=given,
                hyperparameters=networks[list(HYPERPARAMETERS)].fillna(-1).to_numpy(float),
            ),
        )


def _held(values: pd.Series) -> np.ndarray:
    """Return what is held fixed as it enters the fit: numbers, or, where some are not known, a class for each value."""
    if values.isna().any():
        return pd.get_dummies(values.fillna(-1), drop_first=True, dtype=float).to_numpy()
    return values.to_numpy(float)


def _correlated(
    sample: Sample,
    method: str,
    parameters: CorrelationParameters,
    seed: int,
    key: dict[str, Any],
    reliable: Mapping[str, float],
) -> list[CorrelationRow]:
    """Correlate every predictor with an outcome by one method; NaN where a row lacks the predictor."""
    found = correlate(sample, method, parameters.bootstrap, parameters.permutations, np.random.default_rng(seed))
    blocks = len(np.unique(sample.blocks))
    place_of = {name: place for place, name in enumerate(sample.predictors)}
    statistics = {"statistic": "statistic", "low": "low", "high": "high", "p_value": "p", "p_adjusted": "p_adjusted"}
    unit = "populations" if key["scope"] == "grid" else "networks"

    def values(predictor: str) -> dict[str, Any]:
        # A predictor that some network does not have (no second bar, so no ratio) has no correlation.
        if predictor not in place_of:
            return dict.fromkeys(statistics, np.nan)
        return {column: getattr(found, name)[place_of[predictor]] for column, name in statistics.items()}

    return [
        CorrelationRow(
            **key,
            predictor=predictor,
            predictor_kind="topological" if predictor in TOPOLOGICAL else "baseline",
            method=method,
            **values(predictor),
            reliability=reliable.get(predictor, np.nan),
            networks=sample.networks,
            rows=len(sample.outcome),
            draws=parameters.bootstrap,
            permutations=parameters.permutations,
            exchanged=f"{blocks} {unit} as blocks",
        )
        for predictor in PREDICTORS
    ]
