# Layers compared by their activations: bars, distances of all pairs, components removed, and the tests of the measures.
rule compute_activation_barcodes:
    input:
        network_clouds_of,
    output:
        RUN.part("activation_barcodes", "{population}", "{cloud}", "{network}"),
    log:
        RUN.log("activation-barcodes", "{population}/{cloud}/{network}"),
    threads: 1
    resources:
        **asks(activation_barcode_demand),
    params:
        code=code_digest("activation-barcodes"),
        block=activation_barcode_parameters,
    shell:
        "cnn-topology activation-barcodes --parameters {params.block:q} --clouds {input:q} --threads {threads}"
        " --output {output:q} &> {log:q}"


rule compare_layers:
    input:
        unpack(pairs_inputs),
    output:
        RUN.part("network_pairs", "{population}", "{cloud}", "{pairs}"),
    log:
        RUN.log("layer-distances", "{population}/{cloud}/{pairs}"),
    threads: 1
    resources:
        **asks(comparison_demand),
    params:
        code=code_digest("layer-distances"),
        block=layer_distance_parameters,
        kind=lambda wildcards: (
            "--barcodes" if wildcards.pairs == DIAGRAMS else "--clouds"
        ),
    shell:
        "cnn-topology layer-distances --parameters {params.block:q} {params.kind} {input:q} --threads {threads}"
        " --output {output:q} &> {log:q}"


rule remove_components:
    input:
        removal_inputs,
    output:
        RUN.part("component_curves", "{population}", "{cloud}", "{network}"),
    log:
        RUN.log("component-sensitivity", "{population}/{cloud}/{network}"),
    threads: 1
    resources:
        **asks(removal_demand),
    params:
        code=code_digest("component-sensitivity"),
        block=component_sensitivity_parameters,
    shell:
        "cnn-topology component-sensitivity --parameters {params.block:q} --clouds {input:q} --threads {threads}"
        " --output {output:q} &> {log:q}"


if COMPARISONS:

    rule test_measures:
        input:
            pairs=compared_parts,
            curves=curve_parts,
        output:
            **{name: RUN.table(name) for name in COMPARISON_TABLES},
        log:
            RUN.log("measure-tests"),
        resources:
            **asks(forecast.measure_tests(COMPARISONS)),
        params:
            code=code_digest("measure-tests"),
            block=measure_test_parameters,
            tables=lambda wildcards, output: [
                argument
                for name in COMPARISON_TABLES
                for argument in (f"--{name.replace('_', '-')}", output[name])
            ],
        shell:
            "cnn-topology measure-tests --parameters {params.block:q} --pairs {input.pairs:q}"
            " --curves {input.curves:q} {params.tables:q} &> {log:q}"


if TENSOR:

    rule take_activation_tensor:
        input:
            RUN.activations(
                TENSOR.population, TENSOR.network, TENSOR.layer.name, TENSOR.cloud
            ),
        output:
            RUN.table("activation_tensor"),
        log:
            RUN.log("activation-tensor"),
        resources:
            **asks(forecast.activation_tensor(PLAN, TENSOR)),
        params:
            block=layer_parameters.ActivationTensorParameters(
                run_seed=PLAN.config.seed
            ).dump(),
            code=code_digest("activation-tensor"),
        shell:
            "cnn-topology activation-tensor --parameters {params.block:q} --cloud {input:q} --output {output:q}"
            " &> {log:q}"
