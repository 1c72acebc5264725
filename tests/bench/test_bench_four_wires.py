"""Four wires: leads and contacts drop out; no sense route, no remote sense; an open sense lead is found."""

from __future__ import annotations

import numpy as np
import pytest

from labtrain.bench import Bench
from labtrain.bench.planning import read_setup
from labtrain.errors import BenchFileError, CheckFailed, LimitExceeded, UsageError

OHMS, CONTACT = 10.0, 5.0

FILE = """\
seed = 3

[instruments.smu]
model = "2450"

[instruments.matrix]
model = "serial-matrix"
relay_resistance = "0.1 ohm"

[devices.probe]
kind = "resistor"
resistance = "10 ohm"
contact_resistance = "5 ohm"
expected_resistance = ["5 ohm", "30 ohm"]
limits = { voltage = "0.1 V", current = "3 mA", power = "300 uW" }
terminals = { top = { to = "matrix.0,0", sense = "matrix.1,1" } }

[wires."smu.hi"]
to = "matrix.row0"
[wires."smu.lo"]
to = "ground"
resistance = "5 ohm"
[wires."smu.sense_hi"]
to = "matrix.row1"
resistance = "7 ohm"
[wires."smu.sense_lo"]
to = "ground"
"""

METERS = {
    "2450": ("smu", 'model = "2450"'),
    "2400": ("smu", 'model = "2400"'),
    "2602B": ("smu.a", 'model = "2602B"'),
}


def file(model: str = "2450", text: str = FILE) -> bytes:
    node, line = METERS[model]
    return text.replace('model = "2450"', line).replace('"smu.', f'"{node}.').encode()


def world(bench: Bench):
    return bench._connection.connector.world.world


def ohms(meter, sweep_to: float, **configured) -> float:
    meter.configure("current", sweep_to, 0.1, 0.1, 1.0, **configured)
    sweep = meter.sweep(np.linspace(-sweep_to, sweep_to, 11))
    assert not sweep.flags.any()
    return float(np.polyfit(sweep.amperes, sweep.volts, 1)[0])


@pytest.mark.parametrize("model", METERS)
def test_contacts_and_leads_drop_out(model: str) -> None:
    with Bench.open(file(model)) as bench:
        (device,) = world(bench).devices["probe"].branches
        truth = float(device.law.ohms)
        with bench.route("probe", "top", sense=True) as meter:
            assert ohms(meter, 1e-3) == pytest.approx(truth + 2 * CONTACT + 0.1, rel=2e-3)
            assert ohms(meter, 1e-3, remote_sense=True) == pytest.approx(truth, rel=2e-3)
        with bench.route("probe", "top") as meter:
            assert ohms(meter, 1e-3) == pytest.approx(truth + 2 * CONTACT + 0.1, rel=2e-3)
        assert world(bench).stress["probe.top"].max_volts < 0.0101


def test_a_return_of_its_own_is_sensed_through_its_relay() -> None:
    text = FILE.replace('sense = "matrix.1,1"', 'sense = "matrix.1,1", sense_return = "matrix.2,2"')
    text = text.replace('[wires."smu.sense_lo"]\nto = "ground"', '[wires."smu.sense_lo"]\nto = "matrix.row2"')
    with Bench.open(file(text=text)) as bench, bench.route("probe", "top", sense=True) as meter:
        assert {(r.row, r.column) for r in world(bench).closed_relays} == {(0, 0), (1, 1), (2, 2)}
        assert ohms(meter, 1e-3, remote_sense=True) == pytest.approx(OHMS, rel=2e-3)


def test_volts_stand_at_the_device() -> None:
    with Bench.open(file()) as bench, bench.route("probe", "top", sense=True) as meter:
        meter.configure("voltage", 0.01, 1.2e-3, 1.2e-3, 1.0, remote_sense=True)
        meter.output_enabled = True
        meter.source_voltage = 0.01
        assert meter.measure().amperes == pytest.approx(0.01 / OHMS, rel=5e-3)
        meter.output_enabled = False
        assert world(bench).stress["probe.top"].max_volts == pytest.approx(0.01, rel=0.05)


LOST = {
    "sense": ('terminals = { top = { to = "matrix.0,0", sense = "matrix.1,1" } }',
              'terminals = { top = { to = "matrix.0,0", sense = "matrix.2,1" } }'),
    "return": ('[wires."smu.sense_lo"]\nto = "ground"', '[wires."smu.sense_lo"]\nto = "matrix.row3"'),
}  # fmt: skip
"""Leads that touch nothing: the terminal's on a row without a wire, the return's likewise."""


@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("model", METERS)
def test_an_open_sense_lead_is_found_and_harms_nothing(model: str, lost: str) -> None:
    text = FILE.replace(*LOST[lost])
    assert text != FILE
    with Bench.open(file(model, text)) as bench:
        hidden = world(bench)
        with pytest.raises(CheckFailed, match="a sense lead is open") as caught:
            with bench.route("probe", "top", sense=True):
                pass
        assert "two wires" in caught.value.remedy
        assert not hidden.outputs_on and not hidden.closed_relays
        assert hidden.stress["probe.top"].max_volts < 0.0105
        with bench.route("probe", "top") as meter:  # two wires still work
            assert ohms(meter, 1e-3) == pytest.approx(OHMS + 2 * CONTACT, rel=0.02)


def test_a_lead_that_is_lost_later_leaves_the_current_held() -> None:
    with Bench.open(file()) as bench, bench.route("probe", "top", sense=True) as meter:
        meter.configure("current", 1e-3, 0.05, 0.05, 1.0, remote_sense=True)
        meter.output_enabled = True
        meter.source_current = 1e-3
        hidden = world(bench)
        with hidden.turn():  # the needle lifts: nobody has asked the matrix
            hidden.set_contacts("matrix", [r for r in hidden.closed_relays if r.row != 1])
        assert abs(meter.measure().volts) < 1e-3
        assert hidden.stress["probe.top"].max_volts < 0.1
        assert not hidden.stress["probe.top"].broken


def test_no_remote_sense_without_its_route() -> None:
    with Bench.open(file()) as bench:
        with bench.route("probe", "top") as meter:
            with pytest.raises(LimitExceeded, match="no closed and checked sense route"):
                meter.configure("current", 1e-3, 0.05, 0.05, 1.0, remote_sense=True)
        with bench.route("probe", "top", sense=True) as meter:
            meter.configure("current", 1e-3, 0.05, 0.05, 1.0, remote_sense=True)
        with pytest.raises(LimitExceeded):  # configured so, but the route is gone
            meter.output_enabled = True
        assert not world(bench).outputs_on


def test_relays_do_not_move_under_a_source_that_senses_remotely() -> None:
    with Bench.open(file()) as bench, bench.route("probe", "top", sense=True) as meter:
        meter.configure("voltage", 0.01, 0.9e-6, 0.9e-6, 1.0, remote_sense=True)
        meter.output_enabled = True  # 0 V within the contact limit: cold by two wires
        with pytest.raises(LimitExceeded, match="hot.*senses by four wires"):
            bench.switch_matrix("matrix").open((1, 1))
        meter.output_enabled = False


def test_currents_that_a_lost_lead_would_turn_into_too_many_volts_are_refused() -> None:
    """3 mA are allowed at the terminal; behind a lost lead 30 ohm would see 75 mV of 2.5 mA."""
    limited = FILE.replace('voltage = "0.1 V"', 'voltage = "50 mV"')
    with Bench.open(file(text=limited)) as bench, bench.route("probe", "top", sense=True) as meter:
        with pytest.raises(LimitExceeded, match="lost sense lead"):
            meter.configure("voltage", 0.04, 2.5e-3, 2.5e-3, 1.0, remote_sense=True)
        meter.configure("current", 2.5e-3, 0.05, 0.05, 1.0, remote_sense=True)
        with pytest.raises(LimitExceeded, match="lost sense lead"):
            meter.sweep([1e-3, 2.5e-3])
        meter.output_enabled = True
        with pytest.raises(LimitExceeded, match="lost sense lead"):
            meter.source_current = 2.5e-3
        meter.source_current = 1.5e-3
        assert meter.measure().volts == pytest.approx(1.5e-3 * OHMS, abs=5e-4)
        meter.output_enabled = False


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        (', sense = "matrix.1,1"', "", UsageError, 'sense = "matrix'),
        ('expected_resistance = ["5 ohm", "30 ohm"]\n', "", LimitExceeded, "narrower expected_resistance"),
    ],
)
def test_what_four_wires_need_is_asked_for(old: str, new: str, error: type, message: str) -> None:
    with Bench.open(file(text=FILE.replace(old, new))) as bench:
        with pytest.raises(error, match=message):
            with bench.route("probe", "top", sense=True):
                pass
        assert not world(bench).closed_relays


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('sense = "matrix.1,1"', 'sense = "matrix.1,0"', "both connected"),
        ('sense = "matrix.1,1"', 'sense = "matrix.1,99"', "no crosspoint"),
        ('sense = "matrix.1,1"', 'sense_return = "matrix.1,1"', "sense_return without sense"),
        ('[wires."smu.sense_lo"]\nto = "ground"\n', "", "smu.sense_lo is not"),
    ],
)
def test_wrong_sense_leads_are_problems_of_the_file(old: str, new: str, message: str) -> None:
    with pytest.raises(BenchFileError) as caught:
        read_setup(FILE.replace(old, new).encode())
    assert message in " ".join(map(str, caught.value.problems))
