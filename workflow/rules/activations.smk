# Networks whose activations are recorded, and the point clouds of these.
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
        **asks(training_jobs.train_resnet, population_of),
        gpu=PLAN.config.jobs.gpus,
    params:
        **planned(
            activation_parameters.ResNetParameters,
            resnet_of,
            files=resnet_files,
            resume=RUN.resume("{population}", "{network}"),
        ),
    shell:
        "cnn-topology job {params.job:q} --threads {threads} &> {log:q}"


rule find_masks:
    input:
        images=resnet_images,
    output:
        masks=RUN.masks("{population}", "{split}-{number}"),
        masks_table=RUN.part("masks", "{population}", "{split}-{number}"),
        modes_table=RUN.part("modes", "{population}", "{split}-{number}"),
    log:
        RUN.log("masks", "{population}-{split}-{number}"),
    resources:
        **asks(
            lambda wildcards: activation_jobs.masks(
                PLAN, wildcards.population, int(wildcards.number)
            )
        ),
    params:
        **planned(activation_parameters.MaskParameters, masked_images),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"


# Clouds differ in their layers, so each job has a rule of its own.
for name, population, networks, clouds in extractions():

    rule:
        name:
            f"extract_{name}"
        input:
            images=RUN.images(RECORDED[population].images),
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
            **asks(activation_jobs.activations(PLAN, clouds, len(networks))),
        params:
            **planned(activation_parameters.ExtractionParameters, (clouds, networks)),
        shell:
            "cnn-topology job {params.job:q} --threads {threads} &> {log:q}"


rule choose_examples:
    input:
        images=resnet_images,
    output:
        example_pixels=RUN.part("example_pixels", "{population}"),
    log:
        RUN.log("example-pixels", "{population}"),
    resources:
        **asks(activation_jobs.example_pixels, population_of),
    params:
        **planned(activation_parameters.ExamplePixelParameters, population_of),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"
