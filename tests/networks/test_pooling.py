"""The compiled pool is ReLU and maximum pool, forward and backward, in every type."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_topology.networks.pooling import relu_pool


def reference(x: torch.Tensor) -> torch.Tensor:
    return F.max_pool2d(F.relu(x.movedim(-1, 1)), 2).movedim(1, -1)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
@settings(max_examples=20)
@given(
    shape=st.tuples(st.integers(1, 3), st.integers(2, 9), st.integers(2, 9), st.integers(1, 40)),
    seed=st.integers(0, 2**32),
)
def test_relu_pool_is_relu_then_pool_with_its_gradient(
    dtype: torch.dtype, shape: tuple[int, int, int, int], seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    # Coarse values: ties and zeros occur, as they do in bfloat16.
    mine = (torch.randn(shape, generator=generator) * 2).round().div(2).to(dtype).requires_grad_()
    theirs = mine.detach().clone().requires_grad_()
    pooled, expected = relu_pool(mine), reference(theirs)
    assert torch.equal(pooled, expected)
    weights = torch.randn(expected.shape, generator=generator).to(dtype)
    pooled.backward(weights)
    expected.backward(weights)
    assert torch.equal(mine.grad, theirs.grad)


def test_relu_pool_takes_a_stack_of_batches() -> None:
    x = torch.randn(2, 3, 6, 4, 5)
    assert torch.equal(relu_pool(x), torch.stack([reference(batch) for batch in x]))
