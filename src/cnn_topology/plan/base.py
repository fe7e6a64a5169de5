"""The common base of all config sections: unknown keys are refused, nothing changes after validation."""

import json
import re
from glob import glob
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    model_validator,
)

Value = TypeVar("Value")
Given = TypeVar("Given")
Word = TypeVar("Word")


# A number as Python and JSON have it; YAML asks for a point and a sign: 1.0e-3.
_SCIENTIFIC = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")


def _takes(annotation: Any, kind: type) -> bool:
    """Whether a type is, holds or may be another one."""
    return annotation is kind or any(_takes(part, kind) for part in get_args(annotation))


class Section(BaseModel):
    """A part of the config file; every field carries a description, from which the key reference is generated."""

    # No key means anything by infinity or NaN, and the JSON of a job's parameters has no word for them.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=False)

    @model_validator(mode="before")
    @classmethod
    def _read_scientific_notation(cls, content: Any) -> Any:
        """Read `1e-3`, which YAML takes for a text, where a number belongs."""
        if not isinstance(content, dict):
            return content
        read = {
            key: _number(value)
            for key, value in content.items()
            if key in cls.model_fields and _takes(cls.model_fields[key].annotation, float)
        }
        return {**content, **read}


def _number(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_number, value))
    return float(value) if isinstance(value, str) and _SCIENTIFIC.fullmatch(value) else value


# Filters, channels or units of a layer.
Width = Annotated[int, Field(ge=1, le=65_536)]

# As the authors' released code has it, and with what we take for its mistakes mended.
Mode = Literal["published", "corrected"]
MODES = get_args(Mode)

# Names become file and folder names: nothing in them can leave the run's folder or upset a shell.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")]


# A layer of a checkpoint may be named as in its file, with dots and slashes.
LayerName = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _is_plain(path: str) -> str:
    if not path.strip() or "\0" in path:
        raise ValueError("a path cannot be empty")
    return str(Path(path).expanduser())


# Where a user's own files lie: anywhere, absolute or relative to the folder snakemake is started in.
FilePath = Annotated[str, AfterValidator(_is_plain)]


def _each_once(values: tuple[Value, ...]) -> tuple[Value, ...]:
    for place, value in enumerate(values):
        if value in values[:place]:
            plain = value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else value
            raise ValueError(f"{json.dumps(plain, ensure_ascii=False)} is listed twice; list it once")
    return values


# A list of which each value is made or counted by itself: one that is listed twice would count double.
Distinct = Annotated[tuple[Value, ...], AfterValidator(_each_once)]
OneOrMore = Annotated[tuple[Value, ...], Field(min_length=1), AfterValidator(_each_once)]


def _values_or_word(value: Any) -> str:
    return "word" if isinstance(value, str) else "values"


# A list or a number, or a word such as `all`: what is wrong is told of the one that was given.
OrWord = Annotated[
    Annotated[Given, Tag("values")] | Annotated[Word, Tag("word")],
    Discriminator(_values_or_word),
]


def as_tuple(value: Any) -> Any:
    """Return one text as a tuple of it, a list as a tuple, and anything else as it is."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def expand_paths(value: Any) -> Any:
    """Return the paths that a path or several, with ``~`` or a pattern, stand for: of a pattern, by name.

    What no file fits stays as it is, for the reader of files to name.
    """
    paths = as_tuple(value)
    if not isinstance(paths, tuple) or not all(isinstance(path, str) and path.strip() for path in paths):
        return paths
    files: list[str] = []
    for path in (Path(path).expanduser() for path in paths):
        is_pattern = any(sign in str(path) for sign in "*?[") and not path.exists()
        files += sorted(glob(str(path), recursive=True) if is_pattern else []) or [str(path)]  # noqa: PTH207 (absolute or not)
    return tuple(files)


def described(error: ValidationError) -> str:
    """Return what is wrong with JSON that does not fit its model, key by key."""
    return "; ".join(f"{'.'.join(map(str, p['loc'])) or 'all of it'}: {p['msg']}" for p in error.errors())
