"""The voltmeter of a directly simulated array: aperture, noise, range, converter, compliance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from labtrain.arrays.neurons import Flag
from labtrain.errors import UsageError
from labtrain.physics.namespaces import namespace


@dataclass(frozen=True, slots=True)
class Readout:
    """How a simulated array reads voltages.

    Attributes
    ----------
    seconds
        Aperture of a reading; 0.2 ms is 0.01 power line cycles at 50 Hz.
    read_noise
        The instrument's noise in V rms of a reading.
    range_volts
        Readings beyond are clipped and flagged OVERRANGE.
    adc_bits
        Bits of the converter over -range to +range; 0: not quantised.
    compliance_volts
        The source's voltage limit: an open device reads this, flagged COMPLIANCE.

    Raises
    ------
    UsageError
        For a value out of range, or bits without a finite range.
    """

    seconds: float = 2e-4
    read_noise: float = 0.0
    range_volts: float = math.inf
    adc_bits: int = 0
    compliance_volts: float = 0.5

    def __post_init__(self) -> None:
        """Refuse what no voltmeter is."""
        checks = {
            "seconds": (0 < self.seconds < math.inf, "a positive number of seconds"),
            "read_noise": (0 <= self.read_noise < math.inf, "0 V or more"),
            "range_volts": (self.range_volts > 0, "more than 0 V"),
            "adc_bits": (0 <= self.adc_bits <= 32, "0 (none) to 32"),
            "compliance_volts": (self.compliance_volts > 0, "more than 0 V"),
        }
        for name, (fine, allowed) in checks.items():
            if not fine:
                given = getattr(self, name)
                raise UsageError(f"readout: {name} = {given} is not {allowed}", remedy="correct it", key=name)
        if self.adc_bits and math.isinf(self.range_volts):
            raise UsageError("readout: adc_bits need a range", remedy="give range_volts", key="range_volts")

    @property
    def step_volts(self) -> float:
        """The converter's step in V, 0 where there is none."""
        return 2.0 * self.range_volts / 2**self.adc_bits if self.adc_bits else 0.0

    def read(self, device_volts: Any, instrument_normals: Any, amperes: Any, dead: Any) -> tuple[Any, Any]:
        """Turn device voltages into readings and uint8 flags.

        Parameters
        ----------
        device_volts, instrument_normals, amperes
            ``[B, n]``; standard normals of the instrument's noise stream.
        dead
            Bool, broadcast: the device is an open circuit.
        """
        xp = namespace(device_volts)
        limit = self.compliance_volts
        unconnected = 2.0 * limit * xp.sign(amperes)
        wanted = xp.where(dead, unconnected, device_volts)
        held = xp.clip(wanted, -limit, limit)
        flags = xp.astype(held != wanted, xp.uint8) * int(Flag.COMPLIANCE)
        noisy = held + self.read_noise * instrument_normals
        shown = xp.clip(noisy, -self.range_volts, self.range_volts)
        flags = flags | xp.astype(shown != noisy, xp.uint8) * int(Flag.OVERRANGE)
        if self.step_volts:
            shown = xp.round(shown / self.step_volts) * self.step_volts
        return shown, flags
