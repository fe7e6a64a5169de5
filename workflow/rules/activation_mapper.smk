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
        **asks(graph_demand),
    params:
        code=code_digest("activation-mapper"),
        block=graph_parameters,
    shell:
        "cnn-topology activation-mapper --parameters {params.block:q} --clouds {input.clouds:q}"
        " --clean {input.clean:q} --activation-graphs {output.activation_graphs:q}"
        " --activation-nodes {output.activation_nodes:q} --activation-edges {output.activation_edges:q}"
        " --purity {output.purity:q} --class-purity {output.class_purity:q} --purity-draws {output.purity_draws:q}"
        " --activation-sweep {output.activation_sweep:q} --neighbour-curves {output.neighbour_curves:q}"
        " --activation-channels {output.activation_channels:q} &> {log:q}"


rule test_purity:
    input:
        purity=RUN.table("purity"),
        draws=RUN.table("purity_draws"),
        accuracy=RUN.table("resnet_accuracy"),
    output:
        RUN.table("purity_tests"),
    log:
        RUN.log("purity-tests"),
    resources:
        **asks(forecast.purity_tests),
    params:
        code=code_digest("purity-tests"),
        block=purity_test_parameters(),
    shell:
        "cnn-topology purity-tests --parameters {params.block:q} --purity {input.purity:q} --draws {input.draws:q}"
        " --accuracy {input.accuracy:q} --output {output:q} &> {log:q}"


rule gather_examples:
    input:
        nodes=RUN.table("activation_nodes"),
        images=[RUN.images(name) for name in sorted(set(GRAPHS.image_sets().values()))],
    output:
        RUN.table("example_images"),
    log:
        RUN.log("example-images"),
    resources:
        **asks(forecast.example_images(GRAPHS)),
    params:
        block=node_image_parameters(),
        code=code_digest("example-images"),
    shell:
        "cnn-topology example-images --parameters {params.block:q} --nodes {input.nodes:q} --images {input.images:q}"
        " --output {output:q} &> {log:q}"
