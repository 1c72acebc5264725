"""Slopes from a twin: what recordings say about the devices, instead of a second read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from labtrain.errors import UsageError
from labtrain.physics import neuron
from labtrain.training.afd.estimators import SurrogateEstimator

MODEL = "nano-neuron"


def surrogate_from_twin(path: str | None, devices: Sequence[str]) -> SurrogateEstimator:
    """Return the estimator whose slopes are those of the devices' twins.

    Parameters
    ----------
    path
        A twin file (``labtrain fit ... --out``), or None where none was given.
    devices
        Names of the forward devices, in the order of the array's columns.

    Raises
    ------
    UsageError
        Without a twin, or where it does not describe all the devices as nano-neurons.
    """
    if path is None:
        raise UsageError(
            "the estimator surrogate needs a twin",
            remedy="fit one from an iv-curve session (labtrain fit) and give it with --twin",
            key="estimator",
        )
    from labtrain.twins import Twin  # with SciPy's statistics: a second that other estimators need not wait

    twin = Twin.read(Path(path))
    known = [name for name in devices if name in twin.devices and twin.devices[name].model == MODEL]
    missing = [name for name in devices if name not in known]
    if missing:
        raise UsageError(
            f"the twin has no {MODEL} of {', '.join(missing)}",
            remedy="record an iv-curve of these devices and fit again, or use the estimator calibrated-pair",
            file=path,
            key="twin",
        )
    if not devices:
        return SurrogateEstimator(np.zeros_like)
    values = [twin.devices[name].values() for name in devices]
    parameters: dict[str, Any] = {key: np.array([value[key] for value in values]) for key in values[0]}
    return SurrogateEstimator(lambda amperes: neuron.slope(parameters, amperes))
