# Generalization: the topology of single networks, and how it goes with what they have learned.
rule analyse_networks:
    input:
        initial=initial_of_items,
        snapshots=snapshots_of_items,
        training=logs_of_items,
    output:
        RUN.part("generalization", "{group}", "{layer}", "{block}"),
    log:
        RUN.log("networks", "{group}-{layer}-{block}"),
    benchmark:
        RUN.benchmark("networks", "{group}-{layer}-{block}")
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        code=code_digest("networks"),
        block=networks_parameters,
    shell:
        "cnn-topology networks --parameters {params.block:q} --initial {input.initial:q}"
        " --snapshots {input.snapshots:q} --training {input.training:q} --output {output:q} &> {log:q}"


if NETWORK_GROUPS:

    rule collect_generalization:
        input:
            [
                RUN.part("generalization", group.name, group.layer, block)
                for group in PLAN.network_groups
                for block in group.blocks(PLAN.config.jobs.steps)
            ],
        output:
            RUN.table("generalization"),
        log:
            RUN.log("collect", "generalization"),
        benchmark:
            RUN.benchmark("collect", "generalization")
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            code=code_digest("collect"),
        shell:
            "cnn-topology collect generalization --parts {input:q} --output {output:q} &> {log:q}"

    rule correlate:
        input:
            RUN.table("generalization"),
        output:
            RUN.table("correlations"),
        log:
            RUN.log("correlations"),
        benchmark:
            RUN.benchmark("correlations")
        resources:
            mem_mb=2000,
            runtime=240,
        params:
            code=code_digest("correlations"),
            block=generalization_parameters.CorrelationParameters.of(PLAN).dump(),
        shell:
            "cnn-topology correlations --parameters {params.block:q} --generalization {input:q}"
            " --output {output:q} &> {log:q}"
