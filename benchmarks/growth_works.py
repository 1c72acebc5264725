"""The works whose cost :mod:`growth` follows: each is made for a size, and counts its items."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from classifier_steps import adam, step_of
from training_step import device_network

from labtrain.arrays.simulated_bitstreams import SimulatedBitstreamSource
from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.arrays.simulated_synapses import SimulatedSynapseArray
from labtrain.populations import draw
from labtrain.session import Column, Recording, Replay, Session

Work = Callable[[], object]
COMMAND, REPLY = b":SOUR:VOLT 0.12345;:READ?\n", b"+1.234567E-05\n"
COLUMNS = {"volts": Column("float64", "V"), "amperes": Column("float64", "A"), "point": Column("int64")}
BATCH, DEVICES, SIDE = 4, 256, 64
MEGABYTE = 2**20
FOLDER = tempfile.TemporaryDirectory(prefix="labtrain_growth_")


@dataclass(frozen=True)
class Series:
    """A work for ever larger sizes; ``items`` of one size are what "each" refers to.

    ``once``: it cannot be done again, or takes so long that once will do.
    """

    name: str
    sizes: tuple[int, ...]
    made: Callable[[int], Work]
    items: int = 1
    once: bool = False


def tens(first: int, last: int) -> tuple[int, ...]:
    return tuple(10**k for k in range(first, last + 1))


def fours(last: int) -> tuple[int, ...]:
    return tuple(4**k for k in range(last + 1))


def neurons(devices: int, batch: int) -> Work:
    array = SimulatedNeuronArray(draw("mtj-neuron-pair", 1, devices))
    amperes = np.full((batch, devices), 25e-6)
    return lambda: array.respond(amperes)


def switches(devices: int, batch: int) -> Work:
    array = SimulatedSwitchArray(draw("sot-mtj", 1, devices))
    volts = np.full((batch, devices), 0.63)
    return lambda: array.attempt(volts, 3e-9)


def bits(devices: int, count: int) -> Work:
    array, volts = SimulatedBitstreamSource(draw("s-mtj", 1, devices)), np.zeros(devices)
    return lambda: array.sample(volts, count, 1e-6)


def synapses(cells: int) -> SimulatedSynapseArray:
    root = math.isqrt(cells)
    rows = root if root**2 == cells else math.isqrt(10 * cells)  # 10, 1000 ...: ten times as high as wide
    return SimulatedSynapseArray(draw("memristor", 1, cells), (rows, cells // rows))


def products(cells: int, batch: int) -> Work:
    array = synapses(cells)
    volts = np.full((batch, array.shape[0]), 0.1)
    return lambda: array.multiply(volts)


def writes(cells: int) -> Work:
    array = synapses(cells)
    delta, mask = np.full(array.shape, 1e-6), np.ones(array.shape, bool)
    return lambda: array.program(delta, mask)


def step(batch: int) -> Work:
    network = device_network((128, 128, 128), "compiled")
    return step_of(network, adam(network.parameters()), batch)


def new_session() -> Session:
    return Session.create(Path(tempfile.mkdtemp(dir=FOLDER.name)) / "run.h5", start={})


def note_messages(session: Session, count: int) -> None:
    for k in range(count):
        session.reply("smu", session.command("smu", COMMAND, k), REPLY, "ok", k + 1)


def note_rows(session: Session, count: int) -> None:
    stream = session.stream("a/points", COLUMNS, {})
    for k in range(count):
        stream.append({"volts": 0.1, "amperes": 1e-5, "point": k})


def note_calls(session: Session, count: int) -> None:
    amperes, volts = np.full((1, 8), 25e-6), np.full((1, 8), 0.05)
    for _ in range(count):
        session.exchange("neurons", "respond", {"amperes": amperes}, {"volts": volts})


def note_small_arrays(session: Session, count: int) -> None:
    for k in range(count):
        session.array(f"train/x/{k // 20}/{k}", np.arange(100.0) * k)


def note_megabytes(session: Session, count: int) -> None:
    block = np.sqrt(np.arange(MEGABYTE // 8, dtype=np.float64))
    for k in range(count):
        session.array("train/w", block + k)


Noted = Callable[[Session, int], None]


def recorded(note: Noted) -> Callable[[int], Work]:
    """The work of noting; the journal is left behind."""

    def made(count: int) -> Work:
        session = new_session()
        return lambda: note(session, count)

    return made


def sealed(note: Noted) -> Callable[[int], Work]:
    """The work of sealing."""

    def made(count: int) -> Work:
        session = new_session()
        note(session, count)
        return session.seal

    return made


def kept(note: Noted, count: int) -> Path:
    """Return a sealed session, made at the first asking."""
    path = Path(FOLDER.name) / f"{note.__name__}_{count}.h5"
    if not path.exists():
        session = Session.create(path, start={})
        note(session, count)
        session.seal()
    return path


def opened(note: Noted, look: Callable[[Recording], object]) -> Callable[[int], Work]:
    """The work of opening a sealed session, every byte of it checked, and of looking at something."""

    def made(count: int) -> Work:
        path = kept(note, count)

        def work() -> None:
            with Recording.open(path) as recording:
                look(recording)

        return work

    return made


def loaded(count: int) -> Work:
    recording = Recording.open(kept(note_messages, count))
    return lambda: Replay(recording)


def answered(count: int) -> Work:
    replay = Replay(Recording.open(kept(note_messages, count)))
    sink, link = replay.sink, replay.link("smu")

    def work() -> None:
        for k in range(count):
            seq = sink.command("smu", COMMAND, k)
            link.send(COMMAND)
            sink.reply("smu", seq, link.receive(), "ok", k)

    return work


def every_call(recording: Recording) -> None:
    for call in recording.exchanges("neurons"):
        _ = call.inputs


GROWTH = {
    "devices": (
        Series("neurons drawn", tens(1, 6), lambda n: lambda: draw("mtj-neuron-pair", 1, n)),
        Series("neurons: a reading", tens(1, 6), lambda n: neurons(n, BATCH), BATCH),
        Series("switches: an attempt", tens(1, 6), lambda n: switches(n, BATCH), BATCH),
        Series("bit sources: a bit", tens(1, 6), lambda n: bits(n, 64), 64),
        Series("synapses: a write", tens(1, 6), writes),
        Series("synapses: a reading in a product", tens(1, 6), lambda n: products(n, BATCH), BATCH),
    ),
    "batch": (
        Series(f"{DEVICES} neurons: a reading", fours(6), lambda b: neurons(DEVICES, b), DEVICES),
        Series(f"{DEVICES} switches: an attempt", fours(6), lambda b: switches(DEVICES, b), DEVICES),
        Series(
            f"{DEVICES} bit sources: a bit, 8 a step", fours(6), lambda b: bits(DEVICES, 8 * b), 8 * DEVICES
        ),
        Series(f"{SIDE} x {SIDE} synapses: a reading", fours(6), lambda b: products(SIDE**2, b), SIDE**2),
        Series("784-128-128-128-10 in training: an image", fours(6), step),
    ),
    "items of a record": (
        Series("a message with its reply noted", tens(3, 6), recorded(note_messages), once=True),
        Series("a message with its reply sealed", tens(3, 6), sealed(note_messages), once=True),
        Series("a message with its reply loaded by a replay", tens(3, 6), loaded),
        Series("a message with its reply replayed", tens(3, 6), answered, once=True),
        Series("a row noted", tens(3, 6), recorded(note_rows), once=True),
        Series("a row sealed", tens(3, 6), sealed(note_rows), once=True),
        Series("a row read", tens(3, 6), opened(note_rows, lambda file: file.rows("a/points"))),
        Series("a call of 8 neurons noted", tens(2, 5), recorded(note_calls), once=True),
        Series("a call of 8 neurons sealed", tens(2, 5), sealed(note_calls), once=True),
        Series("a call of 8 neurons read", tens(2, 5), opened(note_calls, every_call)),
        Series("an array of 0.8 kB sealed", tens(1, 4), sealed(note_small_arrays), once=True),
        Series("an array of 0.8 kB in a session opened", tens(1, 4), opened(note_small_arrays, lambda _: 0)),
    ),
    "MB of a session": (
        Series("a MB noted", tens(0, 3), recorded(note_megabytes), once=True),
        Series("a MB sealed", tens(0, 3), sealed(note_megabytes), once=True),
        Series("a MB opened and checked", tens(0, 3), opened(note_megabytes, lambda _: 0)),
    ),
}
