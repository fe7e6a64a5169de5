"""Write docs/gallery.md, one figure of each kind that a run has, small, with its caption, and README's pictures.

python docs/pictures/gallery.py results/demo docs
"""

import sys
from pathlib import Path

from PIL import Image

from cnn_topology.figures.registry import QUESTIONS, figure_specs, kinds
from cnn_topology.plan.config import read_config
from cnn_topology.plan.expand import Plan

WIDTH = 900
# README's four pictures, by the figures of the demo that they are.
OF_README = {
    "cloud": "mapper_wide_conv1",
    "evolution": "evolution",
    "layers": "layer_heatmap_top-l2",
    "graphs": "mapper_layers_mapper_elbow",
}
OF_README_WIDTH = 1_000
HEAD = """# Gallery

One figure of each kind that the demo has, by the question that it answers. In full size and as PDF they lie in
`results/demo/figures/` after `make demo`, each with its caption and the table that it draws. `config/tour.yaml` has the
kinds that are not here.
"""


def main(run: Path, docs: Path) -> None:
    """Write the page and its pictures."""
    specs = figure_specs(Plan(read_config(run / "config.yaml")))
    # The first figure of each kind.
    first = {spec.kind: name for name, spec in reversed(specs.items())}
    page = [HEAD]
    (docs / "gallery").mkdir(exist_ok=True)
    for section, question in QUESTIONS.items():
        shown = [kind for kind in kinds() if kind in first and kinds()[kind].section == section]
        shown = [kind for kind in shown if (run / f"figures/{first[kind]}.png").is_file()]
        if shown:
            page.append(f"## {question}\n")
        for kind in shown:
            _save(run / f"figures/{first[kind]}.png", WIDTH, docs / f"gallery/{kind}.png")
            page.append(f"![{kind.replace('_', ' ')}](gallery/{kind}.png)\n\n{kinds()[kind].caption}\n")
    (docs / "gallery.md").write_text("\n".join(page), encoding="utf-8")
    for name, figure in OF_README.items():
        _save(run / f"figures/{figure}.png", OF_README_WIDTH, docs / f"{name}.png")


def _save(figure: Path, width: int, path: Path) -> None:
    picture = Image.open(figure).convert("RGB")
    picture.thumbnail((width, 2 * width), Image.Resampling.LANCZOS)
    picture.quantize(256).save(path, optimize=True)  # fewer colours merge those of classes


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
