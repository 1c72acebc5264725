"""Switches, bit sources and synapses of a bench file, wired to the instruments."""

from __future__ import annotations

import math

from labtrain.arrays.probes import GeneratorProbes, GentleRead, MeterProbes, Probes
from labtrain.arrays.wired_bitstreams import WiredBitstreamSource
from labtrain.arrays.wired_switches import WiredSwitchArray
from labtrain.arrays.wired_synapses import WiredSynapseArray
from labtrain.bench.planning import BenchSetup
from labtrain.bench.reach import Reach
from labtrain.errors import UsageError
from labtrain.limits import Limits, tightest

_ROUNDING = 1 - 1e-3  # keeps a derived limit inside its own after an instrument rounds it


def open_switches(setup: BenchSetup, name: str, reach: Reach) -> WiredSwitchArray:
    """Wire bistable devices: pulses on the first terminal of their model, reads on the last.

    Raises
    ------
    UsageError
        Where the bench file does not say with what they are reset.
    """
    array, writing = setup.plan.arrays[name], setup.writings[name]
    return WiredSwitchArray(
        name,
        tuple(device.name for device in array.devices),
        _probes(setup, name, reach),
        max_volts=_most_pulse(setup, name, reach),
        reset_volts=_needed(writing.voltage, name, "voltage", "0.9 V", "the reset pulse"),
        reset_seconds=writing.width,
        reset_attempts=writing.attempts,
    )


def open_bitstreams(setup: BenchSetup, name: str, reach: Reach) -> WiredBitstreamSource:
    """Wire superparamagnetic junctions to the source meter."""
    array, reading = setup.plan.arrays[name], setup.readings[name]
    terminal = _ends(setup, name)[1]
    volts = _most_volts(setup, name, terminal)
    limits = _limits(setup, name, terminal)
    return WiredBitstreamSource(
        name,
        tuple(device.name for device in array.devices),
        reach.route,
        terminal,
        reach.digitizer,
        max_volts=volts,
        max_amperes=_amperes(limits, volts, reading.max_current),
        nplc=reading.nplc,
    )


def open_synapses(setup: BenchSetup, name: str, reach: Reach) -> WiredSynapseArray:
    """Wire memristors, ``columns`` of them a row.

    Raises
    ------
    UsageError
        Where the bench file does not say how they are programmed or laid out.
    """
    array, writing = setup.plan.arrays[name], setup.writings[name]
    columns = int(_needed(writing.columns, name, "columns", "8", "cells in a row"))
    if array.count % columns:
        raise UsageError(
            f"{array.count} cells of {name!r} do not make rows of {columns}",
            remedy="make count a multiple of writing.columns",
            key=name,
        )
    return WiredSynapseArray(
        name,
        tuple(device.name for device in array.devices),
        (array.count // columns, columns),
        _probes(setup, name, reach),
        pulse_volts=_needed(writing.voltage, name, "voltage", "1 V", "the programming pulse"),
        pulse_seconds=writing.width,
        step_siemens=_needed(writing.step, name, "step", "10 uS", "what one pulse changes"),
    )


def _probes(setup: BenchSetup, name: str, reach: Reach) -> Probes:
    pulsed, read = _ends(setup, name)
    reading, writing = setup.readings[name], setup.writings[name]
    limits = _limits(setup, name, read)
    # Reads stay below a third of a two-terminal device's own pulses, which switch it.
    most = limits.voltage if pulsed != read else min(limits.voltage, (writing.voltage or math.inf) / 3)
    volts = max(reading.voltage, most * _ROUNDING)
    # The measuring range follows the least resistance: a wide one drowns small currents in its errors.
    ohms = _least_ohms(setup, name, read)
    likely = reading.max_current or (1.2 * volts / ohms if ohms > 0 else None)
    gentle = GentleRead(reading.voltage, volts, _amperes(limits, volts, likely), reading.nplc)
    if pulsed != read:
        return GeneratorProbes(reach.pulse_path, reach.route, (pulsed, read), gentle)
    largest = _most_volts(setup, name, pulsed)
    amperes = _amperes(limits, largest, None)
    return MeterProbes(reach.route, read, gentle, max_volts=largest, max_amperes=amperes)


def _ends(setup: BenchSetup, name: str) -> tuple[str, str]:
    """The terminal that is pulsed and the one that is read: a model's first and last."""
    terminals = tuple(setup.plan.arrays[name].devices[0].terminals)
    return terminals[0], terminals[-1]


def _limits(setup: BenchSetup, name: str, terminal: str) -> Limits:
    return tightest(device.terminals[terminal].limits for device in setup.plan.arrays[name].devices)


def _most_volts(setup: BenchSetup, name: str, terminal: str) -> float:
    """The largest level that no limit refuses at the least expected resistance."""
    limits = _limits(setup, name, terminal)
    ohms = _least_ohms(setup, name, terminal)
    by_power = math.sqrt(limits.power * ohms) if ohms > 0 else math.inf
    by_current = limits.current * ohms if ohms > 0 else math.inf
    return min(limits.voltage, by_current, by_power) * _ROUNDING


def _most_pulse(setup: BenchSetup, name: str, reach: Reach) -> float:
    """The largest pulse at the device that no limit refuses: a generator's counts at its open end."""
    pulsed, read = _ends(setup, name)
    most = _most_volts(setup, name, pulsed)
    if pulsed == read:
        return most
    ways = [reach.pulse_path(device.name, pulsed) for device in setup.plan.arrays[name].devices]
    divided = min(way.gain / way.path.gain for way in ways)
    return min(most, _limits(setup, name, pulsed).voltage * divided * _ROUNDING)


def _least_ohms(setup: BenchSetup, name: str, terminal: str) -> float:
    """The least expected resistance; 0 where none is stated."""
    expected = setup.plan.arrays[name].devices[0].terminals[terminal].expected_resistance
    return expected[0] if expected else 0.0


def _amperes(limits: Limits, volts: float, wanted: float | None) -> float:
    allowed = min(limits.current, limits.power / volts) * _ROUNDING
    return allowed if wanted is None else min(allowed, wanted)


def _needed(value: float | None, name: str, key: str, example: str, what: str) -> float:
    if value is not None and value > 0:
        return value
    raise UsageError(
        f"the bench file does not state {what} of {name!r}",
        remedy=f'write writing = {{ {key} = "{example}" }} into its table',
        key=f"arrays.{name}.writing.{key}",
    )
