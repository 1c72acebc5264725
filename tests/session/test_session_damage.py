"""Files cut, flipped, foreign or too new are refused, with what and where; journals give a clean prefix."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import h5py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from session_operations import STREAM, small_run

from labtrain.errors import DataError, RecordError, UsageError
from labtrain.session import Recording, Session, recover
from labtrain.session.file_seal import add_seal, drop_seal

FLIPS, CUTS, FULL = 60, 30, 500


@pytest.fixture(scope="module")
def sealed(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sealed") / "run.h5"
    with Session.create(path, start={"seed": 1}, bench_file=b"seed = 1\n") as session:
        small_run(session)
    return path


@pytest.fixture(scope="module")
def journal(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("dead") / "run.h5"
    session = Session.create(path, start={"seed": 1})
    small_run(session)
    session._journal.close()
    return session.journal_path.read_bytes()


def _flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _refused(data: bytes, folder: Path) -> DataError:
    path = folder / "changed.h5"
    path.write_bytes(data)
    with pytest.raises(DataError) as refusal:
        Recording.open(path)
    assert str(path) in str(refusal.value) and refusal.value.remedy
    return refusal.value


@settings(max_examples=FLIPS)
@given(data=st.data())
def test_any_flipped_bit_of_a_sealed_file_is_found(data, sealed, tmp_path_factory) -> None:
    whole = sealed.read_bytes()
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    _refused(_flip(whole, bit), tmp_path_factory.getbasetemp())


@settings(max_examples=CUTS)
@given(data=st.data())
def test_any_cut_of_a_sealed_file_is_found(data, sealed, tmp_path_factory) -> None:
    whole = sealed.read_bytes()
    _refused(whole[: data.draw(st.integers(0, len(whole) - 1))], tmp_path_factory.getbasetemp())


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("what", ["flip", "cut"])
def test_five_hundred_changes_of_a_sealed_file_are_all_found(what, sealed, tmp_path) -> None:
    """Evenly over the file, every bit of the seal's last bytes included."""
    whole = sealed.read_bytes()
    places = {round(k * (8 * len(whole) - 1) / (FULL - 1)) for k in range(FULL)}
    for bit in places:
        _refused(_flip(whole, bit) if what == "flip" else whole[: bit // 8], tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("what", ["flip", "cut"])
def test_five_hundred_changes_of_a_journal_leave_a_clean_prefix(what, journal, tmp_path_factory) -> None:
    for k in range(FULL):
        bit = round(k * (8 * len(journal) - 1) / (FULL - 1))
        folder = tmp_path_factory.mktemp(what)
        (folder / "run.h5.journal").write_bytes(
            _flip(journal, bit) if what == "flip" else journal[: bit // 8]
        )
        _recovered_or_refused(folder, bit // 8, journal)


def test_a_flip_is_placed(sealed, tmp_path) -> None:
    whole = sealed.read_bytes()
    assert "between byte 0 and byte" in _refused(_flip(whole, 8 * 5000), tmp_path).message


def _check_prefix(path: Path, kept_bytes: int, whole: bytes) -> None:
    found = recover(path)
    with Recording.open(path) as recording:
        assert not recording.complete and recording.recovered
        rows = recording.rows(STREAM).columns["counts"] if recording.stream_names() else []
        assert list(rows) == list(range(len(rows)))
        replies = [r for r in recording.transactions().replies() if r]
        assert replies == [b"+1.0E-0%d\n" % i for i in range(len(replies))]
        assert recording.records == found.records
    damaged = path.with_name("run.h5.journal.damaged")
    assert damaged.exists() == (recording.dropped_bytes > 0)


@settings(max_examples=FLIPS // 2)
@given(data=st.data())
def test_a_flipped_journal_gives_its_clean_prefix(data, journal, tmp_path_factory) -> None:
    bit = data.draw(st.integers(0, 8 * len(journal) - 1))
    folder = tmp_path_factory.mktemp("flipped")
    (folder / "run.h5.journal").write_bytes(_flip(journal, bit))
    _recovered_or_refused(folder, bit // 8, journal)


@settings(max_examples=CUTS)
@given(data=st.data())
def test_a_cut_journal_gives_its_clean_prefix(data, journal, tmp_path_factory) -> None:
    kept = data.draw(st.integers(0, len(journal) - 1))
    folder = tmp_path_factory.mktemp("cut")
    (folder / "run.h5.journal").write_bytes(journal[:kept])
    _recovered_or_refused(folder, kept, journal)


def _recovered_or_refused(folder: Path, place: int, journal: bytes) -> None:
    start_record_ends = 24 + 40 + int.from_bytes(journal[32:36], "little")
    if place < start_record_ends:
        with pytest.raises(DataError):
            recover(folder / "run.h5")
        assert (folder / "run.h5.journal").exists()
    else:
        _check_prefix(folder / "run.h5", place, journal)


def test_bytes_behind_the_prefix_are_kept(journal, tmp_path) -> None:
    (tmp_path / "run.h5.journal").write_bytes(_flip(journal, 8 * (len(journal) - 300)))
    recover(tmp_path / "run.h5")
    assert len((tmp_path / "run.h5.journal.damaged").read_bytes()) == len(journal)


def test_a_lone_journal_is_named_with_its_remedy(journal, tmp_path) -> None:
    (tmp_path / "run.h5.journal").write_bytes(journal)
    with pytest.raises(DataError, match="labtrain session recover"):
        Recording.open(tmp_path / "run.h5")
    with pytest.raises(UsageError, match="labtrain session recover"):
        Session.create(tmp_path / "run.h5", start={}, force=True)
    assert recover(tmp_path / "run.h5.journal").path == tmp_path / "run.h5"


def test_a_session_still_written_is_named_as_such(tmp_path) -> None:
    with Session.create(tmp_path / "run.h5", start={}):
        with pytest.raises(DataError, match="still being written"):
            Recording.open(tmp_path / "run.h5")
        with pytest.raises(UsageError, match="another program"):
            Session.create(tmp_path / "run.h5", start={})


def test_foreign_files_are_refused(tmp_path) -> None:
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = [1, 2, 3]
    (tmp_path / "text.h5").write_text("not HDF5 at all, but long enough to hold a footer; " * 3)
    for name in ("foreign.h5", "text.h5", "missing.h5"):
        for verify in (True, False):
            with pytest.raises(DataError):
                Recording.open(tmp_path / name, verify=verify)


def _changed(sealed: Path, path: Path, **attributes) -> Path:
    shutil.copy(sealed, path)
    drop_seal(path)
    with h5py.File(path, "r+") as file:
        file.attrs.update(attributes)
    add_seal(path)
    return path


def test_a_newer_schema_is_refused(sealed, tmp_path) -> None:
    path = _changed(sealed, tmp_path / "newer.h5", min_reader=2, schema_version="2.0")
    with pytest.raises(DataError, match="version 2.0.*update labtrain"):
        Recording.open(path)


def test_a_change_by_another_program_is_found(sealed, tmp_path) -> None:
    path = shutil.copy(sealed, tmp_path / "edited.h5")
    with h5py.File(path, "r+") as file:
        file[f"{STREAM}/volts"][0] = 9.9
    with pytest.raises(DataError, match="changed"):
        Recording.open(path)
    with Recording.open(path, verify=False) as recording:
        assert recording.rows(STREAM).columns["volts"][0] == 9.9


def test_a_leftover_draft_is_no_hindrance(journal, tmp_path) -> None:
    (tmp_path / "run.h5.journal").write_bytes(journal)
    (tmp_path / "run.h5.sealing").write_bytes(b"half a file")
    recover(tmp_path / "run.h5")
    assert os.listdir(tmp_path) == ["run.h5"]


def test_another_sessions_file_is_not_overwritten(sealed, journal, tmp_path) -> None:
    shutil.copy(sealed, tmp_path / "run.h5")
    (tmp_path / "run.h5.journal").write_bytes(journal)
    with pytest.raises(DataError, match="another session"):
        recover(tmp_path / "run.h5")


def test_a_failed_sealing_keeps_the_journal(journal, tmp_path, monkeypatch) -> None:
    (tmp_path / "run.h5.journal").write_bytes(journal)
    (tmp_path / "run.h5.sealing").mkdir()  # the draft cannot be written
    with pytest.raises(RecordError, match="journal is kept"):
        recover(tmp_path / "run.h5")
    (tmp_path / "run.h5.sealing").rmdir()
    assert recover(tmp_path / "run.h5").records > 20
