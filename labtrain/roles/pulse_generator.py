"""The pulse generator of a bench: finite, triggered pulses that idle at zero, never above the limits."""

from __future__ import annotations

from typing import final

from labtrain.bus import Port
from labtrain.clock import Clock
from labtrain.errors import InstrumentStateChanged, UsageError
from labtrain.roles.dialects import PulseGeneratorDialect
from labtrain.roles.envelope import Envelope
from labtrain.roles.pulse_control import PulseControl
from labtrain.roles.pulse_settings import PulseSettings, wanted_pulse
from labtrain.roles.role import Role
from labtrain.roles.source_settings import positive
from labtrain.roles.worst_case import check_pulse, refuse


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

    __slots__ = ("_control", "_driver", "_envelope", "_output_load")

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
        self._control = PulseControl(driver, port, self._report, self.name)

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
            return self._control.ask()

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
                self._control.turn_off()
            elif self._control.armed is None:
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
            asked = (amplitude, width, n, period, transition, trigger_source)
            wanted = wanted_pulse(self._driver, self.name, self._output_load, *asked)
            limits, where = self._envelope.limits()
            emf = abs(wanted.high + wanted.low) * self.emf_factor
            check_pulse(emf, wanted.width, wanted.period, self._driver.source_ohms, limits, where)
            self._envelope.before_drive()
            self._envelope.before_arming(wanted.count, wanted.trigger)
            if self._control.armed != wanted or not self._control.believable:
                allowed = min(limits.voltage / self.emf_factor, self._driver.maximum_voltage)
                self._control.arm(wanted, allowed)
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
            armed = self._control.armed
            if armed is None or not self._control.believable:
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
            armed = self._control.armed
            duration = armed.count * armed.period if armed is not None else 0.0
            if not duration <= timeout:
                raise UsageError(
                    f"{self.name}: the burst lasts {duration:g} s, longer than the time-out of {timeout:g} s",
                    remedy="give a longer timeout",
                )
            if not self._driver.output_enabled:  # answered at once: the burst has begun before time passes
                self._control.turn_off()
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
            self._control.turn_off()
