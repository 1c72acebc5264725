"""Every parameter of QCoDeS's own classes, unmodified, over TCP: got, set, got back, no error left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from models_bench import Served, resistor

from labtrain.wiring import Wire

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # QCoDeS and what it imports warn about themselves
    pytest.mark.usefixtures("_closed"),
]
pytest.importorskip("qcodes", reason="QCoDeS is not installed (extra `compat`)")

CLASSES = {
    "2450": "Keithley.Keithley2450",
    "2602B": "Keithley.Keithley2602B",
    "33522B": "Keysight.Keysight33522B",
}
NODES = {"2450": ("one",), "2602B": ("one.a", "one.b"), "33522B": ()}
LEFT_OUT = {
    "terminals": "it reads FRON and sets front",
    "sweep": "needs a sweep of its own", "sweep_axis": "needs a sweep of its own",
    "fastsweep": "needs a sweep of its own", "elements": "needs readings in the buffer",
    "timeout": "of the connection", "IDN": "asked when it connects",
    "current": "needs its function and the output", "voltage": "needs its function and the output",
    "resistance": "needs its function and the output", "user_delay": "needs user_number",
    "user_number": "not in the instrument", "buffer_name": "not in the instrument",
    "volt": "a reading", "curr": "a reading", "timetrace": "a reading",
}  # fmt: skip
"""What has no value to be set back, by its name."""
OTHERS = {
    "2450": {"_source_voltage.delay": (0.01, 2.5), "_sense_current.nplc": (0.1, 10.0)},
    "2602B": {"smua.nplc": (0.1, 5.0), "smub.limiti": (1e-3, 0.05), "smua.limitv": (2.0, 10.0)},
    "33522B": {
        "ch1.frequency": (2e3, 1e6), "ch2.amplitude": (0.2, 1.5), "ch1.offset": (0.1, -0.1),
        "ch2.burst_ncycles": (7, 100), "ch1.trigger_delay": (0.5,), "ch1.phase": (90.0,),
    },
}  # fmt: skip
"""Numbers beyond those that the instrument starts with."""


@pytest.fixture
def _closed() -> Iterator[None]:
    yield
    from qcodes import Instrument

    Instrument.close_all()


def parameters(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, parameter in part.parameters.items():
        yield path + name, parameter
    for name, inner in part.submodules.items():
        if getattr(inner, "parameters", None):
            yield from parameters(inner, f"{path}{name}.")


def choices(parameter: Any) -> tuple[Any, ...]:
    """The values of a parameter that has few."""
    from qcodes.validators import Enum

    return parameter.vals.valid_values if isinstance(parameter.vals, Enum) else ()


def as_set(value: Any) -> Any:
    """QCoDeS leaves some numbers as text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def stays(parameter: Any, value: Any) -> None:
    """What is set is got: a number is that number, and one of several names for a word names it again."""
    parameter.set(value)
    got = as_set(parameter.get())
    if isinstance(value, float):
        assert got == pytest.approx(value), parameter.full_name
    if choices(parameter) and got not in choices(parameter):
        return  # the instrument's short form, which QCoDeS reads and does not set
    parameter.set(got)
    assert as_set(parameter.get()) == got, parameter.full_name


@pytest.mark.parametrize("model", CLASSES)
def test_every_parameter_is_got_and_set_back(model: str) -> None:
    from qcodes import instrument_drivers

    package, name = CLASSES[model].split(".")
    drivers = __import__(f"{instrument_drivers.__name__}.{package}", fromlist=[name])
    loads = [resistor(node.replace(".", "_"), f"{node}.hi") for node in NODES[model]]
    wires = tuple(Wire(f"{node}.lo", "ground") for node in NODES[model])
    with Served(model, *loads, mount="tcp", wires=wires) as one:
        instrument = getattr(drivers, name)(f"k{model}", one.resource, visalib="@py", terminator="\n")
        tried = 0
        for path, parameter in parameters(instrument):
            if path.rpartition(".")[2] in LEFT_OUT and path not in OTHERS[model]:
                continue
            tried += 1
            if parameter.gettable:
                value = as_set(parameter.get())
                values = (*choices(parameter), *OTHERS[model].get(path, ()), value)
                for other in values if parameter.settable else ():
                    if other is not None:
                        stays(parameter, other)
            instrument.ask("1" if model == "2602B" else "*OPC?")
            assert one.virtual.errors.codes() == [], path
        assert tried > 30
        instrument.close()


@pytest.mark.parametrize("place", ["source", "sense"])
def test_a_2450_keeps_five_delays_of_the_users_own(place: str) -> None:
    from qcodes.instrument_drivers.Keithley import Keithley2450

    with Served("2450", mount="tcp") as one:
        instrument = Keithley2450("k2450", one.resource, visalib="@py", terminator="\n")
        part = getattr(instrument, place)
        for number in (1, 5):
            part.user_number(number)
            part.user_delay(0.25 * number)
        part.user_number(1)
        assert float(part.user_delay.get()) == 0.25
        assert instrument.ask("*OPC?") == "1" and one.errors() == []
        one.ask(":SOUR:VOLT:DEL:USER6 1")
        assert one.errors() == [-114]
        instrument.close()
