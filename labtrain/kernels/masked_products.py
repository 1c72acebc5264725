"""The two products of a linear layer's backpropagation, skipping what is masked.

Only the multiply-accumulates that are needed are executed, and their number is returned. For rows with many
zeros they are quicker than dense products; for few zeros BLAS is (``benchmarks/training_pgaf.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled

Floats = NDArray[Any]
_BAND = 128
"""Rows of W at a time."""


@dataclass(frozen=True, slots=True)
class RowLists:
    """Where errors ``[B, out]`` are not zero, neuron by neuron.

    Attributes
    ----------
    starts
        ``[out + 1]``: neuron ``j`` has the entries from ``starts[j]`` on.
    rows, values
        Sample and error of each entry.
    """

    starts: NDArray[np.int64]
    rows: NDArray[np.uint32]
    values: Floats

    @classmethod
    def of(cls, delta: Floats) -> RowLists:
        """List them: one pass over ``delta``, one over what was found."""
        batch, outputs = delta.shape
        rows, values = np.empty(delta.size + 1, np.uint32), np.empty(delta.size + 1, delta.dtype)
        starts = np.empty(outputs + 1, np.int64)
        count = int(_list_by_neuron(delta, starts, rows, values))
        return cls(starts, rows[:count], values[:count])

    def __len__(self) -> int:
        """Entries."""
        return len(self.rows)


def weight_gradient(lists: RowLists, x: Floats) -> tuple[Floats, int]:
    """Return ``delta^T x`` and the multiply-accumulates executed.

    Parameters
    ----------
    lists
        Of the errors ``[B, out]``; a zero skips its row of ``x``.
    x
        ``[B, in]`` inputs, of the same float type.
    """
    gradient = np.empty((len(lists.starts) - 1, x.shape[1]), x.dtype)
    _weight_gradient(lists.starts, lists.rows, lists.values, x, gradient)
    return gradient, len(lists) * x.shape[1]


def input_gradient(
    delta: Floats, weight: Floats, active: NDArray[np.bool_], scale: float = 1.0
) -> tuple[Floats, int]:
    """Return ``scale delta W`` where ``active``, zero elsewhere, and the multiply-accumulates executed.

    Parameters
    ----------
    delta
        ``[B, out]`` errors; a zero skips its row of ``W``.
    weight
        ``[out, in]``.
    active
        ``[B, in]``: which entries are wanted.
    """
    gradient = np.empty(active.shape, weight.dtype)
    return gradient, int(_input_gradient(delta, weight, active, weight.dtype.type(scale), gradient))


@compiled
def _list_by_neuron(delta: Any, starts: Any, rows: Any, values: Any) -> Any:  # pragma: no cover - compiled
    # First sample by sample without branches (which errors are zero is a coin toss), then sorted by neuron.
    batch, outputs = delta.shape
    neurons, errors = np.empty(delta.size + 1, np.uint32), np.empty(delta.size + 1, delta.dtype)
    ends = np.empty(batch, np.int64)
    count: Any = 0
    for b in range(batch):
        error = delta[b]
        for j in range(outputs):
            neurons[count], errors[count] = np.uint32(j), error[j]
            count += np.int64(error[j] != 0)
        ends[b] = count
    starts[:] = 0
    for r in range(count):
        starts[neurons[r] + 1] += 1
    for j in range(outputs):
        starts[j + 1] += starts[j]
    places, first = starts.copy(), np.int64(0)
    for b in range(batch):
        for r in range(first, ends[b]):
            place = places[neurons[r]]
            rows[place], values[place] = np.uint32(b), errors[r]
            places[neurons[r]] = place + 1
        first = ends[b]
    return count


@compiled
def _weight_gradient(
    starts: Any, rows: Any, values: Any, x: Any, gradient: Any
) -> None:  # pragma: no cover - compiled
    # Four rows of x a pass: one load and one store of the sum serve four products.
    for j in range(len(starts) - 1):
        total, first, last = gradient[j], starts[j], starts[j + 1]
        total[:] = 0
        whole = last - (last - first) % 4
        for r in range(first, whole, 4):
            a, b, c, d = rows[r], rows[r + 1], rows[r + 2], rows[r + 3]
            e, f, g, h = values[r], values[r + 1], values[r + 2], values[r + 3]
            _add_four(total, x[a], x[b], x[c], x[d], e, f, g, h)
        for r in range(whole, last):
            _add_one(total, x[rows[r]], values[r])


@compiled
def _add_four(
    total: Any, x0: Any, x1: Any, x2: Any, x3: Any, e0: Any, e1: Any, e2: Any, e3: Any
) -> None:  # pragma: no cover - compiled
    for i in range(len(total)):
        total[i] += (e0 * x0[i] + e1 * x1[i]) + (e2 * x2[i] + e3 * x3[i])


@compiled
def _add_one(total: Any, x: Any, error: Any) -> None:  # pragma: no cover - compiled
    for i in range(len(total)):
        total[i] += error * x[i]


@compiled
def _input_gradient(
    delta: Any, weight: Any, active: Any, scale: Any, gradient: Any
) -> Any:  # pragma: no cover - compiled
    # In bands of rows of W that stay in the cache while all samples use them.
    batch, outputs = delta.shape
    places, ends = np.empty(active.size + 1, np.uint32), np.empty(batch + 1, np.int64)
    ends[0] = 0
    for b in range(batch):
        ends[b + 1] = ends[b] + _list_true(active[b], places[ends[b] :])
    sums = np.zeros(ends[batch], weight.dtype)
    rows = np.empty(_BAND + 1, np.uint32)
    done: Any = 0
    for low in range(0, outputs, _BAND):
        for b in range(batch):
            used, some = sums[ends[b] : ends[b + 1]], places[ends[b] : ends[b + 1]]
            done += _add_band(used, some, delta[b], weight, low, min(low + _BAND, outputs), rows)
    gradient[:] = 0
    for b in range(batch):
        row = gradient[b]
        for r in range(ends[b], ends[b + 1]):
            row[places[r]] = scale * sums[r]
    return done


@compiled
def _add_band(
    used: Any, some: Any, error: Any, weight: Any, low: Any, high: Any, rows: Any
) -> Any:  # pragma: no cover - compiled
    # Lists without branches, then four rows of W a pass.
    many: Any = 0
    for k in range(low, high):
        rows[many] = np.uint32(k)
        many += np.int64(error[k] != 0)
    whole = many - many % 4
    for r in range(0, whole, 4):
        p, q, s, t = rows[r], rows[r + 1], rows[r + 2], rows[r + 3]
        _gather_four(
            used, some, weight[p], weight[q], weight[s], weight[t], error[p], error[q], error[s], error[t]
        )
    for r in range(whole, many):
        _gather_one(used, some, weight[rows[r]], error[rows[r]])
    return many * len(some)


@compiled
def _list_true(wanted: Any, places: Any) -> Any:  # pragma: no cover - compiled
    count: Any = 0
    for i in range(len(wanted)):
        places[count] = np.uint32(i)
        count += np.int64(wanted[i])
    return count


@compiled
def _gather_four(
    sums: Any, places: Any, w0: Any, w1: Any, w2: Any, w3: Any, e0: Any, e1: Any, e2: Any, e3: Any
) -> None:  # pragma: no cover - compiled
    for i in range(len(sums)):
        at = places[i]
        sums[i] += (e0 * w0[at] + e1 * w1[at]) + (e2 * w2[at] + e3 * w3[at])


@compiled
def _gather_one(sums: Any, places: Any, row: Any, error: Any) -> None:  # pragma: no cover - compiled
    for i in range(len(sums)):
        sums[i] += error * row[places[i]]
