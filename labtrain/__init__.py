"""labtrain: lab instrument control and device-in-the-loop training.

The public names load on first use, so ``import labtrain`` is quick and
``labtrain --help`` imports neither torch nor matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labtrain.bench import Bench
    from labtrain.session import Recording, Session

__version__ = "0.1.0"
__all__ = ["Bench", "Recording", "Session", "__version__", "training"]

_HOMES = {"Bench": "labtrain.bench", "Session": "labtrain.session", "Recording": "labtrain.session"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name == "training":
        return import_module("labtrain.training")
    raise AttributeError(f"module 'labtrain' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
