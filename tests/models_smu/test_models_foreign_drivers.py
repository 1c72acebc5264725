"""Other people's drivers, unmodified, over TCP: PyMeasure's, and QCoDeS's where it is installed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from models_smu_bench import OHMS, over_tcp

from simulated_instruments.opening import OpenWorld

SOCKET = {"read_termination": "\n", "write_termination": "\n", "timeout": 5000}


@pytest.fixture
def world() -> Iterator[OpenWorld]:
    with over_tcp() as opened:
        yield opened


def codes(world: OpenWorld, alias: str) -> list[int]:
    return world._instruments[alias].errors.codes()


# PyMeasure


@pytest.fixture
def k2400(world: OpenWorld) -> Iterator[Any]:
    from pymeasure.instruments.keithley import Keithley2400

    instrument = Keithley2400(world.resources["k2400"], visa_library="@py", **SOCKET)
    yield instrument
    instrument.adapter.close()


def test_pymeasure_2400_sources_and_measures(k2400: Any, world: OpenWorld) -> None:
    k2400.source_mode = "voltage"
    k2400.source_voltage_range = 2
    k2400.compliance_current = 1e-3
    k2400.source_voltage = 0.5
    k2400.source_enabled = True
    assert k2400.source_enabled and k2400.source_mode == "voltage" and k2400.source_voltage == 0.5
    assert k2400.current == pytest.approx(0.5 / OHMS, rel=5e-3)
    k2400.wires = 2
    k2400.current_nplc = 0.1
    assert k2400.voltage_nplc == 0.1  # one aperture for all functions
    k2400.shutdown()
    assert not k2400.source_enabled
    assert codes(world, "k2400") == []


def test_pymeasure_2400_loses_its_limit_in_measuring(k2400: Any, world: OpenWorld) -> None:
    """The trap: MEASure is CONFigure and READ, and brings 105 uA back."""
    k2400.source_mode = "voltage"
    k2400.source_voltage_range = 2
    k2400.compliance_current = 1e-6
    k2400.source_voltage = 1.0
    assert k2400.compliance_current == pytest.approx(1e-6)
    assert k2400.current == pytest.approx(1.0 / OHMS, rel=5e-3)  # not 1 uA, and the output is on
    assert k2400.compliance_current == pytest.approx(105e-6) and k2400.source_enabled


def test_pymeasure_2400_fills_its_buffer(k2400: Any, world: OpenWorld) -> None:
    k2400.source_mode = "current"
    k2400.source_current_range = 1e-4
    k2400.compliance_voltage = 2.0
    k2400.source_current = 20e-6
    k2400.source_enabled = True
    k2400.write(":FORM:ELEM VOLT;:SENS:FUNC:CONC OFF;:SENS:FUNC 'VOLT'")
    k2400.config_buffer(20, 0)
    k2400.start_buffer()
    k2400.wait_for_buffer(timeout=5, interval=0.0)
    assert k2400.buffer_data == pytest.approx(np.full(20, 0.2), rel=5e-3)
    assert k2400.mean_voltage == pytest.approx(0.2, rel=5e-3)
    assert codes(world, "k2400") == []


@pytest.fixture
def k2600(world: OpenWorld) -> Iterator[Any]:
    from pymeasure.instruments.keithley import Keithley2600

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # its base class warns about itself
        instrument = Keithley2600(world.resources["k2602"], visa_library="@py", **SOCKET)
    yield instrument
    instrument.adapter.close()


def test_pymeasure_2600_sources_and_measures_on_both_channels(k2600: Any, world: OpenWorld) -> None:
    for channel, volts in ((k2600.ChA, 0.5), (k2600.ChB, -0.25)):
        channel.source_mode = "voltage"
        channel.source_voltage_range = 1
        channel.compliance_current = 1e-3
        channel.source_voltage = volts
        channel.source_output = "ON"
        assert channel.source_mode == "voltage" and channel.source_output == "ON"
        assert channel.current == pytest.approx(volts / OHMS, rel=5e-3)
        assert channel.voltage == pytest.approx(volts, rel=5e-3)
        assert channel.resistance == pytest.approx(OHMS, rel=5e-3)
    assert k2600.next_error == (0, "Queue Is Empty")


def test_pymeasure_2600_cannot_say_100_nanoamperes(k2600: Any, world: OpenWorld) -> None:
    """The trap: ``%f`` sends ``limiti=0.000000``, which the instrument refuses."""
    k2600.ChA.compliance_current = 1e-3
    k2600.ChA.compliance_current = 100e-9
    assert k2600.next_error[0] == 1102
    assert k2600.ChA.compliance_current == pytest.approx(1e-3)


# QCoDeS


def qcodes(name: str) -> Any:
    drivers = pytest.importorskip(
        "qcodes.instrument_drivers.Keithley", reason="QCoDeS is not installed (extra `compat`)"
    )
    return getattr(drivers, name)


@pytest.fixture
def _qcodes_closed() -> Iterator[None]:
    yield
    pytest.importorskip("qcodes", reason="QCoDeS is not installed").Instrument.close_all()


@pytest.mark.filterwarnings("ignore")  # QCoDeS and what it imports warn about themselves
@pytest.mark.usefixtures("_qcodes_closed")
def test_qcodes_2602b(world: OpenWorld) -> None:
    instrument = qcodes("Keithley2602B")("k2602", world.resources["k2602"], visalib="@py", terminator="\n")
    assert instrument.get_idn()["model"] == "2602B"
    smu = instrument.smua
    smu.mode("voltage")
    smu.sourcerange_v(1)
    smu.limiti(1e-3)
    smu.nplc(0.1)
    smu.volt(0.3)
    smu.output("on")
    assert smu.volt() == pytest.approx(0.3, rel=5e-3) and smu.curr() == pytest.approx(30e-6, rel=5e-3)
    assert smu.res() == pytest.approx(OHMS, rel=5e-3)
    sweep = pytest.importorskip("qcodes.dataset").LinSweep(smu.volt, 0.0, 0.4, 21)
    smu.setup_fastsweep(sweep)  # a Lua loop of its own, and binary numbers back
    assert smu.fastsweep() == pytest.approx(np.linspace(0, 0.4, 21) / OHMS, abs=200e-9)
    smu.timetrace_npts(8)
    smu.timetrace_dt(0.01)
    assert smu.timetrace() == pytest.approx(np.full(8, 40e-6), rel=5e-3)
    instrument.reset()
    assert smu.output() is False
    assert codes(world, "k2602") == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("_qcodes_closed")
def test_qcodes_2450(world: OpenWorld) -> None:
    instrument = qcodes("Keithley2450")("k2450", world.resources["k2450"], visalib="@py", terminator="\n")
    instrument.reset()
    source = instrument.source_function("voltage") or instrument.source
    sense = instrument.sense_function("current") or instrument.sense
    source.range(2)
    source.limit(1e-3)
    sense.range(1e-4)
    source.voltage(0.5)
    with instrument.output_enabled.set_to(True):
        assert sense.current() == pytest.approx(0.5 / OHMS, rel=5e-3)
        source.sweep_setup(0, 0.5, 11)
        assert sense.sweep() == pytest.approx(np.linspace(0, 0.5, 11) / OHMS, abs=200e-9)
    assert not instrument.output_enabled()
    assert codes(world, "k2450") == []
