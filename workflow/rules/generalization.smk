# Generalization: the topology of single networks, and how it goes with what they have learned.
rule analyse_networks:
    input:
        initial=initial_of_items,
        snapshots=snapshots_of_items,
        training=logs_of_items,
    output:
        RUN.part("generalization", "{group}", "{layer}", "{block}"),
    log:
        RUN.log("networks", "{group}/{layer}-{block}"),
    resources:
        **asks(networks_demand),
    params:
        code=code_digest("networks"),
        block=networks_parameters,
    shell:
        "cnn-topology networks --parameters {params.block:q} --initial {input.initial:q}"
        " --snapshots {input.snapshots:q} --training {input.training:q} --output {output:q} &> {log:q}"


if NETWORK_GROUPS:

    rule correlate:
        input:
            RUN.table("generalization"),
        output:
            RUN.part("correlations", "networks"),
        log:
            RUN.log("correlations"),
        resources:
            **asks(forecast.correlations),
        params:
            code=code_digest("correlations"),
            block=generalization_parameters.CorrelationParameters.of(PLAN).dump(),
        shell:
            "cnn-topology correlations --parameters {params.block:q} --generalization {input:q}"
            " --output {output:q} &> {log:q}"


rule follow_loops:
    input:
        clouds=layer_parts("clouds"),
        loops=layer_parts("loops"),
        significance=layer_parts("significance"),
        training=logs_of_population,
    output:
        **{
            table: RUN.part(table, "{population}", "{layer}", "all")
            for table in ("onset", "loop_tracks", "correlations")
        },
    log:
        RUN.log("dynamics", "{population}/{layer}"),
    resources:
        **asks(dynamics_demand),
    params:
        block=dynamics_parameters,
        code=code_digest("dynamics"),
    shell:
        "cnn-topology dynamics --parameters {params.block:q} --clouds {input.clouds:q} --loops {input.loops:q}"
        " --significance {input.significance:q} --training {input.training:q} --onset {output.onset:q}"
        " --loop-tracks {output.loop_tracks:q} --correlations {output.correlations:q} &> {log:q}"


rule average_cross_tests:
    input:
        RUN.table("training"),
    output:
        RUN.table("cross_accuracy"),
    log:
        RUN.log("cross_accuracy"),
    resources:
        **asks(forecast.cross_accuracy),
    params:
        block=generalization_parameters.CrossAccuracyParameters.of(PLAN).dump(),
        code=code_digest("cross-accuracy"),
    shell:
        "cnn-topology cross-accuracy --parameters {params.block:q} --training {input:q} --output {output:q} &> {log:q}"
