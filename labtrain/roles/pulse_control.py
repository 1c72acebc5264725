"""How a pulse generator's role handles its instrument: sets what has changed, reads all of it back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import final

from labtrain.bus import Port
from labtrain.errors import InstrumentError, InstrumentStateChanged
from labtrain.roles.dialects import PulseGeneratorDialect
from labtrain.roles.pulse_settings import TRIGGERED, PulseSettings

_NEVER = -1


@final
class PulseControl:
    """The private half of :class:`labtrain.roles.PulseGenerator`; every call is inside a role call.

    Attributes
    ----------
    armed
        What the output is on with, None where it is off.
    """

    __slots__ = ("_driver", "_held", "_limited", "_name", "_port", "_pulses", "_report", "_seen", "armed")

    def __init__(
        self, driver: PulseGeneratorDialect, port: Port, report: Callable[[list[str]], None], name: str
    ) -> None:
        self._driver, self._port, self._report, self._name = driver, port, report, name
        self.armed: PulseSettings | None = None
        self._held: PulseSettings | None = None  # what it was last told and said that it holds
        self._seen = _NEVER
        self._limited = math.nan
        self._pulses = False

    @property
    def believable(self) -> bool:
        """Whether no message has failed since the instrument was last read back."""
        return self._seen == self._port.incidents

    def arm(self, wanted: PulseSettings, allowed: float) -> None:
        """Set everything with the output off, see that the instrument took it, turn the output on.

        Parameters
        ----------
        allowed
            What the instrument itself shall refuse to exceed, in programmed volts.
        """
        known = self._held if self.believable else None
        self.turn_off()
        if not self.believable:
            self._begin_anew()
        self._held = None
        self._program(wanted, known, allowed)
        self._held, self._seen = wanted, self._port.incidents
        self._driver.output_enabled = True
        self.armed = wanted

    def turn_off(self) -> None:
        """Turn the output off; never refused."""
        self.armed = None
        try:
            self._driver.output_enabled = False
        except InstrumentError:
            self._forget()
            raise

    def _forget(self) -> None:
        self._held, self._limited, self._pulses = None, math.nan, False

    def _begin_anew(self) -> None:
        """After a message has failed nothing is taken for granted, and a loss of power is told."""
        known = self._seen != _NEVER
        self._forget()
        self._seen = _NEVER
        if known and self._port.lost_power():
            raise InstrumentStateChanged(
                "its power has been off, so its settings are lost; its output is off",
                instrument=self._name,
                remedy="see why, then arm it anew",
            )

    def ask(self) -> PulseSettings:
        """Ask the instrument for all settings."""
        driver = self._driver
        return PulseSettings(
            high=driver.voltage_high,
            low=driver.voltage_low,
            inverted=driver.inverted,
            width=driver.pulse_width,
            period=driver.pulse_period,
            transition=driver.pulse_transition,
            trigger=driver.trigger_source,
            count=driver.burst_ncycles,
            load=driver.output_load,
        )

    def _program(self, wanted: PulseSettings, known: PulseSettings | None, allowed: float) -> None:
        """Send what differs from what it holds, then read everything back, whatever was sent."""
        driver = self._driver
        if not self._pulses:
            driver.select_pulses()
            self._pulses, known = True, None
        if known is None or known.trigger != wanted.trigger:
            driver.trigger_source = wanted.trigger  # first: the power-on default runs for ever
        if known is None or known.load != wanted.load:
            driver.unlimit_levels()  # an instrument may refuse another load while its limits are on
            self._limited = math.nan
            driver.output_load = wanted.load
        if known is None or known.count != wanted.count:
            driver.burst_ncycles = wanted.count
        if known is None or known.inverted != wanted.inverted:
            driver.inverted = wanted.inverted
        self._set_levels(wanted, allowed)
        if known is None or known.times != wanted.times:
            self._set_times(wanted)
        self._report(driver.errors())
        self._compare(wanted)

    def _compare(self, wanted: PulseSettings) -> None:
        says = self.ask()
        changes = wanted.differences(says)
        if says.trigger not in TRIGGERED or says.idle != 0 or changes:
            raise InstrumentStateChanged(
                f"does not hold what it was told ({'; '.join(changes)}); its output is off",
                instrument=self._name,
                remedy="see the instrument's limits for this combination of width, period and levels",
            )

    def _set_levels(self, wanted: PulseSettings, allowed: float) -> None:
        """Set the levels, and have the instrument itself refuse more than the terminals allow."""
        driver = self._driver
        if allowed != self._limited:
            self._limited = math.nan
            driver.unlimit_levels()  # new limits are not taken while the old levels are outside them
        if wanted.inverted:  # widen before narrowing: HIGH stays above LOW throughout
            driver.voltage_low = wanted.low
            driver.voltage_high = wanted.high
        else:
            driver.voltage_high = wanted.high
            driver.voltage_low = wanted.low
        if allowed != self._limited:
            driver.limit_levels(allowed)
            self._limited = allowed

    def _set_times(self, wanted: PulseSettings) -> None:
        """Set the times in an order in which the pulse always fits its period."""
        driver = self._driver
        growing = wanted.period >= driver.pulse_period
        if growing:
            driver.pulse_period = wanted.period
        driver.pulse_width = wanted.width
        driver.pulse_transition = wanted.transition
        if not growing:
            driver.pulse_period = wanted.period
