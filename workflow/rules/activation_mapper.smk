# Mapper graphs of activations with their purity, the tests on purity, and images that stand for the nodes.
rule compute_activation_mapper:
    input:
        clouds=graph_clouds,
        clean=clean_graphs,
    output:
        **{table: graph_part(table) for table in GRAPH_TABLES},
    log:
        RUN.log("activation-mapper", "{population}/{network}/{recipe}/{cloud}/{block}"),
    threads: 1
    resources:
        **asks(
            lambda wildcards: activation_jobs.activation_mapper(
                GRAPHS, *graph_job(wildcards)
            )
        ),
    params:
        **planned(activation_graphs.ActivationMapperParameters, graph_job),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"


rule test_purity:
    input:
        purity=RUN.table("purity"),
        draws=RUN.table("purity_draws"),
        accuracy=RUN.table("resnet_accuracy"),
    output:
        **whole_tables("purity-tests"),
    log:
        RUN.log("purity-tests"),
    resources:
        **asks(table_jobs.purity_tests),
    params:
        **planned(activation_graphs.PurityTestParameters),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"


rule gather_examples:
    input:
        nodes=RUN.table("activation_nodes"),
        images=[RUN.images(name) for name in sorted(set(GRAPHS.image_sets().values()))],
    output:
        **whole_tables("example-images"),
    log:
        RUN.log("example-images"),
    resources:
        **asks(activation_jobs.example_images(GRAPHS)),
    params:
        **planned(activation_graphs.ExampleImageParameters, (GRAPHS,)),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"
