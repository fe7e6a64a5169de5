# What the jobs on weights read, get and may use: shards, layers, blocks of steps.
def clouds_of(wildcards):
    """Return all that is asked of the layer of a job."""
    return LAYER_CLOUDS[wildcards.population, wildcards.layer]


def steps_of(wildcards):
    """Return the block of snapshot steps of a job."""
    return clouds_of(wildcards).blocks(PLAN.config.jobs.steps)[int(wildcards.block)]


def snapshots_of(wildcards):
    """Return the snapshots of all shards at the steps of a job, step by step."""
    shards = PLAN.shards_of(wildcards.population)
    return [
        RUN.snapshot(shard.population, shard.number, step)
        for step in steps_of(wildcards)
        for shard in shards
    ]


def planned_checkpoint(name, section):
    """Return the function that returns the arguments that name the files of a checkpoint as they are now."""
    files = {path: Path(path) for path in getattr(section, "files", ())}

    def of_job(wildcards):
        return INPUTS.planned(f"checkpoints/{name}", lambda: files) if files else []

    return of_job


def null_of(wildcards):
    """Return the sphere null that matches the layer of a job."""
    return RUN.part("nulls", clouds_of(wildcards).points)


def layer_parts(table):
    """Return the function that gives all parts of a table for the layer of a job."""

    def of_layer(wildcards):
        blocks = clouds_of(wildcards).blocks(PLAN.config.jobs.steps)
        return [
            RUN.part(table, wildcards.population, wildcards.layer, b) for b in blocks
        ]

    return of_layer


def train_demand(population):
    """Return the function that forecasts `cnn-topology train` for a shard of a population."""

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


def train_parameters(population):
    """Return the function that gives the parameters of `cnn-topology train` for a shard of a population."""

    def of_shard(wildcards):
        shard = PLAN.shards_of(population)[int(wildcards.shard)]
        return parameters.TrainParameters.of(PLAN, shard).dump()

    return of_shard


def cloud_parameters(wildcards):
    """Return the parameters of `cnn-topology clouds`."""
    return parameters.CloudParameters.of(
        PLAN, clouds_of(wildcards), steps_of(wildcards)
    ).dump()


def barcode_parameters(wildcards):
    """Return the parameters of `cnn-topology barcodes`."""
    return parameters.BarcodeParameters.of(
        PLAN, clouds_of(wildcards), steps_of(wildcards)
    ).dump()


def mapper_parameters(wildcards):
    """Return the parameters of `cnn-topology mapper`."""
    return parameters.MapperParameters.of(
        PLAN, clouds_of(wildcards), steps_of(wildcards)
    ).dump()


def null_parameters(wildcards):
    """Return the parameters of `cnn-topology nulls`."""
    return parameters.NullParameters.of(PLAN, int(wildcards.points)).dump()


def matched_snapshots(section):
    """Return the last snapshots of the population whose mean filter norm a fixed first layer takes."""
    other = getattr(section.architecture.first_layer, "matched_to", None)
    if other is None:
        return []
    last = PLAN.steps(other)[-1]
    return [RUN.snapshot(other, shard.number, last) for shard in PLAN.shards_of(other)]
