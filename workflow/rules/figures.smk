# Figures, from tables alone: one job draws those of a section, since to start one takes longer than to draw.
SECTIONS = figure_jobs(FIGURES.values())

for part, drawn in SECTIONS.items():
    tables = [
        RUN.table(table) for table in sorted({t for s in drawn for t in s.tables})
    ]
    of_section = planned(
        FigureParameters, (drawn,), modules={f"figures.{spec.kind}" for spec in drawn}
    )

    rule:
        name:
            f"draw_{part}"
        input:
            tables=tables,
        output:
            figures=[
                figure_file(spec, suffix) for spec in drawn for suffix in spec.suffixes
            ],
        log:
            RUN.log("figures", part),
        resources:
            **asks(table_jobs.figures(len(drawn))),
        params:
            **of_section,
        shell:
            "cnn-topology job {params.job:q} &> {log:q}"

    # A figure that is asked for by its name or file is drawn alone. What reruns the section reruns it, and nothing else
    # does: its record is the section's, which need not be drawn again after it.
    for spec in drawn:

        rule:
            name:
                spec.name
            input:
                tables=tables,
            output:
                figures=[RUN.figure(spec.name, suffix) for suffix in spec.suffixes],
            log:
                RUN.log("figures", spec.name),
            resources:
                **asks(table_jobs.figures(1)),
            params:
                **{**of_section, "job": planned(FigureParameters, ([spec],))["job"]},
            shell:
                "cnn-topology job {params.job:q} &> {log:q}"


# Whoever asks for a file by its name gets that figure alone; the rules of a whole run ask for what a section makes.
workflow.ruleorder(*FIGURES, *(f"draw_{part}" for part in SECTIONS))
DRAWN = {
    str(file): file
    for part in SECTIONS
    for file in getattr(rules, f"draw_{part}").output
}
