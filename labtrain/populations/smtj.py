"""Populations of superparamagnetic MTJs; equations in :mod:`labtrain.physics.telegraph`.

Defaults: Delta 12 and tau0 1 ns give dwell times of 163 us at the centre, inside the 20 us-1 ms
that vectorised use wants. A bench without a digitiser needs 50 ms or more (Delta about 18): a
source meter at 1-2 ms a point would otherwise return averages, not states.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from labtrain.populations.model import DeviceModel, Setting, Spread, Values

_UNITS = {
    "r_p": "ohm",
    "tmr0": "",
    "v_h": "V",
    "delta": "",
    "v50": "V",
    "v_c": "V",
    "tau0": "s",
    "v50_drift_per_hour": "V",
}

_SETTINGS = {
    "r_p": Setting("ohm", 4e3, 10.0, 1e8, "parallel resistance"),
    "tmr0": Setting("dimensionless", 1.2, 0.0, 10.0, "magnetoresistance at zero bias (1.2 = 120 %)"),
    "v_h": Setting("volt", 0.5, 0.05, 5.0, "bias that halves the magnetoresistance"),
    "delta": Setting("dimensionless", 12.0, 1.0, 30.0, "energy barrier over kT"),
    "v50": Setting("volt", 0.0, -1.0, 1.0, "bias at which both states are equally likely"),
    "v_c": Setting("volt", 0.45, 0.05, 2.0, "bias that takes a barrier away"),
    "tau0": Setting("second", 1e-9, 1e-12, 1e-6, "attempt time"),
    "v50_drift_per_hour": Setting("volt", 0.0, -0.1, 0.1, "typical drift of v50 (1-3 mV over hours)"),
    "mismatch": Setting("dimensionless", 0.0, 0.0, 0.5, "relative spread of r_p, tmr0, delta and v_c"),
    "v50_spread": Setting("volt", 0.0, 0.0, 0.5, "spread of v50 between devices"),
}


def _build(settings: Mapping[str, float], spread: Spread) -> Values:
    values = {name: np.full(spread.cells, settings[name]) for name in _UNITS}
    for name in ("r_p", "tmr0", "delta", "v_c"):
        values[name] = spread.relative(name, settings[name], settings["mismatch"])
    values["v50"] = settings["v50"] + settings["v50_spread"] * spread.normal("v50")
    values["v50_drift_per_hour"] = settings["v50_drift_per_hour"] * spread.normal("drift")
    return values


S_MTJ = DeviceModel(
    name="s-mtj",
    terminals=("top",),
    settings=_SETTINGS,
    units=_UNITS,
    build=_build,
    expected_resistance=(1e3, 20e3),
    doc="a superparamagnetic MTJ: a random bit whose probability a voltage sets",
    role="bitstream",
)
