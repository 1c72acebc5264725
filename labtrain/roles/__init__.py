"""The bench's instruments as everybody above the drivers sees them: checked, final, recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labtrain.roles.flags import Flag
from labtrain.roles.spec import DriverSpec

if TYPE_CHECKING:
    from labtrain.roles.digitizer import Digitizer, Trace
    from labtrain.roles.envelope import Envelope, FixedEnvelope, OpenGate, RouteGate
    from labtrain.roles.pair_sweep import sweep_together
    from labtrain.roles.pulse_generator import PulseGenerator
    from labtrain.roles.readings import SourceReading, Sweep
    from labtrain.roles.sensor import Sensor
    from labtrain.roles.source_meter import SourceMeter
    from labtrain.roles.source_state import SourceState
    from labtrain.roles.switch_matrix import SwitchMatrix

_HOMES = {
    "Digitizer": "digitizer",
    "Trace": "digitizer",
    "Envelope": "envelope",
    "FixedEnvelope": "envelope",
    "OpenGate": "envelope",
    "RouteGate": "envelope",
    "PulseGenerator": "pulse_generator",
    "Sensor": "sensor",
    "SourceMeter": "source_meter",
    "SourceReading": "readings",
    "SourceState": "source_state",
    "Sweep": "readings",
    "SwitchMatrix": "switch_matrix",
    "sweep_together": "pair_sweep",
}

__all__ = [
    "Digitizer",
    "DriverSpec",
    "Envelope",
    "FixedEnvelope",
    "Flag",
    "OpenGate",
    "PulseGenerator",
    "RouteGate",
    "Sensor",
    "SourceMeter",
    "SourceReading",
    "SourceState",
    "Sweep",
    "SwitchMatrix",
    "Trace",
    "sweep_together",
]


def __getattr__(name: str) -> Any:
    # the drivers' and the flags' importers need not pay for PyMeasure
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
