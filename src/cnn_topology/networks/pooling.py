"""Neighbourhoods, pools and local response normalization over images in (..., height, width, channels) order.

The pools of M are fused with the ReLU before them on the CPU, by a compiled loop: ReLU and maximum commute, and
together they are memory-bound (measured: a third of the time of the two apart).
"""

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

from cnn_topology.compiled import compiled

# Local response normalization of TensorFlow's CIFAR-10 tutorial: depth_radius, bias, alpha, beta. TensorFlow sums
# over 2 * radius + 1 channels with alpha per element; PyTorch divides its alpha by that size, so there it is 0.001.
LRN_RADIUS, LRN_BIAS, LRN_ALPHA, LRN_BETA = 4, 1.0, 0.001 / 9, 0.75

_BITS = {torch.bfloat16: torch.int16, torch.float32: torch.int32, torch.float64: torch.int64}


def neighbours(x: torch.Tensor) -> list[torch.Tensor]:
    """Shift (..., h, w, c) to each place of the 3x3 neighbourhood, row by row; outside are zeros."""
    height, width = x.shape[-3:-1]
    padded = F.pad(x, (0, 0, 1, 1, 1, 1))
    return [padded[..., i : i + height, j : j + width, :] for i in range(3) for j in range(3)]


def relu_pool(x: torch.Tensor) -> torch.Tensor:
    """Apply ReLU, then a 2x2 maximum pool with stride 2; an odd last row or column is dropped.

    Parameters
    ----------
    x : Tensor
        (..., height, width, channels).

    Returns
    -------
    Tensor
        (..., height // 2, width // 2, channels).
    """
    if x.device.type == "cpu":
        return _ReluPool.apply(x)
    return F.relu(_max_pool(x, 2, 2, (0, 0), False))


def same_pool(x: torch.Tensor) -> torch.Tensor:
    """Apply a 3x3 maximum pool with stride 2 and TensorFlow's padding "SAME": the side becomes ceil(side / 2).

    TensorFlow pads an even side at its end only, an odd one at both ends.
    """
    height, width = x.shape[-3:-1]
    return _max_pool(x, 3, 2, (height % 2, width % 2), True)


def dense_pool(x: torch.Tensor) -> torch.Tensor:
    """Apply a 2x2 maximum pool with stride 1: the side shrinks by one."""
    return _max_pool(x, 2, 1, (0, 0), False)


def local_response_norm(x: torch.Tensor) -> torch.Tensor:
    """Divide x by (bias + alpha * sum of x^2 over the 9 nearest channels)^beta, in float32 at least."""
    wide = x if x.dtype == torch.float64 else x.float()
    near = _band(x.shape[-1], wide.dtype, wide.device)
    scale = LRN_BIAS + LRN_ALPHA * (wide.square() @ near)
    return (wide * scale.pow(-LRN_BETA)).to(x.dtype)


@lru_cache(maxsize=16)
def _band(channels: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    number = torch.arange(channels, device=device)
    return ((number[:, None] - number[None, :]).abs() <= LRN_RADIUS).to(dtype)


def _max_pool(x: torch.Tensor, size: int, stride: int, padding: tuple[int, int], ceil_mode: bool) -> torch.Tensor:
    images = x.flatten(0, -4).movedim(-1, 1)  # a view: channels-last memory
    pooled = F.max_pool2d(images, size, stride, padding, ceil_mode=ceil_mode)
    pooled = pooled.movedim(1, -1)
    return pooled.reshape(*x.shape[:-3], *pooled.shape[1:])


class _ReluPool(torch.autograd.Function):
    """ReLU and 2x2 pool in one pass over memory; the winner of each window is kept as one byte.

    Bits of floating-point numbers read as signed integers have the same order where they are positive, and all
    negative numbers stay negative: so one integer kernel serves bfloat16, which numba does not know, and the others.
    """

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: torch.Tensor) -> torch.Tensor:
        *lead, height, width, channels = x.shape
        images = x.detach().contiguous().reshape(-1, height, width, channels)
        pooled = images.new_empty(images.shape[0], height // 2, width // 2, channels)
        winner = np.empty(pooled.shape, np.uint8)
        _pool_kernel(_bits(images), _bits(pooled), winner)
        ctx.winner, ctx.shape = winner, x.shape  # type: ignore[attr-defined]
        return pooled.reshape(*lead, *pooled.shape[1:])

    @staticmethod
    @once_differentiable
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: torch.Tensor) -> torch.Tensor:
        winner, shape = ctx.winner, ctx.shape  # type: ignore[attr-defined]
        spread = gradient.new_empty(shape)
        if shape[-3] % 2 or shape[-2] % 2:
            spread.zero_()
        flat = spread.view(-1, *shape[-3:])
        _spread_kernel(_bits(gradient.contiguous().reshape(winner.shape)), winner, _bits(flat))
        return spread


def _bits(x: torch.Tensor) -> np.ndarray:
    return x.view(_BITS[x.dtype]).numpy()


@compiled()
def _pool_kernel(x: np.ndarray, pooled: np.ndarray, winner: np.ndarray) -> None:
    images, height, width, channels = pooled.shape
    for b in range(images):
        for i in range(height):
            for j in range(width):
                p0, p1 = x[b, 2 * i, 2 * j], x[b, 2 * i, 2 * j + 1]
                p2, p3 = x[b, 2 * i + 1, 2 * j], x[b, 2 * i + 1, 2 * j + 1]
                out, won = pooled[b, i, j], winner[b, i, j]
                for c in range(channels):
                    v0, v1, v2, v3 = p0[c], p1[c], p2[c], p3[c]
                    first = max(v0, v1)
                    second = max(v2, v3)
                    best = max(first, second)
                    place = 0 if v0 == best else 1 if v1 == best else 2 if v2 == best else 3
                    out[c] = best if best > 0 else 0
                    won[c] = place if best > 0 else 4


@compiled()
def _spread_kernel(gradient: np.ndarray, winner: np.ndarray, x: np.ndarray) -> None:
    images, height, width, channels = gradient.shape
    for b in range(images):
        for i in range(height):
            for j in range(width):
                g, won = gradient[b, i, j], winner[b, i, j]
                # One loop per output: the compiler vectorizes a loop that writes one array.
                for place in range(4):
                    out = x[b, 2 * i + place // 2, 2 * j + place % 2]
                    for c in range(channels):
                        out[c] = g[c] if won[c] == place else 0
