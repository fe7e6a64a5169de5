"""Which populations of a run a claim can be tested on: those on the paper's own data, else others.

Where a run has none, each function here raises `NotTestable`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from cnn_topology.claims.framework import NotTestable, Subject
from cnn_topology.plan.findings import CheckpointFacts, PopulationFacts, RunFacts, fewer
from cnn_topology.plan.populations import Architecture

Subjects = Callable[[RunFacts], list[Subject]]
Knowledge = Literal["angular features", "a first layer fixed to the circle", "a first layer of Klein filters"]

PAPER_MODELS = ("vgg16", "vgg19")
# Whether networks are given some knowledge of the topology; responses to random filters are none.
HAS_KNOWLEDGE: dict[Knowledge, Callable[[Architecture], bool]] = {
    "angular features": lambda network: network.angular_features > 0 and network.feature_filters == "edges",
    "a first layer fixed to the circle": lambda network: network.first_layer.kind == "fixed_circle",
    "a first layer of Klein filters": lambda network: network.first_layer.kind == "fixed_klein",
}


def _own_or_others(subjects: list[Subject], what: str) -> list[Subject]:
    """Return the subjects that are the papers', else all; `what` names what a run without any lacks."""
    if not subjects:
        raise NotTestable(f"no {what} in this run")
    return [subject for subject in subjects if not subject.other_data] or subjects


def trained(
    what: str, kind: str, architecture: str | None = None, channels: int | None = None, layer: str = "conv1"
) -> Subjects:
    """Find populations of plain networks whose `layer` has a cloud.

    Parameters
    ----------
    what : str
        Networks that a run without them lacks, in words.
    kind : str
        The set of the papers that the claim is about.
    architecture : str, optional
        ``M(64, 32, 64)``; networks of another one are other data.
    channels : int, optional
        Channels of the images; others do not count at all.
    layer : str
        Name of a convolution layer.
    """

    def find(facts: RunFacts) -> list[Subject]:
        found, elsewhere = [], []
        for name, population in facts.populations.items():
            if not population.plain or layer not in population.analysed:
                continue
            if channels is not None and population.channels != channels:
                continue
            images = facts.images[population.images]
            if images.stands_for != kind:
                continue
            if not images.own:
                elsewhere.append(Subject((name,), described(population), other_data=True))
            elif architecture in (None, population.label):
                found.append(Subject((name,), described(population), reduced=whole_size(population)))
            else:
                found.append(Subject((name,), f"{described(population)}, not {architecture}", other_data=True))
        return _own_or_others(found or elsewhere, what)

    return find


def every_network(facts: RunFacts) -> list[Subject]:
    """Take all plain populations and checkpoints that have a cloud together; others' where none is the papers'."""
    found: dict[str, tuple[str, bool]] = {}
    for name, population in facts.populations.items():
        if population.plain and population.analysed:
            found[name] = described(population), facts.images[population.images].own
    for name, checkpoint in facts.checkpoints.items():
        if checkpoint.analysed:
            found[name] = _checkpoint(checkpoint), checkpoint.model in PAPER_MODELS
    own = {name: data for name, (data, of_paper) in found.items() if of_paper}
    taken = own or {name: data for name, (data, _) in found.items()}
    # Of networks that others trained nothing is reduced but the layers that are analysed.
    populations, checkpoints = facts.populations, facts.checkpoints
    reduced = [
        name
        for name in own
        if (whole_size(populations[name]) if name in populations else _few_layers(checkpoints[name]))
    ]
    if not taken:
        raise NotTestable("no layer is analysed")
    size = (f"{len(reduced)} of {len(taken)} populations: {', '.join(reduced)}",) if reduced else ()
    return [Subject(tuple(taken), "; ".join(taken.values()), other_data=not own, reduced=size)]


def pretrained(model: str) -> Subjects:
    """Find checkpoints of a model, else of any other."""

    def find(facts: RunFacts) -> list[Subject]:
        subjects = [
            Subject((name,), _checkpoint(c), other_data=c.model != model, reduced=_few_layers(c))
            for name, c in facts.checkpoints.items()
            if c.analysed
        ]
        chosen = _own_or_others(subjects, f"pretrained {model.upper()}")
        return chosen[:1] if chosen[0].other_data else chosen

    return find


def _few_layers(checkpoint: CheckpointFacts) -> tuple[str, ...]:
    """Return the message that not all layers are analysed, from the second on as in the paper (E9, E10), if so."""
    missing = set(range(2, checkpoint.layers + 1)) - set(checkpoint.analysed.values())
    return (f"{len(checkpoint.analysed)} of {checkpoint.layers} layers",) if missing else ()


def _checkpoint(checkpoint: CheckpointFacts) -> str:
    return f"{checkpoint.model}, pretrained, {len(checkpoint.analysed)} layers"


def crossed(what: str) -> Subjects:
    """Find a population trained on MNIST and tested on SVHN, and one the other way round."""

    def first(facts: RunFacts, trained_on: str, tested_on: str, own: bool) -> str:
        names = [
            name
            for name, population in facts.populations.items()
            if population.plain
            and is_about(facts, population.images, trained_on, own)
            and across(facts, population, tested_on, own)
        ]
        # Those whose filters are analysed are the populations of the main experiments.
        return next((name for name in names if facts.populations[name].analysed), next(iter(names), ""))

    def find(facts: RunFacts) -> list[Subject]:
        pairs = {own: (first(facts, "mnist", "svhn", own), first(facts, "svhn", "mnist", own)) for own in (True, False)}
        return _pair(facts, pairs, what)

    return find


def onset_pair(facts: RunFacts) -> list[Subject]:
    """Find a population on MNIST and one on CIFAR-10 in gray whose first layers are analysed over training."""

    def first(wanted: str, own: bool) -> str:
        names = (
            name
            for name, population in facts.populations.items()
            if population.plain and is_about(facts, population.images, wanted, own) and population.channels == 1
            if "conv1" in population.analysed and len(population.steps) > 2
        )
        return next(names, "")

    names = {own: (first("mnist", own), first("cifar10", own)) for own in (True, False)}
    return _pair(facts, names, "pair of networks on MNIST and on CIFAR-10 gray")


def _pair(facts: RunFacts, names: Mapping[bool, tuple[str, str]], what: str) -> list[Subject]:
    """Take two populations together: those on the papers' own images, else on others; empty names are missing ones."""
    for own, pair in names.items():
        if all(pair):
            data = " and ".join(described(facts.populations[name]) for name in pair)
            return [Subject(pair, data, other_data=not own, reduced=_sizes(facts, pair))]
    raise NotTestable(f"no {what} in this run")


def improved(kind: str, knowledge: Knowledge, other: str | None = None) -> Subjects:
    """Find the variants of groups of improvements that are given some knowledge: (variant, baseline) each.

    With `other`, the claim is about accuracy on that set: those that are not tested on it do not count.
    """

    def find(facts: RunFacts) -> list[Subject]:
        variants = [
            (name, group.baseline, variant)
            for name, group in facts.improvements.items()
            for variant in group.variants
            if HAS_KNOWLEDGE[knowledge](facts.populations[variant].architecture)
        ]
        for own in (True, False):
            found = [
                Subject(
                    (variant, baseline),
                    described(facts.populations[variant]),
                    other_data=not own,
                    # The paper does not say how many networks it compares.
                    reduced=_reduced(facts, (variant, baseline)),
                    group=name,
                )
                for name, baseline, variant in variants
                if is_about(facts, facts.populations[variant].images, kind, own)
                and (other is None or across(facts, facts.populations[variant], other, own))
            ]
            if found:
                return found
        if not variants:
            raise NotTestable(f"no variant of improvements with {knowledge} in this run")
        names = dict.fromkeys(variant for *_, variant in variants)
        on_kind = [name for name in names if is_about(facts, facts.populations[name].images, kind, own=False)]
        lacks = f"tested on {(other or '').upper()}" if on_kind else f"trained on {kind.upper()}"
        raise NotTestable(f"{', '.join(on_kind or names)}: {knowledge}, but not {lacks} or a set that stands for it")

    return find


def is_about(facts: RunFacts, images: str, kind: str, own: bool) -> bool:
    """Return whether an image set is a set of the papers, or, unless it must be the `own` one, stands for it."""
    found = facts.images[images]
    return found.stands_for == kind and (found.own or not own)


def across(facts: RunFacts, population: PopulationFacts, kind: str, own: bool) -> str:
    """Return the first other image set that a population is tested on and that is, or stands for, one of the papers."""
    return next((name for name in population.cross_test if is_about(facts, name, kind, own)), "")


def all_improved(facts: RunFacts) -> list[Subject]:
    """Take each group of improvements; the paper's are on MNIST and SVHN, tested on the other."""
    found = []
    for name, group in facts.improvements.items():
        baseline = facts.populations[group.baseline]
        sets = [facts.images[each] for each in (baseline.images, *baseline.cross_test)]
        of_paper = all(images.own and images.stands_for in ("mnist", "svhn") for images in sets)
        reduced = _reduced(facts, group.populations)
        found.append(
            Subject(group.populations, described(baseline), other_data=not of_paper, reduced=reduced, group=name)
        )
    return _own_or_others(found, "comparison of improved networks")


def grids(facts: RunFacts) -> list[Subject]:
    """Take each grid of populations."""
    found = []
    for name, grid in facts.grids.items():
        data = f"{name}: {grid.populations} populations such as {described(grid.example)}"
        own = facts.images[grid.example.images].own
        # The paper says of no grid how many networks it has.
        found.append(Subject((name,), data, other_data=not own, reduced=grid.example.reduced))
    return _own_or_others(found, "grid of populations")


def residual(variant: str) -> Subjects:
    """Find residual networks of a variant: those with the paper's layers on CIFAR-10, else others."""

    def find(facts: RunFacts) -> list[Subject]:
        found = [
            Subject(
                (name,),
                f"{networks.images}: {networks.networks} residual network{'s' * (networks.networks > 1)}",
                other_data=not networks.paper,
                reduced=networks.reduced,
            )
            for name, networks in facts.resnets.items()
            if networks.variant == variant
        ]
        return _own_or_others(found, f"networks of variant {variant}")

    return find


def whole_size(population: PopulationFacts) -> tuple[str, ...]:
    """Describe what of a population is smaller than in the paper, the number of networks too."""
    return (*fewer(population.networks), *population.reduced)


def _reduced(facts: RunFacts, names: Iterable[str]) -> tuple[str, ...]:
    """Describe what of populations is smaller than in the paper, but for the number of networks, each thing once."""
    return tuple(dict.fromkeys(what for name in names for what in facts.populations[name].reduced))


def _sizes(facts: RunFacts, names: Iterable[str]) -> tuple[str, ...]:
    """Describe of which populations what is smaller than in the paper."""
    sizes = {name: whole_size(facts.populations[name]) for name in names}
    return tuple(f"{name}: {', '.join(size)}" for name, size in sizes.items() if size)


def described(population: PopulationFacts) -> str:
    """Describe in a few words which networks these are."""
    first = {
        "fixed_circle": ", first layer fixed to the circle",
        "fixed_klein": ", first layer of Klein filters",
        "fixed_random": ", first layer of random filters",
    }.get(population.architecture.first_layer.kind, "")
    angles = population.architecture.angular_features
    features = f", {angles} angular features" if angles else ""
    return (
        f"{population.images}: {population.networks} x {population.label}{first}{features}, "
        f"{population.recipe.iterations:,} iterations"
    )
