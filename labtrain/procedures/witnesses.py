"""What a long run reads again and again to see whether the bench has moved, and how one is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from labtrain.populations import model_named
from labtrain.wiring import BenchPlan, DevicePlan, TerminalPlan

if TYPE_CHECKING:
    from labtrain.bench import Bench

READINGS = 8
"""Readings of a check at each polarity."""

_NPLC = 0.1


@dataclass(slots=True)
class Witness:
    """A terminal that is read at low bias.

    Attributes
    ----------
    device, terminal
        Which.
    kind
        ``"reference"``, ``"short"`` or ``"device"``.
    judged
        Whether a change of its resistance is drift; else it is recorded only.
    means, variances
        In ohm and ohm squared, of each check so far.
    """

    device: DevicePlan
    terminal: TerminalPlan
    kind: str
    judged: bool
    means: list[float] = field(default_factory=list)
    variances: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        """As in the bench file: ``"reference.top"``."""
        return f"{self.device.name}.{self.terminal.name}"

    def read(self, bench: Bench) -> None:
        """Read its resistance :data:`READINGS` times from both polarities; note mean and variance."""
        ohms = _ohms(bench, self)
        self.means.append(float(np.mean(ohms)))
        self.variances.append(float(np.var(ohms, ddof=1)))

    @property
    def sigma(self) -> float:
        """Standard deviation of a check's mean, in ohm, from the scatter inside all checks so far."""
        return float(np.sqrt(np.mean(self.variances) / READINGS))

    @property
    def change(self) -> float:
        """The last check's mean less the first one's, in ohm."""
        return self.means[-1] - self.means[0]


def witnesses(
    plan: BenchPlan, devices: Sequence[DevicePlan], sources: Mapping[str, frozenset[str]]
) -> list[Witness]:
    """Return the bench's first resistor, its first short, and every measured device, where they can be read.

    Devices that a measurement may move by its nature (switches, bit sources, synapses) are not judged.
    """
    everything = [device for array in plan.arrays.values() for device in array.devices]
    chosen = {
        kind: next((one for one in everything if one.kind == model), None)
        for kind, model in (("reference", "resistor"), ("short", "short"))
    }
    watched = [(kind, one, True) for kind, one in chosen.items() if one is not None]
    known = {one.name for _, one, _ in watched}
    watched += [("device", one, _keeps_its_state(one)) for one in devices if one.name not in known]
    return [
        Witness(device, terminal, kind, judged)
        for kind, device, judged in watched
        for terminal in device.terminals.values()
        if "source-meter" in sources.get(f"{device.name}.{terminal.name}", ())
    ]


def _keeps_its_state(device: DevicePlan) -> bool:
    return model_named(device.kind).role not in ("switch", "bitstream", "synapse")


def _ohms(bench: Bench, witness: Witness) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """At the level of a contact check; a short is forced a current, as 20 mV would exceed its limit."""
    from labtrain.bench import contact_amperes, contact_volts

    limits = witness.terminal.limits
    volts = contact_volts(limits)
    amperes = contact_amperes(limits, volts)
    short = witness.kind == "short"
    level, limit = (amperes, volts) if short else (volts, amperes)
    with bench.route(witness.device, witness.terminal.name) as meter:
        meter.configure("current" if short else "voltage", level, limit, limit, _NPLC)
        sweep = meter.sweep(np.tile([level, -level], READINGS), abort_on_compliance=False)
    return _slopes(sweep.volts, sweep.amperes)


def _slopes(
    volts: np.ndarray[tuple[int], np.dtype[np.float64]], amperes: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """dV/dI of each pair, free of thermal voltages and offsets."""
    return (volts[::2] - volts[1::2]) / (amperes[::2] - amperes[1::2])
