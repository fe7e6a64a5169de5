# Tables: the parts of each joined, one job for those whose parts come from the same jobs; and the summary.
for name, tables in COLLECTED.items():

    rule:
        name:
            f"collect_{name}"
        input:
            [path for parts in tables.values() for path in parts],
        output:
            [RUN.table(table) for table in tables],
        log:
            RUN.log("collect", name),
        resources:
            **asks(forecast.collect),
        params:
            code=code_digest("collect"),
            folder=RUN.parts,
            # The names of the parts, once for all tables: a command of all paths may be longer than a shell takes.
            parts=part_names(tables),
        shell:
            "cnn-topology collect --tables {output:q} --folder {params.folder:q} --parts {params.parts:q} &> {log:q}"


rule summarize:
    input:
        tables_there(SUMMARY_TABLES),
    output:
        report(RUN.summary, caption="../report/summary.rst", category="summary"),
    log:
        RUN.log("summary"),
    resources:
        **asks(forecast.summary),
    params:
        left_out=PLAN.left_out,
        code=code_digest("summary"),
    shell:
        "cnn-topology summary --tables {input:q} --left-out {params.left_out:q} --output {output:q} &> {log:q}"
