"""A stack of networks that train together, each on its own batches; on a CPU a stack of one is the fastest.

Measured on two cores with AVX-512 bfloat16: stacking networks on a CPU costs 2 to 6 times more per network than
training one after another. On a GPU all networks of a stack run as one batched product per layer and the step is
replayed as a CUDA graph; that path runs the same code as a stack on the CPU, which the tests compare with networks
trained alone, but it is not measured on a GPU yet.
"""

import math
import sys

import numpy as np
import torch
import torch.nn.functional as F

from cnn_topology.networks.first_layer import frozen_parameters
from cnn_topology.networks.forward import forward, forward_stacked
from cnn_topology.networks.initialization import init_parameters
from cnn_topology.plan.populations import Architecture, Recipe, image_shape, layers_of
from cnn_topology.training.batches import Normalization, centre_crop, random_crops
from cnn_topology.training.draws import DROPOUT, batch_indices, uniform
from cnn_topology.training.optimizers import moments, update

# Steps whose batches are drawn and sent to the device at once.
BLOCK = 500


class Stack:
    """Networks, their optimizer and their training images on one device.

    Parameters
    ----------
    architecture, recipe : Architecture, Recipe
        What is trained and how.
    images : ndarray
        uint8 (images, height, width, channels), the training images.
    labels : ndarray
        int64 (images,).
    classes : int
        Number of class scores.
    seeds : tuple of int
        One per network.
    device : torch.device
        Where everything lies.
    dtype : torch.dtype
        Arithmetic of forward and backward pass; weights and optimizer keep float32 (float64 for float64).
    """

    def __init__(
        self,
        architecture: Architecture,
        recipe: Recipe,
        images: np.ndarray,
        labels: np.ndarray,
        classes: int,
        seeds: tuple[int, ...],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.architecture, self.recipe, self.seeds, self.device, self.dtype = architecture, recipe, seeds, device, dtype
        self.images = torch.from_numpy(images).to(device)
        self.labels = torch.from_numpy(labels).to(device)
        self.normalize = Normalization.of(recipe, images, device)
        height, width, channels = images.shape[1:]
        shape = image_shape((height, width, channels), recipe)
        self.units = layers_of(architecture, shape, classes)[-1].weight[1]

        starts = [init_parameters(architecture, shape, classes, seed) for seed in seeds]
        self.names, precise = tuple(starts[0]), torch.promote_types(dtype, torch.float32)
        # Frozen parameters stand apart from the rows that the optimizer sees: nothing can move them.
        self.frozen = {
            name: torch.stack([start.pop(name) for start in starts]).to(device, precise)
            for name in frozen_parameters(architecture)
        }
        self.shapes = {name: tuple(value.shape) for name, value in starts[0].items()}
        rows = [torch.cat([value.flatten() for value in start.values()]) for start in starts]
        self.weights = torch.stack(rows).to(device, precise).requires_grad_()
        self.averages = torch.zeros(moments(recipe), *self.weights.shape, dtype=self.weights.dtype, device=device)
        self.done = 0
        self._step = torch.zeros((), dtype=torch.int64, device=device)
        self._keys = torch.tensor(seeds, dtype=torch.int64, device=device)
        self._block = torch.zeros(BLOCK, len(seeds), recipe.batch_size, dtype=torch.int64, device=device)
        self._block_number = -1
        self._graph: torch.cuda.CUDAGraph | None = None
        self._eager = device.type != "cuda"

    def parameters(self) -> dict[str, np.ndarray]:
        """Copy the weights to arrays (networks, ...) by name."""
        rows = self.weights.detach().cpu()
        return {name: value.numpy().copy() for name, value in self._named(rows).items()}

    def finite(self) -> np.ndarray:
        """Return for each network whether all its weights are finite, bool (networks,)."""
        return self.weights.detach().isfinite().all(dim=1).cpu().numpy()

    def state(self) -> dict[str, np.ndarray]:
        """Copy all that training goes on from; random numbers follow from the seeds and the step."""
        weights, averages = self.weights.detach().cpu().numpy().copy(), self.averages.cpu().numpy().copy()
        return {"weights": weights, "averages": averages, "step": np.array([self.done])}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go back to a state that `state` gave."""
        with torch.no_grad():
            self.weights.copy_(torch.from_numpy(state["weights"]))
            self.averages.copy_(torch.from_numpy(state["averages"]))
        self.done = int(state["step"][0])
        self._step.fill_(self.done)
        self._block_number = -1

    def train(self, steps: int) -> None:
        """Do so many steps, without waiting for the device."""
        for _ in range(steps):
            if self.done // BLOCK != self._block_number:
                self._fill_block(self.done // BLOCK)
            if self._graph is None and not self._eager:
                self._capture()
            if self._graph is None:
                self._one_step()
            else:
                self._graph.replay()
            self.done += 1

    def evaluate(self, images: torch.Tensor, labels: torch.Tensor, batch: int) -> tuple[np.ndarray, np.ndarray]:
        """Test every network on the same images, centre-cropped, without dropout.

        Parameters
        ----------
        images : Tensor
            uint8 (images, height, width, channels), before the crop.
        labels : Tensor
            int64 (images,).
        batch : int
            Images at once.

        Returns
        -------
        loss, accuracy : ndarray
            float64 (networks,): mean cross-entropy and share of correct classes.
        """
        networks = len(self.seeds)
        loss = torch.zeros(networks, dtype=torch.float64, device=self.device)
        correct = torch.zeros(networks, dtype=torch.int64, device=self.device)
        with torch.no_grad():
            named = self._named(self.weights.to(self.dtype))
            for start in range(0, len(images), batch):
                pixels = centre_crop(images[start : start + batch].to(self.device), self.recipe.crop)
                target = labels[start : start + batch].to(self.device).expand(networks, -1)
                x = self.normalize(pixels, self.dtype).expand(networks, *pixels.shape)
                scores = self._forward(named, x, None)
                each = F.cross_entropy(scores.flatten(0, 1), target.flatten(), reduction="none").view(networks, -1)
                loss += each.double().sum(dim=1)
                correct += (scores.argmax(dim=-1) == target).sum(dim=1)
        return (loss / len(images)).cpu().numpy(), (correct.double() / len(images)).cpu().numpy()

    def _named(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        parts = rows.split([math.prod(shape) for shape in self.shapes.values()], dim=1)
        trained = zip(self.shapes.items(), parts, strict=True)
        named = {name: part.view(len(rows), *shape) for (name, shape), part in trained}
        named |= {name: value.to(rows.device, rows.dtype) for name, value in self.frozen.items()}
        return {name: named[name] for name in self.names}

    def _forward(self, named: dict[str, torch.Tensor], x: torch.Tensor, dropout: torch.Tensor | None) -> torch.Tensor:
        """Return class scores (networks, batch, classes) in the weights' own precision."""
        if len(self.seeds) > 1 or self.device.type == "cuda":
            scores = forward_stacked(self.architecture, named, x, dropout)
        else:
            alone = {name: value[0] for name, value in named.items()}
            scores = forward(self.architecture, alone, x[0], None if dropout is None else dropout[0])[None]
        return scores.to(self.weights.dtype)

    def _fill_block(self, number: int) -> None:
        recipe, size = self.recipe, len(self.labels)
        drawn = [batch_indices(seed, size, recipe.batch_size, number * BLOCK, BLOCK) for seed in self.seeds]
        self._block.copy_(torch.from_numpy(np.stack(drawn, axis=1)))
        self._block_number = number

    def _one_step(self) -> None:
        """Gradient and update from what lies on the device: no argument, no synchronization."""
        indices = self._block.index_select(0, (self._step % BLOCK).view(1))[0]
        labels = self.labels[indices]
        if self.recipe.crop is None:
            pixels = self.images[indices]
        else:
            pixels = random_crops(self.images, indices, self.recipe.crop, self._keys, self._step)
        x, dropout = self.normalize(pixels, self.dtype), self._dropout()
        scores = self._forward(self._named(self.weights.to(self.dtype)), x, dropout)
        # The sum over networks of their mean losses: each network's gradient is that of its own mean.
        loss = F.cross_entropy(scores.flatten(0, 1), labels.flatten(), reduction="sum") / self.recipe.batch_size
        (gradient,) = torch.autograd.grad(loss, self.weights)
        with torch.no_grad():
            update(self.recipe, self.weights, gradient, self.averages, self._step)
            self._step += 1

    def _dropout(self) -> torch.Tensor | None:
        rate, batch = self.architecture.dropout, self.recipe.batch_size
        if not rate:
            return None
        kept = uniform(self._keys, self._step, DROPOUT, batch * self.units) >= rate
        return (kept * (1 / (1 - rate))).to(self.dtype).view(len(self.seeds), batch, self.units)

    def _capture(self) -> None:
        """Record the step as a CUDA graph; where that fails, steps run one by one."""
        state = self.state()
        try:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    self._one_step()
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._one_step()
            self._graph = graph
        except RuntimeError as error:
            print(f"training without a CUDA graph ({str(error).splitlines()[0]})", file=sys.stderr)
            self._eager = True
        block = self._block_number
        self.restore(state)
        self._block_number = block
