# What all rules share: the validated plan of the run and the paths of its artefacts.
# This file is read again in every job of a cluster, so nothing heavy (numpy, pandas, torch) is imported here.
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from snakemake.exceptions import WorkflowError

from cnn_topology.errors import InputError
from cnn_topology.figures.graph_registry import PAGE_TABLES, graph_pages
from cnn_topology.figures.registry import KINDS, figure_specs
from cnn_topology.plan import activation_parameters, layer_parameters, parameters
from cnn_topology.plan.activation_graphs import (
    ExampleParameters,
    GraphPlan,
    PurityTestParameters,
)
from cnn_topology.plan import generalization_parameters
from cnn_topology.plan.code import code_digest
from cnn_topology.plan.config import load_yaml, parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.findings import CLAIM_TABLES, ClaimParameters, RunFacts
from cnn_topology.plan.layer_comparisons import (
    COMPARISON_TABLE_NAMES,
    DIAGRAMS,
    comparisons,
    tensor_source,
)
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs import activation_forecast, forecast
from cnn_topology.storage.atomic import atomic_path, bring_back_from_the_future

CONFIG_FILES = " + ".join(map(str, workflow.configfiles))
try:
    for path in workflow.configfiles:
        load_yaml(Path(path))  # Snakemake takes the last of two equal keys
    PLAN = Plan(parse_config(config, CONFIG_FILES))
    FIGURES = figure_specs(PLAN)
    COMPARISONS = comparisons(PLAN)
    TENSOR = tensor_source(PLAN)
except InputError as error:
    text = str(error)
    raise WorkflowError(
        text if text.startswith(CONFIG_FILES) else f"{CONFIG_FILES}: {text}"
    ) from None
RUN = RunFolder(PLAN.config.name)
MAPPER_FIGURES = [name for name, spec in FIGURES.items() if spec.kind == "mapper"]
LAYER_CLOUDS = {
    (clouds.population, clouds.layer.name): clouds for clouds in PLAN.layer_clouds
}
# Tables that are joined from one part per layer and block of steps.
BARCODE_TABLES = ("barcodes", "loops", "significance", "filters", "circles")
MAPPER_TABLES = ("mapper_graphs", "mapper_nodes", "mapper_edges", "mapper_sweep")
LAYER_TABLES = BARCODE_TABLES + (MAPPER_TABLES if PLAN.config.mapper else ())
WEIGHT_TABLES = (*LAYER_TABLES, "training", "nulls", "controls")
# Parts of the tables of the activations paper; a table without parts is not made.
RESNETS = PLAN.config.resnets
ACTIVATION_PARTS = {
    "resnet_training": [
        RUN.resnet_training(name, network)
        for name, section in RESNETS.items()
        for network in range(section.networks)
    ],
    "resnet_accuracy": [
        RUN.accuracy(section.networks, network, cloud)
        for cloud, section in PLAN.config.activation_clouds.items()
        for network in PLAN.activation_networks(cloud)
    ],
    "masks": [
        RUN.masks(name, f"{split}-{count}", "masks.parquet")
        for name, split, count in PLAN.masked_images
    ],
    "modes": [
        RUN.masks(name, f"{split}-{count}", "modes.parquet")
        for name, split, count in PLAN.masked_images
    ],
    "example_pixels": [
        RUN.example_pixels(name)
        for name in RESNETS
        if name in {c.networks for c in PLAN.config.activation_clouds.values()}
    ],
}
ACTIVATION_PARTS = {table: parts for table, parts in ACTIVATION_PARTS.items() if parts}
TABLES = (
    *(WEIGHT_TABLES if PLAN.layer_clouds else ()),
    *ACTIVATION_PARTS,
    *(("improvements", "comparisons") if PLAN.config.improvements else ()),
    "claims",
)
COMPARISON_TABLES = COMPARISON_TABLE_NAMES if COMPARISONS else ()
GRAPHS = GraphPlan(PLAN)
# Tables about mapper graphs of activations that are joined from one part per job; those made of them beside.
GRAPH_TABLES = (
    "activation_graphs",
    "activation_nodes",
    "activation_edges",
    "purity",
    "class_purity",
    "purity_draws",
    "activation_sweep",
    "neighbour_curves",
    "activation_channels",
)
GRAPH_PAGES = graph_pages(PLAN)
MAPPED_TABLES = (*GRAPH_TABLES, "purity_tests", "example_images") if GRAPHS.jobs else ()

# Training dynamics and generalization: networks one by one, and how topology goes with accuracy.
NETWORK_GROUPS = {(group.name, group.layer): group for group in PLAN.network_groups}
DYNAMICS = {(c.population, c.layer.name): c for c in PLAN.dynamics_clouds}
CORRELATION_PARTS = [RUN.part("correlations", *which, "all") for which in DYNAMICS]
if NETWORK_GROUPS:
    CORRELATION_PARTS += [RUN.part("network_correlations", "all", "all", "all")]
TABLES += (
    *(("cross_accuracy",) if PLAN.config.populations else ()),
    *(("generalization",) if NETWORK_GROUPS else ()),
    *(("onset", "loop_tracks") if DYNAMICS else ()),
    *(("correlations",) if CORRELATION_PARTS else ()),
)


wildcard_constraints:
    population="[A-Za-z0-9][A-Za-z0-9_-]*",
    images="[A-Za-z0-9][A-Za-z0-9_-]*",
    layer="[A-Za-z0-9][A-Za-z0-9_.-]*",
    mapper="mapper_[A-Za-z0-9_-]+",
    network="[0-9]{4}",
    cloud="[A-Za-z0-9][A-Za-z0-9_-]*",
    split="test|train",
    number="[0-9]+",
    block="[0-9]{4}",
    shard="[0-9]{4}",
    points="[0-9]+",
    group="[A-Za-z0-9][A-Za-z0-9_-]*",
    table="|".join(LAYER_TABLES),
    pairs=f"{DIAGRAMS}|[0-9]{{4}}-[0-9]{{4}}",
    graph_table="|".join(GRAPH_TABLES),
    recipe="[A-Za-z0-9][A-Za-z0-9_-]*",


def clouds_of(wildcards):
    """Give all that is asked of the layer of a job."""
    return LAYER_CLOUDS[wildcards.population, wildcards.layer]


def steps_of(wildcards):
    """Give the block of snapshot steps of a job."""
    return clouds_of(wildcards).blocks(PLAN.config.jobs.steps)[int(wildcards.block)]


def snapshots_of(wildcards):
    """Give the snapshots of all shards at the steps of a job, step by step."""
    shards = PLAN.shards_of(wildcards.population)
    return [
        RUN.snapshot(shard.population, shard.number, step)
        for step in steps_of(wildcards)
        for shard in shards
    ]


def null_of(wildcards):
    """Give the sphere null that matches the layer of a job."""
    return RUN.null(clouds_of(wildcards).points)


def parts_of(wildcards):
    """Give the parts that a table over layers is joined from."""
    return [
        RUN.part(wildcards.table, clouds.population, clouds.layer.name, block)
        for clouds in PLAN.layer_clouds
        for block, steps in clouds.blocks(PLAN.config.jobs.steps).items()
        if wildcards.table not in MAPPER_TABLES or PLAN.mapper_steps(clouds, steps)
    ]


def layer_parts(table):
    """Give the function that gives all parts of a table for the layer of a job."""

    def of_layer(wildcards):
        blocks = clouds_of(wildcards).blocks(PLAN.config.jobs.steps)
        return [
            RUN.part(table, wildcards.population, wildcards.layer, b) for b in blocks
        ]

    return of_layer


def logs_of_population(wildcards):
    """Give the training logs of all shards of a population."""
    return [
        RUN.training(shard.population, shard.number)
        for shard in PLAN.shards_of(wildcards.population)
    ]


def dynamics_parameters(wildcards):
    """Give the parameters of `cnn-topology dynamics`."""
    return generalization_parameters.DynamicsParameters.of(
        PLAN, DYNAMICS[wildcards.population, wildcards.layer]
    ).dump()


def items_of(wildcards):
    """Give the (population, step) pairs of a job that analyses networks one by one."""
    group = NETWORK_GROUPS[wildcards.group, wildcards.layer]
    return group.blocks(PLAN.config.jobs.steps)[int(wildcards.block)]


def snapshots_of_items(wildcards):
    """Give all shards' snapshots of each (population, step) pair of a job."""
    return [
        RUN.snapshot(shard.population, shard.number, step)
        for population, step in items_of(wildcards)
        for shard in PLAN.shards_of(population)
    ]


def initial_of_items(wildcards):
    """Give all shards' snapshots before training, for each (population, step) pair of a job."""
    return [
        RUN.snapshot(shard.population, shard.number, 0)
        for population, _ in items_of(wildcards)
        for shard in PLAN.shards_of(population)
    ]


def logs_of_items(wildcards):
    """Give the training logs of the populations of a job."""
    return [
        RUN.training(shard.population, shard.number)
        for population in dict.fromkeys(name for name, _ in items_of(wildcards))
        for shard in PLAN.shards_of(population)
    ]


def networks_parameters(wildcards):
    """Give the parameters of `cnn-topology networks`."""
    group = NETWORK_GROUPS[wildcards.group, wildcards.layer]
    return generalization_parameters.NetworksParameters.of(
        PLAN, group, items_of(wildcards)
    ).dump()


def state_of_files(wildcards):
    """Give what changes when a user's own images change: name, size and time of every file."""
    path = getattr(PLAN.config.images[wildcards.images], "path", None)
    if path is None:
        return ""
    root = Path(path)
    files = (
        sorted(root.rglob("*")) if root.is_dir() else [root] if root.exists() else []
    )
    states = [
        f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}"
        for file in files
        if file.is_file()
    ]
    return hashlib.sha256("\n".join(states).encode()).hexdigest()


def asks(demand):
    """Give the resources of a rule from its forecast, or from the function that forecasts a job from its wildcards.

    `expected_s` and `disk_mb` limit nothing: `cnn-topology plan` and `status` read them.
    """

    def of(wildcards):
        return demand(wildcards) if callable(demand) else demand

    def mem_mb(wildcards, attempt):
        return of(wildcards).limit_mb(attempt)

    def runtime(wildcards, attempt):
        return of(wildcards).limit_minutes(attempt)

    def expected_s(wildcards):
        return round(of(wildcards).seconds)

    def disk_mb(wildcards):
        return round(of(wildcards).disk_mb)

    return dict(mem_mb=mem_mb, runtime=runtime, expected_s=expected_s, disk_mb=disk_mb)


def images_demand(wildcards):
    """Forecast `cnn-topology images`."""
    return forecast.images(PLAN.config.images[wildcards.images])


def train_demand(population):
    """Give the function that forecasts `cnn-topology train` for a shard of a population."""

    def of_shard(wildcards):
        return forecast.training(PLAN, PLAN.shards_of(population)[int(wildcards.shard)])

    return of_shard


def cloud_demand(wildcards):
    """Forecast `cnn-topology clouds`."""
    return forecast.clouds(PLAN, clouds_of(wildcards), steps_of(wildcards))


def null_demand(wildcards):
    """Forecast `cnn-topology nulls`."""
    return forecast.nulls(PLAN, int(wildcards.points))


def barcode_demand(wildcards):
    """Forecast `cnn-topology barcodes`."""
    return forecast.barcodes(PLAN, clouds_of(wildcards), steps_of(wildcards))


def mapper_demand(wildcards):
    """Forecast `cnn-topology mapper`."""
    return forecast.mapper(PLAN, clouds_of(wildcards), steps_of(wildcards))


def mask_demand(wildcards):
    """Forecast `cnn-topology masks`."""
    return activation_forecast.masks(PLAN, wildcards.population, int(wildcards.number))


def extraction_demand(cloud):
    """Give the forecast of `cnn-topology activations` for a cloud."""
    return activation_forecast.extraction(PLAN, cloud)


def activation_barcode_demand(wildcards):
    """Forecast `cnn-topology activation-barcodes`."""
    return activation_forecast.barcodes(PLAN, wildcards.cloud)


def comparison_demand(wildcards):
    """Forecast `cnn-topology layer-distances`."""
    return activation_forecast.comparison(
        COMPARISONS[wildcards.cloud], wildcards.pairs, PLAN.config.jobs.networks
    )


def removal_demand(wildcards):
    """Forecast `cnn-topology component-sensitivity`."""
    return activation_forecast.removal(COMPARISONS[wildcards.cloud])


def graph_demand(wildcards):
    """Forecast `cnn-topology activation-mapper`."""
    return activation_forecast.graphs(GRAPHS, graph_job(wildcards))


def networks_demand(wildcards):
    """Forecast `cnn-topology networks`."""
    return activation_forecast.networks(PLAN, len(items_of(wildcards)))


def dynamics_demand(wildcards):
    """Forecast `cnn-topology dynamics`."""
    return activation_forecast.dynamics(clouds_of(wildcards))


def everything_else(wildcards):
    """Give all targets of the run but its provenance, which is the last thing made."""
    last = (RUN.provenance, RUN.provenance_page)
    return [path for path in rules.all.input if path not in last]


def prepare_folder():
    """Keep the whole config, defaults filled in, where `status` and `verify` find it; set right times that lie ahead."""
    try:
        with atomic_path(Path(RUN.config)) as temporary:
            temporary.write_text(PLAN.config.to_yaml())
        bring_back_from_the_future(Path(RUN.root))
    except InputError as error:
        raise WorkflowError(str(error)) from None


def resnet_demand(wildcards):
    """Forecast `cnn-topology train-resnet`."""
    return forecast.resnet(PLAN, wildcards.population)


def images_parameters(wildcards):
    """Give the parameters of `cnn-topology images`."""
    return parameters.ImagesParameters(
        run_seed=PLAN.config.seed,
        name=wildcards.images,
        images=PLAN.config.images[wildcards.images],
    ).dump()


def train_parameters(population):
    """Give the function that gives the parameters of `cnn-topology train` for a shard of a population."""

    def of_shard(wildcards):
        shard = PLAN.shards_of(population)[int(wildcards.shard)]
        return parameters.TrainParameters.of(PLAN, shard).dump()

    return of_shard


def cloud_parameters(wildcards):
    """Give the parameters of `cnn-topology clouds`."""
    return parameters.CloudParameters.of(
        PLAN, clouds_of(wildcards), steps_of(wildcards)
    ).dump()


def barcode_parameters(wildcards):
    """Give the parameters of `cnn-topology barcodes`."""
    return parameters.BarcodeParameters.of(
        PLAN, clouds_of(wildcards), steps_of(wildcards)
    ).dump()


def mapper_parameters(wildcards):
    """Give the parameters of `cnn-topology mapper`."""
    return parameters.MapperParameters.of(
        PLAN, clouds_of(wildcards), steps_of(wildcards)
    ).dump()


def mapper_spec(wildcards):
    """Give the figure of the mapper graph of a layer."""
    return json.dumps(asdict(FIGURES[wildcards.mapper]), sort_keys=True)


def null_parameters(wildcards):
    """Give the parameters of `cnn-topology nulls`."""
    return parameters.NullParameters.of(PLAN, int(wildcards.points)).dump()


# Training of fixed first layers.
def matched_snapshots(section):
    """Give the last snapshots of the population whose mean filter norm a fixed first layer takes."""
    other = getattr(section.architecture.first_layer, "matched_to", None)
    if other is None:
        return []
    last = PLAN.steps(other)[-1]
    return [RUN.snapshot(other, shard.number, last) for shard in PLAN.shards_of(other)]


# Activations: one job a residual network, one job a network and cloud.
def resnet_images(wildcards):
    """Give the image set that a residual network is trained on."""
    return RUN.images(PLAN.config.resnets[wildcards.population].images)


def resnet_checkpoint(wildcards):
    """Give the checkpoint that takes the place of training, if there is one."""
    number = int(wildcards.network)
    return PLAN.config.resnets[wildcards.population].checkpoints[number : number + 1]


def resnet_parameters(wildcards):
    """Give the parameters of `cnn-topology train-resnet`."""
    return activation_parameters.ResNetParameters.of(
        PLAN, wildcards.population, int(wildcards.network)
    ).dump()


# Layers compared by their clouds: one job a block of pairs of networks.
def network_clouds_of(wildcards):
    """Give the clouds of all layers of a network, for one kind of cloud."""
    return network_clouds(wildcards.cloud, int(wildcards.network))


def network_clouds(cloud, network):
    """Give the clouds of all layers of a network."""
    return [
        RUN.activations(COMPARISONS[cloud].population, network, layer.name, cloud)
        for layer in COMPARISONS[cloud].layers
    ]


def pairs_inputs(wildcards):
    """Give what a block of pairs of networks is compared by: bars of all networks, or clouds of those in the block."""
    comparison = COMPARISONS[wildcards.cloud]
    rows, columns = comparison.blocks(PLAN.config.jobs.networks)[wildcards.pairs]
    networks = sorted({*rows, *columns})
    if wildcards.pairs == DIAGRAMS:
        folder = (comparison.population, wildcards.cloud)
        return {
            "barcodes": [RUN.part("activation_barcodes", *folder, n) for n in networks]
        }
    return {
        "clouds": [
            path for n in networks for path in network_clouds(wildcards.cloud, n)
        ]
    }


def compared_parts(wildcards):
    """Give all values of all pairs of networks."""
    return [
        RUN.part("network_pairs", comparison.population, cloud, block)
        for cloud, comparison in COMPARISONS.items()
        for block in comparison.blocks(PLAN.config.jobs.networks)
    ]


def curve_parts(wildcards):
    """Give the sensitivity curves of all networks that lose components."""
    return [
        RUN.part("component_curves", comparison.population, cloud, network)
        for cloud, comparison in COMPARISONS.items()
        for network in comparison.reduced
    ]


def activation_barcode_parameters(wildcards):
    """Give the parameters of `cnn-topology activation-barcodes`."""
    return layer_parameters.ActivationBarcodeParameters(
        run_seed=PLAN.config.seed,
        population=wildcards.population,
        cloud=wildcards.cloud,
        network=int(wildcards.network),
    ).dump()


def layer_distance_parameters(wildcards):
    """Give the parameters of `cnn-topology layer-distances`."""
    return layer_parameters.LayerDistanceParameters.of(
        PLAN, COMPARISONS[wildcards.cloud], wildcards.pairs
    ).dump()


def component_sensitivity_parameters(wildcards):
    """Give the parameters of `cnn-topology component-sensitivity`."""
    return layer_parameters.ComponentSensitivityParameters.of(
        PLAN, COMPARISONS[wildcards.cloud], int(wildcards.network)
    ).dump()


def measure_test_parameters(wildcards):
    """Give the parameters of `cnn-topology measure-tests`."""
    return layer_parameters.MeasureTestParameters(
        run_seed=PLAN.config.seed, draws=PLAN.config.layer_distances.draws
    ).dump()


# Mapper graphs of activations.
def graph_part(table):
    """Give the path of a job's part of a table, with wildcards."""
    return RUN.graph_part(
        table, "{population}", "{network}", "{recipe}", "{cloud}", "{block}"
    )


def graph_job(wildcards):
    """Give the job of some wildcards."""
    key = wildcards.recipe, wildcards.population, int(wildcards.network)
    return GRAPHS.jobs[(*key, wildcards.cloud, int(wildcards.block))]


def graph_clouds(wildcards):
    """Give the cloud of each layer of a job."""
    job = graph_job(wildcards)
    return [
        RUN.activations(job.population, job.network, layer.name, job.cloud)
        for layer in job.layers
    ]


def clean_graphs(wildcards):
    """Give the graphs whose radii a job takes over, those of the same cloud without noise."""
    return [
        job.part(RUN, "activation_graphs")
        for job in GRAPHS.clean_jobs(graph_job(wildcards))
    ]


def graph_parts(wildcards):
    """Give the parts that a table about mapper graphs of activations is joined from."""
    return [job.part(RUN, wildcards.graph_table) for job in GRAPHS.jobs.values()]


def page_spec(wildcards):
    """Give what an interactive page of mapper graphs of activations shows."""
    return json.dumps(
        {
            "name": wildcards.page,
            "kind": "activation_page",
            "tables": PAGE_TABLES,
            "parameters": GRAPH_PAGES[wildcards.page],
        },
        sort_keys=True,
    )


def graph_parameters(wildcards):
    """Give the parameters of `cnn-topology activation-mapper`."""
    return GRAPHS.parameters(graph_job(wildcards)).dump()


def node_image_parameters():
    """Give the parameters of `cnn-topology example-images`."""
    return ExampleParameters(
        run_seed=PLAN.config.seed, images=GRAPHS.image_sets()
    ).dump()


def purity_test_parameters():
    """Give the parameters of `cnn-topology purity-tests`."""
    return PurityTestParameters(run_seed=PLAN.config.seed).dump()


def masks_of(cloud):
    """Give the masks that a cloud of foreground or background needs."""
    section = PLAN.config.activation_clouds[cloud]
    images = f"{section.split}-{section.count}"
    return (
        [RUN.masks(section.networks, images, "masks.safetensors")]
        if section.masked
        else []
    )


def mask_parameters(wildcards):
    """Give the parameters of `cnn-topology masks`."""
    return activation_parameters.MaskParameters.of(
        PLAN, wildcards.population, wildcards.split, int(wildcards.number)
    ).dump()


def activation_cloud_parameters(cloud):
    """Give the function that gives the parameters of `cnn-topology activations` for a network."""

    def of_network(wildcards):
        return activation_parameters.ActivationParameters.of(
            PLAN, cloud, int(wildcards.network)
        ).dump()

    return of_network


def example_parameters(wildcards):
    """Give the parameters of `cnn-topology example-pixels`."""
    return activation_parameters.ExampleParameters.of(PLAN, wildcards.population).dump()


# Claims.
def claim_tables(wildcards):
    """Give the tables of the run that claims are tested by."""
    there = {*TABLES, *COMPARISON_TABLES, *MAPPED_TABLES}
    return [RUN.table(name) for name in CLAIM_TABLES if name in there]
