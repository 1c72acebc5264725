"""Weights on pairs of conductances: the cells of a :class:`~labtrain.arrays.synapses.SynapseArray`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast, final, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain.arrays.plain import as_numpy as on_host
from labtrain.arrays.synapses import SynapseArray
from labtrain.errors import UsageError
from labtrain.training.eapu.cells import Cells
from labtrain.training.eapu.rules import Address, Writes
from labtrain.training.state import as_numpy, as_tensors

Floats = NDArray[np.float64]
_MOVED, _STRIKES = 0.25, 5
"""A cell stays if it moved less than this share of what was asked for, this many writes in a row."""
Feedback = Literal["read-back", "read-all", "verify", "open-loop"]


@final
class PairedSynapses(Cells):
    """A weight matrix ``[outputs, inputs]`` as ``w = (G+ - G-) / siemens_per_unit``.

    The array has a row an input, and columns ``2 j`` (plus) and ``2 j + 1`` (minus) for output ``j``. A
    change goes to the plus cell while what is known of it stays within the range, else with the opposite
    sign to the minus cell: one write a change. What is known of the cells afterwards says ``feedback``;
    :meth:`read` looks at all of them.

    Parameters
    ----------
    array
        ``inputs x 2 outputs`` synapses.
    siemens_per_unit
        What a weight of 1 is (published: 80 uS).
    low, high
        The range of conductance in which the cells are kept, in S.
    feedback
        ``"read-back"``: the cells that were written are read, and their weights are what the readings say.
        ``"read-all"``: all cells are read at every step, so that drift is seen too. ``"verify"``: cells that
        missed by more than ``tolerance`` are written again, at most ``rounds`` times. ``"open-loop"``: a
        write is believed to have changed its cell by what was asked for, and nothing is read.
    tolerance, rounds
        Of ``"verify"``, in units of the weights.

    Attributes
    ----------
    written
        Weights written, those written again included.
    clipped
        Writes that came back flagged: at a bound, or to a cell that does not answer.

    Raises
    ------
    UsageError
        For an odd number of columns, a range that is none, or a feedback that is not known.
    """

    def __init__(
        self,
        array: SynapseArray,
        *,
        siemens_per_unit: float,
        low: float,
        high: float,
        feedback: Feedback = "read-back",
        tolerance: float = 0.05,
        rounds: int = 4,
    ) -> None:
        if array.shape[1] % 2:
            raise UsageError(
                f"{array.name} has {array.shape[1]} columns: no pairs",
                remedy="give two columns an output",
            )
        if not (siemens_per_unit > 0 and 0 <= low < high):
            raise UsageError(
                f"{siemens_per_unit} S a unit between {low} S and {high} S cannot be",
                remedy="give a positive scale, and a low end below the high end",
            )
        if feedback not in get_args(Feedback) or not (tolerance > 0 and rounds >= 0):
            raise UsageError(
                f"feedback {feedback!r} with a tolerance of {tolerance} and {rounds} rounds cannot be",
                remedy=f"give {', '.join(get_args(Feedback))}; a positive tolerance; 0 or more rounds",
                key="feedback",
            )
        self.array, self.feedback = array, feedback
        self.tolerance, self.rounds = tolerance, rounds
        self.siemens_per_unit, self.low, self.high = siemens_per_unit, low, high
        self.written = self.clipped = 0
        self._known: Floats | None = None
        self._strikes = np.zeros(array.shape, np.int8)

    @property
    def inputs(self) -> int:
        """Rows of the array."""
        return self.array.shape[0]

    @property
    def outputs(self) -> int:
        """Pairs of columns."""
        return self.array.shape[1] // 2

    @property
    def _siemens(self) -> Floats:
        """What is known of the cells."""
        if self._known is None:
            self.read()
        return cast(Floats, self._known)

    @_siemens.setter
    def _siemens(self, known: Floats) -> None:
        self._known = known

    def read(self) -> torch.Tensor:
        """Read all cells; return the weights ``[outputs, inputs]`` (float64)."""
        self._siemens = on_host(self.array.conductance().siemens).astype(np.float64)
        return self._weights()

    def _read_again(self, mask: NDArray[np.bool_], delta: Floats) -> None:
        """Read cells that were to change by ``delta``, the others being as last read; note which stay."""
        siemens = on_host(self.array.conductance(mask).siemens)[mask]
        stayed = np.abs(siemens - self._siemens[mask]) < _MOVED * np.abs(delta[mask])
        self._strikes[mask] = np.where(stayed, np.minimum(self._strikes[mask] + 1, _STRIKES), 0)
        self._siemens = self._siemens.copy()
        self._siemens[mask] = siemens

    @property
    def _stays(self) -> NDArray[np.bool_]:
        """Cells that have not moved for several writes: the other one of their pair is written instead."""
        stays: NDArray[np.bool_] = self._strikes >= _STRIKES
        return stays

    def _weights(self) -> torch.Tensor:
        pairs = self._siemens.reshape(self.inputs, self.outputs, 2)
        weights = (pairs[:, :, 0] - pairs[:, :, 1]).T / self.siemens_per_unit
        return torch.from_numpy(np.ascontiguousarray(weights))

    def verify(self, weights: torch.Tensor, tolerance: float, rounds: int) -> torch.Tensor:
        """Bring the cells to ``weights[outputs, inputs]``, by writes and reads; return what was read at last.

        The pair of a weight is placed around the middle of the range, and where one cell of it does not move
        the other makes up for it. Cells off by more than ``tolerance`` (in units of the weights) are written
        again, at most ``rounds`` times.
        """
        wanted = weights.detach().cpu().numpy().astype(np.float64).T
        self.read()
        self._approach(lambda: self._aims(wanted), np.ones(self.array.shape, bool), tolerance, rounds)
        return self._weights()

    def _aims(self, wanted: Floats) -> Floats:
        """Conductances ``[inputs, 2 outputs]`` for weights ``[inputs, outputs]``, as far as cells move."""
        middle, change = (self.low + self.high) / 2, self.siemens_per_unit * wanted
        shape = (self.inputs, self.outputs, 2)
        known, stays = self._siemens.reshape(shape), self._stays.reshape(shape)
        plus, minus = stays[:, :, 0], stays[:, :, 1]
        up = np.where(minus & ~plus, known[:, :, 1] + change, middle + change / 2)
        down = np.where(plus & ~minus, known[:, :, 0] - change, middle - change / 2)
        aims: Floats = np.clip(np.stack([up, down], axis=2), self.low, self.high)
        return aims.reshape(self.array.shape)

    def _approach(
        self,
        aims: Callable[[], Floats],
        chosen: NDArray[np.bool_],
        tolerance: float,
        rounds: int,
    ) -> None:
        """Write the chosen cells that are known to be off, and read what was written, again and again."""
        for _ in range(rounds):
            delta = aims() - self._siemens
            off = chosen & ~self._stays & (np.abs(delta) > tolerance * self.siemens_per_unit)
            if not off.any():
                return
            self._program(np.where(off, delta, 0.0), off)
            self._read_again(off, delta)

    def write(self, weights: torch.Tensor, writes: Writes, address: Address) -> None:
        """Program the changes; leave in ``weights`` what is known of the cells afterwards."""
        if len(writes.index) == 0 and self.feedback != "read-all":
            return
        delta, mask = self._placed(writes)
        target = self._siemens + delta
        if mask.any():
            self._program(delta, mask)
        self._look(target, delta, mask)
        weights.copy_(self._weights().view(-1))

    def _look(self, target: Floats, delta: Floats, written: NDArray[np.bool_]) -> None:
        """Learn what the writes have done, as far as ``feedback`` says."""
        if self.feedback == "open-loop":
            self._siemens = target
        elif self.feedback == "read-all":
            self.read()
        else:
            self._read_again(written, delta)
        if self.feedback == "verify":
            self._approach(lambda: target, written, self.tolerance, self.rounds)

    def _program(self, delta: Floats, mask: NDArray[np.bool_]) -> None:
        flags = on_host(self.array.program(delta, mask))
        self.written += int(mask.sum())
        self.clipped += int(np.count_nonzero(flags[mask]))

    def _placed(self, writes: Writes) -> tuple[Floats, NDArray[np.bool_]]:
        """Changes in S and mask, ``[inputs, 2 outputs]``."""
        siemens = self._siemens
        index = writes.index.cpu().numpy()
        change = writes.change.detach().cpu().numpy().astype(np.float64) * self.siemens_per_unit
        row, plus = index % self.inputs, 2 * (index // self.inputs)
        after, stays = siemens[row, plus] + change, self._stays
        fits = (after >= self.low) & (after <= self.high) & (~stays[row, plus] | stays[row, plus + 1])
        column = np.where(fits, plus, plus + 1)
        delta, mask = np.zeros(self.array.shape), np.zeros(self.array.shape, dtype=bool)
        delta[row, column] = np.where(fits, change, -change)
        mask[row, column] = True
        return delta, mask

    def state_dict(self) -> dict[str, Any]:
        """Counters, the last readings, and the array's own state."""
        state = {
            "written": self.written,
            "clipped": self.clipped,
            "siemens": self._known,
            "strikes": self._strikes,
            "array": self.array.state_dict(),
        }
        return cast(dict[str, Any], as_tensors(state))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back."""
        given = as_numpy(state)
        self.written, self.clipped = int(given["written"]), int(given["clipped"])
        self._known, self._strikes = given["siemens"], given["strikes"]
        self.array.load_state_dict(given["array"])
