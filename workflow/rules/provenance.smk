# What the run was made by and what it took: the last thing made, and nothing depends on it.
rule record_provenance:
    input:
        everything_else,
    output:
        record=RUN.provenance,
        page=report(
            RUN.provenance_page,
            caption="../report/provenance.rst",
            category="what it took",
        ),
    log:
        RUN.log("provenance"),
    resources:
        **asks(forecast.provenance),
    params:
        config=PLAN.config.model_dump_json(),
        code=code_digest("provenance"),
    shell:
        "cnn-topology provenance --config {params.config:q} --output {output.record:q} {output.page:q} &> {log:q}"
