"""What is wrong with a config, in the words of its file: line, key, value and what was expected."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from pydantic import ValidationError

from cnn_topology.errors import InputError, readable, unknown
from cnn_topology.plan.base import Section
from cnn_topology.plan.config_file import ConfigFile

Location = tuple[str | int, ...]
Checked = TypeVar("Checked", bound=Section)

# What pydantic says in the words of Python, in those of a config file.
PLAIN_WORDS = {
    "missing": "this key is required, and is not there",
    "too_short": "expected at least one item",
    "tuple_type": "expected a list, as [a, b]",
    "dict_type": "expected entries by name, as {a: {...}, b: {...}}",
    "model_type": "expected keys and values, as {key: value}",
    "model_attributes_type": "expected keys and values, as {key: value}",
    "string_type": "expected a text; put quotes around it",
    "int_type": "expected a whole number in plain digits, such as 12",
    "float_type": "expected a number, such as 0.5",
    "bool_type": "expected true or false",
    "invalid-json-value": "expected a number, a text, true, false, null, a list or a map; write it as text, in quotes",
    "string_pattern_mismatch": "expected letters, digits, _ and - only, the first a letter or digit, at most 80",
}
# How a message writes the bounds of a number.
BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "to below"}
# A key named in a message, as `populations.a.recipe` or `clouds[0].layers`.
_KEY = re.compile(r"[\w-]+(?:\.[\w-]+|\[\d+\])+")


def checked(section: type[Checked], **given: Any) -> Checked:
    """Return a section made of arguments of a call, whose mistakes are told in the words of a config.

    Raises
    ------
    InputError
        With key, value and what was expected.
    """
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in given.items()}
    try:
        return section.model_validate(plain, strict=True)
    except ValidationError as error:
        schema = {"$defs": {}, **section.model_json_schema()}
        raise InputError("\n".join(explained(error.errors(), schema, ""))) from None


def explained(
    problems: list[Any], schema: Mapping[str, Any], source: str, files: Sequence[ConfigFile] = ()
) -> list[str]:
    """Describe the problems of a config.

    Parameters
    ----------
    problems : list
        Those of pydantic's error.
    schema : mapping
        JSON schema of the config.
    source : str
        The place that the config came from; empty of arguments of a call.
    files : sequence of ConfigFile
        The files that it was read from, the last of which overrides the others.

    Returns
    -------
    list of str
        Each problem once.
    """
    # A list with one bad item is also reported as too short: only the innermost problem helps.
    inner = [p for p in problems if not any(q["loc"][: len(p["loc"])] == p["loc"] for q in problems if q is not p)]
    # What is wrong with keys and values helps, not that they are no word.
    inner = [p for p in inner if not isinstance(p["input"], Mapping) or p["type"] != "literal_error"] or inner
    return list(dict.fromkeys(_explain(problem, schema, source, files) for problem in inner))


def _explain(problem: Any, schema: Mapping[str, Any], source: str, files: Sequence[ConfigFile]) -> str:
    """Describe one problem: source, line, key, value, and what was expected."""
    kind, given = problem["type"], problem["input"]
    place, there = _walk(problem["loc"], schema)
    node = _resolve(there, schema)
    if kind == "extra_forbidden":
        section = f"key in {_path(place[:-1])}" if place[:-1] else "key at the top level"
        error = unknown(section, str(place[-1]), node.get("properties", {}))
        return f"{start_of(source, files, place)}{error}"
    if kind == "union_tag_invalid":
        key = node["discriminator"]["propertyName"]
        error = unknown(f"{key} in {_path(place)}", problem["ctx"]["tag"], node["discriminator"]["mapping"])
        return f"{start_of(source, files, (*place, key))}{error}"
    if kind == "missing" and isinstance(place[-1], int):  # the list itself was given
        place = place[:-1]
    message = _expected(problem, there, node)
    if kind not in ("value_error", "too_short"):
        message = _values_or_word(problem["loc"], schema) or message
    if not place:
        return located(message, source, files)
    key, start = _path(place), start_of(source, files, place)
    if isinstance(given, Mapping | list | tuple | set):
        found = f", found {'keys' if isinstance(given, Mapping) else 'a list'}" if kind.endswith("_type") else ""
        return f"{start}{key}: {message}{found}"
    texts = [text for file in files if (text := file.text(place, given)) is not None]
    if not texts and any(file.line(place) for file in files):  # another value: that of `--config key=value`
        start = f"{source}: --config: "
    value = texts[-1] if texts else readable(json.dumps(given, default=str, ensure_ascii=False))
    return f"{start}{key} = {value}: {message}"


def _expected(problem: Any, there: Mapping[str, Any], node: Mapping[str, Any]) -> str:
    """Describe what was expected; `there` is the schema at the place, `node` the same with its reference followed."""
    kind, given = problem["type"], problem["input"]
    if any(str(part).startswith("constrained-") for part in problem["loc"]):
        return "expected a whole number from 1 (a count) or a fraction between 0 and 1"
    if kind == "too_long":
        return "expected at most {max_length} items, found {actual_length}".format(**problem["ctx"])
    if kind == "missing" and not isinstance(given, Mapping):
        return f"expected {len(node['prefixItems'])} items, found {len(given)}"
    if kind == "union_tag_not_found":
        if not isinstance(given, Mapping):
            return PLAIN_WORDS["model_type"]
        kinds = ", ".join(sorted(node["discriminator"]["mapping"]))
        return f"`{node['discriminator']['propertyName']}` is required, and is not there; it is one of {kinds}"
    if kind == "model_type" and {"type": "null"} in there.get("anyOf", ()):
        return f"{PLAIN_WORDS['model_type']}; `null` leaves the section out"
    words = problem["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    return PLAIN_WORDS.get(kind, words)


def _values_or_word(location: Location, schema: Mapping[str, Any]) -> str:
    """Describe what `OrWord` takes, `expected a list, or 'all'`; empty unless a location ends in a branch of it."""
    union = _resolve(_walk(location[:-1], schema)[1], schema) if location[-1:] in (("values",), ("word",)) else {}
    if len(branches := union.get("oneOf", ())) != 2 or branches[1].get("type") != "string":
        return ""
    values, word = branches
    kind = "a list"
    if values["type"] != "array":
        kind = " ".join(
            ["a number", *(f"{start} {values[bound]}" for bound, start in BOUNDS.items() if bound in values)]
        )
        kind += " (0.25 for 25 %)" * (values.get("exclusiveMaximum") == 1)
    words = word.get("enum") or [word["const"]]
    return f"expected {kind}, or " + " or ".join(f"'{name}'" for name in words)


def _walk(location: Location, schema: Mapping[str, Any]) -> tuple[Location, dict[str, Any]]:
    """Return the keys of a location, without the branches of unions that pydantic counts as steps; and its schema.

    Of the last key the schema is that of its section, where the section has no such key or lacks it.
    """
    place: list[str | int] = []
    here: dict[str, Any] = dict(schema)
    for part in location:
        here = _resolve(here, schema)
        if part == "[key]":  # the name of an entry itself
            continue
        if here is schema["$defs"].get("JsonValue"):  # the name of a type, `list`, before what is in it
            here = {"items": here, "additionalProperties": here}
        elif "discriminator" in here:  # told apart by its `kind`
            here = {"$ref": here["discriminator"]["mapping"][part]}
        elif union := here.get("anyOf", here.get("oneOf")):  # of a list or a word, a section or a word, numbers
            branches = [branch for branch in union if branch.get("type") == "array"]
            here = {"$ref": f"#/$defs/{part}"} if part in schema["$defs"] else (branches or [{}])[0]
        else:
            place.append(part)
            after = here.get("items") if isinstance(part, int) else _entry(here, part)
            here = after if isinstance(after, dict) else here
    return tuple(place), here


def _entry(section: dict[str, Any], key: str | int) -> dict[str, Any] | None:
    """Return the schema of a key: of its own, or of any name."""
    named = [section.get("additionalProperties"), *section.get("patternProperties", {}).values()]
    entry: dict[str, Any] | None = section.get("properties", {}).get(key)
    return entry or next((node for node in named if isinstance(node, dict)), None)


def _resolve(node: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Follow a reference, and the one non-null branch of an optional section."""
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        elif "anyOf" in node and len(branches := [b for b in node["anyOf"] if b.get("type") != "null"]) == 1:
            node = branches[0]
        elif "allOf" in node and len(node["allOf"]) == 1:
            node = node["allOf"][0]
        else:
            return node


def _path(place: Location) -> str:
    """Write a location as the config file has it: ``clouds[0].densities[1].k``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def start_of(source: str, files: Sequence[ConfigFile], place: Location) -> str:
    """Write the source, and the line of a key or, where it is not there, of its section."""
    for length in range(len(place), 0, -1):
        for file in reversed(files):
            if (line := file.line(place[:length])) is not None:
                return f"{source if len(files) == 1 else file.path}: line {line}: "
    return f"{source}: " if source else ""


def located(message: str, source: str, files: Sequence[ConfigFile]) -> str:
    """Write before a message the source, and the line of the first key that it names."""
    if message.startswith((source, *(str(file.path) for file in files))):
        return message
    named = _KEY.search(message)
    parts = re.findall(r"[\w-]+|\[\d+\]", named[0]) if named else []
    place = tuple(int(part[1:-1]) if part.startswith("[") else part for part in parts)
    return f"{start_of(source, files, place)}{message}"
