"""The most that a source can do to whatever is connected, from its settings alone.

A source in voltage mode holds V until the current limit takes over; in current mode it holds I until
the voltage limit does. The load is not known, so the worst one is taken: a voltage source puts its level
on the device, can drive the limiting current, and with a load of V / I_limit it does both at once.
The like for a current source.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import LimitExceeded
from labtrain.limits import Limits

Mode = Literal["voltage", "current"]


def check_level(mode: Mode, level: float, limits: Limits, where: str) -> None:
    """Accept a level of magnitude ``level`` (V or A) by itself."""
    limits.check(mode, level, what=f"a source {mode}", where=where)


def check_compliance(mode: Mode, compliance: float, limits: Limits, where: str) -> None:
    """Accept the limiting current of voltage mode, or the limiting voltage of current mode."""
    limited: Mode = "current" if mode == "voltage" else "voltage"
    limits.check(limited, compliance, what=f"a {limited} compliance", where=where)


def check_source(mode: Mode, level: float, compliance: float, limits: Limits, where: str) -> None:
    """Accept a source that is on: level, compliance and the power that both allow."""
    check_level(mode, level, limits, where)
    check_compliance(mode, compliance, limits, where)
    limits.check("power", level * compliance, what="a worst-case power (level x compliance)", where=where)


def check_steps(
    mode: Mode, levels: NDArray[np.float64], compliance: float, interval: float, limits: Limits, where: str
) -> None:
    """Accept the changes of voltage along ``levels``, one every ``interval`` seconds.

    In current mode the load decides the voltage, so the worst case is a jump to the compliance, or
    from one sign of it to the other.
    """
    if limits.step == limits.slew == np.inf or len(levels) < 2:
        return
    step = _largest_step(mode, levels, compliance)
    limits.check("step", step, what="a worst-case step of voltage", where=where)
    limits.check("slew", step / interval, what="a worst-case slew", where=where)


def _largest_step(mode: Mode, levels: NDArray[np.float64], compliance: float) -> float:
    if mode == "voltage":
        return float(np.max(np.abs(np.diff(levels))))
    if not np.any(np.diff(levels)):
        return 0.0
    crosses = np.any(levels[1:] * levels[:-1] < 0)
    return 2 * compliance if crosses else compliance


def check_pulse(
    emf: float, width: float, period: float, source_ohms: float, limits: Limits, where: str
) -> None:
    """Accept a pulse of a generator by its open-circuit EMF, whatever the load.

    A generator of EMF E and source resistance R delivers at most E into an open end, E/R into a short,
    and E^2/4R into a matched load (maximum power transfer).
    """
    power = emf * emf / (4 * source_ohms)
    limits.check("voltage", emf, what="an open-circuit pulse voltage", where=where)
    limits.check("current", emf / source_ohms, what="a worst-case pulse current (into a short)", where=where)
    limits.check("power", power, what="a worst-case pulse power (into a matched load)", where=where)
    limits.check("pulse_width", width, what="a pulse width", where=where)
    limits.check("pulse_energy", power * width, what="a worst-case pulse energy", where=where)
    limits.check("duty", width / period, what="a duty cycle", where=where)


def refuse(what: str, where: str, remedy: str) -> LimitExceeded:
    """Build the refusal of something that no number describes."""
    return LimitExceeded(f"{what}; nothing was sent", remedy=remedy, key=where)
