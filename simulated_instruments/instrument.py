"""What every virtual instrument is: bytes in, bytes out, one world, one clock."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from labtrain.clock import Clock
from simulated_instruments.world import World


class VirtualInstrument(ABC):
    """An instrument that acts on a world.

    Parameters
    ----------
    alias
        Its name on the bench; its electrical nodes begin with it.
    world
        What it is wired to.
    clock
        The clock it shares with the bench.
    options
        The bench file's keys for this instrument, in SI numbers.
    seed
        Draws this instrument's own errors and noise.
    """

    transport: ClassVar[str] = "socket"
    """How it is reached: ``"socket"`` or ``"serial"``."""

    def __init__(self, alias: str, world: World, clock: Clock, options: Mapping[str, Any], seed: int) -> None:
        self.alias = alias
        self._world = world
        self._clock = clock
        self._options = dict(options)
        self._seed = seed
        self._busy = threading.Lock()

    def handle(self, message: bytes) -> bytes | None:
        """Carry out one message (with its terminator) and return the reply, if there is one.

        No exception leaves: a bad message ends in the error queue.
        """
        world = self._world
        with self._busy, world.lock:
            if world.processes:
                world.catch_up()
            return self._carry_out(message)

    def power_cycle(self) -> None:
        """Lose power and come back, with power-on settings and the power-on bit where there is one."""
        with self._busy, self._world.turn():
            self._come_back()

    @abstractmethod
    def _come_back(self) -> None:
        """Take the power-on settings, holding the world."""

    @abstractmethod
    def _carry_out(self, message: bytes) -> bytes | None:
        """Carry out one message, holding the world."""

    def _wait(self, seconds: float) -> None:
        """Let time pass; other instruments may act meanwhile."""
        self._world.wait(seconds)

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Counters that a resumed run needs."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
