"""`cnn-topology mapper`: mapper graphs of a layer's clouds after the headline density filter."""

from cnn_topology.analysis.filter_graph import mapper_tables, sweep_table
from cnn_topology.clouds.density import densest_points
from cnn_topology.plan.clouds import DEAD_LAYER, LEAST_ALIVE
from cnn_topology.plan.parameters import MapperParameters
from cnn_topology.runs.job import Job
from cnn_topology.seeds import derive_seed
from cnn_topology.storage.tables import read_table
from cnn_topology.tables.filters import clouds_at, neighbour_column
from cnn_topology.tables.loops import CloudKey, filtering_key
from cnn_topology.tables.registry import MAPPER_ROWS


def run(job: Job) -> None:
    """Build the graph of every step of the block that has one."""
    parameters = job.parameters(MapperParameters)
    asked, parts = parameters.clouds, []
    for step, (cloud, points, _, _) in clouds_at(read_table(job.input("clouds")), asked.filterings):
        (headline,) = asked.filterings[step]
        if len(points) < LEAST_ALIVE:
            print(f"step {step}: {DEAD_LAYER}, no graph")
            continue
        densest = densest_points(cloud[neighbour_column(headline.k)].to_numpy(), headline.p)
        kept, networks = points[densest], cloud["network"].to_numpy()[densest]
        key = CloudKey(
            population=asked.population,
            layer=asked.layer.name,
            depth=asked.layer.depth,
            step=step,
            **vars(filtering_key(headline, len(points))),
        )
        seed = derive_seed(parameters.run_seed, "mapper", asked.population, asked.layer.name, step)
        made = mapper_tables(key, kept, networks, parameters.recipe, seed)
        (graph,) = made["mapper_graphs"].to_pylist()
        print("step {step}: {nodes} nodes, {edges} edges. {explanation}".format(**graph), flush=True)
        made["mapper_sweep"] = sweep_table(key, kept, made["mapper_graphs"], parameters, seed)
        parts.append(made)
    job.write_tables(MAPPER_ROWS, parts, job.notes(parameters))
