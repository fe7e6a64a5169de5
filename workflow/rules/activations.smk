# Residual networks and the point clouds of their activations.
rule train_resnet:
    input:
        images=resnet_images,
        checkpoint=resnet_checkpoint,
    output:
        weights=RUN.resnet("{population}", "{network}"),
        log_table=RUN.resnet_training("{population}", "{network}"),
    log:
        RUN.log("train-resnet", "{population}-{network}"),
    benchmark:
        RUN.benchmark("train-resnet", "{population}-{network}")
    priority: 1
    threads: 1
    resources:
        mem_mb=6000,
        runtime=1440,
    params:
        block=resnet_parameters,
        checkpoint=lambda wildcards, input: (
            ["--checkpoint", input.checkpoint] if input.checkpoint else []
        ),
        resume=RUN.resume("{population}", "{network}"),
    shell:
        "cnn-topology train-resnet --parameters {params.block:q} --images {input.images:q} {params.checkpoint:q}"
        " --weights {output.weights:q} --log-table {output.log_table:q} --resume {params.resume:q}"
        " --threads {threads} &> {log:q}"


rule collect_resnets:
    input:
        [RUN.resnet_training(name, network) for name, network in RESNETS],
    output:
        RUN.table("resnet_training"),
    log:
        RUN.log("collect", "resnet_training"),
    benchmark:
        RUN.benchmark("collect", "resnet_training")
    resources:
        mem_mb=2000,
        runtime=30,
    shell:
        "cnn-topology collect resnet_training --parts {input:q} --output {output:q} &> {log:q}"
