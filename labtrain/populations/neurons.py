"""Populations of MTJ nano-neurons, single and in nominally identical pairs.

Defaults (physics reference values of 40 nm MgO junctions at RA 5 ohm um^2): R_P 4 kohm,
TMR 120 %, V_h 0.5 V; I50 30 uA and w 2 uA give a step of about 0.1 V in the middle of a
20-40 uA range, and V stays below 0.5 V (the barrier's DC limit) up to 50 uA. tau_c is 20 ns,
inside the reported dwell times of 2.7 ns to 285 us and chosen so that the two states average
out in an aperture of 0.01-0.1 NPLC (0.2-2 ms): about 0.9 to 0.3 mV rms at the step's centre.

``mismatch`` m is the spread between nominally identical devices, one number for four
independent spreads: R_P, TMR and w each by m of their value, I50 by m of the full width of
the switching step, 4 w (8 uA), so 0.4 uA at 5 %. That is the spread left after I50 has been
trimmed by field or line current, as the method needs; ``i50_spread`` adds an untrimmed
spread in amperes (5 % of 30 uA = 1.5 uA is what an untrimmed chip has).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from labtrain.populations.model import DeviceModel, Setting, Spread, Values

_UNITS = {
    "r_p": "ohm",
    "tmr0": "",
    "v_h": "V",
    "i50": "A",
    "w": "A",
    "r_series": "ohm",
    "tau_c": "s",
    "polarity": "",
    "field_shift": "A",
    "read_noise": "V",
    "stuck": "",
}

_SETTINGS = {
    "r_p": Setting("ohm", 4e3, 10.0, 1e8, "parallel resistance"),
    "tmr0": Setting("dimensionless", 1.2, 0.0, 10.0, "magnetoresistance at zero bias (1.2 = 120 %)"),
    "v_h": Setting("volt", 0.5, 0.05, 5.0, "bias that halves the magnetoresistance"),
    "i50": Setting("ampere", 30e-6, -1e-2, 1e-2, "current at which both states are equally likely"),
    "w": Setting("ampere", 2e-6, 1e-9, 1e-3, "width of the step, I_c0 / (2 Delta)"),
    "r_series": Setting("ohm", 100.0, 0.0, 1e6, "leads and contacts on the chip"),
    "tau_c": Setting("second", 20e-9, 1e-10, 10.0, "correlation time of the telegraph signal"),
    "polarity": Setting("dimensionless", 1.0, -1.0, 1.0, "+1: resistance rises with current; -1: it falls"),
    "field_shift": Setting("ampere", 0.0, -1e-2, 1e-2, "shift of i50 by field or line current"),
    "mismatch": Setting("dimensionless", 0.0, 0.0, 0.5, "relative spread between identical devices"),
    "i50_spread": Setting("ampere", 0.0, 0.0, 1e-3, "further, untrimmed spread of i50"),
    "read_noise": Setting("volt", 0.0, 0.0, 0.1, "noise of the device's contacts, rms of every reading"),
}


def _build(settings: Mapping[str, float], spread: Spread) -> Values:
    mismatch, cells = settings["mismatch"], spread.cells
    values = {name: np.full(cells, settings.get(name, 0.0)) for name in _UNITS}
    for name in ("r_p", "tmr0", "w"):
        values[name] = spread.relative(name, settings[name], mismatch)
    trimmed = mismatch * 4.0 * settings["w"] * spread.normal("i50")
    untrimmed = settings["i50_spread"] * spread.normal("i50-untrimmed")
    values["i50"] = settings["i50"] + trimmed + untrimmed
    values["polarity"] = np.full(cells, 1.0 if settings["polarity"] >= 0 else -1.0)
    return values


MTJ_NEURON = DeviceModel(
    name="mtj-neuron",
    terminals=("top",),
    settings=_SETTINGS,
    units=_UNITS,
    build=_build,
    expected_resistance=(1e3, 20e3),
    doc="a superparamagnetic MTJ whose mean voltage is an activation function of its current",
)

MTJ_NEURON_PAIR = DeviceModel(
    name="mtj-neuron-pair",
    terminals=("top", "top_pair"),
    settings=_SETTINGS,
    units=_UNITS,
    build=_build,
    cells_per_device=2,
    expected_resistance=(1e3, 20e3),
    doc="two nominally identical MTJ nano-neurons: one gives the activation, both its finite difference",
    role="neuron-pair",
)
