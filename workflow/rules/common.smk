# What all rules share: the validated plan of the run and the paths of its artefacts.
# This file is read again in every job of a cluster: NumPy and pyarrow may be imported here, what is slower to load
# (torch, pandas, SciPy, matplotlib) may not.
import json
import math
import os
from pathlib import Path

from snakemake.exceptions import WorkflowError

from cnn_topology.errors import InputError, escape_unprintable
from cnn_topology.figures.registry import (
    QUESTIONS,
    FigureParameters,
    figure_jobs,
    figure_specs,
)
from cnn_topology.plan import (
    activation_graphs,
    activation_parameters,
    findings,
    parameters,
)
from cnn_topology.plan.code import code_digest
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.config_errors import located
from cnn_topology.plan.config_file import read_config_file
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.files import check_files
from cnn_topology.plan.layer_comparisons import (
    DIAGRAMS,
    MATCHINGS,
    comparisons,
    tensor_source,
)
from cnn_topology.plan.images import OwnImages
from cnn_topology.plan.names import RunFolder
from cnn_topology.forecast import (
    activation_jobs,
    filter_jobs,
    image_jobs,
    table_jobs,
    training_jobs,
)
from cnn_topology.runs.job_files import Inputs, JobFiles, job_digest, job_text
from cnn_topology.runs.recorded import with_recorded
from cnn_topology.runs.stages import STAGES
from cnn_topology.runs.starts import (
    failure_summary,
    pass_config,
    passed_config,
    record_start,
)
from cnn_topology.storage.atomic import clamp_future_mtimes, write_text
from cnn_topology.storage.downloads import ON_NODE
from cnn_topology.tables.registry import (
    BARCODE_ROWS,
    GRAPH_ROWS,
    MAPPER_ROWS,
    WHOLE,
)

escape_unprintable()  # what is printed here may hold the names of a user's files
# A module has the config that its `module` statement names; the files of the other workflow are not ours.
IS_MODULE = bool(__name__)
# In a job, whose file may have been edited since, none is read.
files = []
try:
    if workflow.is_main_process and not IS_MODULE:
        # Snakemake takes the last of two equal keys, and knows no lines. The default is looked at before it reads it.
        files = [
            read_config_file(Path(path))
            for path in workflow.overwrite_configfiles or ["config/demo.yaml"]
        ]
except InputError as error:
    raise WorkflowError(str(error)) from None


# A second config file would be merged into the first: the demo's populations do not belong in another run.
if not workflow.overwrite_configfiles and not IS_MODULE:

    configfile: "config/demo.yaml"


CONFIG_FILES = (
    f"config of module {__name__}"
    if IS_MODULE
    else " + ".join(map(str, workflow.configfiles))
)
try:
    if workflow.is_main_process:
        asked = parse_config(config, CONFIG_FILES, files)
        PLAN = Plan(with_recorded(asked, CONFIG_FILES, files))
    else:
        PLAN = Plan(passed_config())  # the file may have been edited since
        if workflow.remote_exec:
            os.environ[ON_NODE] = "1"
    RUN = RunFolder(PLAN.config.name)
    check_files(PLAN.config, RUN)
    FIGURES = figure_specs(PLAN)
    COMPARISONS = comparisons(PLAN)
    TENSOR = tensor_source(PLAN)
    GRAPHS = activation_graphs.GraphPlan(PLAN)
except InputError as error:
    raise WorkflowError(located(str(error), CONFIG_FILES, files)) from None
if workflow.is_main_process:
    pass_config(PLAN.config, RUN)
# Jobs take the manifests of a user's files as the start that planned them wrote them.
INPUTS = Inputs(RUN, renew=workflow.is_main_process)
JOB_FILES = JobFiles(RUN, keep=workflow.is_main_process)
LAYER_CLOUDS = {
    (clouds.population, clouds.layer.name): clouds for clouds in PLAN.layer_clouds
}
RECORDED = PLAN.config.recorded
# Training dynamics and generalization: networks one by one, and how topology goes with accuracy.
NETWORK_GROUPS = {(group.name, group.layer): group for group in PLAN.network_groups}
DYNAMICS = {(c.population, c.layer.name): c for c in PLAN.dynamics_clouds}
# Tables whose parts the jobs of one rule make.
BARCODE_TABLES, MAPPER_TABLES, GRAPH_TABLES = (
    [row.table_name for row in rows] for rows in (BARCODE_ROWS, MAPPER_ROWS, GRAPH_ROWS)
)


include: "../jobs/tables.smk"


COLLECTED = collected_tables()
# Whether the run has the jobs that make tables whole.
HAS = {
    "controls": PLAN.layer_clouds,
    "improvements": PLAN.config.improvements,
    "cross-accuracy": PLAN.config.populations,
    "example-images": GRAPHS.jobs,
    "purity-tests": GRAPHS.jobs,
    "measure-tests": COMPARISONS,
    "activation-tensor": TENSOR,
    "claims": PLAN.has_claims,
}
TABLES = (
    *(table for tables in COLLECTED.values() for table in tables),
    *(row.table_name for kind, rows in WHOLE.items() if HAS[kind] for row in rows),
)


wildcard_constraints:
    population="[A-Za-z0-9][A-Za-z0-9_-]*",
    images="[A-Za-z0-9][A-Za-z0-9_-]*",
    layer="[A-Za-z0-9][A-Za-z0-9_.-]*",
    network="[0-9]{4}",
    cloud="[A-Za-z0-9][A-Za-z0-9_-]*",
    split="test|train",
    number="[0-9]+",
    block="[0-9]{4}",
    shard="[0-9]{4}",
    points="[0-9]+",
    group="[A-Za-z0-9][A-Za-z0-9_-]*",
    pairs=f"{DIAGRAMS}|{MATCHINGS}|[0-9]{{4}}-[0-9]{{4}}",
    recipe="[A-Za-z0-9][A-Za-z0-9_-]*",


def asks(forecast, about=None):
    """Return the resources of a rule: a forecast, or what a function of the plan and of what a job is about returns.

    `expected_s` and `disk_mb` limit nothing: `cnn-topology plan` and `status` read them.
    """

    def of(wildcards):
        if about is None:
            return forecast(wildcards) if callable(forecast) else forecast
        return forecast(PLAN, *subject(about, wildcards))

    def mem_mb(wildcards, attempt):
        return of(wildcards).limit_mb(attempt)

    def runtime(wildcards, attempt):
        return of(wildcards).limit_minutes(attempt)

    def expected_s(wildcards):
        return math.ceil(of(wildcards).seconds)

    def disk_mb(wildcards):
        return round(of(wildcards).disk_mb)

    return dict(mem_mb=mem_mb, runtime=runtime, expected_s=expected_s, disk_mb=disk_mb)


def subject(about, wildcards):
    """Return what a job is about: its layer, its steps, its network; of the rule or from the wildcards."""
    return about(wildcards) if callable(about) else about


def planned(kind, about=(), files=None, resume=None, modules=()):
    """Return the params of a rule: the file that describes its job, and digests of what reruns the job if it changes.

    `kind` is the class of the parameters, which it takes from the plan and what the job is about. The job knows inputs
    and outputs by their names in the rule; those without a name it does not see. `files` are a user's own; `modules` are those whose code
    the job loads by name.
    """

    def content(wildcards):
        own = files(wildcards) if files else []
        return kind.of(PLAN, *subject(about, wildcards)).model_dump_json(), own

    def digest(wildcards):
        return job_digest(json.dumps(content(wildcards)))

    def path(wildcards, input, output):
        block, own = content(wildcards)
        others = {"planned": own} if own else {}
        if modules:
            others["modules"] = sorted(modules)
        if resume:
            others["resume"] = resume.format(**dict(wildcards.items()))
        text = job_text(kind.verb, block, named(input), named(output), **others)
        return JOB_FILES.plan(text, output[0])

    return dict(job=path, parameters=digest, code=code_digest(kind.verb, *modules))


def named(files):
    """Return the files of a job by their names in its rule, of several files a list."""
    return {
        name: path if isinstance(path, str) else list(path)
        for name, path in files.items()
    }


def prepare_folder(log):
    """Write what the jobs of this start read: the whole config, defaults filled in, and the file of each job.

    Record this start, since other runs may start in the same checkout. List the logs of the run's jobs, so that time
    and memory of jobs of an earlier config are not counted with theirs; a start for some targets alone does not know
    all jobs and leaves the list as it is. Set right times of files that lie ahead of the clock.

    Where this workflow is a module of another one, the other one calls it when it starts.
    """
    jobs = list(workflow.dag.jobs)
    STAGES.plan(
        (
            job.jobid,
            Path(job.rule.snakefile).stem,
            float(job.resources.get("expected_s", 0)),
        )
        for job in workflow.dag.needrun_jobs()
        if job.output  # not the targets themselves
    )
    try:
        write_text(Path(RUN.config), PLAN.config.to_yaml())
        record_start(RUN, log)
        INPUTS.write()
        JOB_FILES.write(
            path for job in jobs if (path := job.params.get("job")) is not None
        )
        if any(RUN.provenance in job.output for job in jobs):
            folder = Path(RUN.logs)
            logs = sorted(
                str(Path(log).relative_to(folder))
                for job in jobs
                for log in job.log
                if Path(log).is_relative_to(folder)
            )
            write_text(Path(RUN.job_logs), "\n".join(logs), checksum=False)
        clamp_future_mtimes(Path(RUN.root))
    except InputError as error:
        raise WorkflowError(str(error)) from None


def explain_failure(log):
    """Print why the run failed, and leave a record of that for `status`."""
    print(failure_summary(Path.cwd(), RUN.root))
    try:
        record_start(RUN, log, failed=True)
    except InputError as error:  # the disk may be full
        print(error)


def whole_tables(kind):
    """Return the tables that a job of a kind makes whole, by name."""
    return {row.table_name: RUN.table(row.table_name) for row in WHOLE[kind]}


def tables_there(names):
    """Return those of some tables that the run has."""
    return [RUN.table(name) for name in names if name in TABLES]
