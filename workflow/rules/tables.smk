# Tables: the parts of each joined, and the summary of what was found.
rule collect_layers:
    input:
        parts_of,
    output:
        RUN.table("{table}"),
    log:
        RUN.log("collect", "{table}"),
    benchmark:
        RUN.benchmark("collect", "{table}")
    resources:
        **asks(forecast.COLLECTED),
    params:
        code=code_digest("collect"),
    shell:
        "cnn-topology collect {wildcards.table} --parts {input:q} --output {output:q} &> {log:q}"


rule collect_training:
    input:
        [RUN.training(shard.population, shard.number) for shard in PLAN.shards],
    output:
        RUN.table("training"),
    log:
        RUN.log("collect", "training"),
    benchmark:
        RUN.benchmark("collect", "training")
    resources:
        **asks(forecast.COLLECTED),
    params:
        code=code_digest("collect"),
    shell:
        "cnn-topology collect training --parts {input:q} --output {output:q} &> {log:q}"


rule collect_nulls:
    input:
        [RUN.null(points) for points in PLAN.null_points],
    output:
        RUN.table("nulls"),
    log:
        RUN.log("collect", "nulls"),
    benchmark:
        RUN.benchmark("collect", "nulls")
    resources:
        **asks(forecast.COLLECTED),
    params:
        code=code_digest("collect"),
    shell:
        "cnn-topology collect nulls --parts {input:q} --output {output:q} &> {log:q}"


rule summarize:
    input:
        tables_there(SUMMARY_TABLES),
    output:
        report(RUN.summary, caption="../report/summary.rst", category="summary"),
    log:
        RUN.log("summary"),
    benchmark:
        RUN.benchmark("summary")
    resources:
        **asks(forecast.SUMMARY),
    params:
        left_out=PLAN.left_out,
        code=code_digest("summary"),
    shell:
        "cnn-topology summary --tables {input:q} --left-out {params.left_out:q} --output {output:q} &> {log:q}"
