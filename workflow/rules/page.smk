# The page of the run: where a reader begins.
SHOWN = shown_figures()


rule write_page:
    input:
        # Without a name: of a list with a name Snakemake forgets by which rule a file is to be made.
        [DRAWN[RUN.figure(shown.name, "png")] for shown in SHOWN if shown.printed],
        [DRAWN[RUN.figure(shown.name, "txt")] for shown in SHOWN],
        tables=tables_there(findings.PAGE_TABLES),
    output:
        page=report(
            RUN.page,
            caption="../report/page.rst",
            category="What was found",
            labels={"page": "what was found"},
        ),
    log:
        RUN.log("page"),
    resources:
        **asks(table_jobs.page),
    params:
        **planned(findings.PageParameters, (SHOWN,)),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"
