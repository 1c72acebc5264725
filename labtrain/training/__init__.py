"""Training with devices in the loop; the only home of torch.

Layers, estimators and recipes are ordinary ``torch.nn.Module``s, plain objects
and one loop that reads top to bottom. The names below load on first use, so
that listing recipes does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labtrain.training.afd.calibration import Calibration, calibrate
    from labtrain.training.afd.device_neurons import DeviceNeurons
    from labtrain.training.afd.estimators import SlopeEstimator, make_estimator
    from labtrain.training.checkpoints import checkpoint, read_checkpoint
    from labtrain.training.recipes import Context, Recipe, describe_recipes
    from labtrain.training.settings import Setting

_HOMES = {
    "Calibration": "afd.calibration",
    "Context": "recipes",
    "DeviceNeurons": "afd.device_neurons",
    "Recipe": "recipes",
    "Setting": "settings",
    "SlopeEstimator": "afd.estimators",
    "calibrate": "afd.calibration",
    "checkpoint": "checkpoints",
    "describe_recipes": "recipes",
    "make_estimator": "afd.estimators",
    "read_checkpoint": "checkpoints",
}

__all__ = [
    "Calibration",
    "Context",
    "DeviceNeurons",
    "Recipe",
    "Setting",
    "SlopeEstimator",
    "calibrate",
    "checkpoint",
    "describe_recipes",
    "make_estimator",
    "read_checkpoint",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
