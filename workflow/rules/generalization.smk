# Generalization: the topology of single networks, and how it goes with what they have learned.
rule analyse_networks:
    input:
        initial=initial_of_items,
        snapshots=snapshots_of_items,
        training=logs_of_items,
    output:
        generalization=RUN.part("generalization", "{group}", "{layer}", "{block}"),
    log:
        RUN.log("networks", "{group}/{layer}-{block}"),
    resources:
        **asks(filter_jobs.networks, networks_of),
    params:
        **planned(parameters.NetworksParameters, networks_of),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"


if NETWORK_GROUPS:

    rule correlate:
        input:
            generalization=RUN.table("generalization"),
        output:
            correlations=RUN.part("correlations", "networks"),
        log:
            RUN.log("correlations"),
        resources:
            **asks(filter_jobs.correlations(PLAN)),
        params:
            **planned(parameters.CorrelationParameters),
        shell:
            "cnn-topology job {params.job:q} &> {log:q}"


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
        **asks(lambda wildcards: filter_jobs.dynamics(PLAN, clouds_of(wildcards))),
    params:
        **planned(parameters.DynamicsParameters, followed_layer),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"


rule average_cross_tests:
    input:
        training=RUN.table("training"),
    output:
        **whole_tables("cross-accuracy"),
    log:
        RUN.log("cross-accuracy"),
    resources:
        **asks(table_jobs.cross_accuracy),
    params:
        **planned(parameters.CrossAccuracyParameters),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"
