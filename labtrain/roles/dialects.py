"""What a role needs of the driver object that it owns: the contract of ``drivers/``.

Drivers are PyMeasure instruments or channels; they translate, and decide nothing. Numbers are SI.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from labtrain.roles.worst_case import Mode


class Dialect(Protocol):
    """Every driver."""

    @property
    def identity(self) -> str:
        """The answer to ``*IDN?``."""

    def errors(self) -> list[str]:
        """Empty the instrument's error queue; an empty list where there was none."""


class SourceMeterDialect(Dialect, Protocol):
    """A source meter, or one channel of it."""

    list_chunk: int
    """Values that one command of a list may carry."""
    list_capacity: int
    """Values that a whole list may have."""
    settle_seconds: float
    """The shortest time in which the source completes a change of level."""
    line_seconds: float
    """One power line cycle."""

    source_mode: Mode
    output_enabled: bool
    source_voltage: float
    source_current: float
    compliance_current: float
    compliance_voltage: float
    source_voltage_range: float
    source_current_range: float
    voltage_range: float
    current_range: float
    source_voltage_range_auto: bool
    source_current_range_auto: bool
    voltage_range_auto: bool
    current_range_auto: bool
    voltage_nplc: float
    current_nplc: float
    protection_voltage: float
    """Over-voltage protection; set to the lowest step at or above what is asked."""

    @property
    def in_compliance(self) -> bool:
        """Whether the source is limited now."""

    def sense(self, quantity: Mode, remote: bool = False) -> None:
        """Measure voltage or current from now on; ``remote``: by four wires."""

    def range_maximum(self, quantity: Mode, full_scale: float) -> float:
        """The largest level that a source range takes."""

    def resolution(self, quantity: Mode, full_scale: float) -> float:
        """The step of the source's levels on a range."""

    def measure_once(self) -> tuple[float, float, float]:
        """Measure once, in one query: source level, reading, seconds."""

    def load_list(self, quantity: Mode, levels: NDArray[np.float64], append: bool) -> None:
        """Upload at most ``list_chunk`` levels."""

    def start_list(self, quantity: Mode, delay: float, abort_on_compliance: bool) -> None:
        """Run the list once; returns at once. The output is on before and stays on after."""

    def list_progress(self) -> int:
        """How many points of the list have been measured; answers while the list runs."""

    def list_running(self) -> bool:
        """Whether the list still runs; answers while it does."""

    def read_list(self, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Source levels, readings and seconds of the first ``count`` points, in one query."""

    def abort(self) -> None:
        """Stop whatever runs."""


class FastBufferDialect(Protocol):
    """A source meter that reads into its buffer at a standing level, without a list."""

    buffer_capacity: int
    """Readings that the buffer holds."""
    buffer_overhead: float
    """Seconds of a reading beside its aperture."""

    def start_readings(self, count: int, delay: float) -> None:
        """Begin ``count`` readings at the present level, ``delay`` s before each; returns at once."""

    def list_progress(self) -> int:
        """How many readings are in the buffer; answers while they are taken."""

    def list_running(self) -> bool:
        """Whether readings are still taken."""

    def read_readings(
        self, first: int, last: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Volts, amperes, seconds of readings ``first`` to ``last`` (from 1, both included), in one query."""

    def abort(self) -> None:
        """Stop whatever runs."""


class PulseGeneratorDialect(Dialect, Protocol):
    """One channel of a pulse generator."""

    source_ohms: float
    minimum_amplitude: float
    minimum_width: float
    minimum_transition: float
    maximum_voltage: float
    """At a matched load."""
    voltage_resolution: float
    time_resolution: float

    output_enabled: bool
    output_load: float
    inverted: bool
    voltage_high: float
    voltage_low: float
    pulse_width: float
    pulse_period: float
    pulse_transition: float
    trigger_source: str
    """``"manual"`` or ``"external"``; an instrument may answer ``"continuous"`` to begin with."""
    burst_ncycles: int

    def select_pulses(self) -> None:
        """Choose the pulse function."""

    def limit_levels(self, volts: float) -> None:
        """Set the instrument's own limits to plus and minus ``volts`` and switch them on."""

    def unlimit_levels(self) -> None:
        """Switch the instrument's own limits off."""

    def others_on(self) -> list[str]:
        """Other channels whose output is on, which a trigger would fire too."""

    def trigger(self) -> None:
        """Fire what is armed."""

    def wait_complete(self) -> None:
        """Return when what was triggered is over."""


class SwitchMatrixDialect(Dialect, Protocol):
    """A switch matrix."""

    rows: range
    columns: range

    def closed(self) -> frozenset[tuple[int, int]]:
        """The relays that are closed, as the instrument says."""

    def close_relay(self, row: int, column: int) -> None:
        """Close one relay."""

    def open_relay(self, row: int, column: int) -> None:
        """Open one relay."""

    def open_all(self) -> None:
        """Open every relay."""

    def keep_alive(self) -> None:
        """Tell a watchdog that somebody is there; nothing where there is none."""
