# Figures: one job draws those of a section, from tables alone.
for part, drawn in figure_jobs(FIGURES.values()).items():

    rule:
        name:
            f"draw_{part}"
        input:
            [
                RUN.table(table)
                for table in sorted({t for spec in drawn for t in spec.tables})
            ],
        output:
            [figure_file(spec, suffix) for spec in drawn for suffix in spec.suffixes],
        log:
            RUN.log("figures", part),
        resources:
            **asks(table_jobs.figures(len(drawn))),
        params:
            specs=json.dumps([asdict(spec) for spec in drawn], sort_keys=True),
            code=code_digest("figures", *{f"figures.{spec.kind}" for spec in drawn}),
            folder=lambda wildcards, output: Path(output[0]).parent,
        shell:
            "cnn-topology figures --specs {params.specs:q} --tables {input:q} --folder {params.folder:q} &> {log:q}"


# Each figure is a target by its own name.
for name, spec in FIGURES.items():

    rule:
        name:
            name
        input:
            [RUN.figure(name, suffix) for suffix in spec.suffixes],
        localrule: True
