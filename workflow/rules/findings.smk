# What the run says about the papers' claims: populations compared, and the verdicts.
rule compare_improvements:
    input:
        training=RUN.table("training"),
    output:
        improvements=RUN.table("improvements"),
        comparisons=RUN.table("comparisons"),
    log:
        RUN.log("improvements"),
    threads: 1
    resources:
        **asks(forecast.improvements),
    params:
        code=code_digest("improvements"),
        block=parameters.ImprovementParameters.of(PLAN).dump(),
    shell:
        "cnn-topology improvements --parameters {params.block:q} --training {input.training:q}"
        " --improvements {output.improvements:q} --comparisons {output.comparisons:q} &> {log:q}"


rule test_claims:
    input:
        tables_there(CLAIM_TABLES),
    output:
        RUN.table("claims"),
    log:
        RUN.log("claims"),
    threads: 1
    resources:
        **asks(forecast.claims),
    params:
        block=ClaimParameters(run_seed=PLAN.config.seed, facts=RunFacts.of(PLAN)).dump(),
        code=code_digest("claims"),
    shell:
        "cnn-topology claims --parameters {params.block:q} --tables {input:q} --output {output:q} &> {log:q}"
