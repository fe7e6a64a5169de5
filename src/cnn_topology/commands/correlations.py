"""`cnn-topology correlations`: topology and weight statistics of single networks against what these have learned."""

from cnn_topology.analysis.predictors import OVER_TRAINING, balance, correlated, samples
from cnn_topology.errors import InputError
from cnn_topology.plan.generalization_parameters import CorrelationParameters
from cnn_topology.runs.job_files import Job
from cnn_topology.seeds import derive_seed
from cnn_topology.statistics.correlations import METHODS
from cnn_topology.statistics.networks import OUTCOMES
from cnn_topology.storage.tables import read_notes, read_table, write_table
from cnn_topology.tables.generalization import CorrelationRow, GeneralizationRow


def run(job: Job) -> None:
    """Correlate within every group."""
    parameters = job.parameters(CorrelationParameters)
    table = read_table(job.input("generalization"), GeneralizationRow.schema).to_pandas()
    rows: list[CorrelationRow] = []
    for (group, layer), networks in table.groupby(["group_name", "layer"], sort=False):
        scope = "grid" if networks["is_grid"].any() else "networks"
        for outcome in OUTCOMES:
            balanced = balance(networks, outcome, scope)
            if balanced.empty:
                continue
            for method in METHODS if scope == "grid" else OVER_TRAINING:
                for given, sample in samples(balanced, outcome, scope, method):
                    identity = ("correlations", str(group), str(layer), outcome, method, given)
                    seed = derive_seed(parameters.run_seed, *identity)
                    which = {"group_name": group, "scope": scope, "layer": layer, "outcome": outcome, "given": given}
                    try:
                        rows += correlated(sample, method, parameters, seed, which)
                    except InputError as error:
                        print(f"left out: {group}, {layer}, {outcome}: {error}", flush=True)
    notes = parameters.notes([read_notes(job.input("generalization"))])
    write_table(job.output("correlations"), CorrelationRow.table(rows), CorrelationRow.schema, notes)
    print(f"{len(rows)} correlations")
