# What the tables are joined from.
def collected_tables():
    """Return the parts of each table, in groups: the parts of a group's tables come from the same jobs.

    A job's part has the same name for all tables of a group, each in the folder of its table.
    """
    size = PLAN.config.jobs.steps_per_job
    blocks = [
        (clouds, block, steps)
        for clouds in PLAN.layer_clouds
        for block, steps in clouds.blocks(size).items()
    ]
    layers = [(c.population, c.layer.name, block) for c, block, _ in blocks]
    mapped = [
        (c.population, c.layer.name, block)
        for c, block, steps in blocks
        if PLAN.mapper_steps(c, steps)
    ]
    networks = [
        RUN.part("generalization", group.name, group.layer, block)
        for group in PLAN.network_groups
        for block in group.blocks(size)
    ]
    followed = [(*which, "all") for which in DYNAMICS]
    accuracy = [
        RUN.part("resnet_accuracy", section.population, network, cloud)
        for cloud, section in PLAN.config.activation_clouds.items()
        for network in PLAN.activation_networks(cloud)
    ]
    resnets = [
        RUN.part("resnet_training", name, network)
        for name, section in RECORDED.items()
        for network in range(section.networks)
    ]
    masked = [(name, f"{split}-{count}") for name, split, count in PLAN.masked_images]
    shown = {section.population for section in PLAN.config.activation_clouds.values()}
    groups = {
        "training": {
            "training": [
                RUN.part("training", s.population, s.number) for s in PLAN.shards
            ]
        },
        "networks": {"generalization": networks},
        "dynamics": {
            table: [RUN.part(table, *at) for at in followed]
            for table in ("onset", "loop_tracks")
        },
        "correlations": {
            "correlations": [
                *(RUN.part("correlations", *at) for at in followed),
                *([RUN.part("correlations", "networks")] if networks else []),
            ]
        },
        "resnets": {"resnet_training": resnets},
        "accuracy": {"resnet_accuracy": accuracy},
        "masks": {
            table: [RUN.part(table, *at) for at in masked]
            for table in ("masks", "modes")
        },
        "examples": {
            "example_pixels": [
                RUN.part("example_pixels", name) for name in RECORDED if name in shown
            ]
        },
        "graphs": {
            table: [RUN.part(table, *job.key) for job in GRAPHS.jobs.values()]
            for table in GRAPH_TABLES
        },
    }
    groups = {name: tables for name, tables in groups.items() if any(tables.values())}
    if not PLAN.layer_clouds:
        return groups
    # Others read these without rows too, where a run has no such jobs.
    groups["nulls"] = {
        "nulls": [
            RUN.part("nulls", f"{points}-{side}") for points, side in PLAN.null_sizes
        ]
    }
    groups["layers"] = {t: [RUN.part(t, *at) for at in layers] for t in BARCODE_TABLES}
    if PLAN.config.mapper:
        groups["mapper"] = {
            t: [RUN.part(t, *at) for at in mapped] for t in MAPPER_TABLES
        }
    return groups
