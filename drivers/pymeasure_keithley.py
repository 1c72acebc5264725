"""PyMeasure's Keithley classes, without waiting for pandas.

``pymeasure.instruments.keithley`` imports all of its instruments, and one of them, the 2281S, imports pandas:
half of the time that a bench takes to open. Here the modules that are needed are imported alone. The package
is whole for everybody else: it runs its own ``__init__`` as soon as anything more is asked of it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any, Final

_PACKAGE: Final = "pymeasure.instruments.keithley"


def _put_off(name: str) -> None:
    """Put a package in place whose ``__init__`` runs at its first unknown attribute."""
    spec = None if name in sys.modules else importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    package, loader = importlib.util.module_from_spec(spec), spec.loader

    def complete(attribute: str) -> Any:
        if package.__dict__.pop("__getattr__", None) is not None:
            loader.exec_module(package)
        try:
            return package.__dict__[attribute]
        except KeyError:
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}") from None

    package.__dict__["__getattr__"] = complete
    sys.modules[name] = package
    parent, _, child = name.rpartition(".")
    setattr(importlib.import_module(parent), child, package)


def _taken(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"{_PACKAGE}.{module}"), name)


_put_off(_PACKAGE)

Keithley2400: Final = _taken("keithley2400", "Keithley2400")
Keithley2450: Final = _taken("keithley2450", "Keithley2450")
Keithley2600: Final = _taken("keithley2600", "Keithley2600")
Keithley2600Channel: Final = _taken("keithley2600", "Channel")
