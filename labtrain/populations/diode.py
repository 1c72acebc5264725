"""Populations of junction diodes; see :mod:`labtrain.physics.diode`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from labtrain.populations.model import DeviceModel, Setting, Spread, Values

_UNITS = {"saturation_current": "A", "ideality": "", "kelvin": "K", "r_series": "ohm", "r_shunt": "ohm"}

_SETTINGS = {
    "saturation_current": Setting("ampere", 1e-12, 1e-18, 1e-3, "reverse current of the ideal junction"),
    "ideality": Setting("dimensionless", 1.2, 1.0, 3.0, "1 for diffusion, 2 for recombination"),
    "kelvin": Setting("kelvin", 295.0, 2.0, 700.0, "temperature of the junction"),
    "r_series": Setting("ohm", 10.0, 0.0, 1e6, "contacts and bulk"),
    "r_shunt": Setting("ohm", 1e9, 1e3, 1e15, "leak beside the junction"),
    "mismatch": Setting("dimensionless", 0.0, 0.0, 0.5, "relative spread of the saturation current"),
}


def _build(settings: Mapping[str, float], spread: Spread) -> Values:
    values = {name: np.full(spread.cells, settings[name]) for name in _UNITS}
    name = "saturation_current"
    values[name] = spread.relative(name, settings[name], settings["mismatch"])
    return values


DIODE = DeviceModel(
    name="diode",
    terminals=("top",),
    settings=_SETTINGS,
    units=_UNITS,
    build=_build,
    expected_resistance=(1e6, 1e15),
    doc="a junction diode, anode on `top`: conducts one way only",
)
