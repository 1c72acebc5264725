"""The two products of a linear layer's backpropagation, skipping what is masked.

Only the multiply-accumulates that are needed are executed, and their number is returned. For rows with many
zeros they are quicker than dense products; for few zeros BLAS is (``benchmarks/training_pgaf.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled

Floats = NDArray[Any]


def weight_gradient(delta: Floats, x: Floats) -> tuple[Floats, int]:
    """Return ``delta^T x`` and the multiply-accumulates executed.

    Parameters
    ----------
    delta
        ``[B, out]`` errors; a zero skips its row of ``x``.
    x
        ``[B, in]`` inputs, of the same float type.
    """
    gradient = np.zeros((delta.shape[1], x.shape[1]), x.dtype)
    return gradient, int(_weight_gradient(delta, x, gradient))


def input_gradient(delta: Floats, weight: Floats, active: NDArray[np.bool_]) -> tuple[Floats, int]:
    """Return ``delta W`` where ``active``, zero elsewhere, and the multiply-accumulates executed.

    Parameters
    ----------
    delta
        ``[B, out]`` errors; a zero skips its row of ``W``.
    weight
        ``[out, in]``.
    active
        ``[B, in]``: which entries are wanted.
    """
    gradient = np.zeros(active.shape, weight.dtype)
    return gradient, int(_input_gradient(delta, weight, active, gradient))


@compiled
def _weight_gradient(delta: Any, x: Any, gradient: Any) -> Any:  # pragma: no cover - compiled
    # Four rows of x a pass: one load and one store of the sum serve four products.
    batch, outputs = delta.shape
    inputs = x.shape[1]
    errors = np.ascontiguousarray(delta.T)
    rows = np.empty(batch + 1, np.int64)
    done: Any = 0
    for j in range(outputs):
        count: Any = 0
        error = errors[j]
        for b in range(batch):
            rows[count] = b
            count += np.int64(error[b] != 0)
        total = gradient[j]
        whole = count - count % 4
        for r in range(0, whole, 4):
            a, b, c, d = rows[r], rows[r + 1], rows[r + 2], rows[r + 3]
            _add_four(total, x[a], x[b], x[c], x[d], error[a], error[b], error[c], error[d])
        for r in range(whole, count):
            _add_one(total, x[rows[r]], error[rows[r]])
        done += count * inputs
    return done


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
    delta: Any, weight: Any, active: Any, gradient: Any
) -> Any:  # pragma: no cover - compiled
    # Lists without branches (which entries are active is a coin toss), then four rows of W a pass.
    batch, outputs = delta.shape
    inputs = active.shape[1]
    places, rows = np.empty(inputs + 1, np.uint32), np.empty(outputs + 1, np.int64)
    sums = np.empty(inputs, weight.dtype)
    done: Any = 0
    for b in range(batch):
        count = _list_true(active[b], places)
        error, used, some = delta[b], sums[:count], places[:count]
        many: Any = 0
        for k in range(outputs):
            rows[many] = k
            many += np.int64(error[k] != 0)
        used[:] = 0
        whole = many - many % 4
        for r in range(0, whole, 4):
            p, q, s, t = rows[r], rows[r + 1], rows[r + 2], rows[r + 3]
            _gather_four(
                used, some, weight[p], weight[q], weight[s], weight[t], error[p], error[q], error[s], error[t]
            )
        for r in range(whole, many):
            _gather_one(used, some, weight[rows[r]], error[rows[r]])
        done += many * count
        row = gradient[b]
        for i in range(count):
            row[some[i]] = used[i]
    return done


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
