# Point clouds: the 3x3 filters of a layer, pooled over all networks of a population, for a block of steps.
rule gather_clouds:
    input:
        snapshots_of,
    output:
        RUN.part("clouds", "{population}", "{layer}", "{block}"),
    log:
        RUN.log("clouds", "{population}/{layer}-{block}"),
    threads: 1
    resources:
        **asks(cloud_demand),
    params:
        block=cloud_parameters,
        code=code_digest("clouds"),
    shell:
        "cnn-topology clouds --parameters {params.block:q} --snapshots {input:q} --threads {threads}"
        " --output {output:q} &> {log:q}"
