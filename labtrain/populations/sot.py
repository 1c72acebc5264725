"""Populations of three-terminal SOT-MTJs; see :mod:`labtrain.physics.sot` for the equations.

Defaults are a measured device (776 ohm line, R_P 4.9 kohm, TMR 100 %, P_sw at 0.75 ns in
200 Oe); ``t_ballistic``, ``t_activated`` and ``delta`` are assumptions of the right size.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from labtrain.populations.model import DeviceModel, Setting, Spread, Values

_UNITS = {
    "r_p": "ohm",
    "tmr0": "",
    "v_h": "V",
    "r_line": "ohm",
    "v50_p_ap": "V",
    "v50_ap_p": "V",
    "slope_p_ap": "1/V",
    "slope_ap_p": "1/V",
    "t_ref": "s",
    "t_ballistic": "s",
    "t_activated": "s",
    "delta": "",
    "plateau": "",
    "plateau_gap": "V",
}

_SETTINGS = {
    "r_p": Setting("ohm", 4.9e3, 10.0, 1e8, "parallel resistance of the barrier"),
    "tmr0": Setting("dimensionless", 1.0, 0.0, 10.0, "magnetoresistance at zero bias (1 = 100 %)"),
    "v_h": Setting("volt", 0.5, 0.05, 5.0, "bias that halves the magnetoresistance"),
    "r_line": Setting("ohm", 776.0, 1.0, 1e5, "resistance of the heavy-metal line"),
    "v50_p_ap": Setting("volt", 0.896, 0.01, 10.0, "line voltage of 50 % switching P to AP, at t_ref"),
    "v50_ap_p": Setting("volt", 0.934, 0.01, 10.0, "line voltage of 50 % switching AP to P, at t_ref"),
    "slope_p_ap": Setting("1/volt", 43.0, 0.1, 1e4, "logistic slope P to AP, at t_ref"),
    "slope_ap_p": Setting("1/volt", 31.0, 0.1, 1e4, "logistic slope AP to P, at t_ref"),
    "t_ref": Setting("second", 0.75e-9, 0.2e-9, 1e-3, "pulse width of the given curve"),
    "t_ballistic": Setting("second", 0.5e-9, 0.0, 1e-6, "width at which the short-pulse term doubles V50"),
    "t_activated": Setting("second", 10e-9, 1e-9, 1e-3, "width from which thermal activation lowers V50"),
    "delta": Setting("dimensionless", 45.0, 15.0, 200.0, "thermal stability factor"),
    "plateau": Setting("dimensionless", 0.0, 0.0, 1.0, "share of AP to P attempts that need more voltage"),
    "plateau_gap": Setting("volt", 0.13, 0.0, 5.0, "extra line voltage of the plateau's share, at t_ref"),
    "mismatch": Setting("dimensionless", 0.0, 0.0, 0.5, "relative spread of r_p, tmr0, r_line and both V50"),
}


def _build(settings: Mapping[str, float], spread: Spread) -> Values:
    values = {name: np.full(spread.cells, settings[name]) for name in _UNITS}
    for name in ("r_p", "tmr0", "r_line", "v50_p_ap", "v50_ap_p"):
        values[name] = spread.relative(name, settings[name], settings["mismatch"])
    return values


SOT_MTJ = DeviceModel(
    name="sot-mtj",
    terminals=("line", "top"),
    settings=_SETTINGS,
    units=_UNITS,
    build=_build,
    expected_resistance=(300.0, 20e3),
    doc="a spin-orbit-torque MTJ: pulses on `line` switch it, `top` reads its barrier",
    role="switch",
)
