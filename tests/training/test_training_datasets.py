"""IDX files: read, refused, looked for in the stated order; MNIST splits."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtrain.errors import DataError
from labtrain.training import Context
from labtrain.training.datasets import FILES, load_images, read_idx
from labtrain.training.image_run import split_images
from labtrain.training.mnist_afd import RECIPE


def idx(array: np.ndarray) -> bytes:
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def place(folder: Path, train: int = 120, test: int = 30, side: int = 4, compressed: bool = True) -> Path:
    """A small data set whose classes differ by where the image is bright."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("test", test)):
        labels = (np.arange(count) % 3).astype(np.uint8)
        images = np.zeros((count, side, side), dtype=np.uint8)
        images[np.arange(count), labels] = 200 + np.arange(count)[:, None] % 50
        for kind, array in (("images", images), ("labels", labels)):
            name, content = FILES[f"{part}_{kind}"], idx(array)
            path = folder / (name + ".gz" * compressed)
            path.write_bytes(gzip.compress(content) if compressed else content)
    return folder


@given(st.lists(st.integers(0, 6), min_size=1, max_size=4), st.booleans())
def test_idx_round_trips(tmp_path_factory, shape, compressed):
    array = np.arange(np.prod(shape, dtype=int)).astype(np.uint8).reshape(shape)
    path = tmp_path_factory.mktemp("idx") / ("file.gz" if compressed else "file")
    path.write_bytes(gzip.compress(idx(array)) if compressed else idx(array))
    assert np.array_equal(read_idx(path), array)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("short", b"\0\0\x08", "is no IDX file"),
        ("float", b"\0\0\x0d\x01" + struct.pack(">I", 1) + b"abcd", "unsigned bytes"),
        ("header", b"\0\0\x08\x03\0\0", "within its header"),
        ("cut", idx(np.zeros((3, 2), np.uint8))[:-1], "5 bytes of data where its header"),
        ("long", idx(np.zeros((3, 2), np.uint8)) + b"\0", "7 bytes"),
        ("bad.gz", b"this is not gzip", "cannot be read"),
        ("cut.gz", gzip.compress(idx(np.zeros(99, np.uint8)), mtime=0)[:-9], "cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_that_are_not_what_they_say_are_refused_by_name(tmp_path, name, content, what):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=what) as refusal:
        read_idx(tmp_path / name)
    assert refusal.value.file == str(tmp_path / name)


def test_the_stated_order_of_places(tmp_path, monkeypatch):
    named = place(tmp_path / "named" / "mnist", train=60, compressed=False)
    monkeypatch.setenv("LABTRAIN_DATA", str(place(tmp_path / "environment", train=90)))
    assert len(load_images(named.parent).train_labels) == 60
    assert len(load_images(tmp_path / "nowhere").train_labels) == 90
    monkeypatch.delenv("LABTRAIN_DATA")
    with pytest.raises(DataError, match="nowhere") as refusal:
        load_images(tmp_path / "nowhere", name="no-such-set")
    assert "train-images-idx3-ubyte" in refusal.value.remedy


def test_images_and_labels_must_match(tmp_path):
    folder = place(tmp_path, compressed=False)
    (folder / FILES["train_labels"]).write_bytes(idx(np.zeros(5, np.uint8)))
    with pytest.raises(DataError, match="do not match"):
        load_images(folder)


def test_the_test_set_takes_no_part_in_validation_and_the_held_out_images_none_in_training(tmp_path):
    images = load_images(place(tmp_path))
    split, last = split_images(images, "validation", seed=1)
    assert (len(split.train_y), len(split.validation_y)) == (100, 20)
    assert last[0] is split.validation_x
    test_split, test_last = split_images(images, "test", seed=1)
    assert (len(test_split.train_y), len(test_split.validation_y), len(test_last[1])) == (120, 0, 30)


@pytest.mark.parametrize("split", ["test", "validation"])
def test_a_small_image_set_trains_on_a_deep_device_network(tmp_path, split):
    settings = {"hidden": "6x5", "epochs": 8, "batch_size": 20, "learning_rate": 0.02, "split": split}
    result = RECIPE.run(Context(data_dir=place(tmp_path), settings=settings, seed=2))
    assert result["split"] == split
    assert result["accuracy"] == result["baseline_accuracy"] == 100.0
    assert len(result["neurons"]) == 11


def test_the_real_mnist_is_read(data_dir):
    images = load_images(data_dir)
    assert images.train_images.shape == (60_000, 28, 28)
    assert np.bincount(images.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
