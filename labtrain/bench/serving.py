"""``labtrain bench serve``: a file's simulated instruments for any client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from labtrain import entry_points
from labtrain.bench.planning import read_plan
from labtrain.clock import Clock, RealClock, ServedVirtualClock
from labtrain.errors import UsageError

_CLOCKS: dict[str, type[Clock]] = {"real": RealClock, "virtual": ServedVirtualClock}


@contextmanager
def serve_bench(
    file: str | Path, *, host: str = "127.0.0.1", clock: str = "real"
) -> Iterator[dict[str, dict[str, str]]]:
    """Serve every instrument of a bench file, simulated, until the block ends.

    Yields
    ------
    dict
        Alias -> ``{"model", "resource"}``; the resource opens with PyVISA.

    Raises
    ------
    UsageError
        For a clock other than ``"real"`` and ``"virtual"``.
    """
    if clock not in _CLOCKS:
        raise UsageError(f"there is no clock {clock!r}", remedy="allowed: real, virtual")
    plan = read_plan(Path(file))
    simulated = {alias: replace(one, resource=None) for alias, one in plan.instruments.items()}
    open_world = entry_points.load(entry_points.WORLDS, "nodal")
    world = open_world(replace(plan, instruments=simulated), _CLOCKS[clock](), "tcp", host=host)
    try:
        yield {
            alias: {"model": simulated[alias].model, "resource": resource}
            for alias, resource in world.resources.items()
        }
    finally:
        world.close()
