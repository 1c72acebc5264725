"""What a source meter is set to, as its role believes, and as the instrument says."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

from labtrain.roles.dialects import SourceMeterDialect
from labtrain.roles.worst_case import Mode


@dataclass(slots=True)
class SourceState:
    """The settings that decide what a source does to a device; SI.

    Attributes
    ----------
    mode
        ``"voltage"`` or ``"current"``.
    output
        Whether the output is on.
    source_voltage, source_current
        The programmed level of each mode.
    compliance_current, compliance_voltage
        The limiting current of voltage mode, the limiting voltage of current mode.
    source_voltage_range, source_current_range
        Full scale of each source range.
    """

    mode: Mode
    output: bool
    source_voltage: float
    source_current: float
    compliance_current: float
    compliance_voltage: float
    source_voltage_range: float
    source_current_range: float

    @classmethod
    def read(cls, driver: SourceMeterDialect) -> Self:
        """Ask the instrument."""
        return cls(
            mode=driver.source_mode,
            output=driver.output_enabled,
            source_voltage=driver.source_voltage,
            source_current=driver.source_current,
            compliance_current=driver.compliance_current,
            compliance_voltage=driver.compliance_voltage,
            source_voltage_range=driver.source_voltage_range,
            source_current_range=driver.source_current_range,
        )

    @property
    def level(self) -> float:
        """The programmed level of the present mode, in V or A."""
        return self.source_voltage if self.mode == "voltage" else self.source_current

    @property
    def compliance(self) -> float:
        """The limit of the present mode, in A or V."""
        return self.compliance_current if self.mode == "voltage" else self.compliance_voltage

    @property
    def full_scale(self) -> float:
        """The source range of the present mode, in V or A."""
        return self.source_voltage_range if self.mode == "voltage" else self.source_current_range

    def differences(self, other: SourceState) -> list[str]:
        """Say what is different in ``other``, beyond a part in 1e5 (how instruments print numbers)."""
        found = []
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if isinstance(mine, float):
                same = math.isclose(mine, theirs, rel_tol=1e-5, abs_tol=1e-12)
            else:
                same = mine == theirs
            if not same:
                found.append(f"{field.name} {mine} is now {theirs}")
        return found
