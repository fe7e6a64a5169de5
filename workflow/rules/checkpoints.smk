# Networks that others trained: their 3x3 kernels as a snapshot at step 0, like those of networks trained here.
for checkpoint, section in PLAN.config.checkpoints.items():

    rule:
        name:
            f"import_{checkpoint}"
        input:
            # Their content decides, not their times.
            ancient(getattr(section, "files", ())),
        output:
            RUN.snapshot(checkpoint, 0, 0),
        log:
            RUN.log("checkpoints", checkpoint),
        threads: 1
        resources:
            **asks(activation_forecast.checkpoint(PLAN, checkpoint)),
        params:
            code=code_digest("checkpoint"),
            planned=planned_checkpoint(checkpoint, section),
            block=parameters.CheckpointParameters.of(PLAN, checkpoint).dump(),
        shell:
            "cnn-topology checkpoint --parameters {params.block:q} {params.planned:q} --output {output:q} &> {log:q}"
