import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from job_runs import run_job
from PIL import Image

from cnn_topology.commands.provenance import checklist, image_set_facts
from cnn_topology.data import sources
from cnn_topology.data.image_files import image_files
from cnn_topology.data.repeats import repeats
from cnn_topology.data.sources import load_image_set
from cnn_topology.errors import InputError
from cnn_topology.plan.config import parse_config
from cnn_topology.plan.images import EmbeddedDigits, FolderImages, NpzImages
from cnn_topology.plan.parameters import ImagesParameters
from cnn_topology.storage.manifest import content_digest, renewed, write_manifest


def picture(value, size=(6, 5)):
    return Image.new("RGB" if isinstance(value, tuple) else "L", size, value)


@pytest.fixture
def folder(tmp_path):
    for split, shade in (("train", 50), ("test", 100)):
        for number, name in enumerate(("apple", "pear")):
            (tmp_path / split / name).mkdir(parents=True)
            for copy in range(3):
                picture(shade + 10 * number + copy).save(tmp_path / split / name / f"{copy}.png")
    return tmp_path


def load_folder(path, **keys):
    return load_image_set("fruit", FolderImages(kind="folder", path=str(path), shape=(5, 6, 1), **keys), seed=7)


def test_a_folder_gives_its_images_in_the_order_of_names(folder):
    images = load_folder(folder)
    assert images.classes == ("apple", "pear")
    assert images.train_labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert images.train_images[:, 2, 2, 0].tolist() == [50, 51, 52, 60, 61, 62]
    assert images.test_images[:, 2, 2, 0].tolist() == [100, 101, 102, 110, 111, 112]


def test_names_that_are_no_utf8_are_read_and_are_text(folder):
    """Tables hold the names of classes, and no table can hold half a character."""
    for split in ("train", "test"):
        latin = (folder / split / "pear").rename(folder / split / os.fsdecode(b"poire \xe9"))
        (latin / "0.png").rename(latin / os.fsdecode(b"\xe8.png"))
    images = load_folder(folder)
    assert images.classes == ("apple", "poire \\xe9")
    assert len(images.train_images) == 6
    assert pa.array(images.classes).to_pylist() == list(images.classes)


@pytest.mark.parametrize("suffix", ["jpg", "bmp", "gif", "webp", "tif", "ppm"])
def test_other_formats_sizes_and_colours_are_brought_to_the_shape(folder, suffix):
    picture((200, 200, 200), size=(50, 40)).save(folder / "train" / "apple" / f"0.{suffix}")
    (folder / "train" / "apple" / "0.png").unlink()
    assert abs(int(load_folder(folder).train_images[0].mean()) - 200) <= 2


def test_a_subset_of_a_folder_is_balanced_and_follows_the_seed(folder):
    images = load_folder(folder, train=4, test=2)
    assert images.train_labels.tolist() == [0, 0, 1, 1]
    assert images.test_labels.tolist() == [0, 1]
    assert images.sha256 == load_folder(folder, train=4, test=2).sha256


def test_hidden_files_are_passed_over(folder):
    (folder / "train" / "apple" / ".DS_Store").write_bytes(b"x")
    (folder / "train" / ".cache").mkdir()
    assert len(load_folder(folder).train_labels) == 6


def listed(path, **keys):
    return image_files("fruit", FolderImages(kind="folder", path=str(path), shape=(5, 6, 1), **keys), seed=7)


def test_what_systems_leave_is_passed_over_and_counted(folder, capsys):
    (folder / "train/apple/Thumbs.db").write_bytes(b"x")
    (folder / "test/pear/desktop.ini").write_bytes(b"x")
    (folder / "__MACOSX").mkdir()
    assert len(load_folder(folder).train_labels) == 6
    assert f"{folder}: 3 files" in capsys.readouterr().err


@pytest.mark.parametrize(("train", "test"), [("Train", "Test"), ("training", "val"), ("TRAIN", "validation")])
def test_splits_go_by_other_names_too(folder, train, test):
    before = load_folder(folder)
    (folder / "train").rename(folder / train)
    (folder / "test").rename(folder / test)
    assert load_folder(folder).sha256 == before.sha256
    assert {name.partition("/")[0] for name in listed(folder)} == {train, test}


def test_a_folder_of_classes_alone_is_split_by_seed_within_each_class(tmp_path, capsys):
    for name, shade in (("apple", 0), ("pear", 100)):
        (tmp_path / "flat/train" / name).mkdir(parents=True)
        for number in range(10):
            picture(shade + number).save(tmp_path / "flat/train" / name / f"{number}.png")
    images = load_folder(tmp_path / "flat", test_fraction=0.3)
    assert "30%" in capsys.readouterr().err
    assert images.train_labels.tolist() == [0] * 7 + [1] * 7
    assert images.test_labels.tolist() == [0] * 3 + [1] * 3
    shades = [split[:, 2, 2, 0].tolist() for split in (images.train_images, images.test_images)]
    assert sorted(shades[0] + shades[1]) == [*range(10), *range(100, 110)]
    assert shades == [sorted(shades[0]), sorted(shades[1])]
    # The classes alone are the same set: the split is drawn for the set, not for its path.
    (tmp_path / "flat/train").rename(tmp_path / "bare")
    assert load_folder(tmp_path / "bare", test_fraction=0.3).sha256 == images.sha256
    (lone := tmp_path / "bare/plum").mkdir()
    picture(7).save(lone / "0.png")
    with pytest.raises(InputError, match="plum: one image cannot be split"):
        load_folder(tmp_path / "bare")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_within_a_class_is_refused_and_not_waited_for(folder):
    os.mkfifo(folder / "train/apple/9.png")
    (folder / "train/apple/8.png").symlink_to("nowhere.png")
    with pytest.raises(InputError, match=r"8\.png: a link to nothing.*9\.png: no file"):
        listed(folder)


def test_no_program_of_another_language_is_run_for_an_image(folder, monkeypatch):
    """Pillow would hand an EPS to Ghostscript, whatever its name."""
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("Ghostscript was called"))
    (folder / "train/apple/9.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 5\n%%EndComments\n0 0 moveto showpage\n%%EOF\n"
    )
    with pytest.raises(InputError, match=r"9\.png: not an image that can be read .*formats: PNG, JPEG"):
        load_folder(folder)


@pytest.mark.parametrize("counts", [{}, {"train": 4, "test": 2}, {"test": 5}])
def test_the_files_of_a_folder_that_are_watched_are_those_that_are_opened(folder, monkeypatch, counts):
    (folder / "train" / "README").write_text("beside the classes")
    (folder / "train" / "pear").rename(folder / "pears")
    (folder / "train" / "pear").symlink_to(folder / "pears")
    opened, real = [], Image.open
    monkeypatch.setattr(Image, "open", lambda path, **named: opened.append(Path(path)) or real(path, **named))
    load_folder(folder, **counts)
    files = listed(folder, **counts)
    assert list(files.values()) == opened
    assert [str(folder / name) for name in files] == list(map(str, opened))
    assert len(opened) == sum({"train": 6, "test": 6, **counts}.values())


def test_sets_that_are_not_a_users_and_a_missing_path_have_no_files(tmp_path):
    assert image_files("d", EmbeddedDigits(kind="digits"), 7) == {}
    assert listed(tmp_path / "away") == {}
    own = NpzImages(kind="npz", path=str(tmp_path / "own.npz"), shape=(5, 4, 3))
    assert image_files("own", own, 7) == {}
    (tmp_path / "own.npz").touch()
    assert image_files("own", own, 7) == {"own.npz": tmp_path / "own.npz"}


def test_images_that_change_while_they_are_read_are_refused_and_no_set_is_written(
    folder, tmp_path, monkeypatch, capsys
):
    config = FolderImages(kind="folder", path=str(folder), shape=(5, 6, 1))
    files = image_files("fruit", config, 7)
    known = renewed(files, {})
    write_manifest(tmp_path / "manifest.json", known)
    parameters = ImagesParameters(run_seed=7, name="fruit", images=config)
    planned = [str(tmp_path / "manifest.json"), content_digest(known)]
    output = tmp_path / "fruit.safetensors"
    assert run_job(parameters, {}, {"images": output}, planned=planned) == 0
    output.unlink()
    real = sources.read_folder

    def read_then_edit(*arguments):
        images = real(*arguments)
        picture(0).save(folder / "test" / "pear" / "1.png")
        return images

    monkeypatch.setattr(sources, "read_folder", read_then_edit)
    assert run_job(parameters, {}, {"images": output}, planned=planned) == 2
    assert f"{folder / 'test/pear/1.png'}: changed after" in capsys.readouterr().err
    assert not output.exists()


def add_text(folder):
    (folder / "train" / "apple" / "notes.txt").write_text("not an image")
    return "notes.txt: not an image"


def cut_image(folder):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)).save(folder / "noise.png")
    (folder / "train" / "pear" / "1.png").write_bytes((folder / "noise.png").read_bytes()[:2000])
    return r"1\.png: not an image.*truncated"


def nest_folder(folder):
    (folder / "train" / "pear" / "more").mkdir()
    return "more: a folder within a class"


def empty_class(folder):
    shutil.rmtree(folder / "test" / "pear")
    (folder / "test" / "pear").mkdir()
    return "test.pear: the class has no image"


def other_classes(folder):
    (folder / "test" / "pear").rename(folder / "test" / "plum")
    return r"same classes.*\['pear', 'plum'\]"


def no_training(folder):
    shutil.rmtree(folder / "train")
    return "no `train`"


def two_spellings(folder):
    shutil.copytree(folder / "train", folder / "Train")
    return "Train and train"


def one_class(folder):
    for split in ("train", "test"):
        shutil.rmtree(folder / split / "pear")
    return "two different names"


def sixteen_bits(folder):
    Image.fromarray(np.full((5, 6), 40_000, dtype=np.uint16)).save(folder / "train" / "apple" / "0.png")
    return r"0\.png: pixels are uint16"


def transparent(folder):
    Image.new("RGBA", (6, 5), (255, 255, 255, 0)).save(folder / "train" / "apple" / "0.png")
    return r"0\.png: .*transparent"


@pytest.mark.parametrize(
    "spoil",
    [
        add_text,
        cut_image,
        nest_folder,
        empty_class,
        other_classes,
        no_training,
        two_spellings,
        one_class,
        sixteen_bits,
        transparent,
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_by_name(folder, spoil):
    message = spoil(folder)
    with pytest.raises(InputError, match=message):
        load_folder(folder)


def test_all_bad_files_of_a_folder_are_refused_at_once(folder):
    spoiled = [sixteen_bits(folder), cut_image(folder), transparent_pear(folder)]
    with pytest.raises(InputError, match=r"^images\.fruit: 3 problems: \(1\) " + ".*".join(["", *spoiled])):
        load_folder(folder)
    for number in range(7):
        (folder / "train" / "apple" / f"note{number}.txt").write_text("not an image")
    with pytest.raises(InputError, match=r"10 problems: .* \(5\) \S+note3\.txt: .* and 5 more$"):
        load_folder(folder)


def transparent_pear(folder):
    Image.new("RGBA", (6, 5), (255, 255, 255, 0)).save(folder / "test" / "pear" / "2.png")
    return r"\(3\) .*test.pear.2\.png: .*transparent"


@pytest.mark.parametrize("limit", [20, 10])  # Pillow warns above the limit, and raises above twice as much
def test_a_decompression_bomb_is_refused(folder, monkeypatch, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    warnings.simplefilter("ignore")  # the refusal must not depend on how the user filters warnings
    with pytest.raises(InputError, match=rf"apple.0\.png: more pixels than is safe.* {limit} "):
        load_folder(folder)


def test_an_opaque_alpha_channel_is_no_harm(folder):
    Image.new("RGBA", (6, 5), (90, 90, 90, 255)).save(folder / "train" / "apple" / "0.png")
    assert (load_folder(folder).train_images[0] == 90).all()


ORIENTATION = 0x0112


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_as_its_exif_data_ask(folder, suffix, orientation):
    upright = np.zeros((48, 32), dtype=np.uint8)
    upright[:16, :8] = 255  # in one corner, longer than wide
    # How cameras store the upright image, by orientation (EXIF 2.3, 4.6.4 A): to be turned back.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    lossless = {"lossless": True} if suffix == "webp" else {"quality": 95} if suffix == "jpg" else {}
    file = folder / "train" / "apple" / f"0.{suffix}"
    Image.fromarray(np.stack([stored] * 3, axis=-1)).save(file, exif=exif, **lossless)
    if suffix != "png":
        (folder / "train" / "apple" / "0.png").unlink()
    section = FolderImages(kind="folder", path=str(folder), shape=(48, 32, 1))
    read = load_image_set("fruit", section, seed=7).train_images[0, ..., 0]
    assert np.abs(read.astype(int) - upright).max() <= (40 if suffix == "jpg" else 0)


def test_cropped_images_are_counted_in_the_log(folder, capsys):
    load_folder(folder)
    assert capsys.readouterr().err == ""
    picture(7, size=(60, 25)).save(folder / "train" / "apple" / "0.png")
    picture(8, size=(6, 10)).save(folder / "train" / "pear" / "2.png")
    load_folder(folder)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{folder / 'train'}: 2 of 6 images ")
    assert " 5x6 " in line
    assert " 50% " in line


def test_files_with_several_images_are_counted_in_the_log(folder, capsys):
    frames = [picture(shade) for shade in (40, 80, 120)]
    frames[0].save(folder / "test" / "apple" / "0.gif", save_all=True, append_images=frames[1:])
    frames[1].save(folder / "test" / "pear" / "9.tif", save_all=True, append_images=frames[2:])
    images = load_folder(folder)
    assert images.test_images[[0, -1], 0, 0, 0].tolist() == [40, 80]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{folder / 'test'}: of 2 files ")


def test_more_images_than_the_folder_holds_are_refused(folder):
    with pytest.raises(InputError, match=r"images\.fruit\.train is 7, but .*train holds 6"):
        load_folder(folder, train=7)


def test_an_own_set_must_state_its_shape(folder):
    with pytest.raises(InputError, match=r"images\.fruit: state `shape"):
        load_image_set("fruit", FolderImages(kind="folder", path=str(folder)), seed=0)


@pytest.fixture
def unlabelled(folder, tmp_path_factory):
    """Return a folder of the images of training alone, without classes, and a file of a system."""
    flat = tmp_path_factory.mktemp("photos")
    for number, file in enumerate(sorted((folder / "train").glob("*/*.png"))):
        shutil.copy(file, flat / f"{number}.png")
    (flat / "Thumbs.db").write_text("")
    return flat


def test_images_without_classes_are_read_where_labels_are_said_to_be_missing(unlabelled):
    with pytest.raises(InputError, match=r"holds no folders of classes; .*`labels: false` in images\.own"):
        load_image_set("own", FolderImages(kind="folder", path=str(unlabelled), shape=(5, 6, 1)), seed=0)
    section = FolderImages(kind="folder", path=str(unlabelled), shape=(5, 6, 1), labels=False)
    images = load_image_set("own", section, seed=0)
    count = len(list(unlabelled.glob("*.png")))
    assert len(images.train_images) + len(images.test_images) == count
    assert (images.classes, set(images.train_labels)) == (("unlabelled",), {0})
    assert len(image_files("own", section, 0)) == count


def test_errors_of_images_without_labels_speak_of_no_classes(unlabelled, tmp_path):
    (unlabelled / "more").mkdir()
    for path, words in (
        (unlabelled, rf"{unlabelled / 'more'}: a folder among images without labels"),
        (tmp_path, "split"),
    ):
        with pytest.raises(InputError, match=words):
            image_files("own", FolderImages(kind="folder", path=str(path), shape=(5, 6, 1), labels=False), 0)


def test_an_npz_without_labels_is_read_too(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 6), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", x_train=pixels, x_test=pixels[:2])
    section = NpzImages(kind="npz", path=str(tmp_path / "own.npz"), shape=(5, 6, 1), labels=False)
    images = load_image_set("own", section, seed=0)
    assert (images.classes, images.test_labels.tolist()) == (("unlabelled",), [0, 0])


def test_images_that_come_twice_are_counted_in_the_log_and_in_the_answer_about_splits(
    folder, smallest, tmp_path, capsys
):
    config = FolderImages(kind="folder", path=str(folder), shape=(5, 6, 1))

    def prepared():
        """Return what the job that reads the images says, and what the run's record says of its splits."""
        made, known = tmp_path / "fruit.safetensors", renewed(image_files("fruit", config, 7), {})
        write_manifest(tmp_path / "manifest.json", known)
        parameters = ImagesParameters(run_seed=7, name="fruit", images=config)
        planned = [str(tmp_path / "manifest.json"), content_digest(known)]
        assert run_job(parameters, {}, {"images": made}, planned=planned) == 0
        run = parse_config({**smallest, "images": {**smallest["images"], "fruit": config.model_dump()}})
        total = dict.fromkeys(("jobs", "cpu_hours", "wall_hours_of_all_jobs", "peak_gb_of_a_job"), 1.0)
        commit = {"commit": "a", "changed_files": 0}
        answers = checklist(run, {"fruit": image_set_facts(made)}, total, commit)
        return capsys.readouterr().err, answers["Data and splits"]

    assert [said for said in prepared() if "training images too" in said] == []
    shutil.copy(folder / "train/apple/0.png", folder / "test/apple/9.png")
    shutil.copy(folder / "train/apple/1.png", folder / "train/pear/9.png")
    for said in prepared():
        assert "1 of 7 test images are training images too" in said
        assert "images in more than one class: 1;" in said
    shutil.rmtree(folder / "test")
    (folder / "test").symlink_to("train")
    for said in prepared():
        assert "7 of 7 test images" in said


def test_repeats_of_images_whose_labels_a_control_shuffled_are_not_told(folder):
    shutil.copy(folder / "train/apple/0.png", folder / "test/apple/9.png")
    images = load_folder(folder)
    for control, told in ((None, True), ("labels shuffled", False)):
        config = FolderImages(kind="folder", path=str(folder), shape=(5, 6, 1), control=control)
        assert bool(repeats(images, config)) == told


def test_what_lies_beside_the_splits_and_classes_is_named_in_the_log(folder, capsys):
    (folder / "README.txt").write_text("notes")
    load_folder(folder)
    assert "not read" not in capsys.readouterr().err
    shutil.copytree(folder / "test", folder / "val")
    shutil.copy(folder / "train/apple/0.png", folder / "train/loose.PNG")
    shutil.copy(folder / "train/apple/0.png", folder / "cover.png")
    load_folder(folder)
    assert "not read: cover.png, train/loose.PNG, val" in capsys.readouterr().err


def test_no_image_without_labels_is_said_to_be_unread(unlabelled, capsys):
    shutil.copytree(unlabelled, unlabelled / "train")
    load_folder(unlabelled, labels=False)
    log = capsys.readouterr().err
    assert "train/" not in log
    assert "not read: " in log  # those beside `train`
