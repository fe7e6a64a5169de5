"""Files whose names and shapes leave open which kernels are the network's: read as it uses them, or refused."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.ao import quantization
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm
from two_convolutions import DEEP, STEM, layers, npz, prefixed, saved, tensors

from cnn_topology.errors import InputError
from cnn_topology.networks.checkpoints import read_checkpoint
from cnn_topology.networks.weights import read_weights
from cnn_topology.plan.checkpoints import FilesCheckpoint, checkpoint_layers


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        # The first layer of TFLite, MLX: (out, row, column, in), and of TensorFlow with three filters.
        ({"a": (64, 3, 3, 3)}, r"a \(64, 3, 3, 3\) fits \(out, in.* as well as \(out, row, column, in\)"),
        ({"a": (3, 3, 3, 64)}, r"a \(3, 3, 3, 64\) fits \(out, row.* as well as \(row, column, in, out\)"),
        ({"a": (32, 3, 3, 3), "b": (64, 3, 3, 32), "c": (8, 8, 3, 3)}, r"b \(64, 3, 3, 32\) is .*a \(32, 3, 3, 3\)"),
    ],
)
def test_a_file_whose_shapes_fit_several_orders_is_refused_and_names_what_shows_it(shapes, words, tmp_path) -> None:
    path = npz(tmp_path / "net.npz", **shapes)
    with pytest.raises(InputError, match=rf"checkpoints.mine: .*net.npz.*{words}.*`layout`"):
        layers(path)


@pytest.mark.parametrize("order", ["hwio", "ohwi"])
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_the_order_that_all_kernels_fit_is_taken(order, suffix: str, tmp_path: Path) -> None:
    state = {name: tensor.permute(*map("oihw".index, order)).contiguous() for name, tensor in tensors().items()}
    path = tmp_path / f"net{suffix}"
    if suffix == ".npz":
        np.savez(path, **{name: tensor.numpy() for name, tensor in state.items()})
    else:
        save_file(state, path)
    assert sorted(layers(path)) == [STEM, DEEP]
    for name, weight in read_weights(path, {STEM: (8, 3, 3, 3), DEEP: (6, 8, 3, 3)}).items():
        np.testing.assert_array_equal(weight, tensors()[name].numpy())


@pytest.mark.parametrize(("order", "shape"), [("hwio", (3, 3, 8, 1)), ("ohwi", (1, 3, 3, 8))])
@pytest.mark.parametrize(
    "name", ["block/depthwise/weights", "layers/depthwise_conv2d/vars/0", "a/separable_conv2d_1/vars/0"]
)
def test_each_filter_of_a_depthwise_convolution_is_an_output_channel(order, shape, name: str, tmp_path: Path) -> None:
    weight = np.random.default_rng(0).standard_normal(shape)
    np.savez(tmp_path / "net.npz", **{name: weight, "block/conv/weights": np.ones(shape)})
    read = read_weights(tmp_path / "net.npz", {name: (8, 1, 3, 3), "block/conv/weights": (1, 8, 3, 3)}, layout=order)
    expected = weight.transpose(*map(order.index, "oihw")).reshape(8, 1, 3, 3)
    np.testing.assert_array_equal(read[name], expected.astype(np.float32))


@pytest.mark.parametrize("order", ["oihw", "hwio", "ohwi", "iohw"])
@pytest.mark.parametrize("suffix", [".npz", ".pt"])
def test_an_order_that_is_stated_is_taken(order, suffix: str, tmp_path: Path) -> None:
    square = torch.randn(3, 3, 3, 3)  # fits every order
    turned = square.permute(*map("oihw".index, order)).contiguous()
    path = tmp_path / f"net{suffix}"
    if suffix == ".npz":
        np.savez(path, stem=turned.numpy())
    else:
        saved(path, {"stem": turned})
    np.testing.assert_array_equal(read_weights(path, {"stem": (3, 3, 3, 3)}, layout=order)["stem"], square.numpy())


def test_the_other_convolutions_or_pytorch_itself_decide_for_its_order(tmp_path: Path) -> None:
    for other in ((64, 32, 3, 3), (64, 32, 1, 1), (16, 8, 5, 5), (32, 1, 3, 3), (64, 3, 7, 7)):
        assert layers(npz(tmp_path / "net.npz", a=(32, 3, 3, 3), b=other))[0] == "a"
    # Layer scales and position embeddings have four axes too.
    assert layers(npz(tmp_path / "net.npz", a=(8, 4, 3, 3), b=(1, 1, 1, 8), c=(1, 14, 14, 8))) == ["a"]
    stem = {STEM: tensors()[STEM]}
    assert layers(saved(tmp_path / "stem.pt", stem)) == [STEM]
    save_file(stem, tmp_path / "stem.safetensors", metadata={"format": "pt"})
    assert layers(tmp_path / "stem.safetensors") == [STEM]
    save_file(stem, tmp_path / "stem.safetensors", metadata={"format": "mlx"})
    with pytest.raises(InputError, match=r"stem.safetensors: conv1.weight \(8, 3, 3, 3\) fits"):
        layers(tmp_path / "stem.safetensors")
    with pytest.raises(InputError, match=r"conv2.weight \(6, 3, 3, 8\) is \(out, row, column, in\)"):
        layers(saved(tmp_path / "net.pt", {**stem, DEEP: tensors()[DEEP].permute(0, 2, 3, 1)}))


@pytest.mark.parametrize("suffix", [".pt", ".npz", ".safetensors"])
def test_position_embeddings_do_not_decide_against_kernels(suffix: str, tmp_path: Path) -> None:
    def read(**shapes: tuple[int, ...]) -> list[str]:
        state, path = {name.replace("__", "."): torch.ones(shape) for name, shape in shapes.items()}, tmp_path / "net"
        path = path.with_suffix(suffix)
        if suffix == ".npz":
            return layers(npz(path, **{name: tuple(tensor.shape) for name, tensor in state.items()}))
        if suffix == ".pt":
            return layers(saved(path, state))
        save_file(state, path)
        return layers(path)

    stem, embedding = (64, 3, 3, 3), (1, 7, 7, 64)
    assert read(conv1=stem, conv2=(64, 64, 3, 3), pos_embed=embedding) == ["conv1", "conv2"]
    assert read(conv1__weight=stem, conv2__weight=(8, 8, 3, 3), pos_embed=embedding) == [STEM, DEEP]
    if suffix == ".pt":
        assert read(conv1=stem, pos_embed=embedding) == ["conv1"]
        with pytest.raises(InputError, match=r"table \(16, 7, 7, 64\)") as refused:
            read(conv1=stem, table=(16, 7, 7, 64))
        assert "`layout`" in str(refused.value)
        assert read(conv1__weight=stem, table=(16, 7, 7, 64)) == [STEM]  # the way out


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 6, 3)


@pytest.mark.parametrize("suffix", [".pt", ".npz", ".safetensors"])
def test_a_pruned_weight_is_read_as_the_network_uses_it(suffix: str, tmp_path: Path) -> None:
    net, path = Net(), tmp_path / f"net{suffix}"
    prune.l1_unstructured(net.conv2, "weight", 0.9)
    state = net.state_dict()
    assert "conv2.weight_orig" in state
    if suffix == ".npz":
        np.savez(path, **{name: tensor.numpy() for name, tensor in state.items()})
    elif suffix == ".safetensors":
        save_file(state, path, metadata={"format": "pt"})
    else:
        saved(path, state)
    assert sorted(layers(path)) == [STEM, DEEP]
    used = net.conv2.weight.detach().numpy()
    assert np.count_nonzero(used) == 43  # of 432
    np.testing.assert_array_equal(read_weights(path, {DEEP: (6, 8, 3, 3)})[DEEP], used)
    np.testing.assert_array_equal(read_checkpoint(path)[DEEP].numpy(), used)


def test_a_mask_of_truth_values_is_applied_or_named(tmp_path: Path) -> None:
    mask = tensors(1)[DEEP] > 0
    pruned = {STEM: tensors()[STEM], "conv2.weight_orig": tensors()[DEEP], "conv2.weight_mask": mask}
    np.savez(tmp_path / "net.npz", **{name: tensor.numpy() for name, tensor in pruned.items()})
    for path in (saved(tmp_path / "net.pt", pruned), tmp_path / "net.npz"):
        assert layers(path) == [STEM, DEEP]
        used = read_weights(path, {DEEP: (6, 8, 3, 3)})[DEEP]
        np.testing.assert_array_equal(used, (tensors()[DEEP] * mask).numpy())
    with pytest.raises(InputError, match=r"net.pt: conv2.mask is a mask"):
        layers(saved(tmp_path / "net.pt", {**tensors(), "conv2.mask": mask}))


NORMALIZED = {
    "weight_orig": spectral_norm,
    "parametrizations": parametrizations.spectral_norm,
    "weight_v": weight_norm,
    "original1": parametrizations.weight_norm,
}


@pytest.mark.parametrize("form", NORMALIZED)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_normalized_weight_is_read_as_the_network_uses_it(form: str, tmp_path: Path) -> None:
    net = Net()
    for convolution in (net.conv1, net.conv2):
        NORMALIZED[form](convolution)
    for _ in range(3):
        net.conv2(net.conv1(torch.randn(1, 3, 9, 9)))
    net.eval()
    net.conv2(net.conv1(torch.randn(1, 3, 9, 9)))
    state = net.state_dict()
    assert any(form in name for name in state)
    path = saved(tmp_path / "net.pt", state)
    assert layers(path) == [STEM, DEEP]
    for name, weight in read_weights(path, {STEM: (8, 3, 3, 3), DEEP: (6, 8, 3, 3)}).items():
        np.testing.assert_allclose(weight, net.get_submodule(name[:5]).weight.detach().numpy(), rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize(
    "names", [("base_layer.weight", "lora_B.weight", "lora_A.weight"), ("weight", "lora_up.weight", "lora_down.weight")]
)
def test_a_low_rank_change_is_added_where_the_file_has_its_scale(names: tuple[str, str, str], tmp_path: Path) -> None:
    down, up = torch.randn(2, 8, 3, 3), torch.randn(6, 2, 1, 1)
    base, up_name, down_name = (f"conv2.{name}" for name in names)
    state = {STEM: tensors()[STEM], base: tensors()[DEEP], down_name: down, up_name: up}
    with pytest.raises(InputError, match="is not the weight that the network uses"):
        layers(saved(tmp_path / "net.pt", state))
    path = saved(tmp_path / "net.pt", {**state, "conv2.alpha": torch.tensor(3.0)})
    assert layers(path) == [STEM, DEEP]
    # The two convolutions one after the other.
    both = torch.nn.functional.conv2d(down.transpose(0, 1), up).transpose(0, 1)
    used = read_weights(path, {DEEP: (6, 8, 3, 3)})[DEEP]
    np.testing.assert_allclose(used, (tensors()[DEEP] + 3 / 2 * both).numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("by_channel", [True, False])
def test_a_weight_is_rounded_as_its_fake_quantizer_does(by_channel: bool, tmp_path: Path) -> None:
    quantizer = (
        quantization.default_per_channel_weight_fake_quant if by_channel else quantization.default_weight_fake_quant
    )()
    weight = 0.3 * tensors()[DEEP]
    rounded = quantizer(weight)
    assert not torch.equal(rounded, weight)
    state = {f"conv2.weight_fake_quant.{name}": value for name, value in quantizer.state_dict().items()}
    path = saved(tmp_path / "net.pt", {STEM: tensors()[STEM], DEEP: weight, **state})
    assert layers(path) == [STEM, DEEP]
    np.testing.assert_allclose(read_weights(path, {DEEP: (6, 8, 3, 3)})[DEEP], rounded.numpy(), rtol=1e-6)
    quantizer.disable_fake_quant()
    state["conv2.weight_fake_quant.fake_quant_enabled"] = quantizer.fake_quant_enabled
    path = saved(tmp_path / "net.pt", {STEM: tensors()[STEM], DEEP: weight, **state})
    np.testing.assert_array_equal(read_weights(path, {DEEP: (6, 8, 3, 3)})[DEEP], weight.numpy())


def test_a_mask_that_is_a_parametrization_is_applied(tmp_path: Path) -> None:
    mask = tensors(1)[DEEP] > 0
    at = "conv2.parametrizations.weight"
    path = saved(tmp_path / "net.pt", {STEM: tensors()[STEM], f"{at}.original": tensors()[DEEP], f"{at}.0.mask": mask})
    assert layers(path) == [STEM, DEEP]
    np.testing.assert_array_equal(read_weights(path, {DEEP: (6, 8, 3, 3)})[DEEP], (tensors()[DEEP] * mask).numpy())


def test_out_and_in_channels_of_a_transposed_convolution_are_told_apart_by_its_biases(tmp_path: Path) -> None:
    up = nn.ConvTranspose2d(8, 5, 3)
    path = saved(tmp_path / "net.pt", {f"up.{name}": tensor for name, tensor in up.state_dict().items()})
    used = read_weights(path, {"up.weight": (5, 8, 3, 3)})["up.weight"]
    np.testing.assert_array_equal(used, up.weight.detach().transpose(0, 1).numpy())


def computed() -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    at = "conv2.parametrizations.weight"
    for more in ({}, {f"{at}.0.base": torch.ones(6, 8)}, {f"{at}.0._u": torch.ones(6), f"{at}.1.mask": torch.ones(6)}):
        yield "parametrizations", {STEM: tensors()[STEM], f"{at}.original": tensors()[DEEP], **more}
    flat = {"conv2.lora_A": torch.ones(6, 24), "conv2.lora_B": torch.ones(18, 6)}
    yield "conv2.conv.weight", {STEM: tensors()[STEM], "conv2.conv.weight": tensors()[DEEP], **flat}
    yield "lora_unet_conv.lora_down.weight", {"lora_unet_conv.lora_down.weight": torch.ones(4, 8, 3, 3)}
    yield "weight_orig", {STEM: tensors()[STEM], "conv2.weight_orig": tensors()[DEEP]}
    yield DEEP, {**tensors(), "conv2.weight_fake_quant.scale": torch.ones(1), "conv2.bn.weight": torch.ones(6)}
    # pytorch-quantization, Brevitas, NNCF, compressed-tensors
    yield DEEP, {**tensors(), "conv2._weight_quantizer._amax": torch.ones(6, 1, 1, 1)}
    yield DEEP, {**tensors(), "conv2.weight_quant.tensor_quant.scaling_impl.value": torch.ones(6, 1, 1, 1)}
    yield DEEP, {**tensors(), "conv2.pre_ops.0.op._binary_mask": torch.ones(6, 8, 3, 3)}
    yield DEEP, {**tensors(), "conv2.weight_scale": torch.ones(6), "conv2.weight_zero_point": torch.ones(6)}


@pytest.mark.parametrize(("tensor", "state"), list(computed()))
def test_what_a_weight_is_computed_from_is_not_taken_for_it(tensor: str, state: dict, tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pt", state)
    named = next(name for name in state if tensor in name and state[name].ndim == 4)
    with pytest.raises(InputError, match=rf"{named} is not the weight"):
        layers(path, layers=(named,))
    if STEM in state:
        assert layers(path, exclude="conv2*") == [STEM]


@pytest.mark.parametrize("name", ["conv2.mask", "conv2.weight_mask"])
def test_a_mask_beside_its_weight_is_refused_for_that_layer(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pt", {**tensors(), name: torch.ones(6, 8, 3, 3)})
    with pytest.raises(InputError, match=rf"net\.pt: conv2\.weight .*{name} is a mask"):
        layers(path)
    assert layers(path, exclude="conv2*") == [STEM]


def test_masks_of_attention_do_not_matter(tmp_path: Path) -> None:
    masks = {"attention.mask": torch.ones(1, 1, 64, 64, dtype=torch.bool), "head.attn_mask": torch.ones(8, 49, 49)}
    assert layers(saved(tmp_path / "net.pt", {**tensors(), **masks})) == [STEM, DEEP]


def test_a_bias_that_is_computed_changes_no_kernels(tmp_path: Path) -> None:
    state = {**tensors(), "conv2.parametrizations.bias.original": torch.ones(6)}
    assert layers(saved(tmp_path / "net.pt", state)) == [STEM, DEEP]


def test_an_adapter_of_other_layers_changes_no_kernels(tmp_path: Path) -> None:
    state = {**tensors(), "query.lora_A.weight": torch.ones(4, 8), "query.lora_B.weight": torch.ones(8, 4)}
    assert layers(saved(tmp_path / "net.pt", state)) == [STEM, DEEP]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"blur.filt": torch.ones(8, 1, 3, 3), "sobel.kernel": torch.ones(2, 1, 3, 3)}, "blur.filt, sobel.kernel"),
        ({f"blur{n}.kernel": torch.rand(8, 1, 3, 3) for n in range(4)}, "blur0.kernel, blur3.kernel"),
        ({"conv2.scores": torch.ones(6, 8, 3, 3)}, "conv2.scores"),
        ({f"{name}.exp_avg": tensor for name, tensor in tensors(1).items()}, "conv1.weight.exp_avg"),
        (prefixed("ema.", 1), "ema.conv1.weight"),
        ({f"model_ema.{name.replace('.', '')}": t for name, t in tensors(1).items()}, "model_ema.conv1weight"),
        (prefixed("teacher.", 1), "teacher.conv1.weight"),
        ({**prefixed("ema.", 1), **prefixed("swa.", 2)}, "ema.conv1.weight, swa.conv2.weight"),
        ({**prefixed("opt_state/0/mu/", 1), **prefixed("opt_state/0/nu/", 2)}, "opt_state/0/mu/conv1.weight"),
    ],
)
def test_kernels_that_are_perhaps_no_layers_are_read_only_when_stated(more: dict, named: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "net.pt", {**tensors(), **more})
    assert layers(path) == [STEM, DEEP]
    section = FilesCheckpoint(kind="files", files=str(path))
    assert set(named.split(", ")) <= set(checkpoint_layers("mine", section).others)
    assert layers(path, layers=(DEEP, named.split(", ")[0])) == [DEEP, named.split(", ")[0]]


@pytest.mark.parametrize(
    ("mean", "spread"), [("mu_kernel", "rho_kernel"), ("weight_mean", "weight_sq_mean"), ("kernel_loc", "kernel_scale")]
)
def test_how_far_the_weights_of_a_bayesian_network_spread_is_no_layer(mean: str, spread: str, tmp_path: Path) -> None:
    state = {f"conv.{name}": torch.randn(6, 8, 3, 3) for name in (mean, spread)}
    assert layers(saved(tmp_path / "net.pt", state)) == [f"conv.{mean}"]
    assert layers(tmp_path / "net.pt", layers="*") == [*state]


def test_what_lies_beside_params_in_joined_names_is_read_only_when_stated(tmp_path: Path) -> None:
    names = {f"{front}/conv/kernel": (3, 3, 8, 6) for front in ("params", "init_params")}
    assert layers(npz(tmp_path / "net.npz", **names)) == ["params/conv/kernel"]
    assert layers(tmp_path / "net.npz", layers="init_params*") == ["init_params/conv/kernel"]


def test_a_teacher_alone_and_names_without_a_usual_word_are_read(tmp_path: Path) -> None:
    assert layers(saved(tmp_path / "t.pt", prefixed("teacher."))) == ["teacher.conv1.weight", "teacher.conv2.weight"]
    assert layers(npz(tmp_path / "bare.npz", stem=(8, 3, 3, 3), block=(6, 8, 3, 3))) == ["stem", "block"]
