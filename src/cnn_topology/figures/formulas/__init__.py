"""Figures of formulas and toy samples, drawn once for the documentation: no data of a run enters.

Each module of this package draws one; its caption is the docstring of the module, from the second paragraph on.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from cnn_topology.figures import style
from cnn_topology.figures.kinds import caption_of
from cnn_topology.storage.atomic import atomic_path

FORMULAS = ("primer", "patch_models", "activation_primer")
HEAD = """# Pictures of the constructions

Drawn from formulas and toy samples, the same for every run. `make pictures` draws them; `cnn-topology reference` writes
this page.
"""


def pictures_page() -> str:
    """Return the text of `docs/pictures.md`: each picture with its caption."""
    parts = [HEAD]
    for name, module in _modules():
        title, _, _ = (module.__doc__ or "").partition("\n\n")
        parts.append(f"## {title.removesuffix('.')}\n\n![{title}]({name}.png)\n\n{caption_of(module)}\n")
    return "\n".join(parts)


def draw_pictures(folder: Path) -> list[Path]:
    """Draw all pictures into a folder, and return their paths."""
    paths = []
    for name, module in _modules():
        with style.applied():
            figure = module.draw()
            style.settle(figure)
            paths.append(folder / f"{name}.png")
            with atomic_path(paths[-1], checksum=False) as temporary:
                style.print_png(figure, temporary)
    return paths


def _modules() -> Iterator[tuple[str, ModuleType]]:
    for name in FORMULAS:
        yield name, import_module(f"{__name__}.{name}")
