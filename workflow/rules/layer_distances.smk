# Layers compared by their activations: bars, distances of all pairs, components removed, and the tests of the measures.
rule compute_activation_barcodes:
    input:
        clouds=network_clouds_of,
    output:
        activation_barcodes=RUN.part(
            "activation_barcodes", "{population}", "{cloud}", "{network}"
        ),
    log:
        RUN.log("activation-barcodes", "{population}/{cloud}/{network}"),
    threads: 1
    resources:
        **asks(
            lambda wildcards: activation_jobs.activation_barcodes(
                PLAN, wildcards.cloud
            )
        ),
    params:
        **planned(activation_parameters.ActivationBarcodeParameters, network_of),
    shell:
        "cnn-topology job {params.job:q} --threads {threads} &> {log:q}"


rule compare_layers:
    input:
        clouds=compared_clouds,
        barcodes=compared_barcodes,
    output:
        network_pairs=RUN.part("network_pairs", "{population}", "{cloud}", "{pairs}"),
    log:
        RUN.log("layer-distances", "{population}/{cloud}/{pairs}"),
    threads: 1
    resources:
        **asks(
            lambda wildcards: activation_jobs.layer_distances(
                *compared_block(wildcards), PLAN.config.jobs.networks_per_job
            )
        ),
    params:
        **planned(activation_parameters.LayerDistanceParameters, compared_block),
    shell:
        "cnn-topology job {params.job:q} --threads {threads} &> {log:q}"


rule remove_components:
    input:
        clouds=removal_inputs,
    output:
        component_curves=RUN.part(
            "component_curves", "{population}", "{cloud}", "{network}"
        ),
    log:
        RUN.log("component-sensitivity", "{population}/{cloud}/{network}"),
    threads: 1
    resources:
        **asks(
            lambda wildcards: activation_jobs.component_sensitivity(
                COMPARISONS[wildcards.cloud]
            )
        ),
    params:
        **planned(
            activation_parameters.ComponentSensitivityParameters, compared_network
        ),
    shell:
        "cnn-topology job {params.job:q} --threads {threads} &> {log:q}"


if COMPARISONS:

    rule test_measures:
        input:
            pairs=compared_parts,
            curves=curve_parts,
        output:
            **whole_tables("measure-tests"),
        log:
            RUN.log("measure-tests"),
        resources:
            **asks(activation_jobs.measure_tests(COMPARISONS)),
        params:
            **planned(activation_parameters.MeasureTestParameters),
        shell:
            "cnn-topology job {params.job:q} &> {log:q}"


if TENSOR:

    rule take_activation_tensor:
        input:
            cloud=RUN.activations(
                TENSOR.population, TENSOR.network, TENSOR.layer.name, TENSOR.cloud
            ),
        output:
            **whole_tables("activation-tensor"),
        log:
            RUN.log("activation-tensor"),
        resources:
            **asks(activation_jobs.activation_tensor(PLAN, TENSOR)),
        params:
            **planned(activation_parameters.ActivationTensorParameters),
        shell:
            "cnn-topology job {params.job:q} &> {log:q}"
