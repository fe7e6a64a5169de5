"""`cnn-topology component-sensitivity`: layers with components removed against whole ones, their own and another's."""

from cnn_topology.activations.cloud_file import ActivationCloud, read_network
from cnn_topology.comparison.clouds import sampled
from cnn_topology.comparison.measures import measure_named
from cnn_topology.comparison.sensitivity import component_curves
from cnn_topology.errors import InputError
from cnn_topology.plan.activation_parameters import ComponentSensitivityParameters
from cnn_topology.runs.job import Job
from cnn_topology.tables.layers import ComponentCurveRow


def run(job: Job) -> None:
    """Compute the curve of every layer, mode and measure."""
    parameters = job.parameters(ComponentSensitivityParameters)
    measures = [measure_named(name) for name in parameters.measures]
    networks = [parameters.network] + ([] if parameters.another is None else [parameters.another])
    found: dict[int, list[ActivationCloud]] = {n: [] for n in networks}
    for cloud in read_network(job.inputs("clouds"), parameters.population, parameters.cloud):
        if cloud.origin.network not in found:
            raise InputError(f"a cloud of network {cloud.origin.network} was given; expected those of {networks}")
        found[cloud.origin.network].append(cloud)
    parts = []
    for layer in zip(*(found[network] for network in networks), strict=True):
        origin, wholes = layer[0].origin, [sampled(cloud) for cloud in layer]
        key = {**origin.columns, "samples": len(wholes[0].ids), "channels": origin.layer.channels}
        for mode in parameters.modes:
            removed, values = component_curves(wholes, measures, mode, job.threads)
            for measure in measures:
                for network, curve in zip(networks, values[measure.name], strict=True):
                    # Nothing removed from a layer leaves it equal to itself: no point of the curve.
                    shown = removed > 0 if network == parameters.network else removed >= 0
                    table = ComponentCurveRow.columns(
                        **key,
                        measure=measure.name,
                        kind=measure.kind,
                        mode=mode,
                        against_network=network,
                        removed=removed[shown],
                        fraction=removed[shown] / origin.layer.channels,
                        value=curve[shown],
                    )
                    parts.append(table)
        print(origin.layer.name, flush=True)
    job.write_rows(ComponentCurveRow, parts, job.notes(parameters))
