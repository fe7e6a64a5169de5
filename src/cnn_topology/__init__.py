"""The topology of convolutional neural networks: their weights, activations and training, as point clouds.

``import cnn_topology as ct`` has what a notebook needs, each name loaded when it is first used; docs/api.md lists them
with examples. `__version__` is that of pyproject.toml.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnn_topology.clouds.density import density_filter as density_filter
    from cnn_topology.clouds.filters import centre_and_normalize as centre_and_normalize
    from cnn_topology.clouds.filters import contrast_coordinates as contrast_coordinates
    from cnn_topology.clouds.filters import spatial_filters as spatial_filters
    from cnn_topology.comparison.clouds import SampledCloud as SampledCloud
    from cnn_topology.comparison.measures import compare as compare
    from cnn_topology.errors import InputError as InputError
    from cnn_topology.looks.look import look as look
    from cnn_topology.looks.steps import look_at_steps as look_at_steps
    from cnn_topology.mapper.recipes import mapper_of_filters as mapper_graph
    from cnn_topology.statistics.circles import circles as circles
    from cnn_topology.statistics.loops import loops as loops
    from cnn_topology.storage.tables import read_table as read_table
    from cnn_topology.topology.klein import klein_coordinates as klein_coordinates
    from cnn_topology.topology.persistence import barcode as barcode
    from cnn_topology.topology.sliced_wasserstein import sliced_wasserstein as sliced_wasserstein

    __version__: str

# Where each name is when it is first used. Type checkers read the imports above; a test compares the two.
_HOMES = {
    "look": "looks.look:look",
    "look_at_steps": "looks.steps:look_at_steps",
    "spatial_filters": "clouds.filters:spatial_filters",
    "centre_and_normalize": "clouds.filters:centre_and_normalize",
    "contrast_coordinates": "clouds.filters:contrast_coordinates",
    "density_filter": "clouds.density:density_filter",
    "barcode": "topology.persistence:barcode",
    "loops": "statistics.loops:loops",
    "klein_coordinates": "topology.klein:klein_coordinates",
    "circles": "statistics.circles:circles",
    "mapper_graph": "mapper.recipes:mapper_of_filters",
    "SampledCloud": "comparison.clouds:SampledCloud",
    "compare": "comparison.measures:compare",
    "sliced_wasserstein": "topology.sliced_wasserstein:sliced_wasserstein",
    "read_table": "storage.tables:read_table",
    "InputError": "errors:InputError",
}

__all__ = [
    "InputError",
    "SampledCloud",
    "__version__",
    "barcode",
    "centre_and_normalize",
    "circles",
    "compare",
    "contrast_coordinates",
    "density_filter",
    "klein_coordinates",
    "look",
    "look_at_steps",
    "loops",
    "mapper_graph",
    "read_table",
    "sliced_wasserstein",
    "spatial_filters",
]


# Hidden from type checkers, which would take any name for one that is there.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name == "__version__":
            value: object = _version()
        elif name in _HOMES:
            module, _, attribute = _HOMES[name].partition(":")
            value = getattr(import_module(f"{__name__}.{module}"), attribute)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value  # asked for once
        return value

    def __dir__() -> list[str]:
        return sorted(__all__)


def _version() -> str:
    """Read the version from pyproject.toml in a checkout, and from what was installed otherwise."""
    import tomllib
    from importlib.metadata import version
    from pathlib import Path

    project = Path(__file__).parents[2] / "pyproject.toml"
    if project.is_file():
        stated = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
        if stated.get("name") == "cnn-topology":
            return str(stated["version"])
    return version("cnn-topology")
