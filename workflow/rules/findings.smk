# What the run says about the papers' claims: populations compared.
rule compare_improvements:
    input:
        training=RUN.table("training"),
    output:
        improvements=RUN.table("improvements"),
        comparisons=RUN.table("comparisons"),
    log:
        RUN.log("improvements"),
    benchmark:
        RUN.benchmark("improvements")
    threads: 1
    resources:
        **asks(activation_forecast.IMPROVEMENTS),
    params:
        code=code_digest("improvements"),
        block=parameters.ImprovementParameters.of(PLAN).dump(),
    shell:
        "cnn-topology improvements --parameters {params.block:q} --training {input.training:q}"
        " --improvements {output.improvements:q} --comparisons {output.comparisons:q} &> {log:q}"
