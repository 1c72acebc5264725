"""What is believed of the switches: one curve for all, or each device's own from a twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from labtrain.errors import UsageError
from labtrain.training.pgaf.sampler import SwitchCurve

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


def _refusal(message: str, path: str) -> UsageError:
    return UsageError(
        message,
        remedy="record switching-probability of these devices at this width and fit again, or give no twin",
        file=path,
        key="twin",
    )
