# Point clouds: the 3x3 filters of a layer, pooled over all networks of a population, for a block of steps.
rule gather_clouds:
    input:
        snapshots=snapshots_of,
    output:
        clouds=RUN.part("clouds", "{population}", "{layer}", "{block}"),
    log:
        RUN.log("clouds", "{population}/{layer}-{block}"),
    threads: 1
    resources:
        **asks(filter_jobs.clouds, layer_block),
    params:
        **planned(parameters.CloudParameters, layer_block),
    shell:
        "cnn-topology job {params.job:q} --threads {threads} &> {log:q}"
