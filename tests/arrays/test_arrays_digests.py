"""Digests of a directly simulated array's calls: a re-run agrees, and one flipped bit is found and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtrain.arrays.fused import Circuit, Difference, Tally
from labtrain.arrays.recorded_bitstreams import RecordedBitstreamSource
from labtrain.arrays.recorded_neurons import DigestedNeuronArray
from labtrain.arrays.recorded_switches import RecordedSwitchArray
from labtrain.arrays.recorded_synapses import RecordedSynapseArray
from labtrain.arrays.replayed_roles import ReplayedNeuronArray
from labtrain.arrays.simulated_bitstreams import SimulatedBitstreamSource
from labtrain.arrays.simulated_neurons import SimulatedNeuronArray
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.arrays.simulated_synapses import SimulatedSynapseArray
from labtrain.errors import DataError, ReplayMismatch
from labtrain.populations import draw
from labtrain.session import NullSink, Recording, Replay, Session, Sink

N, CALLS = 4, 6
Flip = Callable[[int, np.ndarray], np.ndarray]


def stimulus(call: int, scale: float) -> np.ndarray:
    return scale * (1.0 + 0.1 * np.sin(np.arange(3 * N) + call)).reshape(3, N)


def neurons(sink: Sink, flip: Flip, seed: int = 1) -> None:
    array = DigestedNeuronArray(SimulatedNeuronArray(draw("mtj-neuron-pair", seed, N)), sink)
    view = array.select([2, 0])
    for call in range(CALLS // 2):
        array.respond_pair(flip(2 * call, stimulus(call, 1e-5)), stimulus(call, 1e-5))
        view.respond(flip(2 * call + 1, stimulus(call, 2e-5)[:, :2]))


def fused(sink: Sink, flip: Flip, seed: int = 1) -> None:
    array = DigestedNeuronArray(SimulatedNeuronArray(draw("mtj-neuron-pair", seed, N)), sink)
    ones = np.ones(N)
    layer = array.fuse(
        Circuit(1e-5 * ones, 1e-6, 0.05 * ones, 0.01 * ones, 1e-6, 4e-5, Difference(1e-6, same_device=True))
    )
    assert layer is not None
    for call in range(CALLS):
        assert layer.read(flip(call, stimulus(call, 1.0).astype(np.float32)), call % 2 == 0, Tally.of(N))


def switches(sink: Sink, flip: Flip, seed: int = 1) -> None:
    array = RecordedSwitchArray(SimulatedSwitchArray(draw("sot-mtj", seed, N)), sink, digests=True)
    for call in range(CALLS):
        array.attempt(flip(call, stimulus(call, 0.9)), 0.75e-9)


def synapses(sink: Sink, flip: Flip, seed: int = 1) -> None:
    plain = SimulatedSynapseArray(draw("memristor", seed, 3 * N), (3, N))
    array = RecordedSynapseArray(plain, sink, digests=True)
    for call in range(CALLS // 2):
        array.program(flip(2 * call, stimulus(call, 1e-6)), np.ones((3, N), dtype=bool))
        array.multiply(flip(2 * call + 1, stimulus(call, 0.1)[:, :3]))


def bits(sink: Sink, flip: Flip, seed: int = 1) -> None:
    array = RecordedBitstreamSource(SimulatedBitstreamSource(draw("s-mtj", seed, N)), sink, digests=True)
    for call in range(CALLS):
        array.sample(flip(call, stimulus(call, 0.01)[0]), 64, 1e-3)


def as_it_is(call: int, value: np.ndarray) -> np.ndarray:
    return value


def one_bit_flipped(wanted: int, bit: int) -> Flip:
    def flip(call: int, value: np.ndarray) -> np.ndarray:
        if call != wanted:
            return value
        raw = bytearray(value.tobytes())
        raw[0] ^= 1 << bit  # of the first number's least significant byte: far below any resolution
        return np.frombuffer(bytes(raw), value.dtype).reshape(value.shape)

    return flip


ROLES = [neurons, fused, switches, synapses, bits]


@pytest.fixture(scope="module", params=ROLES)
def recorded(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    path = tmp_path_factory.mktemp("digests") / "run.h5"
    with Session.create(path, start={}) as session:
        request.param(session, as_it_is)
    return request.param, path


def test_a_re_run_agrees(recorded: tuple[Any, Path]) -> None:
    run, path = recorded
    with Recording.open(path) as recording:
        replay = Replay(recording)
        run(replay.sink, as_it_is)
        report = replay.finish()
    assert report.identical and report.exchanges == CALLS + 1  # one describes the array


@settings(max_examples=6)
@given(wanted=st.integers(0, CALLS - 1), bit=st.integers(0, 7))
def test_one_flipped_bit_of_a_question_is_found_and_named(
    recorded: tuple[Any, Path], wanted: int, bit: int
) -> None:
    run, path = recorded
    with Recording.open(path) as recording:
        replay = Replay(recording)
        with pytest.raises(ReplayMismatch, match="digest"):
            run(replay.sink, one_bit_flipped(wanted, bit))
        first = replay.finish().first_mismatch
    assert first is not None
    assert (first["what"], first["index"]) == ("exchange", wanted + 1)
    assert str(first["part"]).startswith("inputs 'digest'")


def test_another_chip_is_found_before_it_is_asked(recorded: tuple[Any, Path]) -> None:
    run, path = recorded
    with Recording.open(path) as recording, pytest.raises(ReplayMismatch, match="seed"):
        run(Replay(recording).sink, as_it_is, seed=2)


def test_devices_that_answer_otherwise_are_told_from_other_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Session.create(tmp_path / "a.h5", start={}) as session:
        switches(session, as_it_is)
    plain = SimulatedSwitchArray.attempt

    def changed(self: SimulatedSwitchArray, volts: Any, seconds: float) -> Any:
        outcome = plain(self, volts, seconds)
        outcome.flags[-1, -1] ^= 1
        return outcome

    monkeypatch.setattr(SimulatedSwitchArray, "attempt", changed)
    with Recording.open(tmp_path / "a.h5") as recording:
        with pytest.raises(ReplayMismatch, match="exchange 1 of .*outputs 'digest'"):
            switches(Replay(recording).sink, as_it_is)


def test_digests_answer_no_replayed_array(recorded: tuple[Any, Path]) -> None:
    run, path = recorded
    with Recording.open(path) as recording:
        name = recording.exchange_names()[0]
        with pytest.raises(DataError, match="record=full"):
            ReplayedNeuronArray(recording, name)


def test_a_tolerance_leaves_digests_out(recorded: tuple[Any, Path]) -> None:
    run, path = recorded
    with Recording.open(path) as recording:
        replay = Replay(recording, tolerance=1e-9)
        run(replay.sink, one_bit_flipped(2, 0))
        assert replay.finish().identical


def test_noting_changes_no_answer() -> None:
    plain = SimulatedNeuronArray(draw("mtj-neuron-pair", 1, N))
    noted = DigestedNeuronArray(SimulatedNeuronArray(draw("mtj-neuron-pair", 1, N)), NullSink())
    amperes = stimulus(0, 1e-5)
    assert plain.respond(amperes).volts.tobytes() == noted.respond(amperes).volts.tobytes()
    assert plain.derivative(amperes).tobytes() == noted.derivative(amperes).tobytes()
    assert plain.state_dict() == noted.state_dict()
