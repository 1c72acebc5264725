"""A population from a twin: the devices that are simulated are those that were measured.

Fits are named by device and terminal (``"neurons[0]/top"``) or by device and direction
(``"sot/P->AP"``); what one device's fits are together decides which model simulates it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labtrain.errors import UsageError
from labtrain.populations.model import DeviceModel, Population, stated
from labtrain.populations.neurons import MTJ_NEURON, MTJ_NEURON_PAIR
from labtrain.populations.resistor import RESISTOR
from labtrain.populations.sot import SOT_MTJ
from labtrain.twins.twin_file import DeviceTwin, Twin

Fits = Mapping[str, DeviceTwin]
"""One device's fits: terminal or direction -> fit; the name ``""`` where the twin's has none."""


@dataclass(frozen=True, slots=True)
class _Form:
    """Fits that together make a device: of which model, of which parts, and what simulates them."""

    fit: str
    parts: tuple[str, ...]
    model: DeviceModel


_UP, _DOWN = "P->AP", "AP->P"
_FORMS = (
    _Form("logistic", (_UP, _DOWN), SOT_MTJ),
    _Form("nano-neuron", ("top", "top_pair"), MTJ_NEURON_PAIR),
    _Form("nano-neuron", ("top",), MTJ_NEURON),
    _Form("nano-neuron", ("",), MTJ_NEURON),
    _Form("resistance", ("top",), RESISTOR),
    _Form("resistance", ("",), RESISTOR),
)
_PARTS = {part for form in _FORMS for part in form.parts} | {"line"}
_FLAT = 0.99
"""A curve that reaches this share at the end of its data has nothing left to show beyond."""


@dataclass(frozen=True, slots=True)
class TwinDevices:
    """Devices of one twin that one model simulates.

    Attributes
    ----------
    model
        That simulates them.
    names
        Of the devices, in order.
    rows
        Fitted parameters, one mapping a cell.
    reach
        Terminal -> (``"voltage"`` or ``"current"``, largest magnitude that the fits know).
    """

    model: DeviceModel
    names: tuple[str, ...]
    rows: tuple[Mapping[str, float], ...]
    reach: Mapping[str, tuple[str, float]]

    @property
    def fitted(self) -> frozenset[str]:
        """Parameters that the twin gives; the others are the model's defaults, or stated."""
        return frozenset(name for row in self.rows for name in row)


def population_of(
    twin: Twin,
    seed: int,
    *,
    devices: Sequence[str] | None = None,
    array: str = "",
    settings: Mapping[str, float] | None = None,
) -> Population:
    """Make the cells of a twin's devices, in the twin's order.

    Parameters
    ----------
    twin
        Fits whose devices one model simulates.
    seed
        Of the devices' noise; parameters are not drawn.
    devices
        Names to take; None takes all.
    array
        The array's name.
    settings
        SI values of parameters that the fits leave open; the model's defaults for the rest. Switching fits
        of unknown pulse width need ``t_ref``.

    Raises
    ------
    UsageError
        As :func:`devices_of`; for a setting that is fitted or unknown, or a value out of the model's range.
    """
    found = devices_of(twin, devices)
    return population_of_devices(found, seed, array, settings)


def population_of_devices(
    found: TwinDevices, seed: int, array: str = "", settings: Mapping[str, float] | None = None
) -> Population:
    """Make the population of chosen devices; see :func:`population_of`."""
    given = dict(settings or {})
    for name in given:
        if name in found.fitted:
            raise UsageError(
                f"{name} is given by the twin", remedy="leave it out, or simulate the model instead", key=name
            )
    if found.model is SOT_MTJ and not {"t_ref"} & {*given, *found.fitted}:
        raise UsageError(
            "the twin does not say at which pulse width it was measured",
            remedy='state it, such as t_ref = "10 ns", or fit the session again',
            key="t_ref",
        )
    return stated(found.model, seed, [{**given, **row} for row in found.rows], array)


def devices_of(twin: Twin, devices: Sequence[str] | None = None) -> TwinDevices:
    """Gather a twin's fits by device, and find the model that simulates them.

    Raises
    ------
    UsageError
        For a device that is not there, fits that do not describe it or make no device, or devices of
        several models.
    """
    grouped = _grouped(twin)
    names = tuple(grouped if devices is None else devices)
    for name in names:
        if name not in grouped:
            raise UsageError(
                f"the twin has no device {name!r}", remedy=f"known: {', '.join(grouped) or 'none'}"
            )
    forms = {name: _form(name, grouped[name]) for name in names}
    models = sorted({form.model.name for form in forms.values()})
    if len(models) != 1:
        raise UsageError(
            f"devices of models {', '.join(models) or 'none'} make no population",
            remedy=f"choose devices of one model among: {', '.join(grouped) or 'none'}",
        )
    form = forms[names[0]]
    chosen = [
        {part: _described(name, part, grouped[name][part]) for part in forms[name].parts} for name in names
    ]
    rows = tuple(row for fits in chosen for row in _rows(form, fits))
    return TwinDevices(form.model, names, rows, _reach(form, chosen))


def device_names(twin: Twin) -> tuple[str, ...]:
    """Return the twin's devices, whatever was fitted to them."""
    return tuple(_grouped(twin))


def _grouped(twin: Twin) -> dict[str, dict[str, DeviceTwin]]:
    grouped: dict[str, dict[str, DeviceTwin]] = {}
    for name, device in twin.devices.items():
        base, _, part = name.rpartition("/")
        base, part = (base, part) if base and part in _PARTS else (name, "")
        grouped.setdefault(base, {})[part] = device
    return grouped


def _form(name: str, fits: Fits) -> _Form:
    for form in _FORMS:
        if all(part in fits and fits[part].model == form.fit for part in form.parts):
            return form
    there = ", ".join(f"{part or 'fit'} ({fit.model})" for part, fit in fits.items())
    raise UsageError(
        f"the fits of {name!r} make no device that can be simulated: {there}",
        remedy="needed: nano-neuron or resistance fits of its terminals, or logistic fits of both directions",
    )


def _described(name: str, part: str, device: DeviceTwin) -> DeviceTwin:
    if device.verdict == "describes":
        return device
    better = f"; {device.better_model} does better" if device.better_model else ""
    raise UsageError(
        f"the twin of {f'{name}/{part}'.rstrip('/')!r} cannot be simulated: {device.model}"
        f" {device.verdict}{better} ({device.reason})",
        remedy="fit more data, or leave the device out",
    )


def _rows(form: _Form, fits: Fits) -> list[Mapping[str, float]]:
    """One mapping a cell, of parameters that the model knows."""
    if form.model is SOT_MTJ:
        return [_switch(fits)]
    known = form.model.units
    return [
        {name: value for name, value in fits[part].values().items() if name in known} for part in form.parts
    ]


def _switch(fits: Fits) -> Mapping[str, float]:
    row: dict[str, float] = {}
    for part, suffix in ((_UP, "p_ap"), (_DOWN, "ap_p")):
        values = fits[part].values()
        row |= {f"v50_{suffix}": abs(values["v50"]), f"slope_{suffix}": abs(values["slope"])}
    widths = {end for fit in fits.values() for end in fit.validity.get("width", ())[:2]}
    if len(widths) > 1:
        raise UsageError(
            "the twin mixes pulse widths of " + " and ".join(f"{width:g} s" for width in sorted(widths)),
            remedy="fit sessions of one width",
        )
    return {**row, "t_ref": widths.pop()} if widths else row


def _reach(form: _Form, chosen: Sequence[Fits]) -> dict[str, tuple[str, float]]:
    """What the data behind the fits have seen, the least over all devices."""
    if form.model is SOT_MTJ:
        seen = min(_switching_reach(fit) for fits in chosen for fit in fits.values())
        return {} if math.isinf(seen) else {"line": ("voltage", seen)}
    reach = {}
    for part in form.parts:
        ends = [fits[part].validity["current"] for fits in chosen if "current" in fits[part].validity]
        if ends:
            reach[part or "top"] = ("current", min(max(abs(low), abs(high)) for low, high, _ in ends))
    return reach


def _switching_reach(fit: DeviceTwin) -> float:
    """Largest known amplitude in V; any where the curve was measured up to its flat end."""
    if "voltage" not in fit.validity:
        return math.inf
    farthest = max(map(abs, fit.validity["voltage"][:2]))
    values = fit.values()
    exponent = abs(values["slope"]) * (farthest - abs(values["v50"]))
    return math.inf if 0.5 * (1.0 + math.tanh(0.5 * exponent)) >= _FLAT else farthest
