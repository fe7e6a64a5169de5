# The page of the run: where a reader begins.
SHOWN = shown_figures()


rule write_page:
    input:
        tables=tables_there(findings.PAGE_TABLES),
        pictures=[RUN.figure(figure.name, "png") for figure in SHOWN if figure.printed],
        captions=[RUN.figure(figure.name, "txt") for figure in SHOWN],
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
