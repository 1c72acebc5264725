"""The sealed file explains itself to plain HDF5 and NeXus viewers."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from session_operations import STREAM, small_run

from labtrain.session import Column, Recording, Session


@pytest.fixture
def file(tmp_path):
    with Session.create(tmp_path / "run.h5", start={"seed": 4}, bench_file=b"\0seed = 4\r\n") as session:
        small_run(session)
        session.document("instruments/smu", {"idn": "KEITHLEY 2450", "options": [1]})
        session.note("contact looks worn")
    with h5py.File(tmp_path / "run.h5") as opened:
        yield opened


def test_nexus_defaults_lead_to_a_plot(file) -> None:
    place = file
    while "default" in place.attrs:
        place = place[place.attrs["default"]]
    assert place.name == f"/{STREAM}" and place.attrs["NX_class"] == "NXdata"
    signal, axis = place[place.attrs["signal"]], place[place.attrs["axes"][0]]
    assert signal.shape == axis.shape == (6,)
    assert axis.attrs["units"] == "V" and axis.attrs["long_name"] == "Voltage"


def test_the_root_says_what_the_file_is(file) -> None:
    root = file.attrs
    assert root["schema"] == "labtrain-session" and root["schema_version"] == "1.1" and root["complete"]
    assert (
        root["NX_class"] == "NXroot" and len(root["journal_digest"]) == 32 and len(root["session_uuid"]) == 36
    )
    assert root["messages"] == 12 and root["rows"] == 6


def test_plain_h5py_reads_bytes_messages_and_exchanges(file) -> None:
    assert file["session/config"][()].tobytes() == b"\0seed = 4\r\n"
    assert file["exchanges/neurons/0001_respond/inputs/amperes"].shape == (6, 2, 3)
    index, blob = file["instruments/transactions/index"], file["instruments/transactions/blob"][()].tobytes()
    start, length = index["command_start"][3], index["command_length"][3]
    assert blob[start : start + length] == b"READ? 1\n"
    assert file["instruments/smu"].attrs["idn"] == "KEITHLEY 2450"
    assert file["session/notes/text"].asstr()[0] == "contact looks worn"
    assert file["session/clock"].shape[1] == 2


def test_what_compresses_is_compressed_and_noise_is_not(tmp_path) -> None:
    counting = np.arange(100_000, dtype=np.int64)
    noise = counting.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    noise ^= noise >> np.uint64(29)
    noise *= np.uint64(0xBF58476D1CE4E5B9)
    with Session.create(tmp_path / "run.h5", start={}) as session:
        session.array("train/counting", counting)
        session.array("train/noise", noise)
    with h5py.File(tmp_path / "run.h5") as file:
        assert (
            file["train/counting"].compression == "gzip"
            and file["train/counting"].id.get_storage_size() < 2e5
        )
        assert file["train/noise"].compression is None
    with Recording.open(tmp_path / "run.h5") as recording:
        assert np.array_equal(recording.array("train/counting"), counting)
        assert np.array_equal(recording.array("train/noise"), noise)


def test_many_messages_and_rows_survive_blocks(tmp_path) -> None:
    count = 70_000
    with Session.create(tmp_path / "run.h5", start={}) as session:
        rows = session.stream("a/points", {"k": Column("int64"), "v": Column()}, {"signal": "v", "axes": "k"})
        for k in range(count):
            session.reply("smu", session.command("smu", b"?%d\n" % k, k), b"%d\n" % (3 * k), "ok", 2 * k)
            rows.append({"k": k, "v": 0.5 * k})
    with Recording.open(tmp_path / "run.h5") as recording:
        found = recording.transactions()
        assert found.commands() == [b"?%d\n" % k for k in range(count)]
        assert found.replies() == [b"%d\n" % (3 * k) for k in range(count)]
        assert np.array_equal(found.dt_ns, np.arange(count))
        assert np.array_equal(recording.rows("a/points").columns["v"], 0.5 * np.arange(count))


def test_a_long_text_is_a_dataset_not_an_attribute(tmp_path) -> None:
    long = "x" * 100_000
    with Session.create(tmp_path / "run.h5", start={"note": long}) as session:
        session.document("instruments/smu", {"idn": long})
        session.stream("a/b", {"v": Column()}, {"remark": long})
    with Recording.open(tmp_path / "run.h5") as recording:
        assert recording.start["note"] == long and recording.document("instruments/smu")["idn"] == long
        assert recording.rows("a/b").attributes["remark"] == long
