# What the jobs on weights read, get and may use: shards, layers, blocks of steps.
def clouds_of(wildcards):
    """Return all that is asked of the layer of a job."""
    return LAYER_CLOUDS[wildcards.population, wildcards.layer]


def steps_of(wildcards):
    """Return the block of snapshot steps of a job."""
    return clouds_of(wildcards).blocks(PLAN.config.jobs.steps_per_job)[
        int(wildcards.block)
    ]


def snapshots_of(wildcards):
    """Return the snapshots of all shards at the steps of a job, step by step."""
    shards = PLAN.shards_of(wildcards.population)
    return [
        RUN.snapshot(shard.population, shard.number, step)
        for step in steps_of(wildcards)
        for shard in shards
    ]


def checkpoint_files(name, section):
    """Return the function that returns what is planned of the files of a checkpoint."""
    files = {path: Path(path) for path in section.parts}

    def of_job(wildcards):
        return INPUTS.planned(f"checkpoints/{name}", lambda: files) if files else []

    return of_job


def null_of(wildcards):
    """Return the sphere null that matches the layer of a job."""
    clouds = clouds_of(wildcards)
    return RUN.part("nulls", f"{clouds.points}-{clouds.layer.side}")


def layer_parts(table):
    """Return the function that gives all parts of a table for the layer of a job."""

    def of_layer(wildcards):
        blocks = clouds_of(wildcards).blocks(PLAN.config.jobs.steps_per_job)
        return [
            RUN.part(table, wildcards.population, wildcards.layer, b) for b in blocks
        ]

    return of_layer


def layer_block(wildcards):
    """Return the layer of a job with all that is asked of it, and the steps of the job."""
    return clouds_of(wildcards), steps_of(wildcards)


def null_size(wildcards):
    """Return the number of filters of the clouds that a null is for, and their side."""
    return int(wildcards.points), int(wildcards.side)


def shard_of(population):
    """Return the function that returns the shard of a job, one of a population."""

    def of_job(wildcards):
        return (PLAN.shards_of(population)[int(wildcards.shard)],)

    return of_job


def matched_snapshots(section):
    """Return the last snapshots of the population whose mean filter norm a fixed first layer takes."""
    other = getattr(section.architecture.first_layer, "matched_to", None)
    if other is None:
        return []
    last = PLAN.steps(other)[-1]
    return [RUN.snapshot(other, shard.number, last) for shard in PLAN.shards_of(other)]
