"""Settings of mapper graphs of activations: the published table, noise, jobs, and what is refused."""

import copy
from pathlib import Path

import pytest
import yaml

from cnn_topology.errors import InputError
from cnn_topology.figures.registry import figure_specs
from cnn_topology.plan.activation_graphs import ActivationMapperParameters, GraphPlan
from cnn_topology.plan.activations import PUBLISHED, ActivationClouds, ActivationMapper, settings_of
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.expand import Plan
from cnn_topology.plan.names import RunFolder

LAYERS = ["layer1.1.bn2", "layer4.1.bn2"]
CLOUD = {"population": "nets", "layers": LAYERS}
FULL_AND_FIVE = ({"sampling": "full"}, {"sampling": "foreground", "top": 5})
CONFIG = {
    "version": 2,
    "name": "graphs",
    "images": {"cifar10": {"kind": "cifar10"}},
    "resnets": {"nets": {"images": "cifar10", "variant": "mapper", "networks": 2}},
    "activation_clouds": {
        "fg": {**CLOUD, "sampling": "foreground"},
        "fg_noise": {**CLOUD, "sampling": "foreground", "sigma": 0.3, "layers": ["layer4.1.bn2"]},
        "full": {**CLOUD, "sampling": "full"},
    },
    "activation_mapper": {"elbow": {}},
    "jobs": {"layers_per_job": 1},
}


@pytest.fixture
def config():
    return copy.deepcopy(CONFIG)


def jobs_of(config):
    return GraphPlan(Plan(parse_config(config)))


def test_defaults_are_those_of_the_paper():
    section = ActivationMapper()
    assert (section.intervals, section.overlap, section.min_samples, section.eps) == (40, 0.25, 5, "elbow")


@pytest.mark.parametrize(
    ("cloud", "layer", "eps", "overlap"),
    [
        ({"sampling": "random"}, "layer4.1.bn2", 8.71, 0.25),
        ({"sampling": "foreground"}, "layer4.0.bn2", 13.0, 0.25),
        ({"sampling": "background"}, "layer3.1.bn2", 12.409, 0.25),
        ({"sampling": "full"}, "layer4.0.bn1", 3.5, 0.25),
        ({"sampling": "full"}, "layer2.1.bn2", 4.5, 0.30),
    ],
)
def test_published_settings_are_those_of_the_table(cloud, layer, eps, overlap):
    section = ActivationMapper(eps="published", overlap="published")
    settings = settings_of(section, ActivationClouds(population="nets", **cloud), layer)
    assert (settings.eps, settings.overlap, settings.eps_from) == (eps, overlap, "published")
    assert len(PUBLISHED) == 7


@pytest.mark.parametrize(
    ("cloud", "layer"),
    [({"sampling": "random"}, "layer4.1.bn3"), ({"sampling": "foreground", "top": 5}, "layer4.1.bn2")],
)
def test_published_settings_that_do_not_exist_are_refused(cloud, layer):
    clouds = ActivationClouds(population="nets", **cloud)
    with pytest.raises(ValueError, match=r"no published eps for .* use eps: elbow"):
        settings_of(ActivationMapper(eps="published"), clouds, layer)


def test_published_overlap_is_refused_for_full_clouds_of_other_layers_alone():
    section = ActivationMapper(overlap="published")
    full, five = (ActivationClouds(population="nets", **kind) for kind in FULL_AND_FIVE)
    assert settings_of(section, five, "layer1.0.bn1").overlap == 0.25
    with pytest.raises(ValueError, match=r"no published overlap for layer1.0.bn1, full: .* give a number"):
        settings_of(section, full, "layer1.0.bn1")


def test_one_job_per_network_cloud_and_block_of_layers(config):
    graphs = jobs_of(config)
    assert len(graphs.jobs) == 2 * (2 + 1 + 2)
    job = graphs.jobs["nets", 1, "elbow", "fg", 1]
    assert [layer.name for layer in job.layers] == ["layer4.1.bn2"]
    assert RunFolder("x").part("purity", *job.key) == "results/x/parts/purity/nets/0001/elbow/fg/0001.parquet"
    config["jobs"]["layers_per_job"] = 9
    assert len(jobs_of(config).jobs) == 2 * 3


def test_noisy_clouds_take_the_radius_of_the_same_cloud_without_noise(config):
    graphs = jobs_of(config)
    job = graphs.jobs["nets", 1, "elbow", "fg_noise", 0]
    assert job.clean == "fg"
    assert [other.key for other in graphs.clean_jobs(job)] == [("nets", 1, "elbow", "fg", 1)]
    assert ActivationMapperParameters.of(graphs.plan, job).job.settings["layer4.1.bn2"].eps_from == "clean"
    assert graphs.clean_jobs(graphs.jobs["nets", 1, "elbow", "fg", 1]) == ()
    config["activation_mapper"]["elbow"]["eps"] = 3.0
    graphs = jobs_of(config)
    assert graphs.clean_jobs(graphs.jobs["nets", 1, "elbow", "fg_noise", 0]) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clouds": ["fgg"]}, r"unknown cloud in activation_mapper.elbow.clouds: 'fgg' \(did you mean 'fg'\?\)"),
        ({"layers": ["layer4.1.bn1"]}, r"unknown layer of its clouds in activation_mapper.elbow: 'layer4.1.bn1'"),
        ({"clouds": ["fg_noise"]}, "add fg to clouds, or give eps as a number"),
        ({"eps": 0}, r"elbow.eps = 0: expected a number above 0, or 'elbow' or 'published'$"),
        ({"eps": "elbo"}, r"eps = \"elbo\": expected a number above 0, or 'elbow' or 'published'$"),
        ({"overlap": 1.0}, r"overlap = 1.0: expected a number from 0 to below 1 .* or 'published'$"),
        ({"intervals": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused(config, change, words):
    config["activation_mapper"]["elbow"] = change
    with pytest.raises(InputError, match=words):
        jobs_of(config)


def test_noise_without_a_clean_cloud_is_refused(config):
    del config["activation_clouds"]["fg"]
    with pytest.raises(InputError, match="describe one with sigma: 0"):
        jobs_of(config)


def uncommented(text, name):
    """Take the comment marks from the entries of a name, as a user would."""
    lines, inside = [], False
    for line in text.splitlines():
        inside = line.startswith(f"  # {name}:") or (inside and line.startswith("  #   "))
        lines.append(line.replace("  # ", "  ", 1) if inside else line)
    return "\n".join(lines)


def test_networks_of_imagenet_are_mapped_once_their_entries_lose_their_comment_marks():
    path = Path(__file__).parents[2] / "config/activations-paper.yaml"
    content = yaml.safe_load(uncommented(path.read_text(encoding="utf-8"), "imagenet"))
    content["images"]["imagenet"] = {"kind": "folder", "path": "pictures", "shape": [224, 224, 3]}
    plan = Plan(parse_config(content))
    jobs = [job for job in GraphPlan(plan).jobs.values() if job.population == "imagenet"]
    stages = ["layer1.1.bn2", "layer2.1.bn2", "layer3.1.bn2", "layer4.1.bn2"]
    assert [layer.name for job in jobs for layer in job.layers] == stages
    panels = figure_specs(plan)["mapper_layers_imagenet_imagenet"].parameters["panels"]
    assert [panel["layer"] for panel in panels] == stages
