"""The digitiser: evenly spaced readings, from a buffer or a list, inside limits; what protocols refuse."""

import numpy as np
import pytest

from labtrain.errors import CheckFailed, LimitExceeded, UsageError
from labtrain.procedures import run_procedure
from protocols.bitstream import Bitstream
from protocols.endurance import Endurance
from protocols.pulse_programming import PulseProgramming
from protocols.retention import Retention
from protocols.switching_probability import SwitchingProbability
from protocols.telegraph_noise import TelegraphNoise

WEAK = {"reset_amplitude": "0.5V", "start": 0.1, "stop": 0.2}
METERS = [("neurons[0]", "smu"), ("fast_bits[0]", "fast.a")]


@pytest.fixture(params=METERS, ids=["list", "buffer"])
def digitizer(request, chip):
    device, name = request.param
    with chip.route(device, "top") as meter:
        meter.configure("voltage", 0.1, 50e-6, 50e-6, 0.01)
        assert meter.name == name
        yield chip.digitizer(meter.name)


def test_readings_are_evenly_spaced_and_as_asked_for(digitizer):
    trace = digitizer.acquire(0.05, 300, 5e-3)
    assert len(trace.volts) == len(trace.amperes) == len(trace.flags) == 300
    steps = np.diff(trace.seconds)
    assert trace.seconds[0] == 0 and np.ptp(steps) < 1e-6 and np.median(steps) == pytest.approx(5e-3, rel=0.1)
    assert np.all(np.abs(trace.volts - 0.05) < 2e-3) and not trace.flags.any()


def test_as_fast_as_it_can(digitizer):
    trace = digitizer.acquire(0.05, 500)
    assert np.median(np.diff(trace.seconds)) <= 1.05 * (digitizer.aperture + digitizer.overhead)


@pytest.mark.parametrize("count", [0, -1, 10**6])
def test_a_count_outside_the_buffer_is_refused(digitizer, count):
    with pytest.raises(UsageError, match="ask for 1 to"):
        digitizer.acquire(0.05, count)


@pytest.mark.parametrize("interval", [-1.0, float("nan"), float("inf")])
def test_an_interval_that_is_none_is_refused(digitizer, interval):
    with pytest.raises(UsageError, match="interval"):
        digitizer.acquire(0.05, 10, interval)


@pytest.mark.parametrize("level", [0.9, -0.9, float("nan")])
def test_a_bias_above_the_limit_never_leaves(chip, digitizer, level):
    with pytest.raises((LimitExceeded, UsageError)):
        digitizer.acquire(level, 10)


@pytest.mark.parametrize(
    ("procedure", "device", "settings", "error", "words"),
    [
        (TelegraphNoise, "fast_bits[0]", {"nplc": 1.0}, CheckFailed, "flips within the aperture"),
        (Bitstream, "fast_bits[0]", {"nplc": 2.0}, CheckFailed, "aperture"),
        (TelegraphNoise, "reference", {}, CheckFailed, "one resistance at all biases"),
        (TelegraphNoise, "bits[0]", {"biases": 7}, UsageError, "too small to read"),
        (TelegraphNoise, "bits[0]", {"start_bias": "0.1V", "stop_bias": "0.6V"}, LimitExceeded, "400 mV"),
        (Bitstream, "fast_bits[0]", {"longest_interval": "1ms"}, UsageError, "correlation times"),
        (PulseProgramming, "cells[0]", {"set_voltage": "2V"}, LimitExceeded, "1.5 V"),
        (PulseProgramming, "cells[0]", {"width": "10us"}, UsageError, "too short for the source"),
        (PulseProgramming, "cells[0]", {"mode": "write-verify"}, UsageError, "which levels"),
        (PulseProgramming, "cells[0]", {"cycles": 60}, LimitExceeded, "3e\\+03|3000"),
        (Retention, "cells[0]", {"first": 10.0, "duration": 5.0}, UsageError, "duration"),
        (Retention, "cells[0]", {"programming": "targets"}, UsageError, "low_target"),
        (Endurance, "stt[0]", {"set_voltage": 0.5, "reset_voltage": 0.5}, UsageError, "total_pulses"),
        (Endurance, "cells[0]", {"cycles": 1501}, LimitExceeded, "total"),
        (
            SwitchingProbability,
            "shorted",
            {"reset_amplitude": "0.5V", "start": 0.1, "stop": 0.2},
            CheckFailed,
            "two clear",
        ),
    ],
)
def test_what_a_protocol_cannot_do_is_said(chip, procedure, device, settings, error, words):
    with pytest.raises(error, match=words):
        run_procedure(procedure, chip, chip.select(device), settings, run_name="x")
    assert not chip.source_meter("smu").output_enabled and not chip.switch_matrix("matrix").closed


def test_endurance_counts_what_the_logbook_holds(chip):
    cell = chip.select("cells[0]")
    run_procedure(Endurance, chip, cell, {"cycles": 20, "pulses": 5}, run_name="a")
    assert chip.life("cells[0]", "top").pulses == 200
    with pytest.raises(LimitExceeded, match="after 200 in the logbook"):
        run_procedure(Endurance, chip, cell, {"cycles": 290, "pulses": 5}, run_name="b")
    assert chip.life("cells[0]", "top").pulses == 200  # nothing was charged, nothing sent
