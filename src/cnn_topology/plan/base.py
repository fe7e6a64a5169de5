"""The common base of all config sections: unknown keys are refused, nothing changes after validation."""

from pathlib import PurePath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


class Section(BaseModel):
    """A part of the config file; every field carries a description, from which the key reference is generated."""

    # No key means anything by infinity or NaN, and the JSON of a job's parameters has no word for them.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=False)


# Names become file and folder names: nothing in them can leave the run's folder or upset a shell.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")]


def _is_plain(path: str) -> str:
    if not path.strip() or "\0" in path:
        raise ValueError("a path cannot be empty")
    return str(PurePath(path))


# Where a user's own files lie: anywhere, absolute or relative to the folder snakemake is started in.
FilePath = Annotated[str, AfterValidator(_is_plain)]
