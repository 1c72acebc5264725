"""Switches, bit sources and synapses on the wired runtime: real roles, virtual instruments, a whole bench.

What a shared instrument makes impossible is left out: reading noise follows the order of readings.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from labtrain.arrays.bitstreams import BitstreamSource
from labtrain.arrays.neurons import Flag
from labtrain.arrays.replayed_roles import ReplayedBitstreamSource, ReplayedSwitchArray, ReplayedSynapseArray
from labtrain.arrays.switches import SwitchArray
from labtrain.arrays.synapses import SynapseArray
from labtrain.bench import Bench
from labtrain.errors import CheckFailed, UsageError
from labtrain.physics import telegraph
from labtrain.populations import draw

BENCH = Path(__file__).parent / "arrays.toml"
WIDTH = {"sot": 10e-9, "stt": 2e-3}


@pytest.fixture
def bench(record):
    with Bench.open(BENCH, sink=record) as opened:
        yield opened


def column(values, count):
    return np.array(values)[:, None] * np.ones(count)


def test_arrays_come_in_the_role_of_their_kind(bench):
    assert isinstance(bench.array("sot"), SwitchArray) and isinstance(bench.array("stt"), SwitchArray)
    assert isinstance(bench.array("bits"), BitstreamSource) and isinstance(bench.array("cells"), SynapseArray)
    assert bench.array("stt") is bench.array("stt")
    with pytest.raises(UsageError, match="no use for"):
        bench.array("plain")
    with pytest.raises(UsageError, match="no array"):
        bench.array("cell")


@pytest.mark.parametrize("name", ["sot", "stt"])
def test_switches_switch_far_above_and_not_far_below(bench, name):
    array = bench.array(name)
    n, most, low = len(array), {"sot": 1.1, "stt": 0.55}[name], {"sot": 0.1, "stt": 0.02}[name]
    outcome = array.attempt(column([low, most, -low, -most, 0.0, most], n), WIDTH[name])
    alive = [j for j in range(n) if (name, j) != ("stt", 1)]
    expected = column([False, True, False, True, False, True], len(alive)).astype(bool)
    np.testing.assert_array_equal(outcome.switched[:, alive], expected)
    assert not np.any(outcome.flags[:, alive])
    assert outcome.switched.dtype == np.bool_ and outcome.flags.dtype == np.uint8


@pytest.mark.parametrize("name", ["sot", "stt"])
def test_the_largest_pulse_of_switches_is_one_that_the_bench_gives(bench, name):
    """Clipped and flagged, not refused: a generator's limit counts at its open end, above the device."""
    array = bench.array(name)
    outcome = array.attempt(column([9.0, -9.0], len(array)), WIDTH[name])
    assert np.all(outcome.flags & Flag.CLIPPED) and outcome.switched[0, 0] and array.max_volts > 0.5


def test_open_switches_are_not_touched_and_bad_pulses_refused(bench):
    array = bench.array("stt")
    outcome = array.attempt(column([9.0], 3), WIDTH["stt"])
    assert np.all(outcome.flags & Flag.CLIPPED)
    assert outcome.flags[0, 1] & Flag.DEAD and outcome.flags[0, 1] & Flag.STUCK
    assert not outcome.switched[0, 1]
    for bad in (np.zeros((1, 4)), np.full((1, 3), np.nan)):
        with pytest.raises(UsageError):
            array.attempt(bad, WIDTH["stt"])
    with pytest.raises(UsageError, match="too short for a source meter"):
        array.attempt(column([0.5], 3), 1e-8)
    with pytest.raises(UsageError):
        array.select([0, 0])


def test_a_resumed_switch_array_does_not_learn_its_states_again(bench, record):
    array = bench.array("stt").select([0])
    array.attempt(column([0.5], 1), WIDTH["stt"])
    state = array.state_dict()
    assert state["attempts"] == {"stt[0]": 1} and len(state["states"]["stt[0]"]) == 4
    with Bench.open(BENCH) as other:
        resumed = other.array("stt").select([0])
        resumed.load_state_dict(state)
        assert resumed.attempt(column([0.55], 1), WIDTH["stt"]).switched[0, 0]
        assert resumed.state_dict()["attempts"] == {"stt[0]": 2}


def test_tensors_answer_in_tensors(bench):
    outcome = bench.array("sot").attempt(torch.tensor([[1.1], [-1.1]], dtype=torch.float64), WIDTH["sot"])
    assert outcome.switched.dtype == torch.bool and bool(outcome.switched.all())


@pytest.mark.parametrize("n", [96, pytest.param(1200, marks=pytest.mark.slow)])
def test_bits_have_the_share_and_the_memory_that_their_bias_gives(bench, n):
    """Duty cycle and memory inside 4 standard errors of the correlated stream, fixed seed."""
    array, interval = bench.array("bits").select([0, 1]), 0.02
    volts = np.array([0.06, 0.07])
    bits = array.sample(volts, n, interval)
    assert bits.packed.shape == (2, n // 8) and not np.any(bits.flags)
    streams = np.unpackbits(bits.packed, axis=1)[:, :n].astype(float)
    parameters = draw("s-mtj", 3, 3, {"delta": 18.0, "v50": 0.06}, "bits").cell(0)
    p = telegraph.antiparallel_probability(parameters, volts)
    rho = np.exp(-interval / telegraph.correlation_time(parameters, volts))
    error = np.sqrt(p * (1 - p) / n * (1 + rho) / (1 - rho))
    assert np.all(np.abs(streams.mean(axis=1) - p) < 4 * error)
    centred = streams - p[:, None]
    memory = (centred[:, 1:] * centred[:, :-1]).mean(axis=1) / (p * (1 - p))
    assert np.all(np.abs(memory - rho) < 4 / np.sqrt(n))


def test_devices_that_cannot_be_read_as_bits_are_refused(bench):
    with pytest.raises(CheckFailed, match="aperture is too long for its dwell time"):
        bench.array("fast").sample(np.array([0.05]), 8, 0.02)
    array = bench.array("bits")
    bits = array.sample(np.array([0.06, 0.06, 0.06]), 8, 0.02)
    assert bits.flags[2] == Flag.DEAD and bits.packed[2, 0] == 0
    for volts, n_bits, interval in ((0.06, 8, 1e-3), (0.06, -1, 0.02), (1e-3, 8, 0.02), (np.nan, 8, 0.02)):
        with pytest.raises(UsageError):
            array.sample(np.full(3, volts), n_bits, interval)
    with pytest.raises(UsageError, match="more than the meter can do"):
        array.sample(np.full(3, 0.06), 8, 2.2e-3)


def test_synapses_are_written_up_and_down_and_read(bench):
    array = bench.array("cells")
    assert array.shape == (2, 3)
    before = array.conductance()
    alive = np.ones((2, 3), bool)
    alive[1, 1] = False
    np.testing.assert_allclose(before.siemens[alive], 50e-6, rtol=0.04)
    assert before.flags[1, 1] == Flag.DEAD and before.siemens[1, 1] == 0.0
    delta = np.array([[30e-6, -25e-6, 0.0], [3e-6, 30e-6, 20e-6]])
    flags = array.program(delta, np.array([[1, 1, 1], [1, 1, 0]], bool))
    assert flags[1, 1] == Flag.DEAD and not np.any(flags[alive])
    change = array.conductance().siemens - before.siemens
    assert change[0, 0] > 8e-6 and change[0, 1] < -2e-6
    np.testing.assert_allclose(change[[0, 1, 1], [2, 0, 2]], 0.0, atol=2e-6)  # half a step, unmasked
    assert array.state_dict()["pulses"] == [[4, 3, 0], [0, 0, 0]]
    assert np.all(array.program(np.full((2, 3), 1.0), np.eye(2, 3, dtype=bool))[0, 0] & Flag.CLIPPED)


def test_a_product_is_the_sum_of_each_cell_s_current(bench):
    array = bench.array("cells")
    volts = np.array([[0.1, 0.2], [0.0, -0.25], [0.05, 0.0], [9.0, 0.1]])
    siemens = array.conductance().siemens
    product = array.multiply(volts)
    used = np.clip(volts, -array.max_volts, array.max_volts)
    np.testing.assert_allclose(product.amperes, used @ siemens, rtol=0.03, atol=3e-8)
    assert np.all(product.flags[3] & Flag.CLIPPED) and not np.any(product.flags[:3, [0, 2]])
    assert np.all(product.flags[:, 1] & Flag.DEAD)


def test_replays_answer_bit_for_bit_without_the_bench(bench, record):
    pulses, biases = column([0.3, -0.5, 0.5], 3), np.array([0.06, 0.05, 0.08])
    delta, mask, volts = np.full((2, 3), 1e-5), np.eye(2, 3, dtype=bool), np.array([[0.1, 0.2]])

    def answers(switches, source, synapses):
        outcome, bits = switches.attempt(pulses, 2e-3), source.sample(biases, 21, 0.02)
        flags, read, product = synapses.program(delta, mask), synapses.conductance(), synapses.multiply(volts)
        arrays = (outcome.switched, outcome.flags, bits.packed, bits.flags, flags)
        return [*arrays, read.siemens, read.flags, product.amperes, product.flags]

    live = answers(bench.array("stt"), bench.array("bits"), bench.array("cells"))
    replayed = answers(
        ReplayedSwitchArray(record, "stt"),
        ReplayedBitstreamSource(record, "bits"),
        ReplayedSynapseArray(record, "cells"),
    )
    for one, other in zip(live, replayed, strict=True):
        assert one.tobytes() == other.tobytes()


def test_what_the_bench_file_lacks_is_named():
    text = BENCH.read_text()
    for old, new, array, message in (
        ('step = "8 uS", ', "", "cells", "what one pulse changes"),
        (", columns = 3", "", "cells", "cells in a row"),
        ("columns = 3", "columns = 4", "cells", "do not make rows of 4"),
        ('writing = { voltage = "0.55 V", width = "2 ms" }', "", "stt", "the reset pulse"),
    ):
        with Bench.open(text.replace(old, new).encode()) as bench, pytest.raises(UsageError, match=message):
            bench.array(array)


def _sweep(bench, device, volts, amperes=0.9e-3):
    with bench.route(device, "top") as meter:
        meter.configure("voltage", 0.6, amperes, amperes, 0.1)
        return meter.sweep(np.asarray(volts), abort_on_compliance=False)


def test_plain_devices_behave_as_their_names_say(bench):
    levels = [-0.3, 0.3, 0.6]
    diode = _sweep(bench, "rectifier", levels).amperes
    assert abs(diode[0]) < 1e-6 and diode[2] > 30 * abs(diode[1])
    assert np.all(np.abs(_sweep(bench, "nothing", levels).amperes) < 1e-6)
    metal = _sweep(bench, "metal", levels)
    assert np.all(metal.flags & Flag.COMPLIANCE) and np.all(np.abs(metal.volts) < 0.02)


def test_a_slow_sweep_shows_the_hysteresis_of_a_switch(bench):
    up = np.linspace(0.03, 0.55, 14)
    loop = np.concatenate([-up, -up[::-1], up, up[::-1]])
    sweep = _sweep(bench, "stt[0]", loop, 230e-6)
    ohms = sweep.volts / sweep.amperes
    low_bias = np.abs(loop) < 0.05
    after = ohms[low_bias][[1, 3]]  # after the negative and after the positive half
    assert after[0] < 4.3e3 < 7e3 < after[1]


def test_no_limit_of_the_chip_was_passed(bench):
    """The world's own record of what every terminal has seen, after one use of every role."""
    bench.array("stt").attempt(column([9.0, -9.0], 3), 2e-3)
    bench.array("sot").attempt(np.array([[0.6], [-0.9]]), 10e-9)
    bench.array("cells").program(np.full((2, 3), 5e-5), np.ones((2, 3), bool))
    bench.array("cells").multiply(np.full((2, 2), 9.0))
    stress = bench._connection.connector.world.world.stress
    for name, array in bench.plan.arrays.items():
        for device in array.devices:
            for terminal in device.terminals.values():
                seen = stress[f"{device.name}.{terminal.name}"]
                assert seen.max_volts <= terminal.limits.voltage * (1 + 1e-3), name
                assert seen.max_amperes <= terminal.limits.current * (1 + 1e-3), name
                assert not seen.broken
