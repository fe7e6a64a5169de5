# What the jobs on mapper graphs of activations read and get.
def graph_part(table):
    """Return the path of a job's part of a table, with wildcards."""
    return RUN.part(
        table, "{population}", "{network}", "{recipe}", "{cloud}", "{block}"
    )


def graph_job(wildcards):
    """Return the job of some wildcards."""
    key = wildcards.population, int(wildcards.network), wildcards.recipe
    return (GRAPHS.jobs[(*key, wildcards.cloud, int(wildcards.block))],)


def graph_clouds(wildcards):
    """Return the cloud of each layer of a job."""
    (job,) = graph_job(wildcards)
    return [
        RUN.activations(job.population, job.network, layer.name, job.cloud)
        for layer in job.layers
    ]


def clean_graphs(wildcards):
    """Return the graphs whose radii a job takes over, those of the same cloud without noise."""
    return [
        RUN.part("activation_graphs", *job.key)
        for job in GRAPHS.clean_jobs(*graph_job(wildcards))
    ]
