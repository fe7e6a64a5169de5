# Image sets, read, checked and brought to shape once.
rule prepare_images:
    output:
        RUN.images("{images}"),
    log:
        RUN.log("images", "{images}"),
    # Before all else: training waits for them, and what comes after training for that.
    priority: 2
    resources:
        **asks(images_demand),
    params:
        block=images_parameters,
        planned=planned_images,
        code=code_digest("images"),
    shell:
        "cnn-topology images --parameters {params.block:q} {params.planned:q} --output {output:q} &> {log:q}"
