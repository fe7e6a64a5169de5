# Persistent homology of the clouds, its nulls, their mapper graphs, and controls of known topology.
rule draw_nulls:
    output:
        RUN.null("{points}"),
    log:
        RUN.log("nulls", "{points}"),
    benchmark:
        RUN.benchmark("nulls", "{points}")
    resources:
        mem_mb=4000,
        runtime=720,
    params:
        block=null_parameters,
    shell:
        "cnn-topology nulls --parameters {params.block:q} --output {output:q} &> {log:q}"


rule compute_barcodes:
    input:
        clouds=RUN.part("clouds", "{population}", "{layer}", "{block}"),
        null=null_of,
    output:
        **{
            table: RUN.part(table, "{population}", "{layer}", "{block}")
            for table in BARCODE_TABLES
        },
    log:
        RUN.log("barcodes", "{population}/{layer}-{block}"),
    benchmark:
        RUN.benchmark("barcodes", "{population}/{layer}-{block}")
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        block=barcode_parameters,
    shell:
        "cnn-topology barcodes --parameters {params.block:q} --clouds {input.clouds:q} --null {input.null:q}"
        " --barcodes {output.barcodes:q} --loops {output.loops:q} --significance {output.significance:q}"
        " --filters {output.filters:q} &> {log:q}"


rule compute_mapper:
    input:
        RUN.part("clouds", "{population}", "{layer}", "{block}"),
    output:
        **{
            table: RUN.part(table, "{population}", "{layer}", "{block}")
            for table in MAPPER_TABLES
        },
    log:
        RUN.log("mapper", "{population}/{layer}-{block}"),
    benchmark:
        RUN.benchmark("mapper", "{population}/{layer}-{block}")
    resources:
        mem_mb=6000,
        runtime=120,
    params:
        block=mapper_parameters,
    shell:
        "cnn-topology mapper --parameters {params.block:q} --clouds {input:q} --graphs {output.mapper_graphs:q}"
        " --nodes {output.mapper_nodes:q} --edges {output.mapper_edges:q} &> {log:q}"


rule compute_controls:
    output:
        RUN.table("controls"),
    log:
        RUN.log("controls"),
    benchmark:
        RUN.benchmark("controls")
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        block=parameters.ControlParameters(
            run_seed=PLAN.config.seed, controls=PLAN.config.controls
        ).dump(),
    shell:
        "cnn-topology controls --parameters {params.block:q} --output {output:q} &> {log:q}"
