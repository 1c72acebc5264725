"""The role that training asks of device switches: a pulse in, switched or not out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from labtrain.arrays.batch_rows import BatchRows


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch of attempts did.

    Attributes
    ----------
    switched
        ``[B, n]`` bool, in the caller's array namespace.
    flags
        ``[B, n]`` uint8, bits of :class:`labtrain.arrays.neurons.Flag`. STUCK: the reset could not
        be verified, so no pulse was given and ``switched`` is False.
    """

    switched: Any
    flags: Any


class SwitchArray(ABC):
    """``n`` bistable devices.

    One attempt is reset, verify, pulse, read. The sign of the pulse decides the
    direction, and the reset goes to the state that this direction starts from.
    """

    name: str
    max_volts: float
    """The largest magnitude of a pulse; more is clipped and flagged."""
    resolution_volts: float
    """The step to which pulses are rounded (0: not rounded)."""
    rows: BatchRows | None = None
    """Of batches that several processes share; None: every batch is whole."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of devices."""

    @abstractmethod
    def select(self, indices: Sequence[int]) -> Self:
        """A view over some of the devices, in that order; it shares their hardware and counters."""

    @abstractmethod
    def attempt(self, volts: Any, seconds: float) -> Outcome:
        """Attempt to switch device ``j`` with ``volts[:, j]``, one row after the other."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Counters, states and whatever else a resumed run needs."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
