"""Populations of RRAM cells; equations in :mod:`labtrain.physics.memristor`.

Defaults are those of measured 1T1R RRAM: 4-225 uS, write spread 12-20 uS, read noise 0.3 % and 0.2 % of
1/f noise a decade, relaxation of some 7 uS a decade at mid-range, and no stuck cells unless asked for
(0.5-5 % is usual, half of them low and half high). Open-loop writes change a cell by what was asked for, but
for ``write_noise``: their gain, asymmetry, soft bounds, levels and wear are off unless asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from labtrain import noise
from labtrain.populations.model import DeviceModel, Setting, Spread, Values

_UNITS = {
    "g_min": "S",
    "g_max": "S",
    "g_start": "S",
    "step_up": "S",
    "step_down": "S",
    "cycle_spread": "",
    "write_noise": "S",
    "write_gain": "",
    "write_cycle": "",
    "asymmetry": "",
    "soft_bounds": "",
    "levels": "",
    "endurance": "",
    "read_noise": "",
    "read_flicker": "",
    "relax_mean": "S",
    "relax_spread": "S",
    "stuck": "",
    "v_threshold": "V",
    "v_pulse": "V",
    "v_scale": "V",
    "t_pulse": "s",
}

_SETTINGS = {
    "g_min": Setting("siemens", 4e-6, 1e-9, 1e-2, "lowest conductance"),
    "g_max": Setting("siemens", 225e-6, 1e-9, 1e-1, "highest conductance"),
    "g_start": Setting("siemens", 100e-6, 1e-9, 1e-1, "conductance after forming"),
    "step_up": Setting("siemens", 10e-6, 0.0, 1e-2, "change by a potentiating pulse at g_min"),
    "step_down": Setting("siemens", 10e-6, 0.0, 1e-2, "change by a depressing pulse at g_max"),
    "cycle_spread": Setting("dimensionless", 0.3, 0.0, 5.0, "relative noise of a pulse's step"),
    "write_noise": Setting("siemens", 16e-6, 0.0, 1e-2, "noise of an open-loop write"),
    "write_gain": Setting("dimensionless", 1.0, 0.0, 10.0, "open-loop write: change over that asked for"),
    "gain_spread": Setting("dimensionless", 0.0, 0.0, 1.0, "relative spread of write_gain from cell to cell"),
    "write_cycle": Setting("dimensionless", 0.0, 0.0, 5.0, "relative noise of an open-loop write's change"),
    "asymmetry": Setting(
        "dimensionless",
        0.0,
        -0.99,
        0.99,
        "open-loop writes up are 1 + this, down 1 - this of those asked for",
    ),
    "soft_bounds": Setting(
        "dimensionless", 0.0, 0.0, 1.0, "how far an open-loop write shrinks with the headroom left"
    ),
    "levels": Setting(
        "dimensionless", 0.0, 0.0, 1e6, "conductances that an open-loop write can leave; 0: any"
    ),
    "endurance": Setting(
        "dimensionless", 0.0, 0.0, 1e15, "writes that 63 % of the cells wear out in; 0: none"
    ),
    "endurance_shape": Setting("dimensionless", 2.0, 0.1, 50.0, "Weibull shape of the wear-out"),
    "read_noise": Setting("dimensionless", 0.003, 0.0, 0.5, "relative noise of a reading"),
    "read_flicker": Setting("dimensionless", 0.002, 0.0, 0.5, "relative 1/f noise of readings, a decade"),
    "relax_mean": Setting("siemens", 6.5e-6, 0.0, 1e-3, "mean relaxation a decade at mid-range"),
    "relax_spread": Setting("siemens", 6.5e-6, 0.0, 1e-3, "spread of the relaxation a decade"),
    "stuck": Setting("dimensionless", 0.0, 0.0, 1.0, "share of stuck cells, half low and half high"),
    "v_threshold": Setting("volt", 0.5, 0.0, 10.0, "below it no pulse changes the cell"),
    "v_pulse": Setting("volt", 1.2, 1e-3, 20.0, "height of the pulse that makes step_up, step_down"),
    "v_scale": Setting("volt", 0.2, 1e-3, 10.0, "e-fold of the pulse's effect"),
    "t_pulse": Setting("second", 1e-6, 1e-9, 1.0, "width of the pulse that makes step_up, step_down"),
    "mismatch": Setting("dimensionless", 0.0, 0.0, 1.0, "relative spread of bounds, start and steps"),
}


def _build(settings: Mapping[str, float], spread: Spread) -> Values:
    values = {name: np.full(spread.cells, settings[name]) for name in _UNITS}
    for name in ("g_min", "g_max", "g_start", "step_up", "step_down"):
        values[name] = spread.relative(name, settings[name], settings["mismatch"])
    values["g_max"] = np.maximum(values["g_max"], 1.01 * values["g_min"])
    chance = noise.uniform(
        spread.seed, noise.stream(f"{spread.array}/population/stuck"), np.arange(spread.cells), 0
    )
    low, high = chance < settings["stuck"] / 2, chance > 1 - settings["stuck"] / 2
    start = np.clip(values["g_start"], values["g_min"], values["g_max"])
    values["g_start"] = np.where(low, values["g_min"], np.where(high, values["g_max"], start))
    values["stuck"] = (low | high).astype(np.float64)
    values["write_gain"] = spread.relative("write_gain", settings["write_gain"], settings["gain_spread"])
    values["endurance"] = _lives(settings["endurance"], settings["endurance_shape"], spread)
    return values


def _lives(scale: float, shape: float, spread: Spread) -> NDArray[np.float64]:
    """Writes that each cell lasts, at least 1; 0: for ever.

    Weibull, as usual for RRAM; it fits the early failures better than the late ones (Raghavan, Microelectron.
    Eng. 178, 2017, doi 10.1016/j.mee.2017.05.007).
    """
    if scale == 0.0:
        return np.zeros(spread.cells)
    stream = noise.stream(f"{spread.array}/population/endurance")
    chance = noise.uniform(spread.seed, stream, np.arange(spread.cells), 0)
    lives: NDArray[np.float64] = np.maximum(np.ceil(scale * (-np.log(chance)) ** (1.0 / shape)), 1.0)
    return lives


MEMRISTOR = DeviceModel(
    name="memristor",
    terminals=("top",),
    settings=_SETTINGS,
    units=_UNITS,
    build=_build,
    expected_resistance=(1e3, 1e6),
    doc="a filamentary RRAM cell",
    role="synapse",
)
