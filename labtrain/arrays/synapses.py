"""The role that training asks of device synapses: programmed, read, multiplied with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Conductances:
    """What was read of every cell.

    Attributes
    ----------
    siemens
        ``[rows, columns]`` float64, in the caller's array namespace; NaN where a cell was not read.
    flags
        ``[rows, columns]`` uint8, bits of :class:`labtrain.arrays.neurons.Flag`.
    """

    siemens: Any
    flags: Any


@dataclass(frozen=True, slots=True)
class Currents:
    """A matrix product.

    Attributes
    ----------
    amperes
        ``[B, columns]`` float64: ``volts @ conductance``.
    flags
        ``[B, columns]`` uint8.
    """

    amperes: Any
    flags: Any


class SynapseArray(ABC):
    """``rows x columns`` programmable conductances.

    On a source-meter bench a product is measured row by row, the other rows grounded, and the
    column currents are summed digitally: :meth:`multiply` means that sum.
    """

    name: str
    shape: tuple[int, int]
    max_volts: float
    """The largest magnitude of a read voltage; more is clipped and flagged."""

    @abstractmethod
    def program(self, delta_siemens: Any, mask: Any) -> Any:
        """Change the cells where ``mask`` is true by ``delta_siemens``, open loop, one write each.

        Both are ``[rows, columns]``; returns uint8 flags of the same shape (CLIPPED: at a bound;
        STUCK is set only where a runtime knows). Cells outside the mask are not touched.
        """

    @abstractmethod
    def conductance(self, mask: Any = None) -> Conductances:
        """Read the cells where ``mask[rows, columns]`` is true, every cell without one.

        A cell that is not read is not driven: NaN, flag 0.
        """

    @abstractmethod
    def multiply(self, volts: Any) -> Currents:
        """Apply ``volts[B, rows]`` and return the column currents."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Counters, states and whatever else a resumed run needs."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
