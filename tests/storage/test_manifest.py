"""Manifests: content decides, unchanged files are not read, and a job notices that its files changed."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from cnn_topology.errors import InputError
from cnn_topology.storage import manifest
from cnn_topology.storage.manifest import (
    Entry,
    check_unchanged,
    content_digest,
    read_manifest,
    renewed,
    write_manifest,
)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Return three files, one of them behind a link."""
    (tmp_path / "elsewhere").mkdir()
    for name in ("a", "b", "elsewhere/c"):
        (tmp_path / name).write_bytes(name.encode() * 100)
    (tmp_path / "c").symlink_to("elsewhere/c")
    return {name: tmp_path / name for name in ("b", "a", "c")}


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the names of files as they are hashed."""
    names: list[str] = []
    checksum = manifest.file_checksum

    def counted(path: Path) -> str:
        names.append(path.name)
        return checksum(path)

    monkeypatch.setattr(manifest, "file_checksum", counted)
    return names


def test_entries_are_size_time_and_sha256_of_what_a_link_points_to(files: dict[str, Path]) -> None:
    made = renewed(files, {})
    assert list(made) == ["b", "a", "c"]
    state = files["c"].resolve().stat()
    content = b"elsewhere/c" * 100
    assert made["c"] == Entry(len(content), state.st_mtime_ns, hashlib.sha256(content).hexdigest())


def test_only_what_changed_in_size_or_time_is_hashed_again(files: dict[str, Path], hashed: list[str]) -> None:
    known = renewed(files, {})
    assert sorted(hashed) == ["a", "b", "c"]
    hashed.clear()
    assert renewed(files, known) == known
    assert hashed == []
    os.utime(files["a"], ns=(1, 1))
    files["c"].write_bytes(b"another")
    now = renewed(files, known)
    assert hashed == ["a", "c"]
    assert now["a"] == known["a"]._replace(mtime_ns=1)
    assert now["c"].sha256 == hashlib.sha256(b"another").hexdigest()


def test_the_digest_is_of_names_and_content_in_their_order(files: dict[str, Path], tmp_path: Path) -> None:
    digest = content_digest(renewed(files, {}))
    for path in files.values():
        path.touch()
    assert content_digest(renewed(files, {})) == digest
    copies = {name: Path(shutil.copyfile(path, tmp_path / f"copy-{name}")) for name, path in files.items()}
    assert content_digest(renewed(copies, {})) == digest
    others = [
        {name: files[name] for name in ("a", "b", "c")},
        {name: files[name] for name in ("b", "a")},
        {**files, "b": files["a"]},
        {"B" if name == "b" else name: path for name, path in files.items()},
    ]
    assert len({digest, *(content_digest(renewed(other, {})) for other in others)}) == 5


def test_a_manifest_comes_back_and_a_damaged_one_counts_as_none(files: dict[str, Path], tmp_path: Path) -> None:
    path, made = tmp_path / "run/inputs/x.json", renewed(files, {})
    made["\udcff.png"] = Entry(1, 2, "3")  # a name that is no UTF-8, as Python spells it
    write_manifest(path, made)
    assert list(read_manifest(path).items()) == list(made.items())
    assert content_digest(read_manifest(path)) == content_digest(made)
    whole = path.read_bytes()
    for damaged in (whole[:-9], b"", b"[1, 2]", b'{"a": [1]}', b'{"a": 1}', b"\xff"):
        path.write_bytes(damaged)
        assert read_manifest(path) == {}
    assert read_manifest(tmp_path / "none.json") == {}


@pytest.mark.parametrize("state", ["missing", "folder", "broken link"])
def test_what_is_no_file_is_refused_by_name(files: dict[str, Path], tmp_path: Path, state: str) -> None:
    files["a"].unlink()
    if state == "folder":
        files["a"].mkdir()
    if state == "broken link":
        files["a"].symlink_to("nowhere")
    with pytest.raises(InputError, match=str(tmp_path / "a")):
        renewed(files, {})


def test_a_job_refuses_content_that_is_not_what_was_planned(
    files: dict[str, Path], tmp_path: Path, hashed: list[str]
) -> None:
    path, made = tmp_path / "inputs.json", renewed(files, {})
    write_manifest(path, made)
    planned = [str(path), content_digest(made)]
    hashed.clear()
    check_unchanged(files, planned)
    assert hashed == []
    files["b"].touch()
    check_unchanged(files, planned)
    files["a"].write_bytes(b"another")
    with pytest.raises(InputError, match=f"^{tmp_path / 'a'}: changed .* start again"):
        check_unchanged(files, planned)
    # Another start has seen the edit meanwhile; the job was planned before it.
    write_manifest(path, renewed(files, {}))
    with pytest.raises(InputError, match="changed after"):
        check_unchanged(files, planned)
    check_unchanged(files, None)
    path.unlink()
    with pytest.raises(InputError, match="changed after"):
        check_unchanged(files, planned)
