"""Config files as text: whatever is wrong in one is answered with file, line, key and value."""

import functools
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnn_topology.errors import InputError
from cnn_topology.plan.config import RunConfig, parse_config, read_config
from cnn_topology.plan.config_file import MOST_BYTES, RENAMED, read_config_file, read_yaml, renamed_keys


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


def test_keys_items_and_what_is_taken_over_have_lines(tmp_path: Path) -> None:
    start = "version: 2\n"
    file = read_config_file(written(tmp_path / "a.yaml", f"{start}a: &a\n  b: 1\nc:\n  - 1\n  - <<: *a\n    d: 2\n"))
    places: list[tuple[str | int, ...]] = [("a",), ("a", "b"), ("c", 0), ("c", 1, "b"), ("c", 1, "d"), ("c", 2), ("e",)]
    assert [file.line(place) for place in places] == [2, 3, 5, 3, 7, None, None]


def test_a_file_of_this_format_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "new.yaml", "version: 2\nname: new\n")
    assert read_config_file(path).content == {"version": 2, "name": "new"}


RUN = """version: 2
name: run
seed: 7
images:
  digits: {kind: digits}
populations:
  a:
    images: digits
    networks: 4
    recipe:
      batch_size: 32
      iterations: 100
      learning_rate: 1e-3
    architecture: {first_layer: {kind: learned}}
"""


def test_the_config_that_is_spoilt_below_is_read(tmp_path: Path) -> None:
    assert read_config(written(tmp_path / "run.yaml", RUN)).populations["a"].recipe.learning_rate == 1e-3


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        # YAML of another meaning than what it looks like.
        ("seed: 7", "seed: 010", 3, ["seed = 010", "8"]),
        ("batch_size: 32", "batch_size: 1:30", 11, ["populations.a.recipe.batch_size = 1:30", "90"]),
        ("learning_rate: 1e-3", "learning_rate: 0x1", 13, ["learning_rate = 0x1"]),
        ("networks: 4", "networks: yes", 9, ["populations.a.networks = yes", "whole number"]),
        ("iterations: 100", "iterations: true", 12, ["iterations = true", "whole number"]),
        ("iterations: 100", "iterations: 100.0", 12, ["iterations = 100.0", "whole number"]),
        ("iterations: 100", 'iterations: "100"', 12, ['iterations = "100"', "whole number"]),
        ("learning_rate: 1e-3", "learning_rate: true", 13, ["learning_rate = true", "number"]),
        ("learning_rate: 1e-3", "learning_rate: fast", 13, ["learning_rate = fast", "number"]),
        ("name: run", "name: no", 2, ["name = no", "quotes"]),
        ("name: run", "name: 2026-01-02", 2, ["name = 2026-01-02", "quotes"]),
        ("name: run", "name: 2026-13-45", 2, ["month"]),
        ("name: run", "name: “run”", 2, ["name = “run”", "letters"]),
        ("  a:\n", "  1:\n", 7, ["1 ", "quotes"]),
        # Values of another kind.
        ("  a:\n", "  - a:\n", 6, ["populations", "entries by name", "list"]),
        ("version: 2", "version: 2\nmapper: false", 2, ["mapper = false", "null"]),
        ("version: 2", "version: 2\ncontrols: false", 2, ["controls = false", "keys and values"]),
        ("{kind: digits}", "3", 5, ["images.digits = 3", "keys and values"]),
        ("{kind: digits}", "{}", 5, ["images.digits", "`kind`", "mnist_sample"]),
        ("{kind: digits}", "{kind: digitz}", 5, ["images.digits", "digitz", "'digits'"]),
        ("{kind: digits}", "{kind: digits, shape: [28, 28]}", 5, ["images.digits.shape", "3 items", "2"]),
        ("{kind: digits}", "{kind: digits, shape: [28, 28, 1, 1]}", 5, ["images.digits.shape", "3 items", "4"]),
        ("{kind: learned}", "{kind: learned, norn: 1}", 14, ["populations.a.architecture.first_layer", "'norn'"]),
        # Keys that are not there, are none, or do not fit others.
        ("    images: digits\n", "", 7, ["populations.a.images", "required"]),
        ("    networks: 4", "    netwroks: 4", 9, ["populations.a", "'netwroks'", "'networks'"]),
        ("batch_size: 32", "batch_size: 9999", 11, ["populations.a.recipe.batch_size", "9999", "1438"]),
        ("images: digits", "images: digit", 8, ["populations.a.images", "'digit'", "'digits'"]),
        ("version: 2", "version: 3", 1, ["3", "2"]),
        # What is no YAML.
        ("networks: 4", "networks: [4", 10, ["YAML"]),
        ("    networks: 4", "     networks: 4", 9, ["YAML", "indented"]),
        ("    networks: 4", "\tnetworks: 4", 9, ["YAML", "spaces"]),
        ("name: run", "name: run\nname: other", 3, ["'name'", "lines 2 and 3"]),
        ("name: run", "name: !!python/name:os.system", 2, ["python/name"]),
        ("name: run", "name: &a [*a]", 2, ["alias"]),
        ("name: run", f"name: {'[' * 60}", 2, ["levels"]),
    ],
)
def test_what_is_wrong_is_named_with_file_line_key_and_value(
    tmp_path: Path, old: str, new: str, line: int, said: list[str]
) -> None:
    assert RUN.count(old) == 1
    path = written(tmp_path / "run.yaml", RUN.replace(old, new))
    with pytest.raises(InputError) as refused:
        read_config(path)
    assert str(refused.value).startswith(f"{path}: line {line}")
    assert [part for part in said if part not in str(refused.value)] == []


@pytest.mark.parametrize(
    "content", [b"", b"# nothing\n", b"- a\n", b"run\n", 'version: 2\nname: "caf\xe9"\n'.encode("latin-1")]
)
def test_a_file_that_holds_no_keys_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"run\.yaml: .*(keys and values|line 2.* UTF-8)"):
        read_config(path)


def test_a_folder_a_pipe_and_a_huge_file_are_no_config(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").write_bytes(b"#" * (MOST_BYTES + 1))
    for name in (".", "pipe", "huge", "missing"):
        with pytest.raises(InputError, match=re.escape(str(tmp_path / name))):
            read_yaml(tmp_path / name)


def test_aliases_that_double_at_each_level_are_refused_at_once(tmp_path: Path) -> None:
    """One kilobyte that stands for 2^40 keys, or items, kept every start from beginning."""
    maps = "\n".join(f"m{n}: &m{n}\n  <<: [*m{n - 1}, *m{n - 1}]" for n in range(1, 25))
    lists = "\n".join(f"m{n}: &m{n} [*m{n - 1}, *m{n - 1}]" for n in range(1, 25))
    for text in (f"version: 2\nm0: &m0 {{a: 1}}\n{maps}\n", f"version: 2\nm0: &m0 [1]\n{lists}\n"):
        with pytest.raises(InputError, match="aliases"):
            read_config_file(written(tmp_path / "run.yaml", text))


def test_a_value_that_the_command_line_gave_has_no_line_of_the_file(tmp_path: Path) -> None:
    file = read_config_file(written(tmp_path / "run.yaml", RUN))
    with pytest.raises(InputError, match=r"^run\.yaml: --config: seed = \"x\": "):
        parse_config({**file.content, "seed": "x"}, "run.yaml", [file])


def test_of_two_files_the_one_that_has_the_key_is_named(tmp_path: Path) -> None:
    files = [written(tmp_path / "a.yaml", RUN), written(tmp_path / "b.yaml", "version: 2\nseed: -1\n")]
    read = [read_config_file(path) for path in files]
    with pytest.raises(InputError, match=rf"^{re.escape(str(files[1]))}: line 2: seed = -1: "):
        parse_config({**read[0].content, **read[1].content}, "both", read)


def test_a_file_whose_name_is_no_utf8_is_refused_where_its_pattern_stands(tmp_path: Path) -> None:
    """The config of a run is JSON and YAML, which cannot hold the name; a start ended in a traceback."""
    (tmp_path / os.fsdecode(b"caf\xe9.npz")).touch()
    text = f'version: 2\nname: run\ncheckpoints:\n  own: {{kind: files, files: "{tmp_path}/*.npz"}}\n'
    with pytest.raises(InputError, match=r"line 4: checkpoints\.own\.files\[0\] = .*caf\\xe9\.npz.*rename") as refused:
        read_config(written(tmp_path / "run.yaml", text))
    assert str(refused.value).isprintable()
