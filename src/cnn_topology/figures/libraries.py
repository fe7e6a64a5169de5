"""What figures are drawn with, imported when it is first used.

The Snakefile reads the file of every kind of figure in every job, for what it declares: to load matplotlib and pandas
would take longer than all the rest of that. Files of figures import them from here.
"""

# ruff: noqa: F401  # imported for the files of figures
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import matplotlib as mpl
    import matplotlib.font_manager as font_manager
    import pandas as pd
    import seaborn
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_pdf import FigureCanvasPdf
    from matplotlib.cm import ScalarMappable
    from matplotlib.collections import LineCollection, PathCollection, PolyCollection
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap, LogNorm, Normalize, to_hex
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import EngFormatter, FixedLocator, FuncFormatter, NullLocator
    from matplotlib.transforms import ScaledTranslation
    from PIL import Image
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components, shortest_path
else:

    class _Later:
        """A module, or a name in one, that is imported when it is used."""

        def __init__(self, module: str, name: str = "") -> None:
            self._home = module, name

        def _load(self) -> Any:
            module, name = self._home
            return getattr(import_module(module), name) if name else import_module(module)

        def __getattr__(self, attribute: str) -> Any:
            return getattr(self._load(), attribute)

        def __call__(self, *args: Any, **options: Any) -> Any:
            return self._load()(*args, **options)

    mpl, font_manager, pd, seaborn, Image = map(
        _Later, ("matplotlib", "matplotlib.font_manager", "pandas", "seaborn", "PIL.Image")
    )
    for _home, _names in {
        "matplotlib.artist": "Artist",
        "matplotlib.axes": "Axes",
        "matplotlib.axis": "Axis",
        "matplotlib.backends.backend_agg": "FigureCanvasAgg",
        "matplotlib.backends.backend_pdf": "FigureCanvasPdf",
        "matplotlib.cm": "ScalarMappable",
        "matplotlib.collections": "LineCollection PathCollection PolyCollection",
        "matplotlib.colors": "LinearSegmentedColormap ListedColormap LogNorm Normalize to_hex",
        "matplotlib.figure": "Figure",
        "matplotlib.gridspec": "SubplotSpec",
        "matplotlib.image": "AxesImage",
        "matplotlib.lines": "Line2D",
        "matplotlib.offsetbox": "AnnotationBbox OffsetImage",
        "matplotlib.patches": "Rectangle",
        "matplotlib.ticker": "EngFormatter FixedLocator FuncFormatter NullLocator",
        "matplotlib.transforms": "ScaledTranslation",
        "scipy.sparse": "coo_array",
        "scipy.sparse.csgraph": "connected_components shortest_path",
    }.items():
        globals().update({name: _Later(_home, name) for name in _names.split()})
