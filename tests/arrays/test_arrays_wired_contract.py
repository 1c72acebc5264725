"""The neuron role's contract on the wired runtime: the demonstration bench, in process.

What a shared instrument makes impossible is left out: its reading noise follows the order of
readings on the bench, so that a split batch or a resumed run reads other noise.
"""

from pathlib import Path

import numpy as np
import pytest

from labtrain.arrays.neurons import Flag
from labtrain.arrays.replayed_roles import ReplayedNeuronArray
from labtrain.bench import Bench
from labtrain.errors import ReplayMismatch, UsageError
from labtrain.physics import neuron
from labtrain.populations import draw

DEMO = Path(__file__).parents[2] / "data" / "benches" / "demo.toml"
DEAD, STUCK = 3, 6


@pytest.fixture
def wired(tmp_path, monkeypatch, record):
    monkeypatch.setenv("LABTRAIN_STATE", str(tmp_path))
    with Bench.open(DEMO, sink=record) as bench:
        yield bench.array("neurons")


def stimuli(batch, count):
    return 50e-6 * np.abs(np.sin(np.arange(batch * count, dtype=float))).reshape(batch, count)


def test_shapes_flags_and_saturation(wired):
    n = len(wired)
    for reading in wired.respond_pair(stimuli(4, n) + 1e-6, stimuli(4, n)):
        assert reading.volts.shape == reading.flags.shape == (4, n)
        assert reading.volts.dtype == np.float64 and reading.flags.dtype == np.uint8
    reading = wired.respond(np.full((1, n), 1e-3))
    assert np.all(np.delete(reading.flags, DEAD) & Flag.CLIPPED)
    assert reading.flags[0, DEAD] & Flag.DEAD  # its contact check failed: it is not driven
    assert not np.any(np.delete(reading.flags, DEAD) & (Flag.COMPLIANCE | Flag.DEAD))


def test_bad_stimuli_and_views_are_refused(wired):
    n = len(wired)
    for bad in (np.zeros((3, n + 1)), np.zeros(n), np.full((1, n), np.nan)):
        with pytest.raises(UsageError):
            wired.respond(bad)
    for chosen in ([n], [-1], [0, 0]):
        with pytest.raises(UsageError):
            wired.select(chosen)
    assert wired.select([5, 1]).respond(stimuli(2, 2)).volts.shape == (2, 2)


def test_the_bench_reads_the_chip_that_its_seed_draws(wired):
    """Every healthy neuron within 1 % and 5 mV (noise, series resistance and the meter's errors)."""
    n = len(wired)
    settings = {"mismatch": 0.05, "read_noise": 50e-6}
    chip = draw("mtj-neuron-pair", 1, n, settings, "neurons").take(slice(0, None, 2))
    expected = neuron.mean_voltage(chip, stimuli(20, n))
    healthy = [i for i in range(n) if i not in (DEAD, STUCK)]
    volts = wired.respond(stimuli(20, n)).volts
    np.testing.assert_allclose(volts[:, healthy], expected[:, healthy], rtol=0.01, atol=5e-3)


def test_a_replay_answers_bit_for_bit_without_the_bench(wired, record):
    n = len(wired)
    expected = [
        wired.respond(stimuli(3, n)),
        *wired.select([4, 2]).respond_pair(stimuli(2, 2), stimuli(2, 2)),
    ]
    array = ReplayedNeuronArray(record, "neurons")
    got = [array.respond(stimuli(3, n)), *array.select([4, 2]).respond_pair(stimuli(2, 2), stimuli(2, 2))]
    for one, other in zip(expected, got, strict=True):
        assert one.volts.tobytes() == other.volts.tobytes()
        assert one.flags.tobytes() == other.flags.tobytes()
    with pytest.raises(ReplayMismatch, match="ends after"):
        array.respond(stimuli(3, n))
