"""Data sets from mirrors, here a server on this machine: accepted by checksum only, kept, else told why."""

from __future__ import annotations

import gzip
import hashlib
import socket
import tarfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_training_datasets import idx, place

from labtrain.errors import DataError
from labtrain.training.datasets import FILES, in_unit_range, load_cifar10, load_images
from labtrain.training.datasets import places as looked_in
from labtrain.training.datasets.cifar import read_records
from labtrain.training.datasets.fetching import SOURCES, Source


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


class Mirror:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self.server.asked = self.asked = []
        self.address = f"http://127.0.0.1:{self.server.server_port}/"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    (tmp_path / "mirror").mkdir()
    serving = Mirror(tmp_path / "mirror")
    yield serving
    serving.close()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("LABTRAIN_DATA", raising=False)
    monkeypatch.setattr(looked_in, "user_cache_path", lambda app: tmp_path / "cache" / app)
    return tmp_path / "cache" / "labtrain"


def source(folder: Path, *mirrors: str, members: tuple[str, ...] = ()) -> Source:
    """All files of a folder, with their checksums."""
    sums = {file.name: "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    return Source(mirrors, sums, members)


def test_what_is_nowhere_is_fetched_once(mirror, cache, monkeypatch):
    monkeypatch.setitem(SOURCES, "mnist", source(place(mirror.folder), mirror.address))
    first = load_images(None)
    assert sorted(mirror.asked) == sorted(f"/{file}.gz" for file in FILES.values())
    again = load_images(None)
    assert len(mirror.asked) == 4
    assert np.array_equal(first.train_images, again.train_images)
    assert sorted(path.name for path in (cache / "mnist").iterdir()) == sorted(
        f"{file}.gz" for file in FILES.values()
    )


def test_what_is_here_is_not_fetched(mirror, cache, tmp_path, monkeypatch):
    monkeypatch.setitem(SOURCES, "mnist", source(place(mirror.folder), mirror.address))
    assert len(load_images(place(tmp_path / "own", train=60)).train_labels) == 60
    assert mirror.asked == []


def test_another_checksum_is_refused_and_the_next_mirror_asked(mirror, cache, tmp_path, monkeypatch):
    sound = place(mirror.folder)
    registry = source(sound, mirror.address)
    spoilt = Mirror(place(tmp_path / "spoilt"))
    for file in spoilt.folder.iterdir():
        file.write_bytes(file.read_bytes() + b"!")
    monkeypatch.setitem(SOURCES, "mnist", Source((spoilt.address,), registry.files))
    with pytest.raises(DataError, match="another checksum"):
        load_images(None)
    assert not list((cache / "mnist").iterdir())
    monkeypatch.setitem(SOURCES, "mnist", Source((spoilt.address, mirror.address), registry.files))
    assert len(load_images(None).train_labels) == 120
    spoilt.close()


def test_where_no_mirror_answers_the_message_says_how_to_place_the_files(mirror, cache, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    registry = source(place(mirror.folder), nobody)
    (mirror.folder / f"{FILES['test_labels']}.gz").unlink()
    monkeypatch.setitem(SOURCES, "fashion-mnist", Source((nobody, mirror.address), registry.files))
    with pytest.raises(DataError) as refusal:
        load_images(None, "fashion-mnist")
    assert f"{nobody} cannot be reached" in refusal.value.message
    assert "404" in refusal.value.message
    assert str(cache / "fashion-mnist") in refusal.value.remedy
    assert all(file in refusal.value.remedy for file in FILES.values())


def test_names_shared_with_mnist_are_not_taken_for_another_set(cache, tmp_path, monkeypatch):
    monkeypatch.delitem(SOURCES, "fashion-mnist")
    monkeypatch.setenv("LABTRAIN_DATA", str(place(tmp_path / "all", train=60)))
    assert len(load_images(None, "mnist").train_labels) == 60
    with pytest.raises(DataError, match="fashion-mnist is not in"):
        load_images(None, "fashion-mnist")
    place(tmp_path / "all" / "fashion-mnist", train=90)
    assert len(load_images(None, "fashion-mnist").train_labels) == 90


def records(labels: list[int], seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (len(labels), 3072)).astype(np.uint8)
    return np.concatenate([np.array(labels, np.uint8)[:, None], pixels], axis=1).tobytes()


def batches(folder: Path, *numbers: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"data_batch_{number}.bin").write_bytes(records([number % 10, 1], number))
    (folder / "test_batch.bin").write_bytes(records([1], 99))
    return folder


def test_the_official_archive_is_unpacked_beside_itself(mirror, cache, tmp_path, monkeypatch):
    batches(tmp_path / "made" / "cifar-10-batches-bin", 1, 2, 3)
    with tarfile.open(mirror.folder / "cifar-10-binary.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "made" / "cifar-10-batches-bin", "cifar-10-batches-bin")
    members = tuple(f"cifar-10-batches-bin/data_batch_{number}.bin" for number in (1, 2, 3))
    registry = source(
        mirror.folder, mirror.address, members=(*members, "cifar-10-batches-bin/test_batch.bin")
    )
    monkeypatch.setitem(SOURCES, "cifar10", registry)
    assert load_cifar10(None).train_labels.tolist() == [1, 1, 2, 1, 3, 1]
    (cache / "cifar10" / "cifar-10-binary.tar.gz").unlink()
    assert len(load_cifar10(None).train_labels) == 6
    assert len(mirror.asked) == 1


@pytest.mark.parametrize("under", ["", "cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin"])
def test_batches_are_taken_in_the_order_of_their_numbers(cache, tmp_path, under):
    batches(tmp_path / "data" / under, 10, 2, 1)
    images = load_cifar10(tmp_path / "data")
    assert images.train_labels.tolist() == [1, 1, 2, 1, 0, 1]
    assert (images.train_images.shape, images.test_images.shape) == ((6, 3, 32, 32), (1, 3, 32, 32))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), st.integers(0, 1000))
def test_records_round_trip(tmp_path_factory, labels, seed):
    path = tmp_path_factory.mktemp("cifar") / "data_batch_1.bin"
    path.write_bytes(records(labels, seed))
    pictures, read = read_records(path)
    together = np.concatenate([read[:, None], pictures.reshape(len(read), -1)], axis=1)
    assert together.tobytes() == path.read_bytes()
    tensor = in_unit_range(pictures)
    assert str(tensor.dtype) == "torch.float32"
    assert tensor.shape == (len(labels), 3, 32, 32)
    assert np.array_equal(np.rint(tensor.numpy() * 255), pictures)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "0 bytes"),
        (records([1, 2])[:-1], "not a multiple"),
        (records([1, 10]), "holds the label 10"),
    ],
    ids=["empty", "cut", "label"],
)
def test_other_files_are_refused_by_name(cache, tmp_path, content, what):
    batches(tmp_path, 1)
    (tmp_path / "data_batch_1.bin").write_bytes(content)
    with pytest.raises(DataError, match=what) as refusal:
        load_cifar10(tmp_path)
    assert refusal.value.file == str(tmp_path / "data_batch_1.bin")


def test_the_slice_of_the_real_cifar10_is_read(data_dir):
    images = load_cifar10(data_dir / "cifar10-slice")
    assert np.bincount(images.train_labels).tolist() == [1000] * 10
    assert np.bincount(images.test_labels).tolist() == [200] * 10


@pytest.mark.parametrize(
    ("train", "test", "what"),
    [
        ((4, 5), (4, 4), "differ in size"),
        ((0, 4), (0, 4), "hold no pixel"),
        ((16,), (16,), "have the shape"),
    ],
)
def test_pictures_that_no_network_could_read_are_refused(cache, tmp_path, train, test, what):
    for part, shape in (("train", train), ("test", test)):
        (tmp_path / FILES[f"{part}_images"]).write_bytes(idx(np.zeros((3, *shape), np.uint8)))
        (tmp_path / FILES[f"{part}_labels"]).write_bytes(idx(np.arange(3, dtype=np.uint8)))
    with pytest.raises(DataError, match=what):
        load_images(tmp_path)


def test_a_test_label_never_seen_in_training_is_refused(cache, tmp_path):
    place(tmp_path, compressed=True)
    labels = idx(np.full(30, 7, np.uint8))
    (tmp_path / f"{FILES['test_labels']}.gz").write_bytes(gzip.compress(labels))
    with pytest.raises(DataError, match="test labels 7 do not occur"):
        load_images(tmp_path)
