"""The two products of a convolution's backpropagation, skipping outputs whose error is zero.

Channels last, as one pixel's channels are then next to each other. Each error that is not zero costs one
kernel's worth of multiply-accumulates, padding included, as in a dense count; those are returned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labtrain.kernels.compiling import compiled

Floats = NDArray[Any]


def weight_gradient(delta: Floats, x: Floats, size: int, stride: int) -> tuple[Floats, int]:
    """Return the kernels' gradient ``[out, size, size, in]`` and the multiply-accumulates executed.

    Parameters
    ----------
    delta
        ``[B, height, width, out]`` errors.
    x
        ``[B, padded height, padded width, in]``, of the same float type.
    """
    channels = x.shape[3]
    gradient = np.zeros((delta.shape[3], size, size * channels), x.dtype)
    lines = x.reshape(*x.shape[:2], -1)
    count = int(_weight_gradient(delta.reshape(*delta.shape[:2], -1), lines, gradient, stride, channels))
    return gradient.reshape(-1, size, size, channels), count * size * size * channels


def input_gradient(delta: Floats, weight: Floats, padded: tuple[int, int], stride: int) -> tuple[Floats, int]:
    """Return the errors of the padded input ``[B, *padded, in]`` and the multiply-accumulates executed.

    Parameters
    ----------
    delta
        ``[B, height, width, out]``.
    weight
        ``[out, size, size, in]``.
    """
    outputs, size, _, channels = weight.shape
    gradient = np.zeros((len(delta), padded[0], padded[1] * channels), weight.dtype)
    kernels = weight.reshape(outputs, size, -1)
    count = int(_input_gradient(delta.reshape(*delta.shape[:2], -1), kernels, gradient, stride, channels))
    return gradient.reshape(len(delta), *padded, channels), count * size * size * channels


@compiled
def _list_line(line: Any, places: Any) -> Any:  # pragma: no cover - compiled
    # Without branches: which errors are zero is a coin toss.
    count: Any = 0
    for i in range(len(line)):
        places[count] = np.uint32(i)
        count += np.int64(line[i] != 0)
    return count


@compiled
def _weight_gradient(
    delta: Any, x: Any, gradient: Any, stride: int, channels: int
) -> Any:  # pragma: no cover - compiled
    return _each_error(delta, gradient, x, stride, channels, True)


@compiled
def _input_gradient(
    delta: Any, weight: Any, gradient: Any, stride: int, channels: int
) -> Any:  # pragma: no cover - compiled
    return _each_error(delta, weight, gradient, stride, channels, False)


@compiled
def _each_error(
    delta: Any, kernels: Any, lines: Any, stride: int, channels: int, of_weights: bool
) -> Any:  # pragma: no cover - compiled
    # An error joins its output's kernel with the patch of lines that it saw: the one times the error is added
    # to the other. Inlined with ``of_weights`` known, so that the choice costs nothing.
    batch, height, width = delta.shape
    outputs, size, span = kernels.shape
    places = np.empty(width + 1, np.uint32)
    done: Any = 0
    for b in range(batch):
        for y in range(height):
            line = delta[b, y]
            count = _list_line(line, places)
            done += count
            for r in range(count):
                pixel, j = divmod(np.int64(places[r]), outputs)
                error, start = line[places[r]], pixel * stride * channels
                for k in range(size):
                    kernel, patch = kernels[j, k], lines[b, y * stride + k, start : start + span]
                    if of_weights:
                        _add(kernel, error, patch)
                    else:
                        _add(patch, error, kernel)
    return done


@compiled
def _add(total: Any, error: Any, some: Any) -> None:  # pragma: no cover - compiled
    for i in range(len(total)):
        total[i] += error * some[i]
