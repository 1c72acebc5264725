"""What a source meter is set to, as attributes that are checked when they are set; names are PyMeasure's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labtrain.bus import Port
from labtrain.roles.dialects import SourceMeterDialect
from labtrain.roles.source_checks import SourceChecks
from labtrain.roles.source_control import SourceControl
from labtrain.roles.source_level import level_setting
from labtrain.roles.source_settings import auto_setting, other, positive, range_setting, require_mode
from labtrain.roles.source_state import SourceState
from labtrain.roles.worst_case import Mode, refuse


class SourceFace:
    """The attributes of :class:`labtrain.roles.SourceMeter`."""

    __slots__ = ()

    name: Any
    _allow_auto_range: bool
    _call: Any
    _checks: SourceChecks
    _control: SourceControl
    _driver: SourceMeterDialect
    _port: Port

    @property
    def senses_remotely(self) -> bool:
        """Whether it was last configured to sense by four wires; asks nothing."""
        return self._control.memory.remote

    @property
    def state(self) -> SourceState:
        """What the source is set to; asks the instrument only where that is not known."""
        with self._call:
            return replace(self._control.believed())

    @property
    def identity(self) -> str:
        """The instrument's own answer to ``*IDN?``."""
        with self._call:
            return self._driver.identity

    @property
    def source_mode(self) -> Mode:
        """``"voltage"`` or ``"current"``; changed with the output off only."""
        with self._call:
            return self._control.believed().mode

    @source_mode.setter
    def source_mode(self, mode: Mode) -> None:
        require_mode(mode)
        with self._call:
            state = self._control.believed()
            if mode == state.mode:
                return
            self._refuse_if_on("a change of source mode")
            self._control.forget_setup()
            self._control.memory.state = None  # an instrument may move levels and limits with its function
            self._driver.source_mode = mode

    source_voltage = level_setting("voltage", "The programmed voltage, rounded to the source's resolution.")
    source_current = level_setting("current", "The programmed current, rounded to the source's resolution.")

    @property
    def compliance_current(self) -> float:
        """The current limit of voltage mode."""
        with self._call:
            return self._control.believed().compliance_current

    @compliance_current.setter
    def compliance_current(self, amperes: float) -> None:
        with self._call:
            self._checks.compliance("voltage", amperes)
            self._driver.compliance_current = amperes
            self._control.compliance_set("voltage", amperes)

    @property
    def compliance_voltage(self) -> float:
        """The voltage limit of current mode."""
        with self._call:
            return self._control.believed().compliance_voltage

    @compliance_voltage.setter
    def compliance_voltage(self, volts: float) -> None:
        with self._call:
            self._checks.compliance("current", volts)
            self._driver.compliance_voltage = volts
            self._control.compliance_set("current", volts)

    source_voltage_range = range_setting("source_voltage_range", "Full scale of the voltage source, in V.")
    source_current_range = range_setting("source_current_range", "Full scale of the current source, in A.")
    voltage_range = range_setting("voltage_range", "Full scale of voltage measurements, in V.")
    current_range = range_setting("current_range", "Full scale of current measurements, in A.")
    source_voltage_range_auto = auto_setting("source_voltage_range_auto", "Automatic voltage source range.")
    source_current_range_auto = auto_setting("source_current_range_auto", "Automatic current source range.")
    voltage_range_auto = auto_setting("voltage_range_auto", "Automatic voltage measure range.")
    current_range_auto = auto_setting("current_range_auto", "Automatic current measure range.")

    @property
    def nplc(self) -> float:
        """The aperture of what is measured now, in power line cycles."""
        with self._call:
            measured = other(self._control.believed().mode)
            return self._driver.voltage_nplc if measured == "voltage" else self._driver.current_nplc

    @nplc.setter
    def nplc(self, cycles: float) -> None:
        positive(cycles, "an aperture in power line cycles")
        with self._call:
            state = self._control.believed()
            self._control.forget_setup()
            self._control.set_nplc(other(state.mode), cycles)

    @property
    def in_compliance(self) -> bool:
        """Whether the source is limited now: the true level is then below the programmed one."""
        with self._call:
            return self._driver.in_compliance

    @property
    def output_enabled(self) -> bool:
        """Whether the output is on; turning it on needs a stated limit, which is read back first."""
        with self._call:
            return self._control.believed().output

    @output_enabled.setter
    def output_enabled(self, on: bool) -> None:
        with self._call:
            if on:
                self._control.turn_on()
            else:
                self._control.turn_off()

    def _refuse_if_on(self, what: str) -> None:
        if self._control.believed().output:
            raise refuse(f"{what} with the output on", self.name, "set output_enabled = False first")

    def _ask_setting(self, name: str) -> Any:
        with self._call:
            return getattr(self._driver, name)

    def _set_range(self, name: str, full_scale: float) -> None:
        positive(full_scale, "a range")
        with self._call:
            self._refuse_if_on("a change of range (it overshoots by up to 250 mV)")
            self._control.change(name, float(full_scale))

    def _set_auto(self, name: str, on: bool) -> None:
        with self._call:
            self._refuse_if_on("a change of range (it overshoots by up to 250 mV)")
            if on and not self._allow_auto_range:
                raise refuse(
                    "automatic ranges (each change overshoots by up to 250 mV and can move the limit)",
                    self.name,
                    "state ranges in configure(), or allow them in the bench file for this instrument",
                )
            self._control.change(name, bool(on))
