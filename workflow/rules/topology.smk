# Persistent homology of the clouds, its nulls, their mapper graphs, and controls of known topology.
rule draw_nulls:
    output:
        RUN.part("nulls", "{points}"),
    log:
        RUN.log("nulls", "{points}"),
    # Waits for nothing, and all barcodes wait for it.
    priority: 1
    resources:
        **asks(null_demand),
    params:
        block=null_parameters,
        code=code_digest("nulls"),
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
    resources:
        **asks(barcode_demand),
    params:
        block=barcode_parameters,
        code=code_digest("barcodes"),
    shell:
        "cnn-topology barcodes --parameters {params.block:q} --clouds {input.clouds:q} --null {input.null:q}"
        " --barcodes {output.barcodes:q} --loops {output.loops:q} --significance {output.significance:q}"
        " --filters {output.filters:q} --circles {output.circles:q} &> {log:q}"


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
    resources:
        **asks(mapper_demand),
    params:
        block=mapper_parameters,
        code=code_digest("mapper"),
    shell:
        "cnn-topology mapper --parameters {params.block:q} --clouds {input:q} --graphs {output.mapper_graphs:q}"
        " --nodes {output.mapper_nodes:q} --edges {output.mapper_edges:q} --sweep {output.mapper_sweep:q} &> {log:q}"


rule compute_controls:
    output:
        RUN.table("controls"),
    log:
        RUN.log("controls"),
    # Waits for nothing, and figures wait for it.
    priority: 1
    resources:
        **asks(forecast.CONTROLS),
    params:
        block=parameters.ControlParameters(
            run_seed=PLAN.config.seed, controls=PLAN.config.controls
        ).dump(),
        code=code_digest("controls"),
    shell:
        "cnn-topology controls --parameters {params.block:q} --output {output:q} &> {log:q}"
