"""Limits of a terminal, seen from the source that reaches it, at the worst load.

A source meter is stiff: into an open matched attenuator of ratio a it delivers up to
2a/(1 + a^2) of its level (the reflection of the open end meets the source again), at
least a. A generator has its own source resistance; what it can do at most to a device
whose resistance has been checked to lie in [R_min, R_max] follows from the divider.
The role that owns the source compares its level, EMF/R_s and EMF^2/4R_s with what
these functions return.
"""

from __future__ import annotations

import math
from dataclasses import replace

from labtrain.bench.circuit import Path
from labtrain.limits import Limits

GENERATOR_OHMS = 50.0
"""Source resistance of the pulse generators supported (data sheets: 50 ohm nominal)."""

_ANY_LOAD = (0.0, math.inf)


def at_source_meter(limits: Limits, path: Path) -> Limits:
    """Transform a terminal's limits to a stiff source at the other end of ``path``."""
    gain = path.gain if path.gain >= 1 else 2 * path.gain / (1 + path.gain**2)
    amplified = max(path.gain, 1.0)
    return replace(
        limits,
        voltage=limits.voltage / gain,
        step=limits.step / gain,
        slew=limits.slew / gain,
        current=limits.current / amplified,
        power=limits.power / amplified,
    )


def at_generator(limits: Limits, path: Path, load: tuple[float, float] | None) -> Limits:
    """Transform a terminal's limits to a generator's EMF, EMF/R_s and EMF^2/4R_s.

    Parameters
    ----------
    load
        The device's resistance range in ohm, or None where nothing is known of it.
    """
    low, high = load or _ANY_LOAD
    source = GENERATOR_OHMS + path.resistance
    worst = min(max(source, low), high)  # the load in range that takes the most power
    current = (source + low) / (GENERATOR_OHMS * path.gain)
    power = (source + worst) ** 2 / (4 * GENERATOR_OHMS * worst * path.gain**2)
    return replace(
        limits,
        voltage=limits.voltage / path.gain,
        step=limits.step / path.gain,
        slew=limits.slew / path.gain,
        current=limits.current * current,
        power=limits.power * power,
        pulse_energy=limits.pulse_energy * power,
    )
