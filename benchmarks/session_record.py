"""What recording costs: messages, rows and arrays against h5py and bare writes; sealing; replay; live lag.

Both sides of a ratio are interleaved. Messages, rows and arrays are compared by CPU time (writes end in the
system's cache), sealing by wall time (both sides wait for the disk); single figures are CPU time.

Run ``python benchmarks/session_record.py`` for the table; ``--publish`` writes it to RESULTS.md.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import torch
from classifier_steps import adam, step_of
from harness import Ratio, paired, publish, ratio_table, seconds

from labtrain.arrays.digests import DigestRecorder
from labtrain.session import Column, Recording, Replay, Session, Tail
from labtrain.training import Context, mnist_afd
from labtrain.training.afd.device_training import DeviceTraining
from labtrain.training.determinism import deterministic

COMMAND, REPLY = b":SOUR:VOLT 0.12345;:READ?\n", b"+1.234567E-05\n"
COLUMNS = {"volts": Column("float64", "V"), "amperes": Column("float64", "A"), "point": Column("int64")}
ROW = {"volts": 0.1, "amperes": 1e-5, "point": 3}
MESSAGES = 200_000
ROWS_FOLLOWED = 1000


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
                clock=time.process_time,
            ),
            paired("one row", lambda: stream.append(ROW), h5py_append, calls=500, clock=time.process_time),
        ]


def arrays() -> list[Ratio]:
    found = []
    sizes = ((2**10, 2000, "<= 2"), (2**13, 1000, "<= 2"), (2**16, 200, "<= 2"), (2**22, 8, "<= 1.3"))
    for size, calls, goal in sizes:
        with a_session() as session:
            bare = os.open(session.path.with_name("bare"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
            value, head = np.sqrt(np.arange(size // 8, dtype=np.float64)), bytes(40)
            work = partial(session.array, "train/w", value)
            peer = partial(os.writev, bare, [head, value.data])
            name = f"one array of {size // 1024} kB"
            clock = time.process_time
            found.append(paired(name, work, peer, calls=calls, pairs=15, goal=goal, clock=clock))
            os.close(bare)
    return found


def loop_share() -> list[str]:
    """The share of a 1 kHz loop that 4 messages, a row and an array of 1000 values take."""
    with a_session() as session:
        stream, value = session.stream("a/points", COLUMNS, {}), np.zeros(1000)

        def step() -> None:
            for _ in range(4):
                session.command("smu", COMMAND, 5)
            stream.append(ROW)
            session.array("train/x", value)

        return [
            figure("share of a 1 kHz loop", f"{cpu_seconds(step, calls=50, repeats=21) / 1e-3:.2%}", "<= 3 %")
        ]


def sealing_and_replay() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        session = Session.create(Path(folder) / "run.h5", start={})
        for k in range(MESSAGES):
            session.reply("smu", session.command("smu", COMMAND, k), REPLY, "ok", k + 1)
        took = _took(session.seal)
        sealed = f"sealing {MESSAGES:,} messages with their replies, records"
        lines = [figure(sealed, f"{2 * MESSAGES / took:,.0f} /s", ">= 300,000 /s")]
        with Recording.open(session.path) as recording:
            load = cpu_seconds(lambda: Replay(recording), calls=1, repeats=5) / MESSAGES
            answer = cpu_seconds(lambda: _play(Replay(recording)), calls=1, repeats=5) / MESSAGES - load
        lines.append(figure("replay loads, a message with its reply", seconds(load), "<= 2 us"))
        rate = f"{1 / answer:,.0f} /s"
        return [*lines, figure("replay compares and answers, queries", rate, ">= 500,000 /s")]


def figure(name: str, found: str, goal: str = "") -> str:
    """Return a line of the table of single figures."""
    return f"| {name} | {found} | {goal} |"


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


def many_arrays(count: int = 1500) -> list[str]:
    """Sealing what checkpoints leave: many small arrays, a dataset each."""
    with tempfile.TemporaryDirectory() as folder:
        session = Session.create(Path(folder) / "run.h5", start={})
        for k in range(count):
            session.array(f"train/x/checkpoints/{k // 20}/{k}.weight", np.arange(100.0) * k)
        took = _took(session.seal)
    return [figure(f"sealing {count:,} arrays of 0.8 kB, each", seconds(took / count))]


def live_lag() -> list[str]:
    """How long after it was noted a row reaches a reader that follows the session."""
    lags: list[int] = []
    with a_session() as session, Tail(session.path) as tail:
        stream = session.stream("a/points", {"noted_ns": Column("int64", "ns")}, {})

        def write() -> None:
            for _ in range(ROWS_FOLLOWED):
                stream.append({"noted_ns": time.perf_counter_ns()})
                time.sleep(1e-3)

        writer = threading.Thread(target=write)
        writer.start()
        for record in tail.follow():
            if record.kind == "row":
                lags.append(time.perf_counter_ns() - record.content["noted_ns"])
            if len(lags) == ROWS_FOLLOWED:
                break
        writer.join()
    middle, late = (seconds(float(np.quantile(lags, q)) * 1e-9) for q in (0.5, 0.95))
    return [
        figure("live lag of a row, p50", middle, "<= 5 ms"),
        figure("live lag of a row, p95", late),
    ]


def digests_of_a_step() -> Ratio:
    """A step of ``mnist-afd`` (four layers of 256, 128 images) with the digests of its calls, and without."""
    with a_session() as session, deterministic():
        context = Context(settings=mnist_afd.RECIPE.read_settings({}), sink=session)
        training = DeviceTraining.prepare(context, "mnist-afd", (784, 256, 256, 256, 256, 10), torch.float32)
        network = training.build(0)
        step = step_of(network, adam(network.parameters()), 128)

        def unnoted() -> None:
            noted, DigestRecorder.note = DigestRecorder.note, lambda *call: None
            step()
            DigestRecorder.note = noted

        name = "a training step with digests"
        return paired(name, step, unnoted, calls=3, pairs=25, clock=time.process_time)


def _took(work: Callable[[], object]) -> float:
    """CPU seconds of one piece of work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def cpu_seconds(work: Callable[[], object], *, calls: int, repeats: int = 11) -> float:
    """Median CPU seconds of one call."""
    return statistics.median(_took(lambda: [work() for _ in range(calls)]) / calls for _ in range(repeats))


def message_cost() -> list[str]:
    with a_session() as session:
        bare = os.open(session.path.with_name("bare"), os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        cost = cpu_seconds(lambda: session.command("smu", COMMAND, 5), calls=5000)
        write = cpu_seconds(partial(os.write, bare, bytes(40) + COMMAND), calls=5000)
        os.close(bare)
    return [
        figure("one message", seconds(cost), "<= 3 us"),
        figure("a bare `os.write` of its bytes", seconds(write)),
    ]


def main() -> None:
    rows, blocks, sealed = messages_and_rows(), arrays(), block_sealing()
    lines = ratio_table(rows, "h5py row append") + [""] + ratio_table(blocks, "bare writev") + [""]
    lines += ratio_table([sealed], "h5py blocks") + [""]
    lines += ratio_table([digests_of_a_step()], "without digests") + [
        "",
        "| what | found | goal |",
        "|---|---|---|",
        *message_cost(),
        *loop_share(),
        *live_lag(),
        *many_arrays(),
        *sealing_and_replay(),
        "",
        "A record costs some 2 us over its write (header 0.3 us, checksum 0.15 us, lock, joining, counting),",
        "an array 1.5 us more (checks 0.4 us, copy 0.4 us, clock 0.2 us), whatever their size: interpreted",
        "steps. A closure in place of the object and one joining less saved nothing that shows. Small arrays",
        "show it. Sealing writes large arrays once and reads them three times (journal, file, comparison),",
        "where h5py writes them once and believes it.",
    ]
    print("\n".join(lines))
    if "--publish" in sys.argv:
        publish("Session record", "python benchmarks/session_record.py --publish", lines)


if __name__ == "__main__":
    main()
