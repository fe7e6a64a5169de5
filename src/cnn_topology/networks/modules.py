"""Torch modules of a user's own: built from where they are imported, and looked at for the layers that they record.

Importing and building run the user's code. Nothing else here or in `plan` does, and nothing but the config names it.
"""

import importlib
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cnn_topology.errors import InputError, unknown
from cnn_topology.networks.module_code import own_code
from cnn_topology.plan.files import misfit
from cnn_topology.plan.recorded import ModuleNetworks, Recorded, RecordedLayer, RecordedNetworks
from cnn_topology.plan.resnets import without_front
from cnn_topology.storage.weight_files import array_shapes

MEND = "name the weights of this module, or call it with other `arguments`"
# With more than one, the axis of images is known by its length.
IMAGES = 2

# The shape of an output, or what it is in place of a tensor of real numbers; and the sum of its absolute values.
_Output = tuple[tuple[int, ...] | str, float]


def make_module(section: ModuleNetworks, seed: int) -> nn.Module:
    """Build a module, its weights drawn by a seed; the global generator stays as it is.

    Parameters
    ----------
    section : ModuleNetworks
        Where it is imported from, and its arguments.
    seed : int

    Returns
    -------
    Module
        Of float32, in evaluation mode.

    Raises
    ------
    InputError
        If it cannot be imported, is neither a class of modules nor a function of Python, cannot be called, or makes no
        torch module. It begins with the key.
    """
    with torch.random.fork_rng(devices=[]), importable(section):
        torch.manual_seed(seed)
        make = _imported(section.module)
        try:
            network = make(**deepcopy(section.arguments))  # which it may change
        except (Exception, SystemExit) as error:
            raise InputError(
                f"arguments = {section.arguments}: {section.module} cannot be called with them ({_reason(error)})"
            ) from error
    if not isinstance(network, nn.Module):
        raise InputError(
            f"module = {section.module}: makes an object of type {type(network).__name__}, and a torch.nn.Module is "
            "expected; name its class, or a function that returns it"
        )
    if any(nn.parameter.is_lazy(parameter) for parameter in network.parameters()):
        raise InputError(
            f"module = {section.module}: has lazy layers, whose sizes the first images decide; state these in its code"
        )
    return network.float().eval()


@torch.no_grad()
def look_at(section: ModuleNetworks, shape: tuple[int, int, int]) -> Recorded:
    """Run a module on noise and list the layers that are recorded in the order in which they are called.

    Parameters
    ----------
    section : ModuleNetworks
    shape : (int, int, int)
        Height, width and channels of an image.

    Raises
    ------
    InputError
        If the module cannot be built or run, lacks a layer that is named, has one that cannot be recorded, or a file
        of weights does not fit it. It begins with the key.
    """
    before = {*sys.modules}
    network = make_module(section, seed=0)
    modules = {name: module for name, module in network.named_modules() if name}
    taken: dict[str, list[_Output]] = {}

    def take(name: str, _module: nn.Module, _inputs: object, output: object) -> None:
        # Shape and sum now: a layer that works in place changes the tensor later.
        if isinstance(output, torch.Tensor) and not output.is_complex():
            taken.setdefault(name, []).append((tuple(output.shape), float(output.double().abs().sum())))
        else:
            kind = output.dtype if isinstance(output, torch.Tensor) else type(output).__name__
            taken.setdefault(name, []).append((f"of type {kind}", 0.0))

    def run(images: torch.Tensor) -> dict[str, list[_Output]]:
        taken.clear()
        with importable(section):
            network(images)
        return dict(taken)

    for name in _wanted(section, modules):
        modules[name].register_forward_hook(partial(take, name))
    height, width, channels = shape
    images = torch.rand((IMAGES, channels, height, width), generator=torch.Generator().manual_seed(0))
    try:
        outputs, again = run(images), run(images)
    except (Exception, SystemExit) as error:
        raise InputError(
            f"module = {section.module}: cannot be run on images of {height}x{width}x{channels} ({_reason(error)}); "
            "state another `shape` of the images, or call it with other `arguments`"
        ) from error
    idle = [name for name in section.layers or () if name in modules and name not in outputs]
    if idle or not outputs:
        which = idle[0] if idle else ", ".join(section.layers or ("its convolutions",))
        raise InputError(f"layers: {which} of {section.module}: not called when it is run; name other layers")
    layers = tuple(
        _layer(name, depth, called, again.get(name, called))
        for depth, (name, called) in enumerate(outputs.items(), start=1)
    )
    for file in map(Path, section.checkpoints):
        if file.is_file():  # `plan.files` names those that are missing
            _check_weights(file, section.entry, network)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    code = own_code(section.module.partition(":")[0], before)
    with suppress(Exception, SystemExit):  # a network of one size of images: its first layers have run
        run(torch.cat([images, images], dim=2))
    for name, called in taken.items():
        shape_of_taller, shape_of_image = called[0][0], outputs[name][0][0]
        if len(shape_of_taller) == len(shape_of_image) == 4 and shape_of_taller[1] != shape_of_image[1]:
            raise InputError(
                f"layers: the output of {name} is {shape_of_image}, and {shape_of_taller} of images twice as high: its "
                "channels are not the second axis; name another layer, or permute it in a torch.nn.Module of its own"
            )
    return Recorded(layers=layers, parameters=parameters, code=tuple(code))


def names_of(network: nn.Module, names: Iterable[str]) -> dict[str, str]:
    """Return the names of a module's tensors by those in a file, which may have something in front of all of them.

    Raises
    ------
    InputError
        If the file holds several such networks.
    """
    own = [name for name, tensor in network.state_dict().items() if tensor.is_floating_point()]
    return without_front(names, own[:: max(1, len(own) - 1)]) if own else {}


def is_stored(file: Path, entry: str | None, network: nn.Module) -> bool:
    """Return whether a module has the arrays of a file as they are stored, and not the weights as they are used.

    It then computes weights from them (`weight_norm`, `prune`), or has transposed convolutions, (in, out, row, column).
    """
    return bool(_problem(file, entry, network)) and not _problem(file, entry, network, as_stored=True)


def _check_weights(file: Path, entry: str | None, network: nn.Module) -> None:
    try:
        problem = _problem(file, entry, network)
        if problem and not is_stored(file, entry, network):
            raise InputError(f"{file}: {problem}")
    except InputError as error:
        raise InputError(f"checkpoints = {error}") from error


def _problem(file: Path, entry: str | None, network: nn.Module, as_stored: bool = False) -> str | None:
    """Return why the arrays of a file are not those of a module, or None."""
    state = network.state_dict()
    # Complex numbers are not read: without them such weights would stay as they were drawn.
    numbers = {name: tensor for name, tensor in state.items() if tensor.is_floating_point() or tensor.is_complex()}
    expected = {name: tuple(tensor.shape) for name, tensor in numbers.items()}
    shapes = array_shapes(file, entry, as_stored=as_stored)
    return misfit({own: shapes[name] for name, own in names_of(network, shapes).items()}, expected, MEND)


def _wanted(section: ModuleNetworks, modules: Mapping[str, nn.Module]) -> list[str]:
    """Return the names of the modules whose output is recorded."""
    if section.layers is None:
        chosen = [name for name, module in modules.items() if isinstance(module, nn.Conv2d)]
        if not chosen:
            raise InputError(f"module = {section.module}: has no two-dimensional convolutions; state `layers`")
        return chosen
    leaves = [name for name, module in modules.items() if not any(True for _ in module.children())]
    taken: dict[str, None] = {}
    for pattern in section.layers:
        fitting = [pattern] if pattern in modules else [name for name in leaves if fnmatchcase(name, pattern)]
        if not fitting:
            raise InputError(f"layers: {unknown(f'layer of {section.module}', pattern, leaves)}")
        taken |= dict.fromkeys(fitting)
    return list(taken)


def _layer(name: str, depth: int, called: Sequence[_Output], again: Sequence[_Output]) -> RecordedLayer:
    """Describe a layer by its output in two passes; one without positions has a single one."""
    if len(called) > 1:
        raise InputError(
            f"layers: {name} is called {len(called)} times in one pass, and its output is not one; leave it out"
        )
    (shape, total), *_ = called
    if not np.isclose(total, again[0][1], rtol=1e-5, atol=0, equal_nan=True):
        raise InputError(
            f"layers: the output of {name} differs between two passes of the same images: dropout or noise that eval() "
            "does not turn off (torch.nn.functional.dropout takes training=self.training); name layers before it"
        )
    if not isinstance(shape, tuple) or len(shape) not in (2, 4) or shape[0] != IMAGES:
        raise InputError(
            f"layers: the output of {name} for {IMAGES} images is {shape}; expected (images, channels, height, width) "
            "or (images, channels): name another layer, or one inside of it"
        )
    channels, height, width = (*shape[1:], 1, 1)[:3]
    size = {"channels": channels, "height": height, "width": width}
    return RecordedLayer(name=name, depth=depth, convolution=name, norm=name, **size)


@contextmanager
def importable(section: RecordedNetworks) -> Iterator[None]:
    """Let a user's module import from the folder in which the run was started, when it runs too; not other networks."""
    if not isinstance(section, ModuleNetworks):
        yield
        return
    here = str(Path.cwd())
    sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(here)


def _imported(path: str) -> Any:
    """Import what an import path names."""
    name, _, inner = path.partition(":")
    if _is_standard(name):  # before the import, which runs it: `this` prints, `antigravity` opens a browser
        raise InputError(
            f"module = {path}: {name} belongs to Python, which has no networks; name a module of your own, or rename it"
        )
    try:
        value: Any = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise InputError(
            f"module = {path}: {name} cannot be imported ({_reason(error)}) from {Path.cwd()} or the installed packages"
        ) from error
    for part in inner.split("."):
        if not hasattr(value, part):
            there = [
                known for known in dir(value) if not known.startswith("_") and _makes_modules(getattr(value, known))
            ]
            raise InputError(f"module = {path}: {unknown(f'name in {name}', part, there)}")
        value = getattr(value, part)
    if not _makes_modules(value):
        raise InputError(
            f"module = {path}: is of type {type(value).__name__} and not called; name a class that is a "
            "torch.nn.Module, or a function in Python that returns one"
        )
    return value


def _makes_modules(value: Any) -> bool:
    """Whether something may be called for a network: no other class, nothing built in and no function of Python's."""
    while isinstance(value, partial):
        value = value.func
    if isinstance(value, type):
        return issubclass(value, nn.Module)
    return (inspect.isfunction(value) or inspect.ismethod(value)) and not _is_standard(value.__module__ or "")


def _is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:300]}"
