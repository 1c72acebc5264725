"""The role that training asks of device neurons: current in, voltage out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from labtrain.arrays.batch_rows import BatchRows
from labtrain.roles.flags import Flag

__all__ = ["DifferentiableNeuronArray", "Flag", "NeuronArray", "NeuronPairArray", "Reading"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One response of a neuron array.

    Attributes
    ----------
    volts
        ``[B, n]`` float64, in the caller's array namespace.
    flags
        ``[B, n]`` uint8, bits of :class:`Flag`.
    """

    volts: Any
    flags: Any


class NeuronArray(ABC):
    """``n`` device neurons.

    A response advances each device's read counter by the number of its readings,
    so noise is a function of (seed, cell, reading) and not of how calls are split.
    """

    name: str
    max_amperes: float
    """The largest magnitude of current that a neuron accepts; more is clipped and flagged."""
    resolution_amperes: float
    """The step to which stimuli are rounded (0: not rounded)."""
    rows: BatchRows | None = None
    """Of batches that several processes share; None: every batch is whole."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of neurons."""

    @abstractmethod
    def select(self, indices: Sequence[int]) -> Self:
        """A view over some of the neurons, in that order; it shares their hardware and counters.

        The neurons left out are not driven at all.
        """

    @abstractmethod
    def respond(self, amperes: Any) -> Reading:
        """Drive neuron ``j`` with ``amperes[:, j]`` and read its voltage, ``[B, n]``."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Counters and whatever else a resumed run needs."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""


class NeuronPairArray(NeuronArray):
    """``n`` neurons, each with a nominally identical partner device.

    ``respond`` reads the forward devices.
    """

    @abstractmethod
    def respond_pair(self, amperes: Any, partner_amperes: Any) -> tuple[Reading, Reading]:
        """Read forward devices at ``amperes`` and partners at ``partner_amperes``, both ``[B, n]``."""


class DifferentiableNeuronArray(NeuronArray):
    """Simulation only: the exact derivative beside the response."""

    @abstractmethod
    def derivative(self, amperes: Any) -> Any:
        """Return dV/dI of the forward devices without noise, in ohm, ``[B, n]``."""
