"""Which arrays of a file are a network: it may lie deep in dictionaries, beside an optimizer and other networks."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from cnn_topology.errors import InputError, unknown
from cnn_topology.storage.weight_arrays import Stored
from cnn_topology.storage.weight_forms import USUAL_WORDS, last_word
from cnn_topology.storage.weight_pickle import Inert, array_of

At = tuple[str, ...]
Networks = dict[At, dict[str, Stored]]

# Parts of names of a running copy of a network.
COPY = re.compile(r"(?:^|[._/])(?:ema|swa|avg|averaged|shadow|momentum|teacher|target|encoder_k)(?=[._/]|$)", re.I)

# Words of the names that Bayesian networks give to how far a weight spreads, and to what was drawn.
SPREAD = {"rho", "eps", "sigma", "logsigma", "logvar", "var", "std", "sq", "scale"}
# Parts of names of the state of an optimizer.
OPTIMIZER = re.compile(r"optim(?!al|um)|(?:^|[._/])opt(?:_state)?(?=[./]|$)", re.I)
# A key under which JAX's libraries keep one network: what lies beside it is another (ema_params), or none (grads).
ONE_NETWORK = re.compile(r"(?:\w+_)?(?:params|parameters|variables)(?:_\w+)?|weights")
# Dictionaries in dictionaries.
MOST_DEPTH = 50


def choose_network(content: Any, path: Path, entry: str | None = None) -> dict[str, Stored]:
    """Find the arrays of one network in what a file holds.

    Parameters
    ----------
    content : Any
        Arrays in dictionaries, lists and modules.
    path : Path
        For messages.
    entry : str, optional
        Keys that lead to the network, with dots between them. Absent: where there are kernels, if that is one place.

    Returns
    -------
    dict of str to Stored
        By name. Arrays in a dictionary for each module have the keys with dots as names.

    Raises
    ------
    InputError
        If there are no arrays, no such entry, or several networks of which none is named.
    """
    try:
        places: Networks = dict(_places(content, (), set()))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if entry is not None:
        inside = {_below(at, entry): arrays for at, arrays in places.items() if _below(at, entry) is not None}
        if not inside:  # a part of a network, whose arrays have the keys in their names
            inside = {at: part for at, arrays in places.items() if (part := _part(at, arrays, entry))}
        if not inside:
            if not (named := {".".join(at) for at in places if at}):
                raise InputError(f"{path}: `entry` {entry!r}: the file has one network, at its top; leave `entry` out")
            raise unknown(f"`entry` with weights in {path}", entry, named)
        places = {at: arrays for at, arrays in inside.items() if at is not None}
    networks = {at: arrays for at, arrays in places.items() if _has_kernels(arrays)}
    if any(set("./") & set(name) for arrays in networks.values() for name in arrays):
        # Beside a state dictionary a list is not its network: a running copy, moments.
        networks = {at: arrays for at, arrays in networks.items() if not all(map(str.isdecimal, arrays))}
    networks = _joined(networks, places)
    if len(networks) > 1:
        names = [".".join(at) or "its top" for at in networks]
        raise InputError(
            f"{path}: holds kernels under {' and under '.join(names)}: one network is expected; state which by `entry` "
            f"(--entry of `look`), such as {next(name for name in names if name != 'its top')}"
        )
    if networks:
        return next(iter(networks.values()))
    if places:
        return next(iter(places.values()))
    what = content.name if isinstance(content, Inert) else type(content).__name__
    raise InputError(f"{path}: holds no arrays by name, but {what}; save model.state_dict() with torch.save")


def _below(at: At, entry: str) -> At | None:
    """Return the rest of the keys below an entry, or None if they do not lead through it."""
    for count in range(1, len(at) + 1):
        if ".".join(at[:count]) == entry:
            return at[count:]
    return None


def _part(at: At, arrays: dict[str, Stored], entry: str) -> dict[str, Stored]:
    """Return the arrays whose names, with the keys that lead to them, begin with an entry."""
    front = f"{entry}."
    whole = {".".join((*at, name)): array for name, array in arrays.items()}
    parts = whole if any(name.startswith(front) for name in whole) else arrays
    return {name.removeprefix(front): array for name, array in parts.items() if name.startswith(front)}


def _has_kernels(arrays: dict[str, Stored]) -> bool:
    # The averages of a batch norm may be (1, 1, 1, channels).
    return any(len(array.shape) >= 4 and sum(side > 1 for side in array.shape) > 1 for array in arrays.values())


def _joined(networks: Networks, places: Networks) -> Networks:
    """Join what is one network with a dictionary for each module: names without dots, in several dictionaries."""

    def is_module(at: At) -> bool:
        return bool(at) and not any(set("./") & set(name) for name in places[at])

    modules = [at for at in networks if is_module(at)]
    if len(modules) < 2:
        return networks
    common = modules[0]
    while any(at[: len(common)] != common for at in modules):
        common = common[:-1]
    below = len(common) + 1
    fronts = [common]
    if any(ONE_NETWORK.fullmatch("".join(at[below - 1 : below])) for at in modules):
        fronts = list(dict.fromkeys(at[:below] for at in modules))
    return {at: arrays for at, arrays in networks.items() if at not in modules} | {
        front: {
            ".".join((*at[len(front) :], name)): array
            for at, arrays in places.items()
            if at[: len(front)] == front and is_module(at)
            for name, array in arrays.items()
        }
        for front in fronts
    }


def _places(value: Any, at: At, seen: set[int]) -> Iterator[tuple[At, dict[str, Stored]]]:
    """Yield the arrays of all dictionaries with the keys that lead to them, each once.

    The state of an optimizer is no network.
    """
    value = array_of(value)
    if isinstance(value, Stored) and not at:
        yield at, {"array": value}
    if id(value) in seen or len(at) > MOST_DEPTH or (at and OPTIMIZER.search(at[-1])):
        return
    seen.add(id(value))
    if _is_module(value):
        yield at, dict(_of_module(value, "", 0))
    elif isinstance(value, dict) and "param_groups" not in value:  # which an optimizer has
        arrays = {str(name): array_of(inner) for name, inner in value.items()}
        stored = {name: array for name, array in arrays.items() if isinstance(array, Stored)}
        if any(array.shape for array in stored.values()):  # a log holds single numbers
            for name, inner in arrays.items():
                _check_read(".".join((*at, name)), inner)
            yield at, stored
        for name, inner in value.items():
            if isinstance(name, str | int):
                yield from _places(inner, (*at, str(name)), seen)
    elif isinstance(value, list | tuple):
        stored = {str(n): array for n, array in enumerate(map(array_of, value)) if isinstance(array, Stored)}
        if any(array.shape for array in stored.values()):
            yield at, stored
        for number, inner in enumerate(value):
            # NumPy keeps a dictionary as an array of one object.
            yield from _places(inner, at if len(value) == 1 else (*at, str(number)), seen)


def _check_read(name: str, value: Any) -> None:
    """Refuse an object by the name of a weight that is none of the arrays that are read."""
    if isinstance(value, Inert) and not value and not _is_module(value) and last_word(name) in USUAL_WORDS:
        raise InputError(f"{name} is a {value.name}, which is not read; save a tensor of PyTorch or an array of NumPy")


def _is_module(value: Any) -> TypeGuard[Inert]:
    return isinstance(value, Inert) and isinstance(value.state, dict) and isinstance(value.state.get("_modules"), dict)


def _of_module(module: Inert, prefix: str, depth: int) -> Iterator[tuple[str, Stored]]:
    """Yield the arrays of a module of PyTorch that was saved as a whole, as its state_dict() has them."""
    for part in ("_parameters", "_buffers"):
        for name, array in (module.state.get(part) or {}).items():
            _check_read(f"{prefix}{name}", array)
            if isinstance(array, Stored):
                yield f"{prefix}{name}", array
    for name, inner in module.state["_modules"].items():
        if isinstance(inner, Inert) and not _is_module(inner):  # of torch.fx, or of whole numbers
            raise InputError(
                f"{prefix}{name} is a {inner.name}, whose weights cannot be read from a module that was saved as a "
                "whole; save model.state_dict() with torch.save"
            )
        if _is_module(inner) and depth < MOST_DEPTH:
            yield from _of_module(inner, f"{prefix}{name}.", depth + 1)


def strays(kernels: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    """Return which kernels are perhaps not layers of one network, by their names.

    Parameters
    ----------
    kernels : mapping of str to tuple of int
        Shapes of all kernels of the file.

    Returns
    -------
    dict of str to str
        Why each is left out unless it is asked for by name: its name differs from those of the weights (as of a buffer
        of a blur), or it seems to be of a running copy of the same network.
    """
    words = {name: last_word(name) for name in kernels}
    counts = Counter(word for word in words.values() if word in USUAL_WORDS)
    # PyTorch's own name of a weight, however many buffers are called kernel.
    usual = "weight" if "weight" in counts else max(counts, key=counts.__getitem__, default="")
    odd = {
        name: "perhaps no weight of a layer, by its name"
        for name in kernels
        if (usual and words[name] != usual) or SPREAD & set(re.findall("[a-z]+", re.split("[./]", name.lower())[-1]))
    }
    odd |= {name: "perhaps of an optimizer" for name in kernels if OPTIMIZER.search(name)}
    fronts = {name: re.split("[./]", name)[0] for name in kernels}
    if "params" in fronts.values():  # of JAX's libraries, whose names were joined
        odd |= {name: "perhaps of another network than `params`" for name in kernels if fronts[name] != "params"}
    found = {name: COPY.search(name) for name in kernels if name not in odd}
    others = Counter(kernels[name] for name, match in found.items() if not match)
    for word in {match[0].lower() for match in found.values() if match}:
        copies = [name for name, match in found.items() if match and match[0].lower() == word]
        if Counter(kernels[name] for name in copies) <= others:
            odd |= dict.fromkeys(copies, "perhaps of a running copy of the network")
    return odd
