# What the run was made by and what it took: the last thing made, and nothing depends on it.
rule record_provenance:
    input:
        EVERYTHING,
    output:
        record=RUN.provenance,
        page=report(
            RUN.provenance_page,
            caption="../report/provenance.rst",
            category="what it took",
        ),
    log:
        RUN.log("provenance"),
    localrule: True
    resources:
        **asks(table_jobs.provenance),
    params:
        **planned(findings.ProvenanceParameters),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"
