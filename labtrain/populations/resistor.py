"""Populations of resistors, open circuits and shorts; see :mod:`labtrain.physics.resistor`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from labtrain.populations.model import DeviceModel, Setting, Spread, Values

_UNITS = {"resistance": "ohm", "drift_per_hour": "1/hour"}


def _settings(ohms: float, low: float, high: float, doc: str) -> dict[str, Setting]:
    return {
        "resistance": Setting("ohm", ohms, low, high, doc),
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
    settings=_settings(10e3, 1e-3, 1e12, "nominal resistance"),
    units=_UNITS,
    build=_build,
    expected_resistance=(1.0, 1e9),
    doc="a resistor; as the bench's reference it watches for drift",
)

OPEN = DeviceModel(
    name="open",
    terminals=("top",),
    settings=_settings(1e12, 1e8, 1e16, "of the insulation"),
    units=_UNITS,
    build=_build,
    expected_resistance=(1e8, 1e16),
    doc="two pads with nothing between them: what leaks through the bench itself",
)

SHORT = DeviceModel(
    name="short",
    terminals=("top",),
    settings=_settings(0.5, 1e-3, 100.0, "of the metal between the pads"),
    units=_UNITS,
    build=_build,
    expected_resistance=(0.0, 100.0),
    doc="two pads joined by metal: what leads and contacts add to every reading",
)
