# Figures: each is a target by its own name, drawn from tables alone.
for name, spec in FIGURES.items():

    rule:
        name:
            name
        input:
            [RUN.table(table) for table in spec.tables],
        output:
            pdf=RUN.figure(name, "pdf"),
            png=report(
                RUN.figure(name, "png"),
                caption=f"../report/{spec.kind}.rst",
                category=spec.kind.replace("_", " "),
                labels={"figure": name},
            ),
            drawn=RUN.figure(name, "parquet"),
        log:
            RUN.log("figures", name),
        benchmark:
            RUN.benchmark("figures", name)
        resources:
            **asks(forecast.FIGURE),
        params:
            spec=json.dumps(asdict(spec), sort_keys=True),
            code=code_digest("figure", f"figures.{spec.kind}"),
        shell:
            "cnn-topology figure --spec {params.spec:q} --tables {input:q} --output {output.pdf:q} {output.png:q}"
            " {output.drawn:q} &> {log:q}"


rule draw_mapper_page:
    input:
        [RUN.table(table) for table in KINDS["mapper"]],
    output:
        report(
            RUN.figure("{mapper}", "html"),
            caption="../report/mapper.rst",
            category="mapper",
            labels={"figure": "{mapper} (interactive)"},
        ),
    log:
        RUN.log("figures", "{mapper}-page"),
    benchmark:
        RUN.benchmark("figures", "{mapper}-page")
    resources:
        **asks(forecast.FIGURE),
    params:
        spec=mapper_spec,
        code=code_digest("page"),
    shell:
        "cnn-topology page --spec {params.spec:q} --tables {input:q} --output {output:q} &> {log:q}"
