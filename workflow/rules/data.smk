# Image sets, read, checked and brought to shape once.
rule prepare_images:
    output:
        RUN.images("{images}"),
    log:
        RUN.log("images", "{images}"),
    benchmark:
        RUN.benchmark("images", "{images}")
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        block=images_parameters,
        state=state_of_files,
    shell:
        "cnn-topology images --parameters {params.block:q} --output {output:q} &> {log:q}"
