import gzip
import hashlib
import pickle
import shutil
import tarfile

import numpy as np
import pytest
import scipy.io
import yaml
from torchvision import datasets

from cnn_topology.cli import main
from cnn_topology.data import originals
from cnn_topology.data.sources import load_image_set
from cnn_topology.errors import InputError
from cnn_topology.plan.images import TorchvisionImages
from cnn_topology.storage import downloads


def load(kind, folder, download=False, **keys):
    config = TorchvisionImages(kind=kind, folder=str(folder), download=download, **keys)
    return load_image_set("set", config, seed=0)


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def pixels(*shape):
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return header + array.tobytes()


@pytest.fixture
def mnist(tmp_path, monkeypatch):
    """Tiny files in MNIST's format and place, packed, with their checksums in the place of the real ones."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    packed, extracted = [], {}
    for stem, count in (("train", 20), ("t10k", 10)):
        parts = {"images-idx3": pixels(count, 28, 28), "labels-idx1": np.arange(count, dtype=np.uint8) % 10}
        for part, array in parts.items():
            name = f"{stem}-{part}-ubyte"
            (raw / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
            packed.append((f"{name}.gz", md5(raw / f"{name}.gz")))
            extracted[f"MNIST/raw/{name}"] = hashlib.md5(idx(array)).hexdigest()
    monkeypatch.setattr(datasets.MNIST, "resources", packed)
    monkeypatch.setattr(originals, "MNIST_EXTRACTED", extracted)
    return tmp_path


@pytest.fixture
def svhn(tmp_path, monkeypatch):
    split_list = {}
    for split, labels in (("train", [10, 1, 2, 9]), ("test", [3, 10])):
        path = tmp_path / f"{split}_32x32.mat"
        scipy.io.savemat(path, {"X": pixels(32, 32, 3, len(labels)), "y": np.array(labels, dtype=np.uint8)[:, None]})
        split_list[split] = ["http://localhost:9/", path.name, md5(path)]
    monkeypatch.setattr(datasets.SVHN, "split_list", split_list)
    return tmp_path


@pytest.fixture
def cifar10(tmp_path, monkeypatch):
    """Tiny batches in CIFAR-10's format, packed; the unpacked files are removed."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    batches = {name: {"data": pixels(2 + n, 3072)[:2], "labels": [n, 9 - n]} for n, name in enumerate(["a", "b", "t"])}
    batches["meta"] = {"label_names": [f"class {n}" for n in range(10)]}
    for name, content in batches.items():
        (folder / name).write_bytes(pickle.dumps(content))
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [[name, md5(folder / name)] for name in ("a", "b")])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [["t", md5(folder / "t")]])
    meta = {"filename": "meta", "key": "label_names", "md5": md5(folder / "meta")}
    monkeypatch.setattr(datasets.CIFAR10, "meta", meta)
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as tar:
        tar.add(folder, arcname=folder.name)
    shutil.rmtree(folder)
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", md5(tmp_path / "cifar-10-python.tar.gz"))
    return tmp_path


def unpack_mnist(folder):
    for packed in (folder / "MNIST" / "raw").glob("*.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()


def test_mnist_is_read_from_its_archives_and_leaves_the_folder_alone(mnist):
    before = sorted(mnist.rglob("*"))
    images = load("mnist", mnist)
    np.testing.assert_array_equal(images.train_images[..., 0], pixels(20, 28, 28))
    np.testing.assert_array_equal(images.test_images[..., 0], pixels(10, 28, 28))
    assert images.train_labels.tolist() == [*range(10)] * 2
    assert sorted(mnist.rglob("*")) == before


def test_mnist_extracted_is_mnist_packed(mnist):
    packed = load("mnist", mnist)
    unpack_mnist(mnist)
    assert load("mnist", mnist).sha256 == packed.sha256


@pytest.mark.parametrize("extracted", [False, True])
@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b""])
def test_a_damaged_mnist_file_is_named_with_its_checksum(mnist, extracted, damage):
    expected = originals.MNIST_EXTRACTED["MNIST/raw/t10k-images-idx3-ubyte"]
    path = mnist / "MNIST" / "raw" / "t10k-images-idx3-ubyte.gz"
    if extracted:
        unpack_mnist(mnist)
        path = path.with_suffix("")
    else:
        expected = dict(datasets.MNIST.resources)[path.name]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(
        InputError, match=rf"t10k-images-idx3-ubyte.*cut short or altered.* expected {expected}"
    ) as error:
        load("mnist", mnist)
    assert str(path) in str(error.value)


def test_svhn_labels_the_digit_zero_with_zero(svhn):
    images = load("svhn", svhn)
    np.testing.assert_array_equal(images.train_images, pixels(32, 32, 3, 4).transpose(3, 0, 1, 2))
    assert images.train_labels.tolist() == [0, 1, 2, 9]
    assert images.test_labels.tolist() == [3, 0]


def test_svhn_can_be_read_as_gray_in_the_shape_of_mnist(svhn):
    images = load("svhn", svhn, shape=(28, 28, 1), train=2)
    assert images.train_images.shape == (2, 28, 28, 1)


def test_cifar10_is_read_from_its_archive(cifar10):
    images = load("cifar10", cifar10)
    rows = np.concatenate([pixels(2, 3072), pixels(3, 3072)[:2]])
    np.testing.assert_array_equal(images.train_images, rows.reshape(4, 3, 32, 32).transpose(0, 2, 3, 1))
    assert images.train_labels.tolist() == [0, 9, 1, 8]
    assert images.test_labels.tolist() == [2, 7]
    assert images.classes[3] == "class 3"


def test_a_damaged_cifar10_batch_is_named_with_its_checksum(cifar10):
    originals._extract(cifar10 / "cifar-10-python.tar.gz", cifar10)
    path = cifar10 / "cifar-10-batches-py" / "b"
    expected = md5(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=f"{path}: .*expected {expected}"):
        load("cifar10", cifar10)


@pytest.mark.parametrize(("kind", "file"), [("svhn", "test_32x32.mat"), ("cifar10", "cifar-10-python.tar.gz")])
def test_a_damaged_archive_is_named_with_its_checksum(request, kind, file):
    path = request.getfixturevalue(kind) / file
    expected = md5(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=f"{path}: .*expected {expected}"):
        load(kind, path.parent)


@pytest.mark.parametrize("kind", ["mnist", "svhn", "cifar10"])
def test_a_set_that_is_not_there_says_which_files_go_where(tmp_path, kind):
    with pytest.raises(InputError, match=r"images\.set.*`download` is false.*Put the original files there:") as error:
        load(kind, tmp_path / "data")
    first = {
        "mnist": "MNIST/raw/train-images-idx3-ubyte.gz (MD5 f68b3c2dcbeaaa9fbdd348bbdeb94873)",
        "svhn": "train_32x32.mat (MD5 e26dedcc434d2e4c54c9b2d4a06d8373)",
        "cifar10": "cifar-10-python.tar.gz (MD5 c58f30108f718f92721af3b95e74349a)",
    }[kind]
    assert f"{tmp_path}/data/{first}" in str(error.value)


def test_only_the_files_that_are_missing_are_asked_for(mnist):
    (mnist / "MNIST" / "raw" / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(InputError) as error:
        load("mnist", mnist)
    assert str(error.value).count("MD5") == 1


def packed(kind, folder):
    """Return the folder whose files a server would offer."""
    return folder / "MNIST" / "raw" if kind == "mnist" else folder


def download_from(address, monkeypatch):
    """Let torchvision download from another address; it goes the same way as to the real one."""
    monkeypatch.setattr(datasets.MNIST, "mirrors", [f"{address}/"])
    monkeypatch.setattr(datasets.CIFAR10, "url", f"{address}/{datasets.CIFAR10.filename}")
    split_list = {split: [f"{address}/{name}", name, md5] for split, (_, name, md5) in datasets.SVHN.split_list.items()}
    monkeypatch.setattr(datasets.SVHN, "split_list", split_list)


@pytest.mark.parametrize("kind", ["mnist", "svhn", "cifar10"])
def test_without_a_network_the_error_says_where_to_put_the_files(tmp_path, monkeypatch, kind):
    download_from("http://127.0.0.1:9", monkeypatch)  # the discard port: the connection is refused
    with pytest.raises(InputError, match=r"cannot be downloaded\n.*refused(.|\n)*Put the original files there:"):
        load(kind, tmp_path / "data", download=True)
    assert [path for path in (tmp_path / "data").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("kind", ["mnist", "svhn", "cifar10"])
def test_a_download_puts_the_archives_in_place(request, monkeypatch, tmp_path_factory, serving, kind):
    original = request.getfixturevalue(kind)
    archives = packed(kind, original)
    folder = tmp_path_factory.mktemp("elsewhere")
    with serving(archives) as address:
        download_from(address, monkeypatch)
        downloaded = load(kind, folder, download=True)
    assert downloaded.sha256 == load(kind, original).sha256 == load(kind, folder).sha256
    files, expected = (
        {path.relative_to(top): path.read_bytes() for path in top.rglob("*") if path.is_file()}
        for top in (folder, original)
    )
    assert files == expected


def test_fetch_brings_what_a_run_would_download(mnist, tiny, monkeypatch, tmp_path, serving, capsys):
    tiny["images"]["mnist"] = {"kind": "mnist", "folder": str(tmp_path / "data")}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(tiny))
    command = ["fetch", "--configfile", str(tmp_path / "run.yaml")]
    download_from("http://127.0.0.1:9", monkeypatch)
    assert main(command) == 2
    assert "cnn-topology fetch" in capsys.readouterr().err
    with serving(packed("mnist", mnist)) as address:
        download_from(address, monkeypatch)
        assert main(command) == 0
    assert "images.mnist: mnist is in" in capsys.readouterr().out
    assert load("mnist", tmp_path / "data").sha256 == load("mnist", mnist).sha256


def test_a_job_on_a_cluster_downloads_nothing_and_names_the_command_that_does(mnist, monkeypatch, tmp_path, serving):
    folder = tmp_path / "elsewhere"
    with serving(packed("mnist", mnist)) as address:
        download_from(address, monkeypatch)
        monkeypatch.setenv(downloads.ON_NODE, "1")
        with pytest.raises(InputError, match="cnn-topology fetch") as refused:
            load("mnist", folder, download=True)
        assert str(folder) in str(refused.value)
        assert not folder.exists()
        # A run inside one allocation, and a person in one, may.
        monkeypatch.delenv(downloads.ON_NODE)
        monkeypatch.setenv("SLURM_JOB_ID", "7")
        load("mnist", folder, download=True)


def test_fetch_says_where_nothing_is_to_be_downloaded(tiny, tmp_path, capsys):
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(tiny))
    assert main(["fetch", "--configfile", str(tmp_path / "run.yaml")]) == 0
    assert "downloads nothing" in capsys.readouterr().out


def test_a_download_of_something_else_is_refused(mnist, monkeypatch, tmp_path_factory, serving):
    server, folder = tmp_path_factory.mktemp("server"), tmp_path_factory.mktemp("elsewhere")
    for name, _ in datasets.MNIST.resources:
        (server / name).write_text("<html>")
    with serving(server) as address:
        download_from(address, monkeypatch)
        with pytest.raises(InputError, match=r"cannot be downloaded\n.*gives another file: its MD5 is"):
            load("mnist", folder, download=True)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_the_second_mirror_serves_where_the_first_does_not(mnist, monkeypatch, tmp_path_factory, serving):
    asked, urlopen = [], downloads.urlopen
    monkeypatch.setattr(downloads, "urlopen", lambda *a, **k: (asked.append(a[0].full_url), urlopen(*a, **k))[1])
    with serving(packed("mnist", mnist)) as address:
        mirrors = ["http://127.0.0.1:9/", f"{address}/"]
        monkeypatch.setattr(datasets.MNIST, "mirrors", mirrors)
        assert load("mnist", tmp_path_factory.mktemp("elsewhere"), download=True).sha256 == load("mnist", mnist).sha256
    assert asked == [f"{mirror}{name}" for name, _ in datasets.MNIST.resources for mirror in mirrors]


@pytest.mark.parametrize("kind", ["mnist", "svhn", "cifar10"])
def test_a_download_that_broke_off_goes_on_with_the_files_that_are_missing(
    request, monkeypatch, tmp_path_factory, serving, kind
):
    original, folder = request.getfixturevalue(kind), tmp_path_factory.mktemp("elsewhere")
    archives = packed(kind, original)
    whole = load(kind, original).sha256
    last = {"mnist": "t10k-labels-idx1-ubyte.gz", "svhn": "test_32x32.mat", "cifar10": "cifar-10-python.tar.gz"}[kind]
    with serving(archives, broken=last) as address:
        download_from(address, monkeypatch)
        with pytest.raises(InputError, match=rf"{last}: the connection ended after [\d,]+ of [\d,]+ bytes") as error:
            load(kind, folder, download=True)
    assert str(error.value).count("MD5") == 1
    assert last not in {path.name for path in folder.rglob("*")}
    # The user puts the last file there by hand and goes on without a network.
    place = next((path.parent for path in folder.rglob("*") if path.is_file()), folder)
    shutil.copy(archives / last, place)
    assert load(kind, folder).sha256 == whole


def test_a_truncated_archive_is_downloaded_anew_once_it_is_deleted(mnist, monkeypatch, tmp_path_factory, serving):
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(mnist / "MNIST", folder / "MNIST")
    path = folder / "MNIST" / "raw" / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1])
    with serving(packed("mnist", mnist)) as address:
        download_from(address, monkeypatch)
        with pytest.raises(InputError, match=f"{path}: .*cut short.*delete it and start again"):
            load("mnist", folder, download=True)
        path.unlink()
        assert load("mnist", folder, download=True).sha256 == load("mnist", mnist).sha256
