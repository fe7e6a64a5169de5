"""What names and shapes in a file of weights tell of its network, and what they leave open; standard library only.

A file does not state the order of its axes, or which of its arrays the network uses, or whether it is all of a network.
Each function here returns the reason why a file cannot be read as (out, in, row, column) kernels of one network, with
the way out, or None.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeVar

Shapes = dict[str, tuple[int, ...]]
Array = TypeVar("Array")

# Where each order of axes has the rows and columns of a kernel.
ORDERS = {
    "(out, in, row, column), PyTorch's order": (2, 3),
    "(out, row, column, in), the order of TFLite and MLX": (1, 2),
    "(row, column, in, out), TensorFlow's order": (0, 1),
}
OURS = next(iter(ORDERS))
# Sides of kernels: a shape is evidence of an order that makes a square kernel with one of these.
SIDES = (1, 3, 5, 7, 9, 11)

# Names of tensors from which a network computes a weight, what it then is, and what writes the weight itself. Group 1
# is how the names of the kernels concerned begin.
COMPUTED = (
    (r"(.*?)parametrizations[./]", "parametrized", "torch.nn.utils.parametrize.remove_parametrizations"),
    (r"(.*weight)_(?:orig|g|bar)$", "normalized or pruned", "remove_spectral_norm, remove_weight_norm, prune.remove"),
    (
        r"((?:.*?[._/])??)(?:lora|loha|hada|lokr|dora|boft|oft)[._/]",
        "changed by an adapter (LoRA)",
        "the adapter's merge",
    ),
)
# Last words of the names that libraries give to the weights of convolutions.
USUAL_WORDS = {"weight", "weights", "kernel", "kernels", "filter", "filters", "w"}
# Parts of names of a running copy of a network.
COPY = re.compile(r"(?:^|[._/])(?:ema|swa|avg|averaged|shadow|momentum|teacher|target|encoder_k)(?=[._/]|$)", re.I)

# Hugging Face's name of one of several files of a network.
SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.")

MEND_LAYERS = "state the weights that the network uses by `layers`"


def axes_problem(shapes: Shapes, pytorch: bool) -> str | None:
    """Return why the 3x3 kernels of a file may be in another order than PyTorch's.

    A first layer of shape (out, 3, 3, 3) fits two orders; the other convolutions of the file decide.

    Parameters
    ----------
    shapes : dict of str to tuple of int
        Of all arrays of the file.
    pytorch : bool
        Whether the file is one of PyTorch's, whose order is taken unless its shapes speak for another one only.

    Returns
    -------
    str or None
        Names the first array that fits several orders, and the one that contradicts.
    """
    orders = {name: orders_of(shape) for name, shape in shapes.items()}
    unclear = [name for name, fitting in orders.items() if shapes[name][2:] == (3, 3) and len(fitting) > 1]
    ours = [OURS] in orders.values()
    hint = other_order(shapes, pytorch)
    if not unclear or (ours and pytorch) or (not hint and (ours or pytorch)):
        return None
    name = unclear[0]
    if hint:
        return f"{name} {shapes[name]} is perhaps in another order than (out, in, 3, 3): {hint}"
    return (
        f"{name} {shapes[name]} fits {' as well as '.join(orders[name])}, and no other weight of the file decides: "
        "write it as (out, in, 3, 3) with torch.save, whose files are read in PyTorch's order, or together with the "
        "network's other convolutions"
    )


def other_order(shapes: Shapes, pytorch: bool = False) -> str:
    """Return which array fits another order of axes only, and what to do; empty if none does.

    Position embeddings and the like have four axes too. Hence none does if a kernel in PyTorch's order has more input
    channels than kernels have rows; where arrays have usual names of kernels, the others do not count; and in files of
    PyTorch's, nor do those of one output channel.
    """
    if any(orders_of(shape) == [OURS] and shape[1] > max(SIDES) for shape in shapes.values()):
        return ""
    usual = [name for name, shape in shapes.items() if len(shape) == 4 and last_word(name) in USUAL_WORDS]
    for name in usual or shapes:
        shape = shapes[name]
        fitting = orders_of(shape)
        if len(fitting) != 1 or fitting[0] == OURS or (pytorch and shape[0] == 1):
            continue
        if pytorch:
            mend = (
                "if it is no kernel, remove it from the file or let the names of the kernels alone end in .weight; "
                "if it is one, save the network's state_dict() as PyTorch has it"
            )
        else:
            mend = "transpose to (out, in, 3, 3) if it is a kernel, and write the file with torch.save"
        return f"{name} {shape} is {fitting[0]}; {mend}"
    return ""


def orders_of(shape: tuple[int, ...]) -> list[str]:
    """List the orders of axes in which a shape is that of square kernels."""
    if len(shape) != 4:
        return []
    return [order for order, (row, column) in ORDERS.items() if shape[row] == shape[column] in SIDES]


def last_word(name: str) -> str:
    """Return the last word of letters in the name of an array, in lower case; empty if it has none."""
    return (re.findall("[a-z]+", name.lower()) or [""])[-1]


def part_problem(path: Path) -> str | None:
    """Return whether a file is one of several that hold a network, by its name or an index in its folder.

    Parameters
    ----------
    path : Path
        A file of weights.

    Returns
    -------
    str or None
        Names the number of files or the index.
    """
    mend = "load the network from all of them and save its state_dict() into one file"
    match = SHARD.search(path.name)
    if match and int(match[2]) > 1:
        return f"one of the {int(match[2])} files of a network: {mend}"
    for index in sorted(path.parent.glob("*.index.json")):
        try:
            files = set(json.loads(index.read_text())["weight_map"].values())
        except (OSError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
            continue  # some other file of this name
        if path.name in files and len(files) > 1:
            return f"one of the {len(files)} files of a network, by {index}: {mend}"
    return None


def apply_masks(arrays: Mapping[str, Array], product: Callable[[Array, Array], Array]) -> dict[str, Array]:
    """Put the weight that a pruned network uses in place of what `torch.nn.utils.prune` saves.

    Parameters
    ----------
    arrays : mapping of str to Array
        Arrays, or what stands for them, by name.
    product : callable
        Makes one array of ``<name>_orig`` and ``<name>_mask``.

    Returns
    -------
    dict of str to Array
        In the same order; a name with only one of both stays as it is.
    """
    masked = {name[:-5] for name in arrays if name.endswith("_orig") and f"{name[:-5]}_mask" in arrays} - set(arrays)
    used = {}
    for name, array in arrays.items():
        if name[:-5] not in masked:
            used[name] = array
        elif name.endswith("_orig"):
            used[name[:-5]] = product(array, arrays[f"{name[:-5]}_mask"])
    return used


def computed_problem(names: Collection[str], kernels: Collection[str]) -> str | None:
    """Return which kernels are not what the network convolves with, since it computes its weight from several tensors.

    Parameters
    ----------
    names : collection of str
        Of all arrays of the file.
    kernels : collection of str
        Of the arrays that are to be read.

    Returns
    -------
    str or None
        Names the first such kernel, the array that shows it and PyTorch's function that writes the weight itself.
    """
    for name in names:
        for pattern, what, function in COMPUTED:
            match = re.match(pattern, name)
            concerned = [kernel for kernel in kernels if match and kernel.startswith(match[1])]
            if concerned:
                shown = "its name shows that" if concerned[0] == name else f"{name} shows that"
                return (
                    f"{concerned[0]} is not the weight that the network uses: {shown} it is {what}; put the weight "
                    f"itself in its place ({function}) before the network is saved"
                )
    return None


def stray_problem(kernels: Shapes) -> str | None:
    """Return which kernels are perhaps not layers of one network, by their names.

    Parameters
    ----------
    kernels : dict of str to tuple of int
        Shapes of all 3x3 kernels of the file.

    Returns
    -------
    str or None
        Names kernels that are named otherwise than the weights (buffers such as those of a blur), or those of a
        running copy of the same network.
    """
    words = {name: last_word(name) for name in kernels}
    usual = Counter(word for word in words.values() if word in USUAL_WORDS).most_common(1)
    strays = [name for name, word in words.items() if usual and word != usual[0][0]]
    if strays:
        example = next(name for name in kernels if name not in strays)
        return f"{', '.join(strays)}: perhaps no weight of a layer (the others are named like {example}); {MEND_LAYERS}"
    copies = [name for name in kernels if COPY.search(name)]
    others = Counter(shape for name, shape in kernels.items() if name not in copies)
    if copies and Counter(kernels[name] for name in copies) <= others:
        return f"{copies[0]} seems to be of a running copy of a network that is in the file too; {MEND_LAYERS}"
    return None
