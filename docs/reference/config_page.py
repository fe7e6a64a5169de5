"""`config/README.md` and the schema of a config: every key, from the models of the plan."""

import json
from typing import Any

from cnn_topology.plan.config import RunConfig

_HEAD = """# Config: every key

Generated from the models in `src/cnn_topology/plan/` by `make reference`; a test fails when it is out of step.
`snakemake --configfile FILE` takes one config file: `demo.yaml` is the default. A value in brackets is the default.

"""


def json_schema() -> str:
    """Return the JSON schema (draft 2020-12) of a config file."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **RunConfig.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def key_reference() -> str:
    """Return `config/README.md`: one table per section, a row per key with its type, default and meaning."""
    schema = RunConfig.model_json_schema()
    parts = [_HEAD, _config_section("The run", schema, schema)]
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
