"""A pulse as the bench asks for it and as the instrument can make it: rounded, refused, never clamped."""

from __future__ import annotations

import math
from dataclasses import dataclass

from labtrain.errors import UsageError
from labtrain.roles.dialects import PulseGeneratorDialect
from labtrain.roles.source_settings import number, positive

TRIGGERED = ("manual", "external")


@dataclass(frozen=True, slots=True)
class PulseSettings:
    """One channel's settings, in programmed volts (into the stated load) and seconds."""

    high: float
    low: float
    inverted: bool
    width: float
    period: float
    transition: float
    trigger: str
    count: int
    load: float

    @property
    def idle(self) -> float:
        """The level between pulses: LOW at normal polarity, HIGH when inverted."""
        return self.high if self.inverted else self.low

    @property
    def times(self) -> tuple[float, float, float]:
        """Width, period and edges."""
        return self.width, self.period, self.transition

    def differences(self, other: PulseSettings) -> list[str]:
        """Say what is different in ``other`` beyond a part in a thousand."""
        found = []
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            same = mine == theirs
            if isinstance(mine, float) and isinstance(theirs, float):
                same = math.isclose(mine, theirs, rel_tol=1e-3, abs_tol=1e-12)
            if not same:
                found.append(f"{name} {mine} is {theirs}")
        return found


def wanted_pulse(
    driver: PulseGeneratorDialect,
    name: str,
    load: float,
    amplitude: float,
    width: float,
    n: int,
    period: float | None,
    transition: float | None,
    trigger_source: str,
) -> PulseSettings:
    """Round a pulse to what the instrument can make.

    Raises
    ------
    UsageError
        For a pulse that it cannot make; nothing is clamped.
    """
    amplitude, width = _amplitude(driver, name, amplitude), _width(driver, name, width)
    if not (isinstance(n, int) and n >= 1):
        raise UsageError(f"{name}: {n!r} pulses", remedy="give a whole number, one or more")
    if trigger_source not in TRIGGERED:
        raise UsageError(
            f"{name}: trigger source {trigger_source!r}",
            remedy="'manual' or 'external'; there is no continuous mode",
        )
    period = max(10 * width, 1e-6) if period is None else number(period, "a period")
    if not 2 * width <= period < math.inf:
        raise UsageError(
            f"{name}: a period of {period!r} s for a width of {width:g} s",
            remedy="give a period of at least two widths",
        )
    fastest = driver.minimum_transition
    edges = max(fastest, min(2.5e-9, 0.5 * width)) if transition is None else transition
    positive(edges, "a transition time")
    if not fastest <= edges <= period - width:
        raise UsageError(
            f"{name}: edges of {edges:g} s in a period of {period:g} s",
            remedy=f"from {fastest:g} s to what the width leaves of the period; nothing was sent",
        )
    return PulseSettings(
        high=max(amplitude, 0.0),
        low=min(amplitude, 0.0),
        inverted=amplitude < 0,
        width=width,
        period=_rounded(period, driver.time_resolution),
        transition=_rounded(edges, driver.time_resolution),
        trigger=trigger_source,
        count=n,
        load=load,
    )


def _amplitude(driver: PulseGeneratorDialect, name: str, given: float) -> float:
    amplitude = number(given, "an amplitude")
    if not driver.minimum_amplitude <= abs(amplitude) < math.inf:
        raise UsageError(
            f"{name}: an amplitude of {amplitude!r} V is below the smallest of"
            f" {driver.minimum_amplitude:g} V",
            remedy="a smaller pulse needs an attenuator in the wiring; nothing was sent",
        )
    amplitude = _rounded(amplitude, driver.voltage_resolution)
    if abs(amplitude) > driver.maximum_voltage:
        raise UsageError(
            f"{name}: {amplitude:g} V is above the instrument's {driver.maximum_voltage:g} V",
            remedy="nothing was sent",
        )
    return amplitude


def _width(driver: PulseGeneratorDialect, name: str, given: float) -> float:
    width = number(given, "a width")
    if not driver.minimum_width <= width < math.inf:
        raise UsageError(
            f"{name}: a width of {width!r} s is below the shortest of {driver.minimum_width:g} s",
            remedy="nothing was sent",
        )
    return _rounded(width, driver.time_resolution)


def _rounded(value: float, resolution: float) -> float:
    per_unit = round(1 / resolution)
    return round(value * per_unit) / per_unit
