"""Files of weights as people have them: each kind gives the arrays that were written, or is named for what it is."""

import argparse
import datetime
import gzip
import io
import pickle
import sys
import tarfile
import types
import zipfile
from collections import Counter, OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from small_weights import arrays, assert_read
from torch import nn

from cnn_topology.errors import InputError
from cnn_topology.networks.weights import read_arrays
from cnn_topology.storage.weight_files import array_shapes, files_of


def tensors() -> OrderedDict[str, torch.Tensor]:
    return OrderedDict((name, torch.from_numpy(array)) for name, array in arrays().items())


def saved(path: Path, content: object, *, is_old: bool = False) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=not is_old)
    return path


class Cube(dict):
    """A dictionary of a class that the reader does not know."""


EXTRAS = {
    "best": np.float64(0.9),
    "scores": np.arange(3),
    "arguments": argparse.Namespace(lr=0.1, path=Path("/data")),
    "when": datetime.datetime(2026, 1, 1),
    "log": defaultdict(list, {"loss": [1.0]}),
    "counts": Counter("aab"),
    "settings": Cube(a=1),
    ("a", "key"): {1, 2},
    "kind": torch.float16,
    "on": torch.device("cpu"),
}


@pytest.mark.parametrize("is_old", [False, True])
def test_what_lies_beside_the_weights_is_inert(is_old: bool, tmp_path: Path) -> None:
    assert_read(saved(tmp_path / "net.anything", {**EXTRAS, "state_dict": tensors()}, is_old=is_old))


@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
def test_tensors_are_read_as_pytorch_reads_them(is_old: bool, tmp_path: Path) -> None:
    base = torch.arange(2.0 * 4 * 9 * 9).reshape(2, 4, 9, 9)
    state = {
        "turned": base.permute(1, 0, 3, 2)[:, :, 1::3, ::3],
        "last": base.contiguous(memory_format=torch.channels_last),
        "part": base[1:],
        "again": base,
        "small": base.bfloat16() / 3,
        "half": base.half() / 3,
        "large": base.double() / 3,
        "whole": base.long(),
        "truth": base > 3,
        "parameter": nn.Parameter(base),
        "quantized": torch.quantize_per_tensor(base, 0.5, 3, torch.qint8),
        "channels": torch.quantize_per_channel(base, torch.rand(4) + 0.1, torch.tensor([0, 1, 2, 3]), 1, torch.quint8),
    }
    read = read_arrays(saved(tmp_path / "net.pt", state, is_old=is_old))
    assert read.keys() == state.keys()
    for name, tensor in state.items():
        plain = tensor.detach().dequantize() if tensor.is_quantized else tensor.detach()
        expected = plain.float() if plain.is_floating_point() else plain.long()
        if tensor.is_quantized:
            np.testing.assert_allclose(read[name], expected.numpy(), rtol=1e-6, atol=1e-6)
        else:
            np.testing.assert_array_equal(read[name], expected.numpy(), strict=True)


def test_arrays_of_numpy_are_read_from_every_form_that_holds_them(tmp_path: Path) -> None:
    path = tmp_path / "net"
    forms = {
        "pickle": lambda: path.write_bytes(pickle.dumps({"model": arrays()})),
        "pickle 2": lambda: path.write_bytes(pickle.dumps({"model": arrays()}, protocol=2)),
        "torch.save": lambda: saved(path, arrays()),
        "a dictionary in .npz": lambda: _savez(path, params=np.array(arrays(), dtype=object)),
        "a dictionary in .npy": lambda: _save(path, arrays()),
        "big-endian": lambda: _savez(path, **{name: array.astype(">f8") for name, array in arrays().items()}),
        "Fortran": lambda: _savez(path, **{name: np.asfortranarray(array) for name, array in arrays().items()}),
        "compressed": lambda: _savez(path, np.savez_compressed, **arrays()),
    }
    for write in forms.values():
        write()
        assert_read(path)
    _save(path, arrays()["conv2.weight"])
    np.testing.assert_array_equal(read_arrays(path)["array"], arrays()["conv2.weight"])


def _savez(path: Path, save=np.savez, **content: np.ndarray) -> None:
    with path.open("wb") as file:
        save(file, **content)


def _save(path: Path, content: object) -> None:
    with path.open("wb") as file:
        np.save(file, content, allow_pickle=True)


def test_an_entry_of_a_file_of_one_network_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pt", tensors())
    with pytest.raises(InputError, match=r"net\.pt.*'ema'.*leave `entry` out"):
        read_arrays(path, entry="ema")


def test_a_dictionary_for_each_module_is_one_network(tmp_path: Path) -> None:
    first, bias, second = arrays().values()
    inner = {"Conv_0": {"kernel": first, "bias": bias}, "block": {"Conv_1": {"kernel": second}}}
    path = saved(tmp_path / "net.pt", {"params": inner, "opt_state": {"optimizer": {"a": {"kernel": first}}}})
    expected = {"Conv_0.kernel": first, "Conv_0.bias": bias, "block.Conv_1.kernel": second}
    assert array_shapes(path) == {name: array.shape for name, array in expected.items()}
    assert_read(path, expected)
    assert_read(path, expected, entry="params")


@pytest.mark.parametrize("other", ["ema_params", "init_params", "grads"])
def test_what_lies_beside_params_is_another_network(other: str, tmp_path: Path) -> None:
    first, _, second = arrays().values()
    params = {"Conv_0": {"kernel": first}, "Conv_1": {"kernel": second}}
    state = {
        "batch_stats": {"BatchNorm_0": {"mean": np.ones((1, 1, 1, 8))}},
        "opt_state": {"0": {"mu": {"Conv_0": {"kernel": first}}}},
    }
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps({"params": params, **state}))
    assert_read(path, {"Conv_0.kernel": first, "Conv_1.kernel": second})
    assert len(array_shapes(path)) == 2
    others = {"Conv_0": {"kernel": first}, "Conv_1": {"kernel": 2 * second}}
    path.write_bytes(pickle.dumps({"params": params, other: others, **state}))
    with pytest.raises(InputError, match=rf"under params and under {other}: .*`entry`"):
        array_shapes(path)
    assert_read(path, {"Conv_1.kernel": 2 * second}, entry=other)


def test_arrays_in_lists_and_under_numbers_are_read(tmp_path: Path) -> None:
    first, bias, second = arrays().values()
    path = tmp_path / "net"
    forms: list[tuple[object, str, str]] = [
        ([(first, bias), (second, bias)], "0.0", "1.0"),
        ({"conv1": [first, bias], "conv2": [second, bias]}, "conv1.0", "conv2.0"),
        ([first, bias, second], "0", "2"),
        ({"stem": {"w": first}, "blocks": {0: {"w": second}}}, "stem.w", "blocks.0.w"),
    ]
    for content, *names in forms:
        path.write_bytes(pickle.dumps(content))
        assert_read(path, dict(zip(names, (first, second), strict=True)))
    _save(path, np.array([first, bias, second], dtype=object))
    assert_read(path, {"0": first, "2": second})
    path.write_bytes(pickle.dumps({"weights": {"a": first, "b": second}, "biases": {"a": bias}}))
    assert_read(path, {"a": first, "b": second})
    path.write_bytes(pickle.dumps({"weights": {"a": first}, "gradients": {"a": second}}))
    with pytest.raises(InputError, match="under weights and under gradients"):
        array_shapes(path)
    path.write_bytes(pickle.dumps({"stem": first, "blocks": [second]}))
    with pytest.raises(InputError, match="under its top and under blocks"):
        array_shapes(path)


class OfJax:
    """Pickles an array as JAX does its own."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __reduce__(self) -> tuple:
        function, arguments, state = self.array.__reduce__()
        return sys.modules["jax._src.array"]._reconstruct_array, (function, arguments, state, {"weak_type": False})


def test_arrays_of_jax_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("jax", "jax._src", "jax._src.array"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))

    def _reconstruct_array() -> None: ...

    _reconstruct_array.__module__, _reconstruct_array.__qualname__ = "jax._src.array", "_reconstruct_array"
    monkeypatch.setattr(sys.modules["jax._src.array"], "_reconstruct_array", _reconstruct_array, raising=False)
    first, _, second = arrays().values()
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps({"Conv_0": {"kernel": first}, "Conv_1": {"kernel": OfJax(second)}}))
    assert_read(path, {"Conv_0.kernel": first, "Conv_1.kernel": second})


def test_arrays_of_python_2_are_read(tmp_path: Path) -> None:
    first = arrays()["conv1.weight"]
    data = first.tobytes()
    path = tmp_path / "net.pkl"
    path.write_bytes(
        b"\x80\x02}U\x05conv1cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01(K\x08K\x03K\x03K\x03tcnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff"
        b"\xff\xffK\x00tb\x89T" + len(data).to_bytes(4, "little") + data + b"tbs."
    )
    assert np.array_equal(pickle.loads(path.read_bytes(), encoding="latin1")["conv1"], first)
    assert_read(path, {"conv1": first}, layout="oihw")


def test_a_tensor_whose_sign_is_a_note_is_read_with_it(tmp_path: Path) -> None:
    tensor = torch.complex(torch.ones(2, 5, 3, 3), torch.randn(2, 5, 3, 3)).conj().imag
    assert tensor.is_neg()
    assert_read(saved(tmp_path / "net.pt", {"conv.weight": tensor}), {"conv.weight": tensor.resolve_neg().numpy()})


class Wrapped(torch.Tensor):
    """A tensor whose values lie in others, as quantized and distributed ones do."""

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> "Wrapped":
        return torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=torch.float32)

    def __init__(self, inner: torch.Tensor) -> None:
        self.inner = inner

    __torch_dispatch__ = classmethod(lambda *_: NotImplemented)


@pytest.mark.parametrize(("form", "words"), [(torch.Tensor.to_sparse, "sparse"), (Wrapped, "Wrapped")])
def test_a_tensor_that_is_no_plain_one_is_not_left_out_unsaid(form, words: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pt", {**tensors(), "conv2.weight": form(tensors()["conv2.weight"])})
    with pytest.raises(InputError, match=rf"net\.pt: conv2\.weight .*{words}"):
        array_shapes(path)


@pytest.mark.parametrize("is_whole", [True, False])
def test_what_is_no_array_by_the_name_of_a_weight_is_named(is_whole: bool, tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.LazyConv2d(6, 3))
    with pytest.raises(InputError, match=r"net\.pt: 1\.weight is a torch.*Uninitialized"):
        array_shapes(saved(tmp_path / "net.pt", net if is_whole else net.state_dict()))
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps({"a/W": np.ones((8, 32, 3, 3)), "b/W": np.ma.masked_less(np.ones((4, 8, 3, 3)), 2)}))
    with pytest.raises(InputError, match=r"net\.pkl: b/W is a numpy\.ma"):
        array_shapes(path)


def test_a_tensor_without_values_has_its_shape(tmp_path: Path) -> None:
    assert_read(saved(tmp_path / "net.pt", {"a": torch.ones(0, 8, 3, 3)}), {"a": np.empty((0, 8, 3, 3), np.float32)})


def test_a_part_of_a_module_that_is_pickled_in_another_way_is_named(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(3, 8, 3), torch.fx.symbolic_trace(nn.Sequential(nn.Conv2d(8, 6, 3))))
    with pytest.raises(InputError, match=r"net\.pt: 1 is a torch\.fx.*state_dict"):
        array_shapes(saved(tmp_path / "net.pt", net))


def test_a_part_of_a_distributed_checkpoint_is_no_network(tmp_path: Path) -> None:
    content = b""
    for tensor in tensors().values():  # as torch.distributed.checkpoint writes them
        content += saved(tmp_path / "one.pt", tensor).read_bytes()
    path = tmp_path / "__0_0.distcp"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"__0_0\.distcp: .*dcp_to_torch"):
        array_shapes(path)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
        self.head = nn.Conv2d(8, 4, 3)


def test_a_module_that_was_saved_as_a_whole_has_its_state_dictionary(tmp_path: Path) -> None:
    net = Net()
    state = {name: tensor.numpy() for name, tensor in net.state_dict().items() if tensor.ndim}
    for content in (net, {"model": net, "epoch": 3}):
        path = saved(tmp_path / "net.pt", content)
        assert array_shapes(path) == {name: array.shape for name, array in state.items()}
        assert_read(path, state)


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("net.pt"), io.BytesIO())
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>Sign in", "web page"),
        (b"\n <html><head>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\n", "git lfs pull"),
        (gzip.compress(b"weights", mtime=0), "gunzip"),
        (tarred(), "tar"),
        (b"\x1c\x00\x00\x00TFL3" + bytes(40), "TFLite"),
        (b"GGUF\x03\x00", "GGUF"),
        (zipped(**{"net/constants.pkl": b"", "net/code/a.py": b"", "net/data.pkl": b""}), "torch.jit.load"),
        (zipped(**{"net/archive_format": b"pt2"}), "torch.export.load"),
        (zipped(**{"serialized_exported_program.json": b"{}"}), "torch.export.load"),
        (zipped(**{"readme.txt": b""}), "none of the kinds"),
        (b"weights of my network", "not one of the kinds"),
        (b'{"name": "x"}', "no index of weights"),
        (pickle.dumps({"a": torch.ones(3)}), "torch.save"),
    ],
)
def test_what_holds_no_weights_is_named_for_what_it_is(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as refused:
        array_shapes(path)
    assert str(path) in str(refused.value)


def test_tensors_without_values_are_named(tmp_path: Path) -> None:
    with torch.device("meta"):
        path = saved(tmp_path / "net.pt", nn.Conv2d(3, 8, 3).state_dict())
    with pytest.raises(InputError, match=r"net\.pt: weight .*meta"):
        array_shapes(path)
    path = saved(tmp_path / "net.pt", {"conv.weight": torch.ones(8, 3, 3, 3).to(torch.float8_e4m3fn)})
    with pytest.raises(InputError, match=r"conv\.weight .*Float8_e4m3fn|conv\.weight .*float8_e4m3fn"):
        array_shapes(path)


def test_files_of_a_network_that_is_no_index_are_itself(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pt", tensors())
    assert files_of(path) == [path]
