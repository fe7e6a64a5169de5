"""A training job: the same bytes whatever the shard, the restart or the moment it was killed."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from cnn_topology.data.image_set import ImageSet
from cnn_topology.errors import InputError
from cnn_topology.plan.parameters import TrainParameters
from cnn_topology.plan.populations import Architecture, Recipe
from cnn_topology.seeds import derive_seed
from cnn_topology.storage.tables import read_notes, read_table
from cnn_topology.storage.tensors import write_tensors
from cnn_topology.tables.training import TrainingRow
from cnn_topology.training import checkpoints, train
from cnn_topology.training.alone import alone
from cnn_topology.training.checkpoints import StackFolder
from cnn_topology.training.snapshots import Snapshot, read_snapshot
from cnn_topology.training.stack import Stack
from cnn_topology.training.train import TrainingJob, train_shard

STEPS = (0, 5, 20)


def digits(side: int = 16) -> ImageSet:
    bunch = load_digits()
    images = np.kron(bunch.images * 15.9, np.ones((side // 8, side // 8))).astype(np.uint8)[..., np.newaxis]
    labels = bunch.target.astype(np.int64)
    classes = tuple("0123456789")
    return ImageSet("digits", images[:600], labels[:600], images[600:900], labels[600:900], classes)


def job(folder: Path, **changes: Any) -> TrainingJob:
    recipe = Recipe(learning_rate=3e-3, iterations=20, batch_size=32, precision="float32")
    architecture = Architecture(convolutions=(8, 4), dense=(16,))
    parameters = TrainParameters(
        **{"run_seed": 9, "population": "small", "shard": 0, "first": 0, "count": 3, "images": "digits"},
        **{"cross_test": (), "architecture": architecture, "recipe": recipe, "steps": STEPS, "test_steps": ()},
    )
    fields: dict[str, Any] = {
        **{"image_set": digits(), "cross_test": {}, "device": "cpu"},
        "snapshots": [folder / f"snapshots/{step}.safetensors" for step in changes.get("steps", STEPS)],
        "log_path": folder / "log.parquet",
        "resume_folder": folder / "resume",
    }
    fields |= {
        name: changes.pop(name) for name in [*changes] if name not in TrainParameters.model_fields or name in fields
    }
    return TrainingJob(shard=parameters.model_copy(update=changes), **fields)


def with_recipe(base: TrainingJob, **changes: Any) -> Recipe:
    return base.shard.recipe.model_copy(update=changes)


def snapshots(base: TrainingJob) -> list[Snapshot]:
    return [read_snapshot(path) for path in base.snapshots]


def content(base: TrainingJob) -> dict[str, bytes]:
    """Return every file of a finished job."""
    assert not base.resume_folder.exists()
    paths = [base.log_path, *sorted(base.snapshots[0].parent.iterdir())]
    return {path.name: path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> TrainingJob:
    base = job(tmp_path_factory.mktemp("undisturbed"))
    train_shard(base)
    return base


def test_a_job_writes_its_snapshots_and_its_log(undisturbed: TrainingJob) -> None:
    first, *_, last = snapshots(undisturbed)
    assert {name: x.shape for name, x in first.tensors.items()} == {
        **{"conv1.weight": (3, 8, 1, 3, 3), "conv1.bias": (3, 8), "conv2.weight": (3, 4, 8, 3, 3)},
        **{"conv2.bias": (3, 4), "dense1.weight": (3, 16, 64), "dense1.bias": (3, 16)},
        **{"scores.weight": (3, 10, 16), "scores.bias": (3, 10)},
    }
    assert last.networks == (0, 1, 2)
    assert last.seeds == tuple(derive_seed(9, "network", "small", network) for network in range(3))
    assert (first.step, last.step, last.failed) == (0, 20, (False, False, False))
    assert last.metadata["precision"] == "float32"
    assert last.metadata["images_sha256"] == undisturbed.image_set.sha256
    log = read_table(undisturbed.log_path, TrainingRow.schema).to_pandas()
    assert len(log) == 3 * 3 * 2
    assert set(log["examples"]) == {300, 600}
    assert log["epoch"].max() == 20 * 32 / 600
    assert read_notes(undisturbed.log_path)["population"] == "small"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(undisturbed: TrainingJob, tmp_path: Path) -> None:
    again, other = job(tmp_path / "again"), job(tmp_path / "other", run_seed=10)
    train_shard(again)
    train_shard(other)
    assert content(again) == content(undisturbed)
    assert not np.array_equal(snapshots(other)[0].tensors["conv1.weight"], snapshots(again)[0].tensors["conv1.weight"])


def test_shards_change_nothing(undisturbed: TrainingJob, tmp_path: Path) -> None:
    parts = [job(tmp_path / "a", first=0, count=1), job(tmp_path / "b", shard=1, first=1, count=2)]
    for part in parts:
        train_shard(part)
    for whole, *split in zip(snapshots(undisturbed), *(snapshots(part) for part in parts), strict=True):
        assert sum((part.networks for part in split), ()) == whole.networks
        for name, value in whole.tensors.items():
            assert np.array_equal(np.concatenate([part.tensors[name] for part in split]), value)
    tables = [read_table(part.log_path).to_pandas() for part in parts]
    whole_log = read_table(undisturbed.log_path).to_pandas()
    for part_log in tables:
        mine = whole_log[whole_log["network"].isin(part_log["network"])].reset_index(drop=True)
        assert mine.equals(part_log)


@pytest.mark.parametrize("survived", [1, 4, 7, 8])
def test_a_job_stopped_anywhere_ends_with_the_same_bytes(
    survived: int, undisturbed: TrainingJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(train, "CHECK_ITERATIONS", 4)
    base, calls, trained = job(tmp_path), [], Stack.train

    def stopping(stack: Stack, steps: int) -> None:
        if len(calls) == survived:
            raise KeyboardInterrupt
        calls.append(steps)
        trained(stack, steps)

    monkeypatch.setattr(Stack, "train", stopping)
    with pytest.raises(KeyboardInterrupt):
        train_shard(base)
    assert not base.snapshots[0].parent.exists()
    calls.clear()
    monkeypatch.setattr(Stack, "train", lambda stack, steps: (calls.append(steps), trained(stack, steps))[1])
    train_shard(base)
    assert sum(calls) < 3 * 20  # it did not begin anew
    assert content(base) == content(undisturbed)


def test_a_killed_process_ends_with_the_same_bytes(undisturbed: TrainingJob, tmp_path: Path) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from pathlib import Path\n"
        "import test_train_shard as t\n"
        "t.train.CHECKPOINT_SECONDS, t.train.CHECK_ITERATIONS = 0.0, 2\n"
        f"t.train_shard(t.job(Path({str(tmp_path)!r})))\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "(2 of 3 in shard 0), step 5" in line:
                process.send_signal(signal.SIGKILL)
                break
        else:
            pytest.fail("the process ended before it was killed")
    assert process.returncode == -signal.SIGKILL
    base = job(tmp_path)
    assert any(base.resume_folder.rglob("*.safetensors"))
    assert not base.log_path.exists()
    train_shard(base)
    assert content(base) == content(undisturbed)


def test_checkpoints_of_another_job_and_damaged_ones_are_ignored(
    undisturbed: TrainingJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = job(tmp_path)
    other = job(tmp_path, run_seed=10)
    with monkeypatch.context() as patch:
        patch.setattr(train, "_assemble", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        for each in (other, base):
            with pytest.raises(KeyboardInterrupt):
                train_shard(each)
            files = sorted(base.resume_folder.rglob("snapshots-*.safetensors"))
            assert len(files) == 3  # those of the other job wait where this one looks for its own
    files[0].write_bytes(files[0].read_bytes()[:-7])
    calls, trained = [], Stack.train
    monkeypatch.setattr(Stack, "train", lambda stack, steps: (calls.append(steps), trained(stack, steps))[1])
    train_shard(base)
    assert sum(calls) == 20  # the network whose file was cut short, and no other
    assert content(base) == content(undisturbed)


def test_a_state_without_the_snapshots_before_it_is_not_used(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path, "identity")
    folder.add(0, {"w": np.zeros(2)}, [{"step": 0}])
    folder.flush({"step": np.array([3])})
    again = StackFolder(tmp_path, "identity")
    assert again.steps() == {0}
    assert again.state() is not None
    assert again.snapshot(0)[1] == [{"step": 0}]
    assert StackFolder(tmp_path, "another").steps() == set()
    assert StackFolder(tmp_path, "another").state() is None


def test_a_network_whose_loss_is_no_number_is_marked_failed(
    undisturbed: TrainingJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base, trained = job(tmp_path), Stack.train

    def spoiling(stack: Stack, steps: int) -> None:
        trained(stack, steps)
        if stack.seeds == (base.seed(1),) and stack.done > 5:
            stack.weights.data[0, 3] = np.nan

    monkeypatch.setattr(Stack, "train", spoiling)
    train_shard(base)
    assert "networks [1]" in (warning := capsys.readouterr().err)
    assert "2 of 3 remain" in warning
    early, last = snapshots(base)[1:]
    assert early.failed == (False, False, False)
    assert last.failed == (False, True, False)
    assert np.isnan(last.tensors["conv2.weight"][1]).all()
    healthy = snapshots(undisturbed)[-1].tensors["conv2.weight"]
    assert np.array_equal(last.tensors["conv2.weight"][[0, 2]], healthy[[0, 2]])
    log = read_table(base.log_path).to_pandas()
    assert log[log["failed"]][["network", "step"]].drop_duplicates().values.tolist() == [[1, 20]]
    assert log[log["failed"]]["loss"].isna().all()


def test_a_shard_whose_networks_all_fail_is_kept_and_marked(tmp_path: Path, capsys) -> None:
    base = job(tmp_path, count=2)
    wild = with_recipe(base, optimizer="sgd", learning_rate=10.0, momentum=0.99, weight_decay=5.0, iterations=400)
    shard = job(tmp_path, count=2, recipe=wild, steps=(0, 400))
    train_shard(shard)
    assert "0 of 2 remain. If that is too few: lower learning_rate (= 10)" in capsys.readouterr().err
    assert read_snapshot(shard.snapshots[-1]).failed == (True, True)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_training_on_digits_beats_chance_clearly(precision: str, tmp_path: Path) -> None:
    recipe = with_recipe(job(tmp_path), precision=precision, learning_rate=1e-2)
    base = job(tmp_path, count=1, recipe=recipe, steps=(0, 200))
    train_shard(base)
    log = read_table(base.log_path).to_pandas().set_index(["split", "step"])["accuracy"]
    assert log["test", 0] < 0.3
    assert log["test", 200] > 0.7
    assert log["train", 200] > 0.7


def test_other_sets_are_tested_in_the_shape_of_the_training_images(tmp_path: Path) -> None:
    large = digits(32)
    base = job(tmp_path, count=1, steps=(0,), cross_test={"large": large})
    train_shard(base)
    log = read_table(base.log_path).to_pandas().set_index(["images", "split"])
    assert log.loc[("large", "test"), "examples"] == len(large.test_labels)
    pair = large.train_images[:2], np.arange(2)
    two = ImageSet("two", *pair, *pair, ("a", "b"))
    refusal = r"small\.cross_test: two has the classes a, b, .* the classes 0, 1.* of digits; .*`classes`"
    with pytest.raises(InputError, match=refusal):
        train_shard(job(tmp_path, cross_test={"two": two}))


def test_cropped_images_of_other_sets_are_counted_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    square = digits(32)
    tall = replace(square, train_images=square.train_images[:, :, 8:24], test_images=square.test_images[:, :, 8:24])
    train_shard(job(tmp_path, count=1, steps=(0,), cross_test={"square": square, "tall": tall}))
    (note,) = (line for line in capsys.readouterr().err.splitlines() if "cross_test" in line)
    assert "images of tall" in note
    assert f"{len(tall.test_labels)} of {len(tall.test_labels)} images" in note
    assert "16x16" in note
    assert "50%" in note


def test_a_batch_larger_than_the_training_set_is_refused(tmp_path: Path) -> None:
    recipe = with_recipe(job(tmp_path), batch_size=50, train_images=40)
    with pytest.raises(
        InputError, match=r"recipe\.batch_size is 50, but 40 training images of images\.digits.*at most 40"
    ):
        train_shard(job(tmp_path, recipe=recipe))


def test_a_file_that_is_no_snapshot_is_refused(tmp_path: Path) -> None:
    write_tensors(tmp_path / "x.safetensors", {"a": np.zeros(2)}, {"step": "1"})
    with pytest.raises(InputError, match="no snapshot"):
        read_snapshot(tmp_path / "x.safetensors")


def test_tests_between_snapshots_change_no_weight_and_are_of_own_test_images(
    undisturbed: TrainingJob, tmp_path: Path
) -> None:
    base = job(tmp_path, test_steps=(10, 15), cross_test={"large": digits(32)})
    train_shard(base)
    assert not base.resume_folder.exists()
    for mine, other in zip(snapshots(base), snapshots(undisturbed), strict=True):
        for name, value in mine.tensors.items():
            assert np.array_equal(value, other.tensors[name])
    log = read_table(base.log_path, TrainingRow.schema).to_pandas()
    assert sorted(log["step"].unique()) == [0, 5, 10, 15, 20]
    between = log[log["step"].isin([10, 15])]
    assert set(zip(between["images"], between["split"], strict=True)) == {("digits", "test")}
    assert len(between) == 6
    before = read_table(undisturbed.log_path).to_pandas().set_index(["network", "step", "images", "split"])
    shared = log[(log["images"] == "digits") & log["step"].isin(STEPS)].set_index(before.index.names)
    assert (shared["accuracy"] == before["accuracy"].reindex(shared.index)).all()


@pytest.mark.parametrize(("chunk", "test_steps"), [(5, (10, 15)), (4, (8, 11))])
def test_a_job_killed_anywhere_trains_only_what_was_left_and_ends_with_the_same_bytes(
    chunk: int, test_steps: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where each state is written at a step that is tested, before its test."""
    monkeypatch.setattr(train, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(train, "CHECK_ITERATIONS", chunk)
    places = {"train": Stack, "evaluate": Stack, "write_tensors": checkpoints}

    def run(folder: Path, last: int | None) -> tuple[TrainingJob, list[str], int]:
        """Train until so many calls were made; give the job, the calls and the number of steps trained."""
        base, calls, trained = job(folder, count=1, test_steps=test_steps), list[str](), [0]
        with monkeypatch.context() as patch:

            def counted(name: str, original: Any) -> Any:
                def call(*arguments: Any) -> Any:
                    calls.append(name)
                    if len(calls) == last:
                        raise KeyboardInterrupt
                    trained[0] += arguments[1] if name == "train" else 0
                    return original(*arguments)

                return call

            for name, owner in places.items():
                patch.setattr(owner, name, counted(name, getattr(owner, name)))
            if last is None:
                train_shard(base)
            else:
                with pytest.raises(KeyboardInterrupt):
                    train_shard(base)
        return base, calls, trained[0]

    straight, calls, _ = run(tmp_path / "straight", None)
    for last in range(1, len(calls) + 1):
        stopped, before, first = run(tmp_path / str(last), last)
        assert before == calls[:last]
        _, _, second = run(tmp_path / str(last), None)
        # One chunk at most is trained again: that which was not yet on disk.
        *earlier, at = before
        while earlier and earlier[-1] == "write_tensors":
            earlier.pop()
        again = first + second - 20
        assert 0 < again <= chunk if at == "write_tensors" and earlier[-1] == "train" else again == 0
        assert content(stopped) == content(straight)


def test_two_processes_do_not_train_the_same_shard(tmp_path: Path) -> None:
    base = job(tmp_path)
    with alone(base.resume_folder), pytest.raises(InputError, match="is training the same networks"):
        train_shard(base)
    assert list(tmp_path.iterdir()) == []


def test_fewer_training_images_are_a_balanced_part_of_those_of_more(tmp_path: Path) -> None:
    parts = []
    for count in (50, 200):
        base = job(tmp_path)
        pixels, labels = train._training_data(job(tmp_path, recipe=with_recipe(base, train_images=count)))
        assert set(np.bincount(labels)) == {count // 10}
        parts.append({image.tobytes() for image in pixels})
    assert parts[0] < parts[1]
    with pytest.raises(InputError, match="train_images is 601, but digits has 600 training images"):
        train_shard(job(tmp_path, recipe=with_recipe(job(tmp_path), train_images=601)))


def test_a_network_on_fewer_images_counts_its_epochs_by_these(tmp_path: Path) -> None:
    base = job(tmp_path, count=1)
    train_shard(job(tmp_path, count=1, recipe=with_recipe(base, train_images=64)))
    log = read_table(base.log_path, TrainingRow.schema).to_pandas()
    assert log.loc[log["step"] == 20, "epoch"].unique() == [10]
    assert log.loc[log["split"] == "train", "examples"].unique() == [64]
