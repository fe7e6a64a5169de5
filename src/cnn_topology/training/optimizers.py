"""Adam and gradient descent over all parameters of a stack at once, one row per network.

The formulas of `torch.optim` in their order; the step and the learning rate live on the device, so that a step can be
captured once as a CUDA graph and replayed, and the state is three tensors to save.
"""

import torch

from cnn_topology.plan.populations import Recipe

ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON = 0.9, 0.999, 1e-8


def moments(recipe: Recipe) -> int:
    """Count the running averages the optimizer keeps per parameter."""
    return 2 if recipe.optimizer == "adam" else int(recipe.momentum > 0)


def update(
    recipe: Recipe, weights: torch.Tensor, gradient: torch.Tensor, averages: torch.Tensor, step: torch.Tensor
) -> None:
    """Do one step in place.

    Parameters
    ----------
    recipe : Recipe
        Optimizer, learning rate and its decay, momentum; weight decay acts on biases too, as in `torch.optim`.
    weights, gradient : Tensor
        (networks, parameters).
    averages : Tensor
        (moments, networks, parameters), zero at the start.
    step : Tensor
        Steps already done, int64 scalar on the device.
    """
    rate = torch.full((), recipe.learning_rate, dtype=torch.float64, device=weights.device)
    if recipe.decay_iterations is not None:
        rate = rate * recipe.decay_factor ** (step // recipe.decay_iterations)
    if recipe.weight_decay:
        gradient = gradient.add(weights, alpha=recipe.weight_decay)
    if recipe.optimizer == "adam":
        first, second = averages
        first.lerp_(gradient, 1 - ADAM_BETA1)
        second.mul_(ADAM_BETA2).addcmul_(gradient, gradient, value=1 - ADAM_BETA2)
        time = (step + 1).double()
        spread = second.sqrt().div_((1 - ADAM_BETA2**time).sqrt()).add_(ADAM_EPSILON)
        weights.sub_((first / spread).mul_(rate / (1 - ADAM_BETA1**time)))
        return
    if recipe.momentum:
        gradient = averages[0].mul_(recipe.momentum).add_(gradient)
    weights.sub_(gradient * rate)
