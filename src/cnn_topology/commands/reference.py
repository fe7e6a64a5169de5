"""`cnn-topology reference`: write what is generated from the config models, the row types and docstrings."""

import argparse
import inspect
import json
import textwrap
from pathlib import Path
from typing import Any

import cnn_topology as ct
from cnn_topology.errors import InputError
from cnn_topology.plan.config import RunConfig
from cnn_topology.storage.atomic import write_text
from cnn_topology.tables.dictionary import data_dictionary

_API_HEAD = """# `import cnn_topology as ct`

Generated from docstrings by `cnn-topology reference`; a test fails when it is out of step, and runs every example.
`help(ct.barcode)` has the parameters, what is returned and what is refused. Points are NumPy arrays, one row each.
"""
_CONFIG_HEAD = """# Config: every key

Generated from the models in `src/cnn_topology/plan/` by `cnn-topology reference`; a test fails when it is out of step.
`snakemake --configfile FILE` takes one config file: `demo.yaml` is the default. A value in brackets is the default.

"""
TABLES = Path("docs/tables.md")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments: the files lie in the checkout that a person stands in."""


def run(arguments: argparse.Namespace) -> None:
    """Write all files.

    Raises
    ------
    InputError
        If they are not there, as outside of a checkout.
    """
    if not TABLES.is_file():
        raise InputError(f"{TABLES}: no such file here; start in the checkout")
    texts = {
        Path("config/README.md"): key_reference(),
        Path("workflow/schemas/config.schema.json"): json_schema(),
        TABLES: data_dictionary(TABLES.read_text(encoding="utf-8")),
        Path("docs/api.md"): api_page(),
    }
    for path, text in texts.items():
        write_text(path, text, checksum=False)
        print(path)


def api_page() -> str:
    """Return `docs/api.md`: per public name its signature, summary and example.

    Returns
    -------
    str
        Markdown.
    """
    names = [name for name in ct.__all__ if not name.startswith("__")]
    index = ["| name | |", "| --- | --- |"]
    index += [f"| [`{name}`](#{name.lower()}) | {_parts(name)[0]} |" for name in names]
    return "\n".join([_API_HEAD, *index, "", *map(_api_section, names)])


def _api_section(name: str) -> str:
    summary, example = _parts(name)
    return f"## {name}\n\n```text\n{_signature(name)}\n```\n\n{summary}\n\n{example}\n"


def _signature(name: str) -> str:
    public = getattr(ct, name)
    if inspect.isclass(public) and issubclass(public, Exception):
        return f"class ct.{name}({public.__bases__[0].__name__})"
    parameters = inspect.signature(public).parameters.values()
    words = []
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in words:
            words.append("*")
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        words.append(parameter.name + default)
    # A line break between parameters only, not within a default.
    signature = f"ct.{name}({', '.join(word.replace(' ', chr(160)) for word in words)})"
    return textwrap.fill(signature, 110, subsequent_indent="    ").replace(chr(160), " ")


def _parts(name: str) -> tuple[str, str]:
    """Return the first sentence of a docstring, and its example as Markdown: text, and blocks of code."""
    text = inspect.cleandoc(getattr(ct, name).__doc__)
    lines = text.partition("Examples\n--------\n")[2].splitlines()
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.startswith(">>>") != _is_code(blocks[-1]) and (line.startswith(">>>") or not line):
            blocks.append([])
        if line:
            blocks[-1].append(line)
    return text.partition("\n\n")[0].replace("\n", " "), "\n\n".join(_block(block) for block in blocks if block)


def _is_code(block: list[str]) -> bool:
    return bool(block) and block[0].startswith(">>>")


def _block(lines: list[str]) -> str:
    text = "\n".join(lines)
    return f"```pycon\n{text}\n```" if _is_code(lines) else "\n".join(textwrap.wrap(text, 120))


def json_schema() -> str:
    """Return the JSON schema (draft 2020-12) of a config file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **RunConfig.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def key_reference() -> str:
    """Return `config/README.md`: one table per section, a row per key with its type, default and meaning."""
    schema = RunConfig.model_json_schema()
    parts = [_CONFIG_HEAD, _config_section("The run", schema, schema)]
    order: dict[str, None] = {}
    _visit(schema["properties"], schema["$defs"], order)
    parts += [_config_section(name, schema["$defs"][name], schema) for name in order]
    return "\n".join(parts)


def _visit(node: Any, sections: dict[str, Any], order: dict[str, None]) -> None:
    """Collect sections in the order in which a reader meets them, each before those it refers to."""
    if isinstance(node, dict):
        name = str(node.get("$ref", "")).rpartition("/")[2]
        if "properties" in sections.get(name, ()) and name not in order:  # not what JSON holds, of any kind
            order[name] = None
            _visit(sections[name]["properties"], sections, order)
        for key in node:
            if key != "discriminator":
                _visit(node[key], sections, order)
    elif isinstance(node, list):
        for item in node:
            _visit(item, sections, order)


def _config_section(name: str, section: dict[str, Any], schema: dict[str, Any]) -> str:
    lines = [f"## {name}", "", section.get("description", "").replace("\n", " "), ""]
    lines += ["| key | type | meaning |", "| --- | --- | --- |"]
    required = set(section.get("required", ()))
    for key, field in section["properties"].items():
        default = "" if key in required else f" [`{json.dumps(field.get('default'))}`]"
        if key not in required and isinstance(field.get("default"), dict | list) and field["default"]:
            default = " [see there]" if isinstance(field["default"], dict) else default
        meaning = field.get("description", "").replace("|", "\\|").replace("\n", " ")
        lines.append(f"| `{key}` | {_type(field, schema)} | {meaning}{default} |")
    return "\n".join(lines) + "\n"


def _type(field: dict[str, Any], schema: dict[str, Any]) -> str:
    """Describe a JSON-schema type in a few words."""
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})" if "properties" in schema["$defs"][name] else "value"
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    for union in ("anyOf", "oneOf"):
        if union in field:
            return " or ".join(dict.fromkeys(_type(branch, schema) for branch in field[union]))
    kind = field.get("type", "any")
    if kind == "array":
        if "prefixItems" in field:
            return "list of " + ", ".join(_type(item, schema) for item in field["prefixItems"])
        return f"list of {_type(field['items'], schema)}"
    if kind == "object":
        values = [field.get("additionalProperties"), *field.get("patternProperties", {}).values()]
        inner = next((value for value in values if isinstance(value, dict)), None)
        return f"name: {_type(inner, schema)}" if inner else "object"
    return {"integer": "integer", "number": "number", "string": "text", "boolean": "true, false", "null": "none"}[kind]
