# What a whole run is: every file that a job makes, not the tables and figures alone.
def intermediates():
    """Return the files between the data and the tables, one at least of each job.

    They are targets like the tables. Snakemake does not miss a lost file whose successors are there, and it removes
    what a job made before it runs it again: after a job of an edited run has failed, or was killed, the tables of the
    config before would pass for up to date.
    """
    trained = PLAN.populations.values()
    sets = {
        name for section in trained for name in (section.images, *section.cross_test)
    }
    sets |= {section.images for section in RECORDED.values()}
    files = [RUN.images(name) for name in sorted(sets)]
    files += [
        RUN.part("clouds", clouds.population, clouds.layer.name, block)
        for clouds in PLAN.layer_clouds
        for block in clouds.blocks(PLAN.config.jobs.steps_per_job)
    ]
    for tables in COLLECTED.values():
        files += next(iter(tables.values()))
    for cloud, comparison in COMPARISONS.items():
        pairs = comparison.blocks(PLAN.config.jobs.networks_per_job)
        folder = (comparison.population, cloud)
        files += [RUN.part("network_pairs", *folder, block) for block in pairs]
        if DIAGRAMS in pairs or MATCHINGS in pairs:
            files += [
                RUN.part("activation_barcodes", *folder, network)
                for network in comparison.networks
            ]
    files += curve_parts(None)
    return files


def figure_file(spec, suffix):
    """Return a file of a figure, with its caption if the report shows it."""
    path = RUN.figure(spec.name, suffix)
    shown = {"png": spec.name, "html": f"{spec.name} (interactive)"}
    if suffix not in shown:
        return path
    return report(
        path,
        caption=str(Path(RUN.figure(spec.name, "txt")).absolute()),
        category=QUESTIONS[spec.declared.section],
        subcategory=spec.kind.replace("_", " "),
        labels={"figure": shown[suffix]},
    )


def shown_figures():
    """Return the figures of the run in the order of the questions that they answer."""
    specs = sorted(
        FIGURES.values(), key=lambda spec: list(QUESTIONS).index(spec.declared.section)
    )
    return tuple(
        findings.ShownFigure(
            name=spec.name,
            question=QUESTIONS[spec.declared.section],
            printed="png" in spec.suffixes,
            interactive="html" in spec.suffixes,
        )
        for spec in specs
    )
