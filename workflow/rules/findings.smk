# What the run says about the papers' claims: populations compared, and the verdicts.
rule compare_improvements:
    input:
        training=RUN.table("training"),
    output:
        **whole_tables("improvements"),
    log:
        RUN.log("improvements"),
    threads: 1
    resources:
        **asks(table_jobs.improvements),
    params:
        **planned(parameters.ImprovementParameters),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"


rule test_claims:
    input:
        tables=tables_there(findings.CLAIM_TABLES),
    output:
        **whole_tables("claims"),
    log:
        RUN.log("claims"),
    threads: 1
    resources:
        **asks(table_jobs.claims),
    params:
        **planned(findings.ClaimParameters),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"
