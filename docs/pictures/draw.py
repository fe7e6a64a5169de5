"""Draw the pictures of docs/pictures.md: formulas and toy samples, the same for every run (`make pictures`)."""

import sys
from pathlib import Path

import activation_primer
import patch_models
import primer

from cnn_topology.figures import style

PICTURES = {"primer": primer, "patch_models": patch_models, "activation_primer": activation_primer}


def main(folder: Path) -> None:
    """Draw all of them into a folder."""
    for name, module in PICTURES.items():
        with style.applied():
            figure = module.draw()
            style.settle(figure)
            style.print_png(figure, folder / f"{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
