"""Training of residual networks: recipes, batches, resuming, checkpoints, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from cnn_topology.data.image_set import ImageSet
from cnn_topology.data.statistics import normalization
from cnn_topology.errors import InputError
from cnn_topology.networks.resnet import make_resnet
from cnn_topology.plan.resnets import MapperResNets, PHResNets, StepRecipe, TriangularRecipe
from cnn_topology.storage.tables import read_table
from cnn_topology.storage.tensors import read_metadata, read_tensors
from cnn_topology.tables.training import ResnetTrainingRow
from cnn_topology.training import resnets
from cnn_topology.training.alone import alone
from cnn_topology.training.resnet_batches import Epoch, Normalizer, augmented, padded
from cnn_topology.training.resnet_state import Progress, ResumeFile
from cnn_topology.training.resnets import ResNetJob, learning_rate, make_weights, steps_per_epoch

CPU = torch.device("cpu")
RECIPE = {"epochs": 3, "batch_size": 20, "learning_rate": 0.1, "precision": "float32", "flip": False}


def image_set(count=70, side=12, seed=0):
    """Two classes that a small network tells apart: bright above, bright below."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = rng.integers(0, 60, (count, side, side, 3))
    images[labels == 0, : side // 2] += 120
    images[labels == 1, side // 2 :] += 120
    images, labels = images.astype(np.uint8), labels.astype(np.int64)
    return ImageSet("halves", images[:60], labels[:60], images[60:], labels[60:], ("above", "below"))


def job(folder, variant="ph", recipe=None, **changed):
    recipe = {**RECIPE, **({"peak_epoch": 1} if variant == "ph" else {"milestones": (2,)}), **(recipe or {})}
    section = {"ph": PHResNets, "mapper": MapperResNets}[variant](
        images="halves", variant=variant, widths=[4, 8], blocks=[1, 1], normalization="set", recipe=recipe
    )
    paths = {"weights_path": folder / "w.safetensors", "log_path": folder / "w.parquet", "resume_folder": folder / "r"}
    return ResNetJob(**{"population": "nets", "network": 0, "seed": 5, "section": section, **paths, **changed})


@pytest.fixture(scope="module")
def images():
    return image_set()


def test_triangular_rate_goes_through_its_corners_at_each_iteration():
    recipe = TriangularRecipe()
    rates = [learning_rate(recipe, step, 48) for step in (0, 120, 240, 240 + 48 * 19 // 2, 24 * 48)]
    assert rates == pytest.approx([0, 0.5, 1, 0.5, 0])


def test_step_rate_falls_tenfold_at_its_milestones():
    rates = [learning_rate(StepRecipe(), epoch * 391, 391) for epoch in (0, 149, 150, 249, 250, 349)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_an_epoch_has_the_papers_number_of_iterations():
    assert steps_per_epoch(TriangularRecipe(), 50_000) == 48
    assert steps_per_epoch(StepRecipe(), 50_000) == 391
    assert steps_per_epoch(StepRecipe(batch_size=7), 15) == 2  # one image alone has no batch statistics


def test_a_batch_without_augmentation_is_the_images_themselves(images):
    pixels = torch.from_numpy(images.train_images)
    recipe = TriangularRecipe(translate=0, cutout=0, flip=False)
    epoch = Epoch.draw(1, 0, (60, 12, 12), recipe, CPU)
    batch = augmented(pixels, epoch, slice(0, 60), (12, 12), 0, torch.zeros(3, dtype=torch.uint8))
    assert torch.equal(batch, pixels[epoch.order])
    assert sorted(epoch.order.tolist()) == list(range(60))


def test_augmentation_shifts_flips_and_cuts_as_drawn(images):
    recipe = TriangularRecipe(translate=2, cutout=5)
    epoch = Epoch.draw(1, 3, (60, 12, 12), recipe, CPU)
    fill = torch.tensor([9, 8, 7], dtype=torch.uint8)
    batch = augmented(padded(torch.from_numpy(images.train_images), 2), epoch, slice(10, 40), (12, 12), 5, fill)
    for place in range(30):
        row = place + 10
        source = np.pad(images.train_images[epoch.order[row]], ((2, 2), (2, 2), (0, 0)))
        (top, left), (above, before) = epoch.shifts[row].tolist(), epoch.holes[row].tolist()
        expected = source[top : top + 12, left : left + 12].copy()
        if epoch.flips[row]:
            expected = expected[:, ::-1].copy()
        expected[above : above + 5, before : before + 5] = fill
        assert np.array_equal(batch[place].numpy(), expected)
    assert 0.2 < epoch.flips.float().mean() < 0.8
    assert set(epoch.shifts.flatten().tolist()) == set(range(5))
    assert set(epoch.holes.flatten().tolist()) == set(range(8))


def test_epochs_and_seeds_draw_apart():
    drawn = {
        (seed, epoch): tuple(Epoch.draw(seed, epoch, (60, 12, 12), TriangularRecipe(), CPU).order.tolist())
        for seed in (1, 2)
        for epoch in (0, 1)
    }
    assert len(set(drawn.values())) == 4


def test_normalization_of_the_paper_is_its_numbers_on_the_byte_scale():
    mean, sd = normalization("paper", np.zeros(0))
    bytes_ = np.array([[[[0, 100, 255]]]], dtype=np.uint8)
    found = Normalizer.of(mean, sd, CPU)(torch.from_numpy(bytes_))[0, :, 0, 0]
    # Section 1.1 gives mean and standard deviation on the 0-255 scale.
    expected = (np.array([0, 100, 255]) - [125.307, 122.961, 113.8575]) / [51.5865, 50.847, 51.255]
    assert found.numpy() == pytest.approx(expected, rel=1e-5)


def test_a_constant_channel_stays_finite():
    mean, sd = normalization("set", np.full((3, 2, 2, 1), 7, np.uint8))
    assert mean == pytest.approx([7 / 255])
    assert sd[0] > 0


@pytest.mark.parametrize("variant", ["ph", "mapper"])
def test_a_network_learns_and_says_how_well(images, tmp_path, variant):
    recipe = {"epochs": 8, "translate": 1, "cutout": 0}
    make_weights(job(tmp_path, variant, recipe, image_set=images, notes={"seed": "1"}))
    log = read_table(tmp_path / "w.parquet", ResnetTrainingRow.schema).to_pandas()
    assert log["epoch"].tolist() == list(range(1, 9))
    assert log["is_kept"].tolist() == [False] * 7 + [True]
    assert log["test_accuracy"].iloc[-1] == 1
    assert log["train_loss"].iloc[-1] < log["train_loss"].iloc[0] / 2
    tensors, metadata = read_tensors(tmp_path / "w.safetensors")
    assert json.loads(metadata["classes"]) == ["above", "below"]
    assert metadata["network_seed"] == "5"
    assert len(json.loads(metadata["mean"])) == 3
    assert not (tmp_path / "r").exists()
    assert {"conv1.weight", "linear.bias", "bn1.running_mean"} <= set(tensors)


class Killed(Exception):
    """Stands for a kill."""


def interrupt(monkeypatch, owner, name, counts, last):
    """Count the calls of a method, and stop the process before the `last` of all that are counted."""
    method = getattr(owner, name)

    def counted(self, *arguments):
        if sum(counts.values()) == last:
            raise Killed(name)
        counts[name] += 1
        return method(self, *arguments)

    monkeypatch.setattr(owner, name, counted)


@pytest.mark.parametrize("recipe", [{"cutout": 4}, {"epochs": 1, "milestones": ()}])
@pytest.mark.parametrize("selection", ["last", "best-on-test"])
def test_a_training_killed_anywhere_goes_on_and_ends_with_the_same_bytes(
    images, tmp_path, monkeypatch, recipe, selection
):
    monkeypatch.setattr(resnets, "CHECKPOINT_SECONDS", 0.0)
    recipe = recipe | {"selection": selection}
    places = {"_step": resnets.Trainer, "measure": resnets.Tester, "save": ResumeFile}

    def run(folder, last):
        folder.mkdir(exist_ok=True)
        counts = dict.fromkeys(places, 0)
        with monkeypatch.context() as patch:
            for name, owner in places.items():
                interrupt(patch, owner, name, counts, last)
            make_weights(job(folder, "mapper", recipe, image_set=images))
        return counts

    epochs = recipe.get("epochs", RECIPE["epochs"])
    whole = run(tmp_path / "whole", None)
    assert whole == {"_step": 3 * epochs, "measure": epochs, "save": 3 * epochs}
    log = read_table(tmp_path / "whole/w.parquet").to_pandas()
    assert log["train_examples"].tolist() == [60] * epochs
    assert log["epoch"].tolist() == list(range(1, epochs + 1))
    events = (3 * ["_step", "save"] + ["measure"]) * epochs
    for last in range(1, sum(whole.values())):
        folder = tmp_path / str(last)
        with pytest.raises(Killed) as killed:
            run(folder, last)
        assert not (folder / "w.safetensors").exists()
        steps = run(folder, None)["_step"]
        # Step, save, ... test: of the iterations only one that was to be saved is done again.
        done = events[:last].count("_step")
        assert steps == 3 * epochs - done + (str(killed.value) == "save")
        for name in ("w.safetensors", "w.parquet"):
            assert (tmp_path / "whole" / name).read_bytes() == (folder / name).read_bytes(), last


def test_a_state_of_other_code_is_not_taken_up(images, tmp_path, monkeypatch):
    monkeypatch.setattr(resnets, "CHECKPOINT_SECONDS", 0.0)
    for code, again in (("old", "old"), ("old", "new")):
        counts = {"_step": 0}
        with monkeypatch.context() as patch:
            interrupt(patch, resnets.Trainer, "_step", counts, 5)
            with pytest.raises(Killed):
                make_weights(job(tmp_path, image_set=images, notes={"code": code}))
        counts = {"_step": 0}
        with monkeypatch.context() as patch:
            interrupt(patch, resnets.Trainer, "_step", counts, None)
            make_weights(job(tmp_path, image_set=images, notes={"code": again}))
        assert counts["_step"] == (4 if code == again else 9)


def test_the_scale_of_half_precision_gradients_goes_on_where_it_was(tmp_path):
    """On CUDA the scaler is at work; its state must pass through the file, also into one that was not used yet."""
    network = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**20, growth_interval=3)
    for value in (1.0, float("inf"), 1.0, 1.0):
        optimizer.zero_grad()
        scaler.scale(network(torch.full((1, 2), value)).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
    resume = ResumeFile(tmp_path, "job")
    resume.save(network, optimizer, scaler, Progress(step=4))
    fresh = torch.amp.GradScaler("cpu", growth_interval=3)
    again = torch.nn.Linear(2, 1)
    restored = resume.restore(again, torch.optim.SGD(again.parameters(), lr=0.1, momentum=0.9), fresh)
    assert restored is not None
    assert restored.step == 4
    assert fresh.state_dict() == scaler.state_dict()
    assert fresh.get_scale() == 2.0**19
    assert torch.equal(again.weight, network.weight)


def test_the_state_of_another_job_is_not_taken_up(images, tmp_path, monkeypatch):
    monkeypatch.setattr(resnets, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("cnn_topology.training.alone.shutil.rmtree", lambda *a, **k: None)
    make_weights(job(tmp_path, image_set=images))
    assert (tmp_path / "r/state.safetensors").exists()
    make_weights(job(tmp_path, image_set=images, seed=6))
    other = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "r/state.safetensors").unlink()
    make_weights(job(tmp_path, image_set=images, seed=6))
    assert (tmp_path / "w.safetensors").read_bytes() == other


def test_the_best_epoch_on_the_test_set_is_kept_only_where_asked(images, tmp_path, monkeypatch):
    accuracies = iter([0.5, 0.9, 0.7] * 2)
    monkeypatch.setattr(resnets.Tester, "measure", lambda *_: (0.1, next(accuracies)))
    kept, weights = {}, {}
    for selection in ("last", "best-on-test"):
        make_weights(job(tmp_path, "mapper", {"selection": selection}, image_set=images))
        kept[selection] = read_table(tmp_path / "w.parquet").to_pandas()["is_kept"].tolist()
        weights[selection] = read_metadata(tmp_path / "w.safetensors")["sha256"]
    assert kept == {"last": [False, False, True], "best-on-test": [False, True, False]}
    assert weights["last"] != weights["best-on-test"]


def test_two_processes_do_not_train_the_same_network(images, tmp_path):
    with alone(tmp_path / "r"), pytest.raises(InputError, match="is training the same networks"):
        make_weights(job(tmp_path, image_set=images))
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_takes_the_place_of_training(images, tmp_path):
    make_weights(job(tmp_path, image_set=images))
    tensors, _ = read_tensors(tmp_path / "w.safetensors")
    wrapped = {
        "state_dict": {f"module.{name}": torch.from_numpy(array) for name, array in tensors.items()},
        "best": 0.9,
    }
    torch.save(wrapped, tmp_path / "own.pt")
    (tmp_path / "again").mkdir()
    make_weights(job(tmp_path / "again", image_set=images, checkpoint=tmp_path / "own.pt"))
    again, metadata = read_tensors(tmp_path / "again/w.safetensors")
    assert all(np.array_equal(again[name], tensors[name]) for name in tensors)
    assert (metadata["checkpoint"], metadata["network_seed"]) == ("own.pt", "-1")
    row = read_table(tmp_path / "again/w.parquet").to_pylist()[0]
    trained = read_table(tmp_path / "w.parquet").to_pylist()[-1]
    assert (row["epoch"], row["seed"], row["is_kept"]) == (0, -1, True)
    assert row["test_accuracy"] == trained["test_accuracy"]
    assert np.isnan(row["train_loss"])


def test_a_copy_in_half_precision_is_no_second_network(images, tmp_path):
    section = job(tmp_path, image_set=images).section
    for name, seed, dtype in (("a.pt", 0, None), ("b.pt", 1, None), ("c.pt", 0, torch.float16), ("d.pt", 2, None)):
        state = make_resnet(section, 3, 2, seed).state_dict()
        torch.save({key: t.to(dtype) if t.is_floating_point() else t for key, t in state.items()}, tmp_path / name)
    others = [tmp_path / "a.pt", tmp_path / "b.pt"]
    with pytest.raises(InputError, match=r"c\.pt: holds the same kernels as .*a\.pt"):
        make_weights(job(tmp_path, image_set=images, checkpoint=tmp_path / "c.pt", others=others))
    assert not (tmp_path / "w.safetensors").exists()
    make_weights(job(tmp_path, image_set=images, checkpoint=tmp_path / "d.pt", others=others))


def test_scores_of_other_classes_are_not_measured(images, tmp_path):
    section = job(tmp_path, image_set=images).section.model_copy(update={"n_classes": 7, "checkpoints": ("own.pt",)})
    network = make_resnet(section, 3, 7, 0)
    torch.save(network.state_dict(), tmp_path / "own.pt")
    make_weights(replace(job(tmp_path, image_set=images, checkpoint=tmp_path / "own.pt"), section=section))
    assert np.isnan(read_table(tmp_path / "w.parquet").to_pylist()[0]["test_accuracy"])


@pytest.mark.parametrize("variant", ["ph", "mapper"])
def test_a_batch_larger_than_the_training_set_is_refused(images, tmp_path, variant):
    said = r"resnets\.nets\.recipe\.batch_size is 61, but 60 training images of images\.halves.*at most 60"
    with pytest.raises(InputError, match=said):
        make_weights(job(tmp_path, variant, {"batch_size": 61}, image_set=images))


@pytest.mark.parametrize("cutout", [12, 13])
def test_a_square_cut_out_that_leaves_nothing_of_an_image_is_refused(images, tmp_path, cutout):
    with pytest.raises(InputError, match=rf"recipe\.cutout is {cutout}, but the images of halves have 12x12 pixels"):
        make_weights(job(tmp_path, "ph", {"cutout": cutout}, image_set=images))


def test_a_diverging_loss_says_what_to_lower(images, tmp_path):
    with pytest.raises(InputError, match=r"became infinite or not a number in epoch 1; lower recipe.learning_rate"):
        make_weights(
            job(tmp_path, "mapper", {"learning_rate": 10.0, "momentum": 0.99, "weight_decay": 1e30}, image_set=images)
        )


def test_half_precision_needs_a_gpu(images, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(InputError, match="precision = float16 needs CUDA"):
        make_weights(replace(job(tmp_path, recipe={"precision": "float16"}, image_set=images), device="cpu"))
