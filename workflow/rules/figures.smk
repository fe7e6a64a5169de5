# Figures: one job draws those of a section, from tables alone.
for part, drawn in figure_jobs(FIGURES.values()).items():

    rule:
        name:
            f"draw_{part}"
        input:
            tables=[
                RUN.table(table)
                for table in sorted({t for spec in drawn for t in spec.tables})
            ],
        output:
            figures=[
                figure_file(spec, suffix) for spec in drawn for suffix in spec.suffixes
            ],
        log:
            RUN.log("figures", part),
        resources:
            **asks(table_jobs.figures(len(drawn))),
        params:
            **planned(
                FigureParameters,
                (drawn,),
                modules={f"figures.{spec.kind}" for spec in drawn},
            ),
        shell:
            "cnn-topology job {params.job:q} &> {log:q}"


# Each figure is a target by its own name.
for name, spec in FIGURES.items():

    rule:
        name:
            name
        input:
            [RUN.figure(name, suffix) for suffix in spec.suffixes],
        localrule: True
