"""One layer of one network of a population, as a row of a table: its loops, weight statistics and accuracy."""

import pandas as pd

from cnn_topology.plan.generalization_parameters import Member, NetworksParameters
from cnn_topology.statistics.networks import HYPERPARAMETERS, loop_summary, outcomes, weight_statistics
from cnn_topology.tables.generalization import GeneralizationRow
from cnn_topology.training.snapshots import Snapshot


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
        population=member.population,
        layer=parameters.layer,
        depth=member.depth,
        network=network,
        seed=now.seeds[place],
        step=member.step,
        **{name: getattr(member, name) for name in HYPERPARAMETERS},
        density_k_given=float(parameters.density.k),
        density_p=parameters.density.p,
        **loop_summary(weight, parameters.density)._asdict(),
        **weight_statistics(weight, start.tensors[f"{parameters.layer}.weight"][place])._asdict(),
        **outcomes(log[log["network"] == network], member.images),
    )
