"""The user's own files of a run: hashed once per start, never in jobs, and no file is written where none belongs."""

from pathlib import Path

import pytest

from cnn_topology.errors import InputError
from cnn_topology.plan.names import RunFolder
from cnn_topology.runs.job_files import Inputs
from cnn_topology.storage import manifest
from cnn_topology.storage.manifest import content_digest, read_manifest, renewed

RUN = RunFolder("own")
MANIFEST = Path(RUN.inputs("images/leaves"))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Return two files beside a folder where runs are made."""
    monkeypatch.chdir(tmp_path)
    paths = {name: tmp_path / name for name in ("a", "b")}
    for name, path in paths.items():
        path.write_text(name)
    return paths


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the names of files as they are hashed."""
    names: list[str] = []
    checksum = manifest.file_checksum
    monkeypatch.setattr(manifest, "file_checksum", lambda path: names.append(path.name) or checksum(path))
    return names


def planned(files: dict[str, Path], **settings: bool) -> list[str]:
    return Inputs(RUN, **{"renew": True, **settings}).planned("images/leaves", lambda: files)


def test_a_dry_run_before_the_first_start_writes_nothing_and_a_start_writes_the_manifest(
    files: dict[str, Path],
) -> None:
    inputs = Inputs(RUN, renew=True)
    expected = [str(MANIFEST), content_digest(renewed(files, {}))]
    assert inputs.planned("images/leaves", lambda: files) == expected
    assert not Path("results").exists()
    Path(RUN.root).mkdir(parents=True)
    inputs.write()
    assert read_manifest(MANIFEST) == renewed(files, {})


def test_a_start_hashes_each_file_once_and_the_next_start_none(files: dict[str, Path], hashed: list[str]) -> None:
    Path(RUN.root).mkdir(parents=True)
    inputs = Inputs(RUN, renew=True)
    first = [inputs.planned("images/leaves", lambda: files) for _ in range(3)]
    assert hashed == ["a", "b"]
    time = MANIFEST.stat().st_mtime_ns
    hashed.clear()
    assert planned(files) == first[0] == first[2]
    assert hashed == []
    assert MANIFEST.stat().st_mtime_ns == time
    files["b"].write_text("another")
    assert planned(files) != first[0]
    assert hashed == ["b"]


def test_a_job_takes_the_manifest_as_it_was_planned(files: dict[str, Path], hashed: list[str]) -> None:
    Path(RUN.root).mkdir(parents=True)
    before = planned(files)
    hashed.clear()
    files["a"].write_text("another")
    assert planned(files, renew=False) == before
    assert hashed == []
    MANIFEST.unlink()
    assert planned(files, renew=False) not in (before, [])


def test_each_job_of_an_input_has_the_digest_of_its_own_files(files: dict[str, Path]) -> None:
    Path(RUN.root).mkdir(parents=True)

    def digests() -> list[str]:
        inputs = Inputs(RUN, renew=True)
        return [inputs.planned("resnets/nets", lambda: files, [name])[1] for name in files]

    before = digests()
    assert before[0] != before[1]
    files["b"].write_text("another")
    after = digests()
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)


def test_another_order_of_the_files_is_written_too(files: dict[str, Path]) -> None:
    Path(RUN.root).mkdir(parents=True)
    planned(files)
    turned = dict(reversed(files.items()))
    assert planned(turned) == planned(turned, renew=False)


def test_files_that_are_gone_leave_what_is_known_of_them_and_a_missing_one_leaves_nothing(
    files: dict[str, Path],
) -> None:
    Path(RUN.root).mkdir(parents=True)
    before = planned(files)
    assert planned({}) == before
    files["a"].unlink()
    inputs = Inputs(RUN, renew=True)
    assert inputs.planned("images/leaves", lambda: files) == []
    with pytest.raises(InputError, match=rf"^images\.leaves: {files['a']}: "):
        inputs.write()
    assert list(read_manifest(MANIFEST)) == ["a", "b"]


def test_a_run_that_cannot_be_written_is_still_looked_at(files: dict[str, Path]) -> None:
    Path(RUN.parts).mkdir(parents=True)
    MANIFEST.parent.parent.write_text("in the way of the folder")
    assert planned(files)[1] == content_digest(renewed(files, {}))
