# What the jobs on training dynamics and on single networks read and get.
def logs_of_population(wildcards):
    """Return the training logs of all shards of a population."""
    return [
        RUN.part("training", shard.population, shard.number)
        for shard in PLAN.shards_of(wildcards.population)
    ]


def items_of(wildcards):
    """Return the (population, step) pairs of a job that analyses networks one by one."""
    group = NETWORK_GROUPS[wildcards.group, wildcards.layer]
    return group.blocks(PLAN.config.jobs.steps_per_job)[int(wildcards.block)]


def snapshots_of_items(wildcards):
    """Return all shards' snapshots of each (population, step) pair of a job."""
    return [
        RUN.snapshot(shard.population, shard.number, step)
        for population, step in items_of(wildcards)
        for shard in PLAN.shards_of(population)
    ]


def initial_of_items(wildcards):
    """Return all shards' snapshots before training, for each (population, step) pair of a job."""
    return [
        RUN.snapshot(shard.population, shard.number, 0)
        for population, _ in items_of(wildcards)
        for shard in PLAN.shards_of(population)
    ]


def logs_of_items(wildcards):
    """Return the training logs of the populations of a job."""
    return [
        RUN.part("training", shard.population, shard.number)
        for population in dict.fromkeys(name for name, _ in items_of(wildcards))
        for shard in PLAN.shards_of(population)
    ]


def networks_of(wildcards):
    """Return the group of networks and the layer of a job, with its (population, step) pairs."""
    return NETWORK_GROUPS[wildcards.group, wildcards.layer], items_of(wildcards)


def followed_layer(wildcards):
    """Return the layer whose loop a job follows."""
    return (DYNAMICS[wildcards.population, wildcards.layer],)
