"""The bench: a validated file opened as instruments, wiring, limits and devices.

Names are loaded when they are asked for: reading a bench file needs neither PyMeasure nor PyVISA.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labtrain.bench.bench import Bench
    from labtrain.bench.checking import check_bench
    from labtrain.bench.connecting import Connector, LiveConnector, ReplayConnector
    from labtrain.bench.contact import Contact, contact_amperes, contact_volts, slope_ohm
    from labtrain.bench.describing import describe_plan
    from labtrain.bench.far_bench import FarBench
    from labtrain.bench.handing_over import HandoverConnector
    from labtrain.bench.locating import bench_names, locate_bench, state_directory
    from labtrain.bench.off import bench_off
    from labtrain.bench.planning import BenchSetup, read_plan, read_setup
    from labtrain.bench.pulse_path import Pulse, PulsePath
    from labtrain.bench.reading import BenchSource, read_source
    from labtrain.bench.rests import Rests
    from labtrain.bench.selecting import select_devices
    from labtrain.bench.self_contained import bench_bytes
    from labtrain.bench.serving import serve_bench
    from labtrain.bench.wired import roles_at_terminals

_HOMES = {
    "Bench": "bench",
    "BenchSetup": "planning",
    "BenchSource": "reading",
    "Connector": "connecting",
    "Contact": "contact",
    "FarBench": "far_bench",
    "HandoverConnector": "handing_over",
    "LiveConnector": "connecting",
    "Pulse": "pulse_path",
    "PulsePath": "pulse_path",
    "ReplayConnector": "connecting",
    "Rests": "rests",
    "bench_bytes": "self_contained",
    "bench_names": "locating",
    "bench_off": "off",
    "check_bench": "checking",
    "contact_amperes": "contact",
    "contact_volts": "contact",
    "describe_plan": "describing",
    "locate_bench": "locating",
    "read_plan": "planning",
    "read_setup": "planning",
    "read_source": "reading",
    "roles_at_terminals": "wired",
    "select_devices": "selecting",
    "serve_bench": "serving",
    "slope_ohm": "contact",
    "state_directory": "locating",
}

__all__ = [
    "Bench",
    "BenchSetup",
    "BenchSource",
    "Connector",
    "Contact",
    "FarBench",
    "HandoverConnector",
    "LiveConnector",
    "Pulse",
    "PulsePath",
    "ReplayConnector",
    "Rests",
    "bench_bytes",
    "bench_names",
    "bench_off",
    "check_bench",
    "contact_amperes",
    "contact_volts",
    "describe_plan",
    "locate_bench",
    "read_plan",
    "read_setup",
    "read_source",
    "roles_at_terminals",
    "select_devices",
    "serve_bench",
    "slope_ohm",
    "state_directory",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
