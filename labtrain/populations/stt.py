"""Populations of two-terminal STT-MTJs; switching by :mod:`labtrain.kernels.stt_table`.

Defaults: 40 nm perpendicular junctions at RA 5 ohm um^2: R_P 4 kohm, TMR 120 %, Delta 45, critical
voltage 0.4 V, tau_D 1.44 ns (damping 0.02, H_k about 160 kA/m).
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
    "v_c0_p_ap": "V",
    "v_c0_ap_p": "V",
    "tau_d": "s",
}

_SETTINGS = {
    "r_p": Setting("ohm", 4e3, 10.0, 1e8, "parallel resistance"),
    "tmr0": Setting("dimensionless", 1.2, 0.0, 10.0, "magnetoresistance at zero bias (1.2 = 120 %)"),
    "v_h": Setting("volt", 0.5, 0.05, 5.0, "bias that halves the magnetoresistance"),
    "delta": Setting("dimensionless", 45.0, 25.0, 90.0, "thermal stability factor"),
    "v_c0_p_ap": Setting("volt", 0.42, 0.01, 5.0, "critical voltage P to AP"),
    "v_c0_ap_p": Setting("volt", 0.38, 0.01, 5.0, "critical voltage AP to P"),
    "tau_d": Setting("second", 1.44e-9, 1e-11, 1e-6, "relaxation time (1 + a^2)/(a gamma0 H_k)"),
    "mismatch": Setting(
        "dimensionless", 0.0, 0.0, 0.1, "relative spread of r_p, tmr0, both v_c0; 1.8x for delta"
    ),
}


def _build(settings: Mapping[str, float], spread: Spread) -> Values:
    values = {name: np.full(spread.cells, settings[name]) for name in _UNITS}
    for name in ("r_p", "tmr0", "v_c0_p_ap", "v_c0_ap_p"):
        values[name] = spread.relative(name, settings[name], settings["mismatch"])
    # Measured chips spread 7-8 % in Delta where they spread 3-5 % in the rest.
    delta = spread.relative("delta", settings["delta"], 1.8 * settings["mismatch"])
    values["delta"] = np.clip(delta, 20.0, 100.0)
    return values


STT_MTJ = DeviceModel(
    name="stt-mtj",
    terminals=("top",),
    settings=_SETTINGS,
    units=_UNITS,
    build=_build,
    expected_resistance=(1e3, 20e3),
    doc="a two-terminal perpendicular MTJ switched by pulses across its barrier",
    role="switch",
)
