"""What recording costs: messages, rows and arrays against h5py and bare writes; sealing; replay.

Run ``python benchmarks/session_record.py`` for the table; ``--publish`` writes it to RESULTS.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import h5py
import numpy as np
from harness import Ratio, median_seconds, paired, publish, ratio_table, seconds

from labtrain.session import Column, Recording, Replay, Session

COMMAND, REPLY = b":SOUR:VOLT 0.12345;:READ?\n", b"+1.234567E-05\n"
COLUMNS = {"volts": Column("float64", "V"), "amperes": Column("float64", "A"), "point": Column("int64")}
ROW = {"volts": 0.1, "amperes": 1e-5, "point": 3}
MESSAGES = 200_000


@contextmanager
def a_session() -> Iterator[Session]:
    with tempfile.TemporaryDirectory() as folder:
        session = Session.create(Path(folder) / "run.h5", start={})
        yield session
        session._journal.close()


def messages_and_rows() -> list[Ratio]:
    with a_session() as session, h5py.File(session.path.with_name("peer.h5"), "w") as file:
        stream = session.stream("a/points", COLUMNS, {})
        peer = file.create_dataset("rows", (0,), maxshape=(None,), chunks=(4096,), dtype="f8,f8,i8")
        row = np.array([(0.1, 1e-5, 3)], dtype=peer.dtype)

        def h5py_append() -> None:
            peer.resize(len(peer) + 1, axis=0)
            peer[-1] = row[0]

        return [
            paired(
                "one message record",
                lambda: session.command("smu", COMMAND, 5),
                h5py_append,
                calls=500,
                goal="<= 1/40",
            ),
            paired("one row", lambda: stream.append(ROW), h5py_append, calls=500),
        ]


def arrays() -> list[Ratio]:
    found = []
    for size, calls, goal in ((2**10, 200, "<= 2"), (2**16, 100, "<= 2"), (2**22, 4, "<= 1.3")):
        with a_session() as session:
            bare = os.open(session.path.with_name("bare"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
            value, head = np.sqrt(np.arange(size // 8, dtype=np.float64)), bytes(40)
            work = partial(session.array, "train/w", value)
            peer = partial(os.writev, bare, [head, value.data])
            name = f"one array of {size // 1024} kB"
            found.append(paired(name, work, peer, calls=calls, pairs=15, goal=goal))
            os.close(bare)
    return found


def loop_share() -> str:
    """The share of a 1 kHz loop that 4 messages, a row and an array of 1000 values take."""
    with a_session() as session:
        stream, value = session.stream("a/points", COLUMNS, {}), np.zeros(1000)

        def step() -> None:
            for _ in range(4):
                session.command("smu", COMMAND, 5)
            stream.append(ROW)
            session.array("train/x", value)

        return f"{median_seconds(step, repeats=51, calls=20) / 1e-3:.2%} (goal <= 3 %)"


def sealing_and_replay() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        session = Session.create(Path(folder) / "run.h5", start={})
        for k in range(MESSAGES):
            session.reply("smu", session.command("smu", COMMAND, k), REPLY, "ok", k + 1)
        took = _took(session.seal)
        rates = f"{MESSAGES / took:,.0f} pairs/s, {2 * MESSAGES / took:,.0f} records/s (goal >= 300,000)"
        lines = [f"- sealing {MESSAGES:,} messages with their replies: {rates}"]
        with Recording.open(session.path) as recording:
            load = median_seconds(lambda: Replay(recording), repeats=5) / MESSAGES
            answer = _took(lambda: _play(Replay(recording))) / MESSAGES - load
        lines.append(f"- replay loads: {seconds(load)} a message with its reply (goal <= 2 us)")
        rate = f"{1 / answer:,.0f} queries/s (goals <= 5 us, >= 500,000)"
        lines.append(f"- replay compares and answers: {seconds(answer)} a query, {rate}")
        return lines


def _play(replay: Replay) -> None:
    sink, link = replay.sink, replay.link("smu")
    for k in range(MESSAGES):
        seq = sink.command("smu", COMMAND, k)
        link.send(COMMAND)
        sink.reply("smu", seq, link.receive(), "ok", k)


def block_sealing() -> Ratio:
    """Sealing large arrays against h5py writing the same blocks at once, both synchronised to the disk."""
    blocks = [np.sqrt(np.arange(2**19, dtype=np.float64) + k) for k in range(8)]
    numbers = iter(range(1000))

    def ours() -> None:
        sessions.pop().seal()

    def theirs() -> None:
        path = Path(folder) / f"peer{next(numbers)}.h5"
        with h5py.File(path, "w") as file:
            for k, block in enumerate(blocks):
                file[f"{k}"] = block
        with path.open("rb") as file:
            os.fsync(file.fileno())

    with tempfile.TemporaryDirectory() as folder:
        sessions = []
        for n in range(8):
            session = Session.create(Path(folder) / f"run{n}.h5", start={})
            for k, block in enumerate(blocks):
                session.array(f"train/{k}", block)
            session.barrier()
            sessions.append(session)
        return paired("sealing 32 MB of arrays", ours, theirs, pairs=7, goal="<= 2")


def _took(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    rows, blocks, sealed = messages_and_rows(), arrays(), block_sealing()
    lines = ratio_table(rows, "h5py row append") + [""] + ratio_table(blocks, "bare writev") + [""]
    lines += ratio_table([sealed], "h5py blocks") + [
        "",
        f"- share of a 1 kHz loop: {loop_share()}",
        *sealing_and_replay(),
    ]
    print("\n".join(lines))
    if "--publish" in sys.argv:
        publish("Session record", "python benchmarks/session_record.py --publish", lines)


if __name__ == "__main__":
    main()
