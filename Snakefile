"""cnn-topology: `snakemake --cores all` makes the run of config/demo.yaml; `--configfile` takes another."""

from snakemake.utils import min_version

min_version("9.12")


report: "workflow/report/run.rst"


include: "workflow/rules/common.smk"
include: "workflow/jobs/weights.smk"
include: "workflow/jobs/data.smk"
include: "workflow/jobs/generalization.smk"
include: "workflow/jobs/activations.smk"
include: "workflow/jobs/layer_distances.smk"
include: "workflow/jobs/activation_mapper.smk"
include: "workflow/jobs/whole_run.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/activations.smk"
include: "workflow/rules/checkpoints.smk"
include: "workflow/rules/clouds.smk"
include: "workflow/rules/topology.smk"
include: "workflow/rules/layer_distances.smk"
include: "workflow/rules/activation_mapper.smk"
include: "workflow/rules/generalization.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/findings.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/page.smk"


envvars:
    "CNN_TOPOLOGY_CONFIG",


EVERYTHING = [
    RUN.summary,
    RUN.page,
    *(RUN.table(name) for name in TABLES),
    *DRAWN.values(),
    *(
        RUN.snapshot(shard.population, shard.number, step)
        for shard in PLAN.shards
        for step in PLAN.steps(shard.population)
    ),
    *intermediates(),
]


include: "workflow/rules/provenance.smk"


rule all:
    default_target: True
    input:
        EVERYTHING,
        RUN.provenance,
    localrule: True


onstart:
    prepare_folder(log)


onsuccess:
    if Path(RUN.page).exists():  # not after a part of the run alone
        print(f"\nWhat was found: {RUN.page} (opens without a network)")


onerror:
    explain_failure(log)
