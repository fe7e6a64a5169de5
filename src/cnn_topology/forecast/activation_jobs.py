"""Forecasts of the jobs on activations, by the names of the jobs: estimates, not yet fitted to whole runs."""

import math
from collections.abc import Sequence

from cnn_topology.forecast.demand import NUMERIC, PLAIN, SECONDS_PER_PRODUCT, TORCH, Demand
from cnn_topology.forecast.image_jobs import images_mb
from cnn_topology.plan.activation_graphs import GraphJob, GraphPlan
from cnn_topology.plan.activations import GraphSettings, Sweep
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.images import shape_of
from cnn_topology.plan.layer_comparisons import DIAGRAMS, MATCHINGS, Comparison, TensorSource
from cnn_topology.plan.recorded import RecordedLayer
from cnn_topology.topology.forecasting import forecast as barcode_forecast

# Seconds: one image through GrabCut; one value of an activation through the choice of positions.
SECONDS_PER_MASK, SECONDS_PER_ACTIVATION = 0.01, 2e-9
# Measured on 300 and 1,000 images in 8 to 256 channels, the mean of five measures: two layers compared by one, in all
# and per image, channel and channel; a layer prepared for that, per image and channel squared.
SECONDS_PER_PAIR, SECONDS_PER_COMPARED_VALUE, SECONDS_PER_PREPARED_VALUE = 1e-4, 2e-10, 5e-10
# Measured on clouds of 3,000 to 20,000 points in 16 to 512 channels: one distance of a mapper graph, of which so many
# channels take as long as all that does not depend on them; one point under one shuffle of the labels; a graph's rest,
# which on fewer points is less.
SECONDS_PER_DISTANCE, CHANNELS_OF_A_DISTANCE, SECONDS_PER_SHUFFLED_POINT, SECONDS_PER_GRAPH = 1.6e-11, 125, 4.5e-8, 0.25
FEWEST_MEASURED = 3_000
# How many more distances lie within the intervals of a lens than if it were evenly filled: lenses of activations crowd
# (measured: 1.8 to 2.5).
CROWDING = 3.3
# Measured through the command, 2,000 to 100,000 points in 64 and 512 channels: MB of the libraries and of a block of
# products; float32 copies of all points (their deviation, the elbow rule) and of those of an interval (its clusters)
# beside the cloud as it is read; bytes of a point in an interval, and of a node, of which it makes 1 / min_samples.
GRAPH_MB, CLOUD_COPIES, INTERVAL_COPIES, MEMBERSHIP_BYTES, NODE_BYTES = 370, 2, 3, 100, 500
# Measured: a pair of diagrams and its part per image (about one H1 bar each) by `benchmarks/sliced_wasserstein.py`; one
# value of one measure through the tests, with 999 draws (3 measures, 100 networks: 53 s, 0.5 GB).
SECONDS_PER_DIAGRAM_PAIR, SECONDS_PER_BAR, SECONDS_PER_TESTED_VALUE = 6e-5, 1.4e-7, 6e-6
# Measured (clouds of 300 and 1,000 images, 300 and 1,500 bars): bars of a pair of diagrams matched, by images squared.
SECONDS_PER_MATCHED_PAIR = 3e-7
# Rows on which the elbow rule looks for neighbours: `ELBOW_ROWS` of `mapper.metric`, which loads array libraries.
MOST_ELBOW_ROWS = 50_000
# Measured (clouds of 0.1 MB to 12 GB): what an extraction holds besides its images, MB, and so many tensors of a batch,
# the `BATCH` of `activations.extraction`, as wide as the widest.
EXTRACTION_MB, BATCH_TENSORS, EXTRACTED_AT_ONCE = 700, 20, 50
# Measured (16x16 to 64x64 pixels): so many arrays of pixels by pixels lie in memory while their influence on the layers
# is computed, besides what is kept of it.
INFLUENCE_COPIES = 8
# Bytes of a point besides its coordinates: ids, position, label.
POINT_BYTES = 32


def activation_tensor(plan: Plan, source: TensorSource) -> Demand:
    """Forecast the activation tensor of one image: its cloud is read as a whole, and checked."""
    layer = source.layer
    held = 2.5 * points_of(plan, source.cloud, layer) * (4 * layer.channels + POINT_BYTES) / 1e6
    return Demand(NUMERIC[0] + held / 200, NUMERIC[1] + held, 10)


def masks(plan: Plan, population: str, count: int) -> Demand:
    """Forecast the foreground masks of so many images."""
    shown = images_mb(plan, plan.config.recorded[population].images)
    held = 400 + shown + max(2 * shown, _influence_mb(plan, population, modes=2))
    return Demand(TORCH[0] + SECONDS_PER_MASK * count, held, 0.002 * count)


def _influence_mb(plan: Plan, population: str, modes: int) -> float:
    """Compute the MB of the influence of every pixel on every position of all layers, `activations.influence`."""
    height, width, _ = shape_of(plan.config.images[plan.config.recorded[population].images])
    positions = sum(layer.height * layer.width for layer in plan.recorded_layers(population))
    return 8e-6 * height * width * (modes * positions + INFLUENCE_COPIES * height * width)


def example_pixels(plan: Plan, population: str) -> Demand:
    """Forecast the choice of the images of a population that figures show, with masks if its clouds go by them."""
    shown = images_mb(plan, plan.config.recorded[population].images)
    masked = any(cloud.population == population and cloud.masked for cloud in plan.config.activation_clouds.values())
    influence = _influence_mb(plan, population, modes=2) if masked else 0.0
    return Demand(NUMERIC[0], 300 + shown + max(shown, influence), 1)


def example_images(plan: GraphPlan) -> Demand:
    """Forecast the gathering of the images of all nodes of mapper graphs: their sets are read as a whole."""
    shown = sum(images_mb(plan.plan, name) for name in dict.fromkeys(plan.image_sets().values()))
    return Demand(PLAIN[0], 600 + 2 * shown, 1)


def points_of(plan: Plan, cloud: str, layer: RecordedLayer) -> int:
    """Return the points of a cloud of a layer."""
    section = plan.config.activation_clouds[cloud]
    if section.sampling == "full":
        return min(section.n_images * layer.height * layer.width, section.max_points)
    return section.n_images * (section.top if section.sampling in ("foreground", "background") else 1)


def activations(plan: Plan, clouds: Sequence[str], networks: int) -> Demand:
    """Forecast the extraction of clouds of the same images from their layers of some networks, one after the other."""
    each = [_extraction(plan, cloud, networks) for cloud in clouds]
    held = max(demand.memory_mb for demand in each)
    return Demand(TORCH[0] + sum(demand.seconds for demand in each), held, sum(demand.disk_mb for demand in each))


def _extraction(plan: Plan, cloud: str, networks: int) -> Demand:
    section = plan.config.activation_clouds[cloud]
    shown = images_mb(plan, plan.config.recorded[section.population].images)
    seconds, disk, widest, wide = 0.0, 0.0, 0, 3
    for layer in plan.recorded_layers(section.population):
        values = layer.height * layer.width * layer.channels
        seconds += section.n_images * values * (9 * wide * SECONDS_PER_PRODUCT / 3 + SECONDS_PER_ACTIVATION)
        wide, widest = layer.channels, max(widest, values)
    for layer in plan.activation_layers(cloud):
        disk += points_of(plan, cloud, layer) * (4 * layer.channels + POINT_BYTES) / 1e6
    # Points wait on disk: what is held does not grow with the cloud.
    held = EXTRACTION_MB + 2 * shown + 4e-6 * BATCH_TENSORS * EXTRACTED_AT_ONCE * widest
    if section.masked:
        pixels = math.prod(shape_of(plan.config.images[plan.config.recorded[section.population].images])[:2])
        weighed = 8e-6 * pixels * (section.n_images + pixels)  # the masks, and the squares of a layer's influence
        held = max(held, EXTRACTION_MB + shown + _influence_mb(plan, section.population, modes=1) + weighed)
    return Demand(networks * seconds, held, networks * disk)


def activation_barcodes(plan: Plan, cloud: str) -> Demand:
    """Forecast the barcodes of a cloud of all its layers of one network."""
    points = [points_of(plan, cloud, layer) for layer in plan.activation_layers(cloud)]
    seconds = sum(barcode_forecast(count).seconds for count in points)
    held = max((barcode_forecast(count).bytes / 1e6 for count in points), default=0)
    return Demand(NUMERIC[0] + seconds, NUMERIC[1] + held + 100, 1)


def layer_distances(compared: Comparison, block: str, networks: int) -> Demand:
    """Forecast a block of pairs of networks: of each layer what the measures prepare, two arrays and a Gram matrix."""
    rows, columns = compared.blocks(networks)[block]
    layers = len(compared.layers)
    pairs = len(rows) * len(columns) * layers**2
    if block == DIAGRAMS:
        seconds = pairs / 2 * (SECONDS_PER_DIAGRAM_PAIR + SECONDS_PER_BAR * compared.images)
        return Demand(NUMERIC[0] + len(compared.on_diagrams) * seconds, 1_500, 1e-5 * pairs)
    if block == MATCHINGS:
        seconds = pairs / 2 * SECONDS_PER_MATCHED_PAIR * compared.images**2
        return Demand(NUMERIC[0] + len(compared.on_matchings) * seconds, 1_500, 1e-5 * pairs)
    channels, squared = (sum(layer.channels**power for layer in compared.layers) for power in (1, 2))
    arrays = compared.images * (3 * channels + layers * compared.images)
    held = 8 * arrays * len({*rows, *columns}) / 1e6
    seconds = pairs * SECONDS_PER_PAIR
    seconds += len(rows) * len(columns) * compared.images * channels**2 * SECONDS_PER_COMPARED_VALUE
    seconds += len({*rows, *columns}) * compared.images * squared * SECONDS_PER_PREPARED_VALUE
    return Demand(NUMERIC[0] + len(compared.on_clouds) * seconds, 700 + held, pairs * 1e-3)


def component_sensitivity(compared: Comparison) -> Demand:
    """Forecast the comparison of every layer of a network with itself after components were removed.

    In two modes each fourth channel is removed: half as many reduced layers as channels, half as wide on average, each
    compared with two networks.
    """
    channels, cubed = (sum(layer.channels**power for layer in compared.layers) for power in (1, 3))
    seconds = channels * SECONDS_PER_PAIR * len(compared.measures)
    seconds += (
        channels / 2 * barcode_forecast(compared.images).seconds * (len(compared.measures) > len(compared.on_clouds))
    )
    seconds += len(compared.on_matchings) * channels * SECONDS_PER_MATCHED_PAIR * compared.images**2
    # Of c channels c / 2 reduced layers, twice n c (c / 2) for each to be compared and n (c / 2)^2 to be prepared.
    each = SECONDS_PER_COMPARED_VALUE / 2 + SECONDS_PER_PREPARED_VALUE / 8
    seconds += len(compared.on_clouds) * compared.images * cubed * each
    return Demand(NUMERIC[0] + seconds, 3_000, 1)


def measure_tests(compared: dict[str, Comparison]) -> Demand:
    """Forecast the tests of the measures over all pairs."""
    values = sum(len(each.measures) * (len(each.networks) * len(each.layers)) ** 2 for each in compared.values())
    return Demand(PLAIN[0] + 1 + SECONDS_PER_TESTED_VALUE * values, NUMERIC[1] + 6e-5 * values, 5 + 1e-5 * values)


def activation_mapper(plan: GraphPlan, job: GraphJob) -> Demand:
    """Forecast the mapper graphs of some layers of a network."""
    section = plan.plan.config.activation_mapper[job.recipe]
    seconds = held = 0.0
    for layer in job.layers:
        read = points_of(plan.plan, job.cloud, layer)
        points = min(read, section.max_points)
        made = _covers(job.settings[layer.name], section.sweep)
        distances = min(points, MOST_ELBOW_ROWS) ** 2 + points**2 * sum(_within(*cover) for cover in made)
        seconds += SECONDS_PER_DISTANCE * (CHANNELS_OF_A_DISTANCE + layer.channels) * distances
        seconds += SECONDS_PER_GRAPH * min(1.0, points / FEWEST_MEASURED) * len(made)
        seconds += SECONDS_PER_SHUFFLED_POINT * points * section.label_shuffles
        memberships = points * max(_overlapping(*cover) for cover in made)
        fullest = min(1, CROWDING * max(_length(*cover) for cover in made))
        copies = max(CLOUD_COPIES, INTERVAL_COPIES * fullest) * 4 * layer.channels * points
        copies += (MEMBERSHIP_BYTES + NODE_BYTES / section.min_samples) * memberships
        held = max(held, read * (4 * layer.channels + POINT_BYTES) + copies)
    return Demand(NUMERIC[0] + seconds, GRAPH_MB + held / 1e6, 5 * len(job.layers))


def _covers(settings: GraphSettings, sweep: Sweep | None) -> list[tuple[int, float]]:
    """Return intervals and overlap of every graph that is made of a layer."""
    own = (settings.intervals, settings.overlap)
    if sweep is None:
        return [own]
    others = [(settings.intervals, overlap) for overlap in sweep.overlaps]
    others += [(intervals, settings.overlap) for intervals in sweep.intervals]
    return [own] * (1 + len(sweep.eps_factors)) + others


def _overlapping(intervals: int, overlap: float) -> float:
    """Bound in how many intervals a point lies."""
    return min(intervals, 1 + 1 / (1 - overlap))


def _length(intervals: int, overlap: float) -> float:
    """Return the length of an interval as a share of the range of the lens: of `OverlapCover` in `mapper.cover`."""
    return 1 / (intervals - (intervals - 1) * overlap)


def _within(intervals: int, overlap: float) -> float:
    """Return the pairs of points within intervals, as a share of all: evenly filled ones, times `CROWDING`, bounded."""
    return min(_overlapping(intervals, overlap), CROWDING * intervals * _length(intervals, overlap) ** 2)
