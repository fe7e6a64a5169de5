# Tables: the parts of each joined, one job for those whose parts come from the same jobs; and the summary.
for name, tables in COLLECTED.items():

    rule:
        name:
            f"collect_{name}"
        input:
            **tables,
        output:
            tables=[RUN.table(table) for table in tables],
        log:
            RUN.log("collect", name),
        resources:
            **asks(table_jobs.collect),
        params:
            **planned(parameters.CollectParameters),
        shell:
            "cnn-topology job {params.job:q} &> {log:q}"


rule summarize:
    input:
        tables=tables_there(findings.SUMMARY_TABLES),
    output:
        summary=RUN.summary,
    log:
        RUN.log("summary"),
    resources:
        **asks(table_jobs.summary),
    params:
        **planned(findings.SummaryParameters),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"
