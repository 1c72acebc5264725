"""Files of every schema so far are read, replayed and migrated; newer ones are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import pytest
from session_operations import STREAM, small_run

from labtrain.errors import DataError, UsageError
from labtrain.session import Recording, Replay, migrate
from labtrain.session.file_seal import add_seal, drop_seal
from labtrain.session.migration import PRESENT, STEPS

GOLDEN = sorted((Path(__file__).parent / "golden").glob("schema-*.h5"))


def checked(path: Path) -> None:
    """The golden run, read from a file of any schema."""
    with Recording.open(path) as recording:
        assert recording.start == {"command": "golden", "seed": 7} and recording.bench_file == b"seed = 1\n"
        assert recording.status == "complete" and recording.notes == ["the golden file of this schema"]
        assert recording.interrupted_after is None and recording.ended_by is None
        assert recording.rows(STREAM).units["volts"] == "V"
        assert recording.clock_pairs.shape[1] == recording.bench_clock_pairs.shape[1] == 2
        replay = Replay(recording)
        small_run(replay.sink)
        assert replay.finish().identical


def test_there_is_a_golden_file_of_every_version() -> None:
    versions = [path.stem.removeprefix("schema-") for path in GOLDEN]
    assert versions == sorted([*STEPS, PRESENT])


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_golden_file_is_read_and_replayed(path: Path) -> None:
    checked(path)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_migrating_gives_a_new_file_of_the_present_schema(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    out = migrate(path, tmp_path / "new.h5")
    assert path.read_bytes() == before
    checked(out)
    with Recording.open(path) as old, Recording.open(out) as new, h5py.File(out) as file:
        assert new.schema_version == PRESENT and new.journal_digest == old.journal_digest
        assert {"status", "interrupted_after", "error"} <= set(new.stop)
        assert "session/bench_clock" in file
    with pytest.raises(UsageError, match="exists"):
        migrate(path, out)


def test_a_newer_major_schema_is_refused(tmp_path: Path) -> None:
    path = shutil.copyfile(GOLDEN[-1], tmp_path / "newer.h5")
    drop_seal(path)
    with h5py.File(path, "r+") as file:
        file.attrs.update(schema_version="2.0", min_reader=2)
    add_seal(path)
    for use in (Recording.open, lambda path: migrate(path, tmp_path / "out.h5")):
        with pytest.raises(DataError, match="needs a reader of version 2.*update labtrain"):
            use(path)
    assert not (tmp_path / "out.h5").exists()
