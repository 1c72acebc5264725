"""Devices by name: ``"sot"``, ``"neurons"``, ``"neurons[3]"``, ``"neurons[0:4]"``, several by comma."""

from __future__ import annotations

import re
from collections.abc import Mapping

from labtrain.errors import UsageError
from labtrain.naming import nearest
from labtrain.wiring import ArrayPlan, BenchPlan, DevicePlan

_NAME = re.compile(r"^\s*(\w+)\s*(?:\[\s*(?:(\d+)|(\d*)\s*:\s*(\d*))\s*\])?\s*$")


def select_devices(plan: BenchPlan, text: str) -> list[DevicePlan]:
    """Return the devices that ``text`` names, in its order, each once.

    Raises
    ------
    UsageError
        For a name or an index that the bench does not have.
    """
    found: dict[str, DevicePlan] = {}
    for part in re.split(r",(?![^\[]*\])", text):
        for device in select_from(plan.arrays, part):
            found.setdefault(device.name, device)
    return list(found.values())


def select_from(arrays: Mapping[str, ArrayPlan], text: str) -> list[DevicePlan]:
    """Return the devices of one name, index or slice; see :func:`select_devices`."""
    match = _NAME.match(text)
    if match is None:
        remedy = 'write "sot", "neurons", "neurons[3]" or "neurons[0:4]"'
        raise UsageError(f"{text!r} is not the name of a device", remedy=remedy)
    name, index, start, stop = match.groups()
    if name not in arrays:
        raise UsageError(f"the bench has no device {name!r}", remedy=nearest(name, arrays))
    array = arrays[name]
    if index is None and start is None:
        return list(array.devices)
    if array.single:
        raise UsageError(f"{name!r} is a single device and has no index", remedy=f"write {name!r}")
    chosen = (
        list(array.devices[int(index) : int(index) + 1])
        if index is not None
        else list(array.devices[int(start or 0) : int(stop) if stop else None])
    )
    if not chosen:
        raise UsageError(f"{text!r} names no device", remedy=f"{name} has the indices 0 to {array.count - 1}")
    return chosen
