"""What each start of a run sees of the modules of a user's own: their layers, which the plan needs to know."""

from collections.abc import Sequence

from cnn_topology.errors import InputError
from cnn_topology.plan.config import RunConfig, parse_config
from cnn_topology.plan.config_file import ConfigFile
from cnn_topology.plan.images import shape_of


def with_recorded(config: RunConfig, source: str = "config", files: Sequence[ConfigFile] = ()) -> RunConfig:
    """Look at the modules of a config, and add to it what their layers are.

    Parameters
    ----------
    config : RunConfig
    source, files
        As for `parse_config`.

    Raises
    ------
    InputError
        As `look_at`, with the key of the module, or if what the config asks of the layers does not fit.
    """
    if not config.modules:
        return config
    # Loads torch, which no other start needs.
    from cnn_topology.networks.modules import look_at

    modules = {}
    for name, section in config.modules.items():
        try:
            recorded = look_at(section, shape_of(config.images[section.images]))
        except InputError as error:
            raise InputError(f"modules.{name}.{error}") from error
        modules[name] = section.model_copy(update={"recorded": recorded}).model_dump()
    return parse_config({**config.model_dump(), "modules": modules}, source, files)
