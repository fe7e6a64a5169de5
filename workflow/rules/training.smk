# Training: one job a shard. The rules differ between populations in how many snapshots they make, so each has its own.
for population, section in PLAN.config.populations.items():
    for shard in PLAN.shards_of(population):

        rule:
            name:
                f"train_{population}_{shard.number:04d}"
            input:
                images=RUN.images(section.images),
                cross_test=[RUN.images(name) for name in section.cross_test],
            output:
                log_table=RUN.training(population, shard.number),
                snapshots=[
                    RUN.snapshot(population, shard.number, step)
                    for step in PLAN.steps(population)
                ],
            log:
                RUN.log("train", f"{population}-{shard.number:04d}"),
            benchmark:
                RUN.benchmark("train", f"{population}-{shard.number:04d}")
            priority: 1
            threads: 1
            resources:
                mem_mb=4000,
                runtime=720,
            params:
                block=parameters.TrainParameters.of(PLAN, shard).dump(),
                resume=RUN.resume(population, shard.number),
            shell:
                "cnn-topology train --parameters {params.block:q} --images {input.images:q}"
                " --cross-test {input.cross_test:q} --snapshots {output.snapshots:q} --log-table {output.log_table:q}"
                " --resume {params.resume:q} --threads {threads} &> {log:q}"
