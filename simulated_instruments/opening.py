"""Open the simulated part of a bench: its world, its instruments, and the way they are reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from labtrain.clock import Clock
from labtrain.entry_points import VIRTUAL_INSTRUMENTS, load
from labtrain.errors import UsageError
from labtrain.wiring import BenchPlan
from simulated_instruments import draws
from simulated_instruments.instrument import VirtualInstrument
from simulated_instruments.script import Handle, with_faults
from simulated_instruments.servers import Server, serve_serial, serve_socket
from simulated_instruments.world import World

_SERVE: Final[Mapping[str, Callable[[Handle, str], Server]]] = {
    "socket": serve_socket,
    "serial": serve_serial,
}
MOUNTS: Final = ("in-process", "tcp", "serial")


class OpenWorld:
    """A simulated world with its instruments mounted.

    Attributes
    ----------
    handlers
        Alias -> function from message to reply, for the mount ``"in-process"``.
    resources
        Alias -> VISA resource, for the mounts ``"tcp"`` and ``"serial"``.
    models
        Alias -> model, of the instruments that are simulated.
    world
        Devices and wiring; tests read ``world.stress``.
    """

    def __init__(
        self, world: World, instruments: Mapping[str, VirtualInstrument], models: Mapping[str, str]
    ) -> None:
        self.world = world
        self.models = dict(models)
        self.handlers: dict[str, Handle] = {}
        self.resources: dict[str, str] = {}
        self._instruments = dict(instruments)
        self._servers: list[Server] = []

    def mount(self, handles: Mapping[str, Handle], mount: str, host: str) -> None:
        """Make the instruments reachable.

        Raises
        ------
        UsageError
            For an unknown mount.
        """
        if mount not in MOUNTS:
            raise UsageError(f"{mount!r} is no mount", remedy=f"known: {', '.join(MOUNTS)}", key="mount")
        if mount == "in-process":
            self.handlers.update(handles)
            return
        draws.prepare()
        for alias, handle in handles.items():
            server = _SERVE[self._instruments[alias].transport](handle, host)
            self._servers.append(server)
            self.resources[alias] = server.resource

    def state_dict(self) -> dict[str, Any]:
        """Counters and states of devices and instruments."""
        instruments = {alias: one.state_dict() for alias, one in self._instruments.items()}
        return {"world": self.world.state_dict(), "instruments": instruments}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        self.world.load_state_dict(state["world"])
        for alias, instrument in self._instruments.items():
            instrument.load_state_dict(state["instruments"][alias])

    def close(self) -> None:
        """Stop all servers; closing twice is harmless."""
        while self._servers:
            self._servers.pop().close()

    def __enter__(self) -> OpenWorld:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def open_world(plan: BenchPlan, clock: Clock, mount: str, host: str = "127.0.0.1") -> OpenWorld:
    """Build the world of a bench and mount those of its instruments that have no address.

    Parameters
    ----------
    plan
        The validated bench.
    clock
        Shared with the bench: virtual, or real.
    mount
        ``"in-process"``, ``"tcp"`` or ``"serial"``; in both of the latter SCPI instruments are on sockets and
        serial ones on a pseudo-terminal.
    host
        Where sockets listen.

    Raises
    ------
    UsageError
        For an unknown model, mount, device kind or fault.
    """
    world = World(plan, clock)
    simulated = {alias: one for alias, one in plan.instruments.items() if one.resource is None}
    instruments: dict[str, VirtualInstrument] = {
        alias: load(VIRTUAL_INSTRUMENTS, one.model)(alias, world, clock, one.options, plan.seed)
        for alias, one in simulated.items()
    }
    handles = {
        alias: with_faults(alias, one.handle, plan.faults.instruments.get(alias, ()), one.power_cycle)
        for alias, one in instruments.items()
    }
    opened = OpenWorld(world, instruments, {alias: one.model for alias, one in simulated.items()})
    try:
        opened.mount(handles, mount, host)
    except BaseException:
        opened.close()
        raise
    return opened


def serve(plan: BenchPlan, host: str, clock: Clock) -> OpenWorld:
    """Serve a bench's simulated instruments to any client, for ``labtrain bench serve``."""
    return open_world(plan, clock, "tcp", host)
