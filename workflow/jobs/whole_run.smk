# What a whole run is: every file that a job makes, not the tables and figures alone.
def intermediates():
    """Give the files between the data and the tables, one at least of each job.

    They are targets like the tables. Snakemake does not miss a lost file whose successors are there, and it removes
    what a job made before it runs it again: after a job of an edited run has failed, or was killed, the tables of the
    config before would pass for up to date.
    """
    blocks = PLAN.config.jobs.steps
    trained = PLAN.populations.values()
    sets = {
        name for section in trained for name in (section.images, *section.cross_test)
    }
    sets |= {section.images for section in RESNETS.values()}
    files = [RUN.images(name) for name in sorted(sets)]
    for clouds in PLAN.layer_clouds:
        for block, steps in clouds.blocks(blocks).items():
            tables = ["clouds", "barcodes"]
            tables += ["mapper_graphs"] if PLAN.mapper_steps(clouds, steps) else []
            files += [
                RUN.part(table, clouds.population, clouds.layer.name, block)
                for table in tables
            ]
    files += [RUN.null(points) for points in PLAN.null_points]
    files += [
        RUN.part("generalization", group.name, group.layer, block)
        for group in PLAN.network_groups
        for block in group.blocks(blocks)
    ]
    files += [
        RUN.part("onset", *which, "all") for which in DYNAMICS
    ] + CORRELATION_PARTS
    files += [path for parts in ACTIVATION_PARTS.values() for path in parts]
    for cloud, comparison in COMPARISONS.items():
        pairs = comparison.blocks(PLAN.config.jobs.networks)
        folder = (comparison.population, cloud)
        files += [RUN.part("network_pairs", *folder, block) for block in pairs]
        if DIAGRAMS in pairs:
            files += [
                RUN.part("activation_barcodes", *folder, network)
                for network in comparison.networks
            ]
    files += curve_parts(None)
    files += [RUN.table("activation_tensor")] if TENSOR else []
    files += [job.part(RUN, GRAPH_TABLES[0]) for job in GRAPHS.jobs.values()]
    return files


def figure_file(spec, suffix):
    """Give a file of a figure, with its caption if the report shows it."""
    path = RUN.figure(spec.name, suffix)
    shown = {"png": spec.name, "html": f"{spec.name} (interactive)"}
    if suffix not in shown:
        return path
    return report(
        path,
        caption=f"../report/{spec.kind}.rst",
        category=spec.section.replace("_", " "),
        subcategory=spec.kind.replace("_", " "),
        labels={"figure": shown[suffix]},
    )
