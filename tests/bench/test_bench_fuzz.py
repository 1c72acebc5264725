"""Every public attribute of every driver and role, fuzzed: nothing above a limit on any terminal, and
from a driver outside its role nothing on the wire at all."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from bench_models import bench_text, combinations, models

from labtrain.bench import Bench
from labtrain.session.sink import NullSink

NUMBERS = (0.0, 0.3, -0.3, 0.7, 2.0, -5.0, 21.0, 1e-6, 100e-6, 1e3, float("nan"), float("inf"), 3, -1)
HOSTILE = (*NUMBERS, True, None, "voltage", "current", "ON", [21.0, -21.0], (0, 0), (1, 4))
SLACK = 1.005
ROLES = ("source-meter", "pulse-generator", "switch-matrix")


class Wire(NullSink):
    """Counts what leaves for an instrument."""

    sent = 0

    def command(self, port: str, payload: bytes, t_ns: int) -> int:
        self.sent += port != "clock"
        return super().command(port, payload, t_ns)


@pytest.fixture(params=combinations(), ids="+".join)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Bench.open(bench_text(*request.param).encode(), sink=Wire()) as bench:
        for device in bench.select("neurons,sot,reference"):
            assert bench.out_of_contact(device) == []
        yield bench


def test_every_model_that_stands_is_fuzzed() -> None:
    standing = {name for role in ROLES for name in models(role)}
    assert {one for several in combinations() for one in several} == standing
    assert standing >= {"2400", "2450", "2602B", "33522B", "81160A", "2700", "707B", "serial-matrix"}


def public(thing: object) -> list[str]:
    return [name for name in dir(type(thing)) if not name.startswith("_")]


def poke(thing: Any, name: str, several: Callable[[int], Iterator[tuple[Any, ...]]]) -> int:
    """Get an attribute, set it, call it; count what was tried."""
    tried, attribute = 1, None
    with suppress(Exception):
        attribute = getattr(thing, name)
    if callable(attribute):
        for arguments in itertools.chain(several(0), several(1), several(2), several(3)):
            tried += 1
            with suppress(Exception):
                result = attribute(*arguments)
                list(result) if isinstance(result, Iterator) else None
    elif isinstance(getattr(type(thing), name, None), property):
        for value in HOSTILE:
            tried += 1
            with suppress(Exception):
                setattr(thing, name, value)
    return tried


def arguments(count: int) -> Iterator[tuple[Any, ...]]:
    """Hostile arguments: all of one, and for more a diagonal through their product."""
    step = {0: 1, 1: 1, 2: 7, 3: 61}[count]
    return itertools.islice(itertools.product(HOSTILE, repeat=count), 0, None, step)


def unhurt(bench: Bench) -> None:
    stress = bench._connection.connector.world.world.stress
    for array in bench.plan.arrays.values():
        for device in array.devices:
            for terminal in device.terminals.values():
                suffered, limits = stress[f"{device.name}.{terminal.name}"], terminal.limits
                assert suffered.max_volts <= limits.voltage * SLACK, (device.name, terminal.name)
                assert suffered.max_amperes <= limits.current * SLACK, (device.name, terminal.name)
                assert suffered.max_watts <= limits.power * SLACK, (device.name, terminal.name)
                assert suffered.pulses <= limits.total_pulses
                assert not suffered.broken and not suffered.transients


def test_every_public_attribute_of_every_role(bench: Bench) -> None:
    smu, pulser, matrix = (
        bench.source_meter("smu"),
        bench.pulse_generator("pulser.1"),
        bench.switch_matrix("matrix"),
    )
    column = matrix.columns.start + 5  # the reference: the loosest limits, so that something is accepted
    meter_and_buffer = [(smu, name) for name in public(smu)]
    digitizer = bench.digitizer(smu.name)
    meter_and_buffer += [(digitizer, name) for name in public(digitizer)]
    for role, name in meter_and_buffer:
        matrix.open_all()
        with suppress(Exception):
            matrix.close((matrix.rows.start + 1, column))
            smu.configure("voltage", 0.5, 50e-6, 50e-6, 0.1)
            smu.output_enabled = True
        assert poke(role, name, arguments) > 0
        unhurt(bench)
        smu.shutdown()
    for role in (pulser, matrix):
        for name in public(role):
            poke(role, name, arguments)
            unhurt(bench)
    bench.safe_state()
    unhurt(bench)


def drivers(bench: Bench) -> Iterator[Any]:
    for alias, driver in bench._instruments._opened.items():
        yield driver
        yield driver.adapter
        specification = bench._setup.specs[alias]
        with bench._connection.ports[alias].role_call():
            channels = [specification.channel(driver, channel) for channel in specification.channels]
        yield from (channel for channel in channels if channel is not driver)


def test_every_public_attribute_of_every_driver_outside_its_role(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # PyMeasure's waits
    bench.source_meter("smu"), bench.pulse_generator("pulser.1")
    several = list(drivers(bench))
    assert len(several) > 6
    before = bench.sink.sent
    for thing in several:
        assert sum(poke(thing, name, arguments) for name in public(thing)) > 50
        for message in (":OUTP ON", ":SOUR:VOLT 21", "CLOSE 1,4", "*RST"):
            for name in ("write", "ask", "values"):
                with suppress(Exception):
                    getattr(thing, name)(message)
    assert bench.sink.sent == before, "a driver has sent something that came from no role"
    unhurt(bench)
