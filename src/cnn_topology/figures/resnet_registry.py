"""Which figures of residual networks and their images a run has: training (T-D), masks (F-M), noise (F-I)."""

from collections.abc import Iterator
from typing import Any

from cnn_topology.plan.expand import Plan
from cnn_topology.plan.resnets import MapperResNets, PHResNets, TriangularRecipe

# Populations side by side in one table of settings.
COLUMNS = 4


def resnet_figures(plan: Plan) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """List kind, name and parameters (plain values only) of these figures."""
    names = list(plan.config.resnets)
    pages = [names[start : start + COLUMNS] for start in range(0, len(names), COLUMNS)]
    for number, page in enumerate(pages, start=1):
        name = "resnet_training" if len(pages) == 1 else f"resnet_training_{number}"
        # In pairs: a JSON object would lose the order.
        populations = [{"population": p, "settings": list(_settings(plan.config.resnets[p]).items())} for p in page]
        yield "resnet_training", name, {"populations": populations}
    for population in dict.fromkeys(name for name, _, _ in plan.masked_images):
        yield "masks", f"masks_{population}", {"population": population}
    clouds = plan.config.activation_clouds.values()
    for population in dict.fromkeys(cloud.networks for cloud in clouds if cloud.sigma):
        yield "noisy_images", f"noisy_images_{population}", {"population": population}


def _settings(section: PHResNets | MapperResNets) -> dict[str, str]:
    """Describe layout and recipe in a few words each."""
    recipe = section.recipe
    said = {
        "variant": section.variant,
        "widths": ", ".join(map(str, section.widths)),
        "blocks": ", ".join(map(str, section.blocks)),
        "shortcuts": {"pad": "zero padding", "projection": "1×1 projection"}[section.shortcut],
        "images": section.images,
    }
    if section.checkpoints:
        return {**said, "weights": "from checkpoints"}
    if isinstance(recipe, TriangularRecipe):
        rate = f"0 to {recipe.learning_rate:g} at epoch {recipe.peak_epoch:g} to 0"
        kept = "last epoch"
    else:
        rate = f"{recipe.learning_rate:g}, × {recipe.factor:g} at {', '.join(map(str, recipe.milestones))}"
        kept = {"last": "last epoch", "best-on-test": "best epoch on the test set"}[recipe.selection]
    augmentation = [f"shift ±{recipe.translate}"] if recipe.translate else []
    augmentation += ["flip"] if recipe.flip else []
    augmentation += [f"cutout {recipe.cutout}"] if recipe.cutout else []
    return {
        **said,
        "epochs": str(recipe.epochs),
        "batch": str(recipe.batch),
        "learning rate": rate,
        "momentum, decay": f"{recipe.momentum:g}, {recipe.weight_decay:g}",
        "augmentation": ", ".join(augmentation) or "none",
        "weights": kept,
    }
