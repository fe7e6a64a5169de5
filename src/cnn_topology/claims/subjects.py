"""Which populations of a run a claim can be tested on: those on the paper's own data, else others."""

from collections.abc import Callable, Iterable

from cnn_topology.claims.framework import Subject
from cnn_topology.plan.findings import CheckpointFacts, PopulationFacts, RunFacts
from cnn_topology.plan.paper_sizes import fewer

Subjects = Callable[[RunFacts], list[Subject]]
Absent = Callable[[RunFacts], str]

PAPER_MODELS = ("vgg16", "vgg19")


def trained(kind: str, architecture: str | None = None, channels: int | None = None, layer: str = "conv1") -> Subjects:
    """Find populations of plain networks whose `layer` has a cloud.

    Parameters
    ----------
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
        own, others, elsewhere = [], [], []
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
                own.append(Subject((name,), described(population), reduced=whole_size(population)))
            else:
                others.append(Subject((name,), f"{described(population)}, not {architecture}", other_data=True))
        return own or others or elsewhere

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
    size = (f"{len(reduced)} of {len(taken)} populations: {', '.join(reduced)}",) if reduced else ()
    return [Subject(tuple(taken), "; ".join(taken.values()), other_data=not own, reduced=size)] if taken else []


def pretrained(model: str) -> Subjects:
    """Find checkpoints of a model, else of any other."""

    def find(facts: RunFacts) -> list[Subject]:
        found = {name: checkpoint for name, checkpoint in facts.checkpoints.items() if checkpoint.analysed}
        subjects = [
            Subject((name,), _checkpoint(c), other_data=c.model != model, reduced=_few_layers(c))
            for name, c in found.items()
        ]
        return [subject for subject in subjects if not subject.other_data] or subjects[:1]

    return find


def _few_layers(checkpoint: CheckpointFacts) -> tuple[str, ...]:
    """Return the message that not all layers are analysed, from the second on as in the paper (E9, E10), if so."""
    missing = set(range(2, checkpoint.layers + 1)) - set(checkpoint.analysed.values())
    return (f"{len(checkpoint.analysed)} of {checkpoint.layers} layers",) if missing else ()


def _checkpoint(checkpoint: CheckpointFacts) -> str:
    return f"{checkpoint.model}, pretrained, {len(checkpoint.analysed)} layers"


def crossed(kind: str, other: str) -> Subjects:
    """Find a population trained on `kind` and tested on `other`, and one the other way round."""

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

    return _pair(lambda facts, own: (first(facts, kind, other, own), first(facts, other, kind, own)))


def onset_pair(kind: str, other: str) -> Subjects:
    """Find a population on `kind` and one on `other` in gray whose first layers are analysed over training."""

    def first(facts: RunFacts, wanted: str, own: bool) -> str:
        names = (
            name
            for name, population in facts.populations.items()
            if population.plain and is_about(facts, population.images, wanted, own) and population.channels == 1
            if "conv1" in population.analysed and len(population.steps) > 2
        )
        return next(names, "")

    return _pair(lambda facts, own: (first(facts, kind, own), first(facts, other, own)))


def _pair(first_of: Callable[[RunFacts, bool], tuple[str, str]]) -> Subjects:
    """Take two populations together: those on the papers' own images, else on others; empty names are missing ones."""

    def find(facts: RunFacts) -> list[Subject]:
        for own in (True, False):
            names = first_of(facts, own)
            if all(names):
                data = " and ".join(described(facts.populations[name]) for name in names)
                return [Subject(names, data, other_data=not own, reduced=_sizes(facts, names))]
        return []

    return find


def improved(kind: str, accept: Callable[[PopulationFacts], bool], other: str | None = None) -> Subjects:
    """Find the variants of groups of improvements whose networks pass `accept`: (variant, baseline) each.

    With `other`, the claim is about accuracy on that set: those that are not tested on it do not count.
    """

    def find(facts: RunFacts) -> list[Subject]:
        for own in (True, False):
            found = [
                Subject(
                    (variant, group.baseline),
                    described(facts.populations[variant]),
                    other_data=not own,
                    # The paper does not say how many networks it compares.
                    reduced=_reduced(facts, (variant, group.baseline)),
                    group=name,
                )
                for name, group in facts.improvements.items()
                for variant in group.variants
                if accept(facts.populations[variant])
                and is_about(facts, facts.populations[variant].images, kind, own)
                and (other is None or across(facts, facts.populations[variant], other, own))
            ]
            if found:
                return found
        return []

    return find


def not_improved(what: str, kind: str, accept: Callable[[PopulationFacts], bool], other: str | None = None) -> Absent:
    """Return what says which condition of `improved` no variant meets; `what` names those that pass `accept`."""

    def absent(facts: RunFacts) -> str:
        names = dict.fromkeys(variant for group in facts.improvements.values() for variant in group.variants)
        accepted = [name for name in names if accept(facts.populations[name])]
        if not accepted:
            return f"no variant of improvements with {what} in this run"
        on_kind = [name for name in accepted if is_about(facts, facts.populations[name].images, kind, own=False)]
        lacks = f"tested on {(other or '').upper()}" if on_kind else f"trained on {kind.upper()}"
        return f"{', '.join(on_kind or accepted)}: {what}, but not {lacks} or a set that stands for it"

    return absent


def is_about(facts: RunFacts, images: str, kind: str, own: bool) -> bool:
    """Return whether an image set is a set of the papers, or, unless it must be the `own` one, stands for it."""
    found = facts.images[images]
    return found.stands_for == kind and (found.own or not own)


def across(facts: RunFacts, population: PopulationFacts, kind: str, own: bool) -> str:
    """Return the first other image set that a population is tested on and that is, or stands for, one of the papers."""
    return next((name for name in population.cross_test if is_about(facts, name, kind, own)), "")


def has_angular_features(population: PopulationFacts) -> bool:
    """Return whether responses to edges are appended to the input, not those to random filters."""
    return population.architecture.angular_features > 0 and population.architecture.feature_filters == "edges"


def has_circle(population: PopulationFacts) -> bool:
    """Return whether the first layer is fixed to the primary circle."""
    return population.architecture.first_layer.kind == "fixed_circle"


def has_klein_filters(population: PopulationFacts) -> bool:
    """Return whether the first layer is fixed to filters of the Klein bottle."""
    return population.architecture.first_layer.kind == "fixed_klein"


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
    own = [subject for subject in found if not subject.other_data]
    return own or found


def grids(facts: RunFacts) -> list[Subject]:
    """Take each grid of populations."""
    found = []
    for name, grid in facts.grids.items():
        data = f"{name}: {grid.populations} populations such as {described(grid.example)}"
        own = facts.images[grid.example.images].own
        # The paper says of no grid how many networks it has.
        found.append(Subject((name,), data, other_data=not own, reduced=grid.example.reduced))
    return [subject for subject in found if not subject.other_data] or found


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
        return [subject for subject in found if not subject.other_data] or found

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
