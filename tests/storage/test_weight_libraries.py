"""Files of weights that another library reads, an optional extra: Keras's, other HDF5, and ONNX."""

import sys
from pathlib import Path

import numpy as np
import pytest
from small_weights import arrays, assert_read

from cnn_topology.errors import InputError
from cnn_topology.storage.weight_files import array_shapes


@pytest.mark.parametrize(("name", "start"), [("h5py", b"\x89HDF\r\n\x1a\n"), ("onnx", b"\x08\x08\x12\x07pytorch")])
def test_a_library_that_is_not_installed_is_named(name, start, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    path = tmp_path / "net.weights"
    path.write_bytes(start + bytes(600))
    with pytest.raises(InputError, match=rf"net\.weights: .* needs {name}, .*pip install"):
        array_shapes(path)


@pytest.mark.parametrize("is_keras_3", [False, True])
def test_weights_of_keras_are_read(is_keras_3: bool, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="Keras's files are read by h5py, an optional extra")
    first, bias, second = arrays().values()
    rows = "layers/{}/vars/{}" if is_keras_3 else "model_weights/{0}/{0}/{1}"
    kernel, biases = ("0", "1") if is_keras_3 else ("kernel:0", "bias:0")
    written = {
        rows.format("conv2d_10", kernel): second.transpose(2, 3, 1, 0),
        rows.format("conv2d_2", kernel): first.transpose(2, 3, 1, 0),
        rows.format("conv2d_2", biases): bias,
        rows.format("conv2d_transpose", kernel): second.transpose(2, 3, 0, 1),
        "optimizer/vars/0": first,
    }
    path = tmp_path / "net.h5"
    with h5py.File(path, "w") as file:
        for name, array in written.items():
            file[name] = array
        (tmp_path / "secret").write_bytes(bytes(8_000))
        file.create_dataset("other", (3, 3, 8, 6), "f4", external=[(str(tmp_path / "secret"), 0, 1_728)])
        file["link"] = h5py.ExternalLink(str(path), "optimizer")
    with pytest.raises(InputError, match="lies in another file"):
        array_shapes(path)
    with h5py.File(path, "a") as file:
        del file["other"]
    if is_keras_3:
        path.write_bytes(zipped(**{"model.weights.h5": path.read_bytes(), "config.json": b"{}"}))
    names = [rows.format(layer, kernel) for layer in ("conv2d_2", "conv2d_10", "conv2d_transpose")]
    assert [name for name, shape in array_shapes(path).items() if len(shape) == 4] == names
    assert_read(path, dict(zip(names, (first, second, second), strict=True)))


def test_layers_of_keras_are_in_the_order_that_the_file_states(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="Keras's files are read by h5py, an optional extra")
    order = ["stem", "block", "a"]
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.create_group("model_weights").attrs["layer_names"] = [name.encode() for name in order]
        for name in order:
            file[f"model_weights/{name}/{name}/kernel:0"] = np.ones((3, 3, 3, 4), np.float32)
    assert [name.split("/")[1] for name in array_shapes(tmp_path / "net.h5")] == order


def test_hdf5_that_keras_did_not_write_is_read_in_the_order_of_its_shapes(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="HDF5 is read by h5py, an optional extra")
    written = {"conv1.weight": arrays()["conv1.weight"], "conv2.weight": np.ones((8, 8, 3, 3), np.float32)}
    with h5py.File(tmp_path / "net.h5", "w") as file:
        for name, array in written.items():
            file[name] = array
    assert_read(tmp_path / "net.h5", written)


def test_weights_of_onnx_are_those_of_the_convolutions_of_its_graph(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="ONNX is read by onnx, an optional extra")
    first, _, second = arrays().values()
    unused = np.ones((4, 4, 3, 3), np.float32)
    held = {"first": first, "up": second.transpose(1, 0, 2, 3), "unused": unused}
    nodes = [
        onnx.helper.make_node("Conv", ["x", "first"], ["y"]),
        onnx.helper.make_node("ConvTranspose", ["y", "up"], ["z"]),
    ]
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "net",
        [value("x", 1, [1, 3, 9, 9])],
        [value("z", 1, None)],
        [onnx.numpy_helper.from_array(array, name) for name, array in held.items()],
    )
    path = tmp_path / "net.anything"
    path.write_bytes(onnx.helper.make_model(graph, producer_name="a test").SerializeToString())
    assert array_shapes(path) == {"first": first.shape, "up": second.shape}
    assert_read(path, {"first": first, "up": second})
    renamed = [onnx.helper.make_node("Identity", [name], [other]) for name, other in (("first", "a"), ("a", "b"))]
    graph.node[0].input[1] = "b"
    graph.node.extend(renamed)
    path.write_bytes(onnx.helper.make_model(graph, producer_name="a test").SerializeToString())
    assert_read(path, {"first": first, "up": second})
    graph.node[0].op_type = "FusedConv"
    path.write_bytes(onnx.helper.make_model(graph, producer_name="a test").SerializeToString())
    assert_read(path, {"first": first, "up": second})
    for op_type in ("QLinearConv", "ConvInteger", "NhwcFusedConv"):
        graph.node[0].op_type = op_type
        path.write_bytes(onnx.helper.make_model(graph, producer_name="a test").SerializeToString())
        with pytest.raises(InputError, match=op_type):
            array_shapes(path)
    graph.node[0].op_type = "Conv"
    graph.node[0].input[1] = "first"
    hidden = onnx.helper.make_node("Conv", ["x", "first"], ["i"], "inside")
    branch = onnx.helper.make_graph([hidden], "branch", [], [value("i", 1, None)])
    chosen = onnx.helper.make_node("If", ["c"], ["w"], then_branch=branch, else_branch=branch)
    block = onnx.helper.make_function("own", "Block", ["x"], ["i"], [hidden], [onnx.helper.make_opsetid("", 18)])
    for nodes, functions in (([*graph.node, chosen], []), (graph.node, [block])):
        changed = onnx.GraphProto()
        changed.CopyFrom(graph)
        del changed.node[:]
        changed.node.extend(nodes)
        model = onnx.helper.make_model(changed, producer_name="a test", functions=functions)
        path.write_bytes(model.SerializeToString())
        with pytest.raises(InputError, match="inside"):
            array_shapes(path)
    graph.node[0].input[1] = "computed"
    path.write_bytes(onnx.helper.make_model(graph, producer_name="a test").SerializeToString())
    with pytest.raises(InputError, match="computed by the graph"):
        array_shapes(path)
