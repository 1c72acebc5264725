"""The role that training asks of random bit sources: a bias in, a stream of bits out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Bits:
    """Streams of bits.

    Attributes
    ----------
    packed
        ``[n, ceil(n_bits / 8)]`` uint8, as ``np.packbits`` with big-endian bit order: the first
        bit is the highest one of the first byte; 1 = antiparallel; padding bits are 0.
    n_bits
        The number of bits in each stream.
    flags
        ``[n]`` uint8, bits of :class:`labtrain.arrays.neurons.Flag`.
    """

    packed: Any
    n_bits: int
    flags: Any


class BitstreamSource(ABC):
    """``n`` superparamagnetic devices, sampled at a fixed interval."""

    name: str
    max_volts: float
    """The largest magnitude of a bias; more is clipped and flagged."""
    resolution_volts: float
    """The step to which biases are rounded (0: not rounded)."""

    @abstractmethod
    def __len__(self) -> int:
        """The number of devices."""

    @abstractmethod
    def select(self, indices: Sequence[int]) -> Self:
        """A view over some of the devices, in that order; it shares their hardware and counters."""

    @abstractmethod
    def sample(self, volts: Any, n_bits: int, interval: float) -> Bits:
        """Hold device ``j`` at ``volts[j]``, note its state ``n_bits`` times, ``interval`` s apart."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Counters, states and whatever else a resumed run needs."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
