# Networks that others trained: their 3x3 kernels as a snapshot at step 0, like those of networks trained here.
for checkpoint, section in PLAN.config.checkpoints.items():

    rule:
        name:
            f"import_{checkpoint}"
        input:
            # Their content decides, not their times.
            ancient(section.parts),
        output:
            snapshot=RUN.snapshot(checkpoint, 0, 0),
        log:
            RUN.log("checkpoint", checkpoint),
        threads: 1
        resources:
            **asks(training_jobs.checkpoint(PLAN, checkpoint)),
        params:
            **planned(
                parameters.CheckpointParameters,
                (checkpoint,),
                files=checkpoint_files(checkpoint, section),
            ),
        shell:
            "cnn-topology job {params.job:q} &> {log:q}"
