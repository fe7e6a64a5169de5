# Training: one job a shard. Populations differ in how many snapshots they keep, so each has a rule of its own.
for population, section in PLAN.populations.items():

    rule:
        name:
            f"train_{population}"
        input:
            images=RUN.images(section.images),
            cross_test=[RUN.images(name) for name in section.cross_test],
            matched=matched_snapshots(section),
        output:
            log_table=RUN.part("training", population, "{shard}"),
            snapshots=[
                RUN.snapshot(population, "{shard}", step)
                for step in PLAN.steps(population)
            ],
        log:
            RUN.log("train", f"{population}-{{shard}}"),
        priority: 1
        threads: 1
        resources:
            **asks(training_jobs.train, shard_of(population)),
            gpu=PLAN.config.jobs.gpus,
        params:
            **planned(
                parameters.TrainParameters,
                shard_of(population),
                resume=RUN.resume(population, "{shard}"),
            ),
        shell:
            "cnn-topology job {params.job:q} --threads {threads} &> {log:q}"
