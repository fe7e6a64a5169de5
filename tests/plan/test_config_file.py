"""Config files as text: keys of format 1 are refused with the line and the new name of each."""

import functools
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnn_topology.errors import InputError
from cnn_topology.plan.config import RunConfig, read_config
from cnn_topology.plan.config_file import RENAMED, line_of, read_config_file, renamed_keys


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def old_file(key: str, version: int) -> str:
    """Write a config in which an old key stands alone, in line 3 or later."""
    content: Any = 1
    for part in reversed(key.replace("*", "mine").split(".")):
        content = {part: content}
    return f"version: {version}\nname: old\n" + yaml.safe_dump(content)


def keys_of(path: tuple[str, ...], schema: dict[str, Any], node: dict[str, Any]) -> set[str]:
    """Return the keys that a section has now, whatever its kind."""
    if "$ref" in node:
        return keys_of(path, schema, schema["$defs"][node["$ref"].rsplit("/", 1)[1]])
    branches = [*node.get("anyOf", ()), *node.get("oneOf", ()), *([node["items"]] if "items" in node else ())]
    if branches:
        return set().union(*(keys_of(path, schema, branch) for branch in branches))
    if not path:
        return set(node.get("properties", {}))
    named = [*node.get("patternProperties", {}).values(), *filter(None, [node.get("additionalProperties")])]
    after = named if path[0] == "*" else [node["properties"][path[0]]] if path[0] in node.get("properties", {}) else []
    return set().union(*(keys_of(path[1:], schema, child) for child in after if isinstance(child, dict)))


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("key", RENAMED)
def test_an_old_key_is_refused_with_its_line_and_new_name(key: str, version: int, tmp_path: Path) -> None:
    path = written(tmp_path / "old.yaml", old_file(key, version))
    with pytest.raises(InputError) as refused:
        read_config(path)
    lines = str(refused.value).splitlines()
    assert lines[0].startswith(f"{path}: ")
    change = f"line {2 + len(key.split('.'))}: {key.replace('*', 'mine')} -> {RENAMED[key] or 'remove it'}"
    assert change in [line.strip() for line in lines[1:]]
    assert ("line 1: version: 1 -> 2" in lines[-1]) == (version == 1)


@functools.cache
def schema() -> dict[str, Any]:
    return RunConfig.model_json_schema()


@pytest.mark.parametrize("key", RENAMED)
def test_a_new_name_is_a_key_of_its_section_and_the_old_one_is_not(key: str) -> None:
    *section, old = key.split(".")
    place = ".".join(section)
    section = (RENAMED.get(place) and [*section[:-1], str(RENAMED[place])]) or section  # a section may be renamed too
    keys = keys_of(tuple(section), schema(), schema())
    assert old not in keys
    assert RENAMED[key] is None or RENAMED[key] in keys, keys


@pytest.mark.parametrize("start", ["", "version: 1\n"])
def test_a_file_of_format_1_without_old_keys_is_refused_too(start: str, tmp_path: Path) -> None:
    path = written(tmp_path / "old.yaml", f"{start}name: old\n")
    with pytest.raises(InputError, match=r"version.* 2"):
        read_config(path)


def test_keys_that_are_taken_over_from_elsewhere_are_named_where_they_stand() -> None:
    lines = ["populations:", "  a: &a", "    shard: 2", "  b:", "    <<: *a", "    recipe: {batch: 3}"]
    assert renamed_keys(yaml.compose("\n".join(lines))) == [
        "line 3: populations.a.shard -> networks_per_job",
        "line 3: populations.b.shard -> networks_per_job",
        "line 6: populations.b.recipe.batch -> batch_size",
    ]


def test_keys_items_and_what_is_taken_over_have_lines() -> None:
    node = yaml.compose("a: &a\n  b: 1\nc:\n  - 1\n  - <<: *a\n    d: 2\n")
    places: list[tuple[str | int, ...]] = [("a",), ("a", "b"), ("c", 0), ("c", 1, "b"), ("c", 1, "d"), ("c", 2), ("e",)]
    assert [line_of(node, place) for place in places] == [1, 2, 4, 2, 6, None, None]


def test_a_file_of_this_format_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "new.yaml", "version: 2\nname: new\n")
    assert read_config_file(path).content == {"version": 2, "name": "new"}
