# Residual networks and the point clouds of their activations.
rule make_resnet:
    input:
        images=resnet_images,
        checkpoint=resnet_checkpoint,
        others=resnet_others,
    output:
        weights=RUN.resnet("{population}", "{network}"),
        log_table=RUN.part("resnet_training", "{population}", "{network}"),
    log:
        RUN.log("train-resnet", "{population}-{network}"),
    priority: 1
    threads: 1
    resources:
        **asks(resnet_demand),
        gpu=PLAN.config.jobs.gpus,
    params:
        block=resnet_parameters,
        planned=planned_resnet,
        code=code_digest("train-resnet"),
        checkpoint=lambda wildcards, input: (
            ["--checkpoint", input.checkpoint, "--others", *input.others]
            if input.checkpoint
            else []
        ),
        resume=RUN.resume("{population}", "{network}"),
    shell:
        "cnn-topology train-resnet --parameters {params.block:q} --images {input.images:q} {params.checkpoint:q}"
        " {params.planned:q} --weights {output.weights:q} --log-table {output.log_table:q} --resume {params.resume:q}"
        " --threads {threads} &> {log:q}"


rule find_masks:
    input:
        resnet_images,
    output:
        masks=RUN.masks("{population}", "{split}-{number}"),
        masks_table=RUN.part("masks", "{population}", "{split}-{number}"),
        modes_table=RUN.part("modes", "{population}", "{split}-{number}"),
    log:
        RUN.log("masks", "{population}-{split}-{number}"),
    resources:
        **asks(mask_demand),
    params:
        code=code_digest("masks"),
        block=mask_parameters,
    shell:
        "cnn-topology masks --parameters {params.block:q} --images {input:q} --masks {output.masks:q}"
        " --masks-table {output.masks_table:q} --modes-table {output.modes_table:q} &> {log:q}"


# Clouds differ in their layers, so each job has a rule of its own.
for name, population, networks, clouds in extractions():

    rule:
        name:
            f"extract_{name}"
        input:
            images=RUN.images(PLAN.config.resnets[population].images),
            weights=[RUN.resnet(population, network) for network in networks],
            masks=masks_of(clouds),
        output:
            clouds=[
                RUN.activations(population, network, layer.name, cloud)
                for cloud in clouds
                for network in networks
                for layer in PLAN.activation_layers(cloud)
            ],
            accuracy=[
                RUN.part("resnet_accuracy", population, network, cloud)
                for cloud in clouds
                for network in networks
            ],
        log:
            RUN.log("activations", name),
        threads: 1
        resources:
            **asks(forecast.activations(PLAN, clouds, len(networks))),
        params:
            code=code_digest("activations"),
            blocks=[
                activation_parameters.ActivationParameters.of(
                    PLAN, cloud, networks
                ).dump()
                for cloud in clouds
            ],
            masks=lambda wildcards, input: (
                ["--masks", *input.masks] if input.masks else []
            ),
        shell:
            "cnn-topology activations --parameters {params.blocks:q} --images {input.images:q}"
            " --weights {input.weights:q} {params.masks:q} --clouds {output.clouds:q}"
            " --accuracy {output.accuracy:q} --threads {threads} &> {log:q}"


rule choose_examples:
    input:
        resnet_images,
    output:
        RUN.part("example_pixels", "{population}"),
    log:
        RUN.log("examples", "{population}"),
    resources:
        **asks(example_demand),
    params:
        code=code_digest("example-pixels"),
        block=example_parameters,
    shell:
        "cnn-topology example-pixels --parameters {params.block:q} --images {input:q} --output {output:q} &> {log:q}"
