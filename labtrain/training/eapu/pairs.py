"""Weights on pairs of conductances: the cells of a :class:`~labtrain.arrays.synapses.SynapseArray`."""

from __future__ import annotations

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
                f"{array.name} has {array.shape[1]} columns: no pairs", remedy="give two columns an output"
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
        self.array, self.feedback, self.tolerance, self.rounds = array, feedback, tolerance, rounds
        self.siemens_per_unit, self.low, self.high = siemens_per_unit, low, high
        self.written = self.clipped = 0
        self._siemens: Floats | None = None

    @property
    def inputs(self) -> int:
        """Rows of the array."""
        return self.array.shape[0]

    @property
    def outputs(self) -> int:
        """Pairs of columns."""
        return self.array.shape[1] // 2

    def read(self) -> torch.Tensor:
        """Read all cells; return the weights ``[outputs, inputs]`` (float64)."""
        self._siemens = on_host(self.array.conductance().siemens).astype(np.float64)
        return self._weights()

    def _read_again(self, mask: NDArray[np.bool_]) -> None:
        """Read some cells, the others being as they were last read."""
        siemens = on_host(self.array.conductance(mask).siemens)
        self._siemens = np.where(mask, siemens, cast(Floats, self._siemens))

    def _weights(self) -> torch.Tensor:
        pairs = cast(Floats, self._siemens).reshape(self.inputs, self.outputs, 2)
        weights = (pairs[:, :, 0] - pairs[:, :, 1]).T / self.siemens_per_unit
        return torch.from_numpy(np.ascontiguousarray(weights))

    def verify(self, weights: torch.Tensor, tolerance: float, rounds: int) -> torch.Tensor:
        """Bring the cells to ``weights[outputs, inputs]``, by writes and reads; return what was read at last.

        The pair of a weight is placed around the middle of the range. Cells off by more than ``tolerance``
        (in units of the weights) are written again, at most ``rounds`` times.
        """
        middle, half = (self.low + self.high) / 2, 0.5 * self.siemens_per_unit
        wanted = weights.detach().cpu().numpy().astype(np.float64).T
        target = np.stack([middle + half * wanted, middle - half * wanted], axis=2).reshape(self.array.shape)
        self.read()
        self._approach(
            np.clip(target, self.low, self.high), np.ones(self.array.shape, bool), tolerance, rounds
        )
        return self._weights()

    def _approach(self, target: Floats, chosen: NDArray[np.bool_], tolerance: float, rounds: int) -> None:
        """Write the chosen cells that are known to be off, and read what was written, again and again."""
        for _ in range(rounds):
            delta = target - cast(Floats, self._siemens)
            chosen = chosen & (np.abs(delta) > tolerance * self.siemens_per_unit)
            if not chosen.any():
                return
            self._count(self.array.program(np.where(chosen, delta, 0.0), chosen), chosen)
            self._read_again(chosen)

    def write(self, weights: torch.Tensor, writes: Writes, address: Address) -> None:
        """Program the changes; leave in ``weights`` what is known of the cells afterwards."""
        if len(writes.index) == 0 and self.feedback != "read-all":
            return
        delta, mask = self._placed(writes)
        target = cast(Floats, self._siemens) + delta
        if mask.any():
            self._count(self.array.program(delta, mask), mask)
        self._look(target, mask)
        weights.copy_(self._weights().view(-1))

    def _look(self, target: Floats, written: NDArray[np.bool_]) -> None:
        """Learn what the writes have done, as far as ``feedback`` says."""
        if self.feedback == "open-loop":
            self._siemens = target
        elif self.feedback == "read-all":
            self.read()
        else:
            self._read_again(written)
        if self.feedback == "verify":
            self._approach(target, written, self.tolerance, self.rounds)

    def _count(self, flags: Any, mask: NDArray[np.bool_]) -> None:
        self.written += int(mask.sum())
        self.clipped += int(np.count_nonzero(on_host(flags)[mask]))

    def _placed(self, writes: Writes) -> tuple[Floats, NDArray[np.bool_]]:
        """Changes in S and mask, ``[inputs, 2 outputs]``."""
        if self._siemens is None:
            self.read()
        siemens = cast(Floats, self._siemens)
        index = writes.index.cpu().numpy()
        change = writes.change.detach().cpu().numpy().astype(np.float64) * self.siemens_per_unit
        row, plus = index % self.inputs, 2 * (index // self.inputs)
        after = siemens[row, plus] + change
        fits = (after >= self.low) & (after <= self.high)
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
            "siemens": self._siemens,
            "array": self.array.state_dict(),
        }
        return cast(dict[str, Any], as_tensors(state))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back."""
        given = as_numpy(state)
        self.written, self.clipped = int(given["written"]), int(given["clipped"])
        self._siemens = given["siemens"]
        self.array.load_state_dict(given["array"])
