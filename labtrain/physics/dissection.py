r"""A resistive grid seen from its edges, by nested dissection.

A block of cells is known by its admittance between the ends of its lines alone; joining two blocks
eliminates the ends that they share (a Schur complement), and pairs are joined until one block is
left: A. George, SIAM J. Numer. Anal. 10, 345 (1973). For N x N cells some 60 N^3 operations, where
elimination row by row takes 4 N^4; all joins of one size are done at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SMALL = 64
"""Blocks of up to so many cells are joined end by end, larger ones as matrices."""


def edge_admittance(cells: Floats, row_segments: Floats, column_segments: Floats) -> Floats:
    """Return the admittance in S between the line ends of a whole grid.

    Parameters
    ----------
    cells
        ``[rows, columns]`` S: each joins its row line and its column line. Both sizes are powers of two.
    row_segments, column_segments
        ``[rows, columns]`` S: from a cell's place on its line to the next one on the right (below); of
        the last cell, to the line's end.

    Returns
    -------
    array
        ``[p, p]``, p = 2 rows + 2 columns: left ends, right ends, upper ends, lower ends. Left and upper
        ends are the first cells' places themselves.
    """
    rows, columns = cells.shape
    blocks, height, width = _leaves(cells, row_segments, column_segments), 1, 1
    while height * width < min(_SMALL, rows * columns):
        if width <= height and width < columns or height == rows:
            blocks = _join_small(blocks[..., 0::2], blocks[..., 1::2], _beside(height, width))
            width *= 2
        else:
            blocks = _join_small(blocks[..., 0::2, :], blocks[..., 1::2, :], _below(height, width))
            height *= 2
    blocks = np.ascontiguousarray(np.moveaxis(blocks, (0, 1), (2, 3)))
    while blocks.shape[:2] != (1, 1):
        if blocks.shape[1] > 1 and (width <= height or blocks.shape[0] == 1):
            blocks = _join(blocks[:, 0::2], blocks[:, 1::2], _beside(height, width))
            width *= 2
        else:
            blocks = _join(blocks[0::2], blocks[1::2], _below(height, width))
            height *= 2
    whole: Floats = blocks[0, 0]
    return whole


def _leaves(cells: Floats, right: Floats, down: Floats) -> Floats:
    """``[4, 4, rows, columns]``: left, right, upper and lower end of each cell."""
    blocks = np.zeros((4, 4, *cells.shape))
    blocks[0, 0], blocks[1, 1], blocks[2, 2], blocks[3, 3] = cells + right, right, cells + down, down
    blocks[0, 1] = blocks[1, 0] = -right
    blocks[0, 2] = blocks[2, 0] = -cells
    blocks[2, 3] = blocks[3, 2] = -down
    return blocks


@dataclass(frozen=True, slots=True)
class _Joint:
    """How blocks of one size are joined: ranges of line ends, and where the kept ones go.

    Attributes
    ----------
    shared
        The ends that meet, in the first and in the second block.
    kept
        (block 0 or 1, its range, range in the joined block).
    """

    shared: tuple[slice, slice]
    kept: tuple[tuple[int, slice, slice], ...]

    @property
    def size(self) -> int:
        """Ends of the joined block."""
        return int(self.kept[-1][2].stop)


def _joint(sizes: Sequence[int], shared: tuple[int, int], kept: Sequence[tuple[int, int]]) -> _Joint:
    """Name the sides by number: 0 left, 1 right, 2 upper, 3 lower."""
    bounds = [0, *np.cumsum(sizes).tolist()]
    sides = [slice(bounds[side], bounds[side + 1]) for side in range(4)]
    places, start = [], 0
    for block, side in kept:
        places.append((block, sides[side], slice(start, start + sizes[side])))
        start += sizes[side]
    return _Joint((sides[shared[0]], sides[shared[1]]), tuple(places))


def _beside(height: int, width: int) -> _Joint:
    kept = [(0, 0), (1, 1), (0, 2), (1, 2), (0, 3), (1, 3)]
    return _joint((height, height, width, width), (1, 0), kept)


def _below(height: int, width: int) -> _Joint:
    kept = [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 3)]
    return _joint((height, height, width, width), (3, 2), kept)


def _join_small(first: Floats, second: Floats, joint: _Joint) -> Floats:
    """Join pairs of small blocks ``[p, p, ...]``: what they share is eliminated end by end.

    Each step is one pass over all pairs, where a library call a pair would cost more than its work.
    """
    pair, (a, b), kept = (first, second), joint.shared, joint.size
    shared = a.stop - a.start
    matrix = np.zeros((kept + shared, kept + shared, *first.shape[2:]))
    matrix[kept:, kept:] = first[a, a] + second[b, b]
    for block, source, place in joint.kept:
        matrix[kept:, place] = pair[block][joint.shared[block], source]
        for other, column, target in joint.kept:
            if other == block:
                matrix[place, target] = pair[block][source, column]
    for pivot in range(kept + shared - 1, kept - 1, -1):
        shares = matrix[pivot, :pivot] / matrix[pivot, pivot]
        for row in range(pivot):  # it is symmetric: the lower half is enough
            matrix[row, : row + 1] -= shares[row] * matrix[pivot, : row + 1]
    for row in range(kept):
        matrix[:row, row] = matrix[row, :row]
    return matrix[:kept, :kept]


def _join(first: Floats, second: Floats, joint: _Joint) -> Floats:
    """Join pairs of blocks ``[..., p, p]`` by eliminating what they share.

    With the inverse: what is shared is small beside what is kept, and products are five times as fast as
    substitution. The shared part is diagonally dominant, so nothing is lost.
    """
    pair, (a, b) = (first, second), joint.shared
    inner = first[..., a, a] + second[..., b, b]
    coupling = np.empty((*first.shape[:-2], joint.size, inner.shape[-1]))
    for block, source, place in joint.kept:
        coupling[..., place, :] = pair[block][..., source, joint.shared[block]]
    joined: Floats = (coupling @ -np.linalg.inv(inner)) @ coupling.swapaxes(-1, -2)
    for block, source, place in joint.kept:
        for other, column, target in joint.kept:
            if other == block:
                joined[..., place, target] += pair[block][..., source, column]
    return joined
