"""A population from a twin: the devices that training simulates are those that were measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from labtrain.errors import UsageError
from labtrain.physics.sot import LONGEST_SECONDS, SHORTEST_SECONDS
from labtrain.populations import Population
from labtrain.populations.model import DeviceModel, Values
from labtrain.populations.neurons import MTJ_NEURON
from labtrain.populations.resistor import RESISTOR
from labtrain.populations.sot import SOT_MTJ
from labtrain.twins.twin_file import DeviceTwin, Twin

_SIMULATES = {"nano-neuron": MTJ_NEURON, "resistance": RESISTOR}
_DIRECTIONS = {"P->AP": "p_ap", "AP->P": "ap_p"}
"""How switching fits name their devices: ``"sot/P->AP"``."""


def population_of(
    twin: Twin, seed: int, *, devices: Sequence[str] | None = None, array: str = ""
) -> Population:
    """Make the cells of a twin's devices, in the twin's order.

    Parameters
    ----------
    twin
        Fits of one model; a parameter that the fit leaves open takes the device model's default.
    seed
        Of the devices' noise; parameters are not drawn.
    devices
        Names to take; None takes all.
    array
        The array's name.

    Raises
    ------
    UsageError
        For a device that is not there, models that differ or cannot be simulated, or a fit that was refused.
    """
    chosen = {name: _entry(twin, name) for name in (twin.devices if devices is None else devices)}
    models = sorted({device.model for device in chosen.values()})
    if len(models) != 1 or models[0] not in _SIMULATES:
        raise UsageError(
            f"devices of models {', '.join(models) or 'none'} make no population",
            remedy=f"choose devices of one of: {', '.join(sorted(_SIMULATES))}; switching: switches_of",
        )
    model = _SIMULATES[models[0]]
    rows = [_row(model, name, device) for name, device in chosen.items()]
    return _population(model, rows, seed, array)


def switches_of(twin: Twin, seed: int, *, seconds: float, array: str = "") -> Population:
    """Make SOT switches of logistic fits ``"NAME/P->AP"`` and ``"NAME/AP->P"``, measured at ``seconds``.

    Raises
    ------
    UsageError
        For a device with one direction only, a fit that is not logistic, or a width outside the SOT
        model's range.
    """
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise UsageError(f"a pulse width of {seconds} s", remedy="give 0.2 ns to 1 ms, as it was measured")
    names = list(dict.fromkeys(name.rpartition("/")[0] for name in twin.devices))
    rows = []
    for name in names:
        row = {key: setting.default for key, setting in SOT_MTJ.settings.items()} | {"t_ref": seconds}
        for direction, suffix in _DIRECTIONS.items():
            values = _described(
                f"{name}/{direction}", _entry(twin, f"{name}/{direction}"), "logistic"
            ).values()
            row |= {f"v50_{suffix}": abs(values["v50"]), f"slope_{suffix}": abs(values["slope"])}
        rows.append(row)
    return _population(SOT_MTJ, rows, seed, array)


def _entry(twin: Twin, name: str) -> DeviceTwin:
    if name not in twin.devices:
        raise UsageError(
            f"the twin has no device {name!r}", remedy=f"known: {', '.join(twin.devices) or 'none'}"
        )
    return twin.devices[name]


def _described(name: str, device: DeviceTwin, model: str) -> DeviceTwin:
    if device.model != model or device.verdict == "insufficient":
        raise UsageError(
            f"the twin of {name!r} ({device.model}, {device.verdict}) cannot be simulated as {model}",
            remedy=device.reason or "fit more data, or leave the device out",
        )
    return device


def _row(model: DeviceModel, name: str, device: DeviceTwin) -> Mapping[str, float]:
    fitted = _described(name, device, device.model).values()
    defaults = {key: setting.default for key, setting in model.settings.items()}
    return defaults | {key: value for key, value in fitted.items() if key in model.units}


def _population(model: DeviceModel, rows: Sequence[Mapping[str, float]], seed: int, array: str) -> Population:
    values: Values = {
        name: np.array([row.get(name, 0.0) for row in rows], dtype=np.float64) for name in model.units
    }
    for column in values.values():
        column.setflags(write=False)
    return Population(model.name, seed, values, model.units, array)
