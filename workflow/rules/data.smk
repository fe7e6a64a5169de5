# Image sets, read, checked and brought to shape once.
rule prepare_images:
    output:
        images=RUN.images("{images}"),
    log:
        RUN.log("images", "{images}"),
    # Before all else: training waits for them, and what comes after training for that.
    priority: 2
    resources:
        **asks(image_jobs.images, image_set),
    params:
        **planned(parameters.ImagesParameters, image_set, files=own_images),
    shell:
        "cnn-topology job {params.job:q} &> {log:q}"
