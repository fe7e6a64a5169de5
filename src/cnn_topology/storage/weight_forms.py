"""The weights of a network as it uses them, from the arrays that a file holds, and what such a file leaves open.

A network may compute a weight from several arrays: pruned, normalized, low-rank, fake-quantized. A file does not state
the order of the axes of its kernels, or which of its arrays the network uses, or whether it is all of a network.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from cnn_topology.checks import SIDES
from cnn_topology.errors import InputError
from cnn_topology.storage.weight_arrays import Stored

Shapes = dict[str, tuple[int, ...]]

# Orders of the axes of a kernel: out and in channel, height and width (row and column).
Order = Literal["oihw", "hwio", "ohwi", "iohw"]
# Those that shapes can tell from each other, with whose they are.
ORDERS: dict[Order, str] = {
    "oihw": "(out, in, row, column), PyTorch's order",
    "ohwi": "(out, row, column, in), the order of TFLite and MLX",
    "hwio": "(row, column, in, out), TensorFlow's order",
}
ANALYSED = f"square kernels of {SIDES[0]}x{SIDES[0]} to {SIDES[-1]}x{SIDES[-1]}"
# A shape is evidence of an order of axes that makes a square kernel with one of these sides.
USUAL_SIDES = (1, *SIDES[::2])

# Names of arrays from which a network computes a weight that are still there when the forms below are applied, what the
# weight then is, and what writes the weight itself. Group 1 is how the names of the kernels concerned begin.
COMPUTED = (
    (r"(.*?)parametrizations[./](?!bias[./])", "parametrized", "torch.nn.utils.parametrize.remove_parametrizations"),
    (r"(.*weight)_(?:orig|g|bar)$", "normalized or pruned", "remove_spectral_norm, remove_weight_norm, prune.remove"),
    (
        r"((?:.*?[._/])??)(?:lora|loha|hada|lokr|dora|boft|oft)[._/]",
        "changed by an adapter (LoRA) whose scale the file does not state",
        "the adapter's merge, such as peft's model.merge_and_unload()",
    ),
    (
        r"(.*?[._/])?(?:_?weight_(?:fake_quant|quantizer|quant)|pre_ops[._/]\d+[._/]op)[._/]",
        "rounded or pruned by what the file does not describe",
        "the quantizer's export of its weights",
    ),
    (r"(.*weight)_zero_point$", "kept in steps of a scale about a zero point", "the floating-point weights"),
)
# Last words of the names that libraries give to the weights of convolutions.
USUAL_WORDS = {"weight", "weights", "kernel", "kernels", "filter", "filters", "w"}
# Names of the weights of depthwise convolutions in TensorFlow and Keras.
DEPTHWISE = re.compile(r"depthwise[^/.]*(?:[/.][^/.]*){0,2}$|separable_conv2d(?:_\d+)?/vars/0$", re.I)

# Hugging Face's name of one of several files of a network.
SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.")


def as_used(arrays: Mapping[str, Stored]) -> dict[str, Stored]:
    """Put the weights that a network uses in place of the arrays that it computes them from.

    Parameters
    ----------
    arrays : mapping of str to Stored
        As the file holds them.

    Returns
    -------
    dict of str to Stored
        In the same order. What is not one of these forms stays as it is, for `computed_problem` to name:

        - ``weight_orig`` times ``weight_mask`` (torch.nn.utils.prune), and a mask as a parametrization;
        - g v / |v| (torch.nn.utils.weight_norm, old and new);
        - a weight divided by u W v (spectral_norm, old and new);
        - a weight plus alpha / r times the product of its low-rank factors, where the file holds alpha;
        - a weight rounded to the steps of its fake quantizer (torch.ao.quantization, 8 bit).
    """
    used = dict(arrays)
    for form in (_low_rank, _parametrized, _fake_quantized):
        for parts, name, weight in list(form(used)):
            # The weight stands where the first of its parts did.
            used = {
                (name if key == parts[0] else key): (weight if key == parts[0] else array)
                for key, array in used.items()
                if key == parts[0] or key not in (*parts, name)
            }
    spatial = {name: array for name, array in used.items() if len(array.shape) == 5 and array.shape[2] == 1}
    return used | {name: array.reshaped((*array.shape[:2], *array.shape[3:])) for name, array in spatial.items()}


# The arrays that go, the name of the weight and the weight.
Form = Iterator[tuple[tuple[str, ...], str, Stored]]


def _parametrized(arrays: Mapping[str, Stored]) -> Form:
    """Find weights that are pruned or normalized."""
    parts: dict[str, dict[str, str]] = {}
    for key in arrays:
        if old := re.fullmatch(r"(.*weight)_(orig|mask|g|v|u|bar)", key):
            parts.setdefault(old[1], {})[old[2].replace("bar", "orig")] = key
        elif new := re.fullmatch(r"(.*?)parametrizations[./](\w+)[./](?:\d+[./])?(\w+)", key):
            kind = {"original": "orig", "original0": "g", "original1": "v", "_u": "u", "_v": "v"}.get(new[3], new[3])
            place = parts.setdefault(f"{new[1]}{new[2]}", {})
            place[f"second {kind}" if kind in place else kind] = key  # two of a kind: none of the forms
    for name, keys in parts.items():
        if name in arrays:
            continue
        stored = {part: arrays[key] for part, key in keys.items()}
        weight = _formula(stored)
        if weight is not None:
            first = keys.get("orig", keys.get("v", ""))
            yield (first, *(key for key in keys.values() if key != first)), name, weight


def _formula(parts: dict[str, Stored]) -> Stored | None:
    """Return the weight that some parts make, or None if they are none of the forms."""
    if parts.keys() == {"orig", "mask"} and parts["orig"].shape == parts["mask"].shape:
        weight, mask = parts["orig"], parts["mask"]
        return Stored(weight.shape, "f4", lambda: weight.floats() * mask.floats())
    if parts.keys() == {"g", "v"} and len(parts["g"].shape) in (0, len(parts["v"].shape)):
        length, direction = parts["g"], parts["v"]
        axes = tuple(n for n in range(len(direction.shape)) if not length.shape or length.shape[n] == 1)

        def normalized() -> np.ndarray:
            v = direction.floats()
            return length.floats() * (v / np.sqrt(np.sum(v.astype(np.float64) ** 2, axis=axes, keepdims=True)))

        return Stored(direction.shape, "f4", normalized)
    if parts.keys() == {"orig", "u", "v"} and len(parts["orig"].shape) >= 2:
        weight, left, right = parts["orig"], parts["u"], parts["v"]
        # The rows of the matrix are output channels: the second axis of transposed convolutions.
        axis = next((n for n in (0, 1) if left.shape == (weight.shape[n],)), None)
        if axis is None or right.shape != (np.prod(weight.shape, dtype=int) // left.shape[0],):
            return None

        def divided() -> np.ndarray:
            values = weight.floats().astype(np.float64)
            matrix = np.moveaxis(values, axis, 0).reshape(len(left.floats()), -1)
            return values / (left.floats() @ matrix @ right.floats())

        return Stored(weight.shape, "f4", divided)
    return None


def _low_rank(arrays: Mapping[str, Stored]) -> Form:
    """Find weights with a low-rank change beside them, whose scale the file states."""
    for key, up in arrays.items():
        match = re.fullmatch(r"(.*)[./]lora_(?:B|up)((?:[./]\w+)?)[./]weight", key)
        if not match:
            continue
        at, adapter = match[1], match[2]
        down_key = f"{at}.lora_{'A' if 'lora_B' in key else 'down'}{adapter}.weight"
        base_key = next((name for name in (f"{at}.base_layer.weight", f"{at}.weight") if name in arrays), None)
        alpha_key = next((name for name in (f"{at}.alpha", f"{at}.lora_alpha{adapter}") if name in arrays), None)
        others = [name for name in arrays if name.startswith(f"{at}.") and "lora" in name.replace("lora_alpha", "")]
        if base_key is None or alpha_key is None or set(others) != {key, down_key}:
            continue
        base, down, alpha = arrays[base_key], arrays[down_key], arrays[alpha_key]
        if len(base.shape) != 4 or up.shape != (base.shape[0], down.shape[0], 1, 1) or down.shape[1:] != base.shape[1:]:
            continue

        def changed(base: Stored = base, down: Stored = down, up: Stored = up, alpha: Stored = alpha) -> np.ndarray:
            factors = np.einsum("or,rihw->oihw", up.floats()[:, :, 0, 0], down.floats(), dtype=np.float64)
            return base.floats() + float(alpha.floats()) / down.shape[0] * factors

        yield (base_key, key, down_key, alpha_key), f"{at}.weight", Stored(base.shape, "f4", changed)


def _fake_quantized(arrays: Mapping[str, Stored]) -> Form:
    """Find weights that a network rounds before it uses them: torch.ao.quantization's fake quantizers of 8 bit."""
    for key, scale in arrays.items():
        match = re.fullmatch(r"((.*[./])?weight)_fake_quant[./]scale", key)
        if not match or match[1] not in arrays or f"{match[2] or ''}bn.weight" in arrays:
            continue  # a batch norm inside scales the weight before it is rounded
        weight, begin = arrays[match[1]], f"{match[1]}_fake_quant"
        zero, on = (arrays.get(f"{begin}.{part}") for part in ("zero_point", "fake_quant_enabled"))
        if zero is None or scale.shape not in ((), (1,), weight.shape[:1]):
            continue

        def rounded(
            weight: Stored = weight,
            scale: Stored = scale,
            zero: Stored = zero,
            on: Stored | None = on,
            begin: str = begin,
        ) -> np.ndarray:
            values = weight.floats()
            if on is not None and not on.floats().any():
                return values
            if zero.floats().any():
                raise InputError(f"{begin}: rounds about a zero point other than 0; save the rounded weights")
            side = (-1, *[1] * (values.ndim - 1)) if scale.shape == weight.shape[:1] else ()
            step = scale.floats().reshape(side)
            return np.clip(np.rint(values / step), -128, 127) * step

        gone = tuple(name for name in arrays if name.startswith(f"{begin}."))
        yield (match[1], *gone), match[1], Stored(weight.shape, "f4", rounded)


def _transposed_apart(arrays: dict[str, Stored]) -> dict[str, Stored]:
    """Bring transposed convolutions of PyTorch, (in, out, row, column), to the order of the others.

    They have as many biases as output channels.
    """
    ordered = {}
    for name, weight in arrays.items():
        bias = arrays.get(re.sub(r"weight$", "bias", name), weight)
        is_kernel = name.endswith("weight") and len(weight.shape) == 4 and weight.shape[0] != weight.shape[1] > 1
        ordered[name] = weight.transposed(1, 0, 2, 3) if is_kernel and bias.shape == weight.shape[1:2] else weight
    return ordered


def in_order(path: Path, arrays: dict[str, Stored], order: Order | None, by_habit: bool) -> dict[str, Stored]:
    """Return arrays with the axes of kernels as (out, in, row, column).

    Parameters
    ----------
    path : Path
        For messages.
    arrays : dict of str to Stored
        As the file has them.
    order : {'oihw', 'hwio', 'ohwi', 'iohw'}, optional
        Of the file. Absent: the one order that the shapes of all kernels fit.
    by_habit : bool
        Whether the order is only what such files usually have.

    Raises
    ------
    InputError
        If the shapes fit several orders, or contradict the usual one, naming an array that shows it.
    """
    if order is None or by_habit:
        shapes = {name: array.shape for name, array in arrays.items()}
        order, problem = order_of_axes(shapes, by_habit)
        if problem:
            raise InputError(f"{path}: {problem}")
    if order == "oihw":
        return _transposed_apart(arrays)
    axes = tuple(map(order.index, "oihw"))
    turned = {name: array.transposed(*axes) if len(array.shape) == 4 else array for name, array in arrays.items()}
    # TensorFlow has the channels of a depthwise convolution, of which each has its own filters, on the axis of inputs.
    depthwise = {name: turned[name] for name in turned if DEPTHWISE.search(name) and len(turned[name].shape) == 4}
    return turned | {
        name: array.reshaped((array.shape[0] * array.shape[1], 1, *array.shape[2:]))
        for name, array in depthwise.items()
        if order != "iohw" and array.shape[2] > 1
    }


def order_of_axes(shapes: Mapping[str, tuple[int, ...]], pytorch: bool) -> tuple[Order, str]:
    """Find the order of axes that the shapes of all kernels fit.

    Position embeddings and the like have four axes too. Hence PyTorch's order is taken if a kernel in it has more input
    channels than kernels have rows; where arrays have usual names of kernels, the others do not count; and in files of
    PyTorch's, nor do those of one output channel.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        Of all arrays of the file.
    pytorch : bool
        Whether the file is one of PyTorch's, whose order is taken unless its shapes speak for another one only.

    Returns
    -------
    order : {'oihw', 'hwio', 'ohwi'}
    problem : str
        Why no order can be taken, empty if one can: it names the arrays that show it.
    """
    fitting = {name: orders_of(shape) for name, shape in shapes.items() if len(shape) == 4}
    if any(orders == ["oihw"] and shapes[name][1] > max(USUAL_SIDES) for name, orders in fitting.items()):
        return "oihw", ""
    usual = {name: orders for name, orders in fitting.items() if last_word(name) in USUAL_WORDS} or fitting
    # The first array that fits one order alone, by that order.
    shown: dict[Order, str] = {}
    for name, orders in usual.items():
        if len(orders) == 1 and (orders == ["oihw"] or not pytorch or shapes[name][0] != 1):
            shown.setdefault(orders[0], name)
    others = [(order, name) for order, name in shown.items() if order != "oihw"]
    unclear = [name for name, orders in fitting.items() if "oihw" in orders and shapes[name][2] > 1]
    mend = "state the order by `layout` (--layout of `look`): oihw, hwio or ohwi"
    if not others:
        ambiguous = next((name for name, orders in fitting.items() if len(orders) > 1 and shapes[name][1] > 1), None)
        if pytorch or shown or ambiguous is None:
            return "oihw", ""
        several = " as well as ".join(ORDERS[order] for order in fitting[ambiguous])
        problem = f"{ambiguous} {shapes[ambiguous]} fits {several}, and no other weight of the file decides: {mend}"
        return "oihw", problem
    order, name = others[0]
    if not pytorch and len(shown) == 1 and all(order in orders for orders in usual.values() if orders):
        return order, ""
    if not pytorch and not unclear:
        return "oihw", ""
    doubt = "".join(f"; {other} {shapes[other]} may be in another one" for other in unclear[:1])
    return "oihw", f"{name} {shapes[name]} is {ORDERS[order]}{doubt}: {mend}, or leave {name} out if it is no kernel"


def orders_of(shape: tuple[int, ...]) -> list[Order]:
    """List the orders of axes in which a shape is that of square kernels."""
    if len(shape) != 4:
        return []
    return [order for order in ORDERS if shape[order.index("h")] == shape[order.index("w")] in USUAL_SIDES]


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
        Names the number of files, and the index where there is one.
    """
    for index in sorted(path.parent.glob("*.index.json")):
        try:
            files = set(json.loads(index.read_text())["weight_map"].values())
        except (OSError, ValueError, LookupError, AttributeError, TypeError, RecursionError):
            continue  # some other file of this name
        if path.name in files and len(files) > 1:
            return f"one of the {len(files)} files of a network: name their index instead, {index}"
    match = SHARD.search(path.name)
    if match and int(match[2]) > 1:
        return (
            f"one of the {int(match[2])} files of a network, whose index (*.index.json) is not beside it: get the "
            "index and name it, or save the network's state_dict() into one file"
        )
    return None


def computed_problem(shapes: Mapping[str, tuple[int, ...]], kernels: Collection[str]) -> str | None:
    """Return which kernels are not what the network convolves with, since it computes its weight from several tensors.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        Of all arrays of the file.
    kernels : collection of str
        Of the arrays that are to be read.

    Returns
    -------
    str or None
        Names the first such kernel, the array that shows it and PyTorch's function that writes the weight itself.
    """
    for name in shapes:
        # A mask beside the weight it belongs to, of its shape. Prune's own are applied.
        front = re.sub("[^./]*$", "", name) if last_word(name) == "mask" else None
        masked = [k for k in kernels if front is not None and k.startswith(front) and shapes[k] == shapes[name]]
        if masked and name not in kernels:
            return (
                f"{masked[0]} is perhaps not the weight that the network uses: {name} is a mask of its shape; multiply "
                "them where the network does, and leave the mask out before the network is saved"
            )
        for pattern, what, function in COMPUTED:
            match = re.match(pattern, name)
            concerned = [kernel for kernel in kernels if match and kernel.startswith(match[1] or "")]
            if concerned:
                shown = "its name shows that" if concerned[0] == name else f"{name} shows that"
                return (
                    f"{concerned[0]} is not the weight that the network uses: {shown} it is {what}; put the weight "
                    f"itself in its place ({function}) before the network is saved"
                )
    return None
