"""Populations of resistors; see :mod:`labtrain.physics.resistor`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from labtrain.populations.model import DeviceModel, Setting, Spread, Values

_UNITS = {"resistance": "ohm", "drift_per_hour": "1/hour"}

_SETTINGS = {
    "resistance": Setting("ohm", 10e3, 1e-3, 1e12, "nominal resistance"),
    "tolerance": Setting("dimensionless", 0.0, 0.0, 0.5, "relative spread between resistors"),
    "drift_per_hour": Setting("dimensionless", 0.0, -1.0, 1.0, "relative change in an hour"),
}


def _build(settings: Mapping[str, float], spread: Spread) -> Values:
    return {
        "resistance": spread.relative("resistance", settings["resistance"], settings["tolerance"]),
        "drift_per_hour": np.full(spread.cells, settings["drift_per_hour"]),
    }


RESISTOR = DeviceModel(
    name="resistor",
    terminals=("top",),
    settings=_SETTINGS,
    units=_UNITS,
    build=_build,
    expected_resistance=(1.0, 1e9),
    doc="a resistor; as the bench's reference it watches for drift",
)
