"""The pulse generator of a bench: finite, triggered pulses that idle at zero, never above the limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from labtrain.bus import Port
from labtrain.clock import Clock
from labtrain.errors import InstrumentError, InstrumentStateChanged, UsageError
from labtrain.roles.dialects import PulseGeneratorDialect
from labtrain.roles.envelope import Envelope
from labtrain.roles.role import Role
from labtrain.roles.source_settings import number, positive
from labtrain.roles.worst_case import check_pulse, refuse

_CHANGING = -1
_TRIGGERED = ("manual", "external")


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


@final
class PulseGenerator(Role):
    """One channel that fires a stated number of pulses on a trigger.

    Voltages are *programmed* ones: what the instrument would put across a load of ``output_load``.
    What is checked is the open-circuit EMF behind them, ``V (R_source + R_load) / R_load``: a generator
    set for 50 ohm nearly doubles its pulse on a device of some kilohm. There is no continuous mode, and
    the output goes on only after mode, count and levels have been read back. At rest, armed and between
    pulses the output is at 0 V for both polarities.

    Parameters
    ----------
    driver
        The dialect object of the channel; private from here on.
    port
        Its port on the bus.
    envelope
        Gives the limits at the channel, as the routes stand.
    clock
        The bench's clock.
    alias, channel
        Names from the bench file.
    output_load
        The load setting in ohm, fixed by the bench file; infinite for high impedance.

    Raises
    ------
    LimitExceeded
        From every method that changes something: nothing was sent.
    """

    __slots__ = ("_armed", "_driver", "_envelope", "_limited", "_output_load", "_pulses", "_seen")

    def __init__(
        self,
        driver: PulseGeneratorDialect,
        port: Port,
        envelope: Envelope,
        clock: Clock,
        alias: str,
        channel: str,
        output_load: float,
    ) -> None:
        super().__init__(port, clock, alias, channel)
        positive(min(output_load, 1e9), "an output load in ohm")
        self._driver = driver
        self._envelope = envelope
        self._output_load = min(output_load, 1e6)  # instruments have no infinity; 1 Mohm is 50 ppm from it
        self._armed: PulseSettings | None = None
        self._limited = math.nan
        self._pulses = False
        self._seen = _CHANGING

    @property
    def identity(self) -> str:
        """The instrument's own answer to ``*IDN?``."""
        with self._call:
            return self._driver.identity

    @property
    def output_load(self) -> float:
        """The load setting in ohm; the bench file fixes it."""
        return self._output_load

    @property
    def emf_factor(self) -> float:
        """Open-circuit EMF over programmed voltage."""
        return (self._driver.source_ohms + self._output_load) / self._output_load

    @property
    def source_ohms(self) -> float:
        """The source resistance in ohm."""
        return self._driver.source_ohms

    @property
    def minimum_amplitude(self) -> float:
        """The smallest programmed amplitude in V; less is refused, never clamped up."""
        return self._driver.minimum_amplitude

    @property
    def minimum_width(self) -> float:
        """The shortest pulse in s; less is refused."""
        return self._driver.minimum_width

    @property
    def settings(self) -> PulseSettings:
        """The channel's settings, as the instrument says."""
        with self._call:
            return self._ask()

    @property
    def voltage_high(self) -> float:
        """The programmed high level."""
        return self.settings.high

    @property
    def voltage_low(self) -> float:
        """The programmed low level."""
        return self.settings.low

    @property
    def pulse_width(self) -> float:
        """In seconds."""
        return self.settings.width

    @property
    def pulse_period(self) -> float:
        """In seconds, between the pulses of one burst."""
        return self.settings.period

    @property
    def pulse_transition(self) -> float:
        """The edges, in seconds."""
        return self.settings.transition

    @property
    def burst_ncycles(self) -> int:
        """Pulses a trigger fires."""
        return self.settings.count

    @property
    def trigger_source(self) -> str:
        """``"manual"`` or ``"external"``; there is no continuous mode."""
        return self.settings.trigger

    @property
    def output_enabled(self) -> bool:
        """Whether the output is on. It is turned on by :meth:`arm` alone."""
        with self._call:
            return self._driver.output_enabled

    @output_enabled.setter
    def output_enabled(self, on: bool) -> None:
        with self._call:
            if not on:
                self._turn_off()
            elif self._armed is None:
                raise refuse("an output without an armed pulse", self.name, "call arm() or pulse()")

    def arm(
        self,
        amplitude: float,
        width: float,
        n: int = 1,
        *,
        period: float | None = None,
        transition: float | None = None,
        trigger_source: str = "manual",
    ) -> PulseSettings:
        """Set up ``n`` pulses, read the settings back and turn the output on; it idles at 0 V.

        Parameters
        ----------
        amplitude
            Programmed volts into ``output_load``; negative for the other polarity.
        width
            In seconds.
        n
            Pulses a trigger fires.
        period
            In seconds; by default ten widths and at least 1 us.
        transition
            The edges in seconds; by default the instrument's fastest that the width allows.
        trigger_source
            ``"manual"`` or ``"external"``.

        Returns
        -------
        PulseSettings
            What the instrument says that it is set to.
        """
        with self._call:
            wanted = self._wanted(amplitude, width, n, period, transition, trigger_source)
            limits, where = self._envelope.limits()
            emf = abs(wanted.high + wanted.low) * self.emf_factor
            check_pulse(emf, wanted.width, wanted.period, self._driver.source_ohms, limits, where)
            self._envelope.before_drive()
            self._envelope.before_arming(wanted.count, wanted.trigger)
            if self._armed == wanted and self._seen == self._port.incidents:
                return wanted
            self._turn_off()
            allowed = min(limits.voltage / self.emf_factor, self._driver.maximum_voltage)
            self._program(wanted, allowed)
            self._driver.output_enabled = True
            self._armed, self._seen = wanted, self._port.incidents
            return wanted

    def trigger(self) -> None:
        """Fire what is armed.

        Raises
        ------
        LimitExceeded
            Where nothing is armed, the limits have become tighter, or a trigger would fire another
            channel too.
        """
        with self._call:
            armed = self._armed
            if armed is None or self._seen != self._port.incidents:
                raise refuse("a trigger without an armed pulse", self.name, "call arm() or pulse() first")
            limits, where = self._envelope.limits()
            emf = abs(armed.high + armed.low) * self.emf_factor
            check_pulse(emf, armed.width, armed.period, self._driver.source_ohms, limits, where)
            others = self._driver.others_on()
            if others:
                raise refuse(
                    f"a trigger while channel {', '.join(others)} is on (it would fire too)",
                    self.name,
                    "turn the other channel's output off first",
                )
            self._envelope.before_drive()
            self._envelope.before_pulses(armed.count, emf, armed.width)
            self._driver.trigger()

    def wait_complete(self, timeout: float = 5.0) -> None:
        """Let the burst pass on the bench's clock, then ask the instrument whether it is over."""
        with self._call:
            armed = self._armed
            duration = armed.count * armed.period if armed is not None else 0.0
            if not duration <= timeout:
                raise UsageError(
                    f"{self.name}: the burst lasts {duration:g} s, longer than the time-out of {timeout:g} s",
                    remedy="give a longer timeout",
                )
            if not self._driver.output_enabled:  # answered at once: the burst has begun before time passes
                self._turn_off()
                raise InstrumentStateChanged("is off in the middle of a burst", instrument=self.name)
            self._clock.sleep(duration)
            self._driver.wait_complete()

    def pulse(self, amplitude: float, width: float, n: int = 1) -> None:
        """Fire ``n`` pulses and wait until they are over; the output stays armed at 0 V.

        Parameters are those of :meth:`arm`.
        """
        with self._call:
            armed = self.arm(amplitude, width, n)
            self.trigger()
            self.wait_complete(timeout=armed.count * armed.period + 5.0)

    def shutdown(self) -> None:
        """Turn the output off; never refused."""
        with self._call:
            self._turn_off()

    def _wanted(
        self,
        amplitude: float,
        width: float,
        n: int,
        period: float | None,
        transition: float | None,
        trigger_source: str,
    ) -> PulseSettings:
        driver = self._driver
        amplitude, width = number(amplitude, "an amplitude"), number(width, "a width")
        if not driver.minimum_amplitude <= abs(amplitude) < math.inf:
            raise UsageError(
                f"{self.name}: an amplitude of {amplitude!r} V is below the smallest of"
                f" {driver.minimum_amplitude:g} V",
                remedy="a smaller pulse needs an attenuator in the wiring; nothing was sent",
            )
        if not driver.minimum_width <= width < math.inf:
            raise UsageError(
                f"{self.name}: a width of {width!r} s is below the shortest of {driver.minimum_width:g} s",
                remedy="nothing was sent",
            )
        if not (isinstance(n, int) and n >= 1):
            raise UsageError(f"{self.name}: {n!r} pulses", remedy="give a whole number, one or more")
        if trigger_source not in _TRIGGERED:
            raise UsageError(
                f"{self.name}: trigger source {trigger_source!r}",
                remedy="'manual' or 'external'; there is no continuous mode",
            )
        amplitude = _rounded(amplitude, driver.voltage_resolution)
        if abs(amplitude) > driver.maximum_voltage:
            raise UsageError(
                f"{self.name}: {amplitude:g} V is above the instrument's {driver.maximum_voltage:g} V",
                remedy="nothing was sent",
            )
        width = _rounded(width, driver.time_resolution)
        period = max(10 * width, 1e-6) if period is None else number(period, "a period")
        if not 2 * width <= period < math.inf:
            raise UsageError(
                f"{self.name}: a period of {period!r} s for a width of {width:g} s",
                remedy="give a period of at least two widths",
            )
        fastest = driver.minimum_transition
        edges = max(fastest, min(2.5e-9, 0.5 * width)) if transition is None else transition
        positive(edges, "a transition time")
        if not fastest <= edges <= period - width:
            raise UsageError(
                f"{self.name}: edges of {edges:g} s in a period of {period:g} s",
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
            load=self._output_load,
        )

    def _program(self, wanted: PulseSettings, allowed: float) -> None:
        """Set everything with the output off, and see that the instrument took it."""
        driver = self._driver
        if not self._pulses:
            driver.select_pulses()
            self._pulses = True
        driver.trigger_source = wanted.trigger  # first: the power-on default runs for ever
        driver.output_load = wanted.load
        driver.burst_ncycles = wanted.count
        driver.inverted = wanted.inverted
        self._set_levels(wanted, allowed)
        self._set_times(wanted)
        self._report(driver.errors())
        says = self._ask()
        changes = wanted.differences(says)
        if says.trigger not in _TRIGGERED or says.idle != 0 or changes:
            raise InstrumentStateChanged(
                f"does not hold what it was told ({'; '.join(changes)}); its output is off",
                instrument=self.name,
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

    def _ask(self) -> PulseSettings:
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

    def _turn_off(self) -> None:
        self._armed, self._seen = None, _CHANGING
        try:
            self._driver.output_enabled = False
        except InstrumentError:
            self._limited, self._pulses = math.nan, False
            raise


def _rounded(value: float, resolution: float) -> float:
    per_unit = round(1 / resolution)
    return round(value * per_unit) / per_unit
