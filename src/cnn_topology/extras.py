"""Which extra of the package installs which library, and the error of what needs one that is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from cnn_topology.errors import InputError

# By extra of pyproject.toml the modules of its libraries; a test compares the two.
EXTRAS = {
    "engines": ("gudhi", "ripser"),
    "figures": ("PIL", "bokeh", "jinja2", "matplotlib", "seaborn"),
    "keras": ("h5py",),
    "onnx": ("onnx",),
    "redzed": ("redzed_tda",),
    "train": (
        *("cv2", "mlxtend", "PIL", "pygments", "sklearn", "snakemake", "snakemake_executor_plugin_slurm"),
        *("torch", "torchvision"),
    ),
}


@contextmanager
def needing_an_extra(what: str) -> Iterator[None]:
    """Turn the error of a library that is not installed, or cannot be loaded, into one that says what to do.

    Parameters
    ----------
    what : str
        What the library is needed for.

    Raises
    ------
    InputError
        In place of a ModuleNotFoundError, and of an ImportError of a library of an extra.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith("cnn_topology"):
            raise
        raise InputError(f"{what} needs {_way_out(error.name)}") from error
    except ImportError as error:
        name = (error.name or "").partition(".")[0]
        if not any(name in modules for modules in EXTRAS.values()):
            raise
        raise InputError(f"{what} needs {name}, which is installed and cannot be loaded: {error}") from error


def _way_out(module: str) -> str:
    name = module.partition(".")[0]
    for extra, modules in EXTRAS.items():
        if name in modules:
            return f"{name}, which is not installed: pip install 'cnn-topology[{extra}]', in a checkout '.[{extra}]'"
    return f"{name}, which is not installed: pip install {name}"
