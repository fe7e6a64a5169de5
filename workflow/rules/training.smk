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
            **asks(train_demand(population)),
            gpu=PLAN.config.jobs.gpus,
        params:
            block=train_parameters(population),
            resume=RUN.resume(population, "{shard}"),
            code=code_digest("train"),
        shell:
            "cnn-topology train --parameters {params.block:q} --images {input.images:q}"
            " --cross-test {input.cross_test:q} --matched {input.matched:q} --snapshots {output.snapshots:q} --log-table {output.log_table:q}"
            " --resume {params.resume:q} --threads {threads} &> {log:q}"
