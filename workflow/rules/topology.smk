# Persistent homology of the clouds, its nulls, their mapper graphs, and controls of known topology.
rule draw_nulls:
    output:
        nulls=RUN.part("nulls", "{points}-{side}"),
    log:
        RUN.log("nulls", "{points}-{side}"),
    # Waits for nothing, and all barcodes wait for it.
    priority: 1
    resources:
        **asks(filter_jobs.nulls, null_size),
    params:
        **planned(parameters.NullParameters, null_size),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"


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
        **asks(filter_jobs.barcodes, layer_block),
    params:
        **planned(parameters.BarcodeParameters, layer_block),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"


rule compute_mapper:
    input:
        clouds=RUN.part("clouds", "{population}", "{layer}", "{block}"),
    output:
        **{
            table: RUN.part(table, "{population}", "{layer}", "{block}")
            for table in MAPPER_TABLES
        },
    log:
        RUN.log("mapper", "{population}/{layer}-{block}"),
    resources:
        **asks(filter_jobs.mapper, layer_block),
    params:
        **planned(parameters.MapperParameters, layer_block),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"


rule compute_controls:
    output:
        **whole_tables("controls"),
    log:
        RUN.log("controls"),
    # Waits for nothing, and figures wait for it.
    priority: 1
    resources:
        **asks(table_jobs.controls),
    params:
        **planned(parameters.ControlParameters),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"
