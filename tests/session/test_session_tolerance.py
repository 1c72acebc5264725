"""With a tolerance a re-run may deviate by a share of what stands beside; counts and words may not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtrain.errors import ReplayMismatch, UsageError
from labtrain.session import Column, Recording, Replay, Session
from labtrain.session.nearness import Nearness

COLUMNS = {"k": Column("int64"), "volts": Column(unit="V"), "digest": Column("str")}
SHARES = st.floats(1e-9, 0.5)


def run(sink, share: float = 0.0, count: int = 3, word: bytes = b":SOUR:VOLT", digest: str = "a") -> None:
    """A run whose numbers are all off by ``share`` of the largest beside them."""
    off = 0.2 * share
    seq = sink.command("smu", word + b" %.17g\n" % (0.2 + off), 0)
    sink.reply("smu", seq, b"", "ok", 0)
    rows = sink.stream("runs/x/points", COLUMNS, {})
    rows.append({"k": count, "volts": 0.2, "digest": "same"})
    rows.append({"k": count, "volts": 1e-9 + off, "digest": digest})
    sink.exchange("neurons", "respond", {"a": np.array([0.2, off])}, {"flags": np.uint8([1])})
    sink.array("train/w", np.array([np.nan, 0.2 - off, -np.inf]))
    sink.document("analysis/x", {"v50": 0.2 + off, "n": count, "curve": [0.2, 0.1 + off], "digest": digest})


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("near") / "run.h5"
    with Session.create(path, start={}) as session:
        run(session)
    with Recording.open(path) as opened:
        yield opened


@given(share=SHARES)
def test_a_deviation_within_the_tolerance_is_accepted_and_reported(recording, share: float) -> None:
    replay = Replay(recording, tolerance=share * 1.001 + 1e-15)
    run(replay.sink, share, digest="b")
    report = replay.finish()
    assert report.identical and report.deviation == pytest.approx(share, rel=1e-3, abs=1e-14)
    assert report.deviation_at


@given(share=SHARES)
def test_a_deviation_beyond_it_is_a_mismatch(recording, share: float) -> None:
    replay = Replay(recording, tolerance=share * 0.99)
    with pytest.raises(ReplayMismatch):
        run(replay.sink, share)


@pytest.mark.parametrize("change", [{"count": 4}, {"word": b":SOUR:CURR"}])
def test_counts_and_words_are_compared_whatever_the_tolerance(recording, change) -> None:
    with pytest.raises(ReplayMismatch):
        run(Replay(recording, tolerance=1.0).sink, **change)


def test_without_a_tolerance_every_bit_and_every_digest_counts(recording) -> None:
    for change in ({"share": 1e-12}, {"digest": "b"}):
        with pytest.raises(ReplayMismatch):
            run(Replay(recording).sink, **change)
    replay = Replay(recording)
    run(replay.sink)
    assert replay.finish().identical and replay.finish().deviation == 0.0


def test_whole_numbers_in_messages_are_counts() -> None:
    near = Nearness(0.5)
    assert near.messages(b"TRAC:DATA? 1,60\n", b"TRAC:DATA? 1,60\n", "")
    assert not near.messages(b"TRAC:DATA? 1,60\n", b"TRAC:DATA? 1,61\n", "")
    assert near.messages(b"LIST 1.0,2e-3\n", b"LIST 1.1,2.5e-3\n", "")


@pytest.mark.parametrize("tolerance", [-1e-9, 1.1, float("nan")])
def test_a_tolerance_is_a_share(recording, tolerance) -> None:
    with pytest.raises(UsageError, match="share from 0 to 1"):
        Replay(recording, tolerance=tolerance)
