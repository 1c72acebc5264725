"""What a twin says of the switches: what is believed of each, and devices to simulate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from labtrain.errors import UsageError
from labtrain.populations.model import Population, stated
from labtrain.populations.sot import SOT_MTJ
from labtrain.training.pgaf.sampler import SwitchCurve

if TYPE_CHECKING:
    from labtrain.twins.population import TwinDevices

FIT, DIRECTION = "logistic", "P->AP"


def of_twin(curve: SwitchCurve, path: str, devices: Sequence[str]) -> SwitchCurve:
    """Return ``curve`` with V50 and slope of each device as fitted for pulses P to AP.

    Parameters
    ----------
    path
        A twin file: ``labtrain fit`` of ``switching-probability`` sessions of these devices.
    devices
        Names, in the order of the array's columns.

    Raises
    ------
    UsageError
        Where the twin does not describe a device, or was measured at another pulse width.
    """
    from labtrain.twins import Twin  # with SciPy's statistics: a second that other beliefs need not wait

    twin = Twin.read(Path(path))
    fits = [twin.devices.get(f"{name}/{DIRECTION}") for name in devices]
    missing = [
        name
        for name, fit in zip(devices, fits, strict=True)
        if fit is None or fit.model != FIT or fit.verdict != "describes"
    ]
    if missing:
        raise _refusal(f"the twin has no {FIT} curve {DIRECTION} of {', '.join(missing)}", path)
    known = [fit for fit in fits if fit is not None]
    widths = {end for fit in known for end in fit.validity.get("width", ())[:2]}
    if any(abs(float(width) - curve.seconds) > 0.01 * curve.seconds for width in widths):
        told = ", ".join(f"{float(width):g} s" for width in sorted(widths, key=float))
        raise _refusal(f"the twin was measured at {told}, pulses here last {curve.seconds:g} s", path)
    values = [fit.values() for fit in known]
    v50, slope = (
        torch.tensor([abs(value[name]) for value in values], dtype=torch.float64) for name in ("v50", "slope")
    )
    return replace(curve, v50=float(v50.mean()), each_v50=v50, slope=float(slope.mean()), each_slope=slope)


def devices_for(path: str, count: int) -> list[str]:
    """Name a device of a twin for each of ``count`` neurons; where they are fewer, they come again.

    Raises
    ------
    UsageError
        Where the twin's devices are no switches.
    """
    names = _switches(path).names
    return [names[i % len(names)] for i in range(count)]


def population_for(path: str, seed: int, count: int, name: str) -> Population:
    """Make ``count`` switches like a twin's, in the order of :func:`devices_for`; each has its own noise."""
    rows = _switches(path).rows
    return stated(SOT_MTJ, seed, [rows[i % len(rows)] for i in range(count)], name)


def _switches(path: str) -> TwinDevices:
    from labtrain.twins import Twin
    from labtrain.twins.population import devices_of

    found = devices_of(Twin.read(Path(path)))
    if found.model is SOT_MTJ:
        return found
    raise UsageError(
        f"the twin's devices are of model {found.model.name}, not switches",
        remedy="give a twin of switching-probability sessions",
        file=path,
        key="twin",
    )


def _refusal(message: str, path: str) -> UsageError:
    return UsageError(
        message,
        remedy="record switching-probability of these devices at this width and fit again, or give no twin",
        file=path,
        key="twin",
    )
