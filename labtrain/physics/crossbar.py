r"""A crossbar with line resistance: the full nodal solve.

Every cell joins a row line and a column line; both lines have a resistance between
neighbouring cells. Rows are driven from the left through ``driver_ohms``, columns end at the bottom
in virtual grounds through ``sense_ohms``. The first-order droop ``N^2 r G / 2`` is 0.8 at N = 128, 2 ohm,
50 uS: no expansion helps, all ``2 rows columns`` nodes are solved.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve
from threadpoolctl import threadpool_limits

from labtrain.errors import UsageError
from labtrain.physics.dissection import edge_admittance

Floats = NDArray[np.float64]


class Crossbar:
    """One programmed crossbar.

    :meth:`multiply` uses the transfer matrix, made once by nested dissection
    (:mod:`labtrain.physics.dissection`); :meth:`node_voltages` solves the whole sparse system.

    Parameters
    ----------
    siemens
        ``[rows, columns]`` of the cells (access transistor included), not negative.
    segment_ohms
        Line resistance between neighbouring cells, 1-5 ohm usually.
    driver_ohms, sense_ohms
        In series with every row's source and every column's virtual ground.

    Raises
    ------
    UsageError
        For a negative or infinite conductance, or a resistance that is not positive.
    """

    def __init__(
        self,
        siemens: Floats,
        segment_ohms: float = 2.0,
        driver_ohms: float = 50.0,
        sense_ohms: float = 50.0,
    ) -> None:
        fine = bool(np.all((siemens >= 0) & (siemens < np.inf)))
        if not (siemens.ndim == 2 and fine and min(segment_ohms, driver_ohms, sense_ohms) > 0):
            raise UsageError(
                "a crossbar needs a matrix of finite conductances and positive resistances",
                remedy="use 1e-3 ohm where a resistance is to be neglected",
            )
        self._siemens = siemens
        self._segment, self._driver, self._sense = 1.0 / segment_ohms, 1.0 / driver_ohms, 1.0 / sense_ohms

    def multiply(self, volts: Floats) -> Floats:
        """Return the column currents ``[B, columns]`` in A for source voltages ``[B, rows]``."""
        product: Floats = np.asarray(volts) @ self.transfer
        return product

    @cached_property
    def transfer(self) -> Floats:
        """``[rows, columns]`` in S: column current per source volt, line resistance included."""
        # The matrices are too small for several threads, which would only wait for each other.
        with threadpool_limits(limits=1, user_api="blas"):  # type: ignore[no-untyped-call]
            return self._from_the_edges()

    def _from_the_edges(self) -> Floats:
        """Reduce the grid to its line ends, then drive the left ones and ground the lower ones."""
        rows, columns = self._siemens.shape
        # Lines beyond the last are there for the halving only: they carry no cells and so no current.
        above, beyond = _to_power_of_two(rows), _to_power_of_two(columns)
        cells = np.pad(self._siemens, ((above, 0), (0, beyond)))
        along, down = np.full(cells.shape, self._segment), np.full(cells.shape, self._segment)
        along[:, -1], down[-1] = 0.0, self._sense
        edges = edge_admittance(cells, along, down)
        height, width = cells.shape
        upper, lower = np.arange(2 * height, 2 * height + width), np.arange(2 * height + width, len(edges))
        unknown = np.concatenate([np.arange(height), upper])
        matrix = edges[np.ix_(unknown, unknown)]
        driven = np.arange(above, height)
        matrix[np.arange(height), np.arange(height)] += self._driver
        sources = np.zeros((len(unknown), rows))
        sources[driven, np.arange(rows)] = self._driver
        volts = np.linalg.solve(matrix, sources)
        result: Floats = -(edges[np.ix_(lower[:columns], unknown)] @ volts).T
        return result

    def node_voltages(self, volts: Floats) -> tuple[Floats, Floats]:
        """Return row and column node voltages, each ``[B, rows, columns]``, for ``volts[B, rows]``."""
        shape = self._siemens.shape
        sources = np.zeros((2 * self._siemens.size, len(volts)))
        sources[_row_nodes(shape)[:, 0]] = self._driver * np.asarray(volts).T
        laplacian = _laplacian(self._siemens, self._segment, self._driver, self._sense)
        nodes = spsolve(laplacian, sources, permc_spec="MMD_AT_PLUS_A").reshape(sources.shape).T
        return nodes[:, _row_nodes(shape)], nodes[:, _row_nodes(shape) + 1]


def sneak_resistance(size: int, ohms: float) -> float:
    """Return the sneak path's resistance in ohm of a square array without selectors, others floating.

    ``2 R/(N - 1) + R/(N - 1)^2``: two half-selected lines in series with the rest of the array.
    """
    return 2.0 * ohms / (size - 1) + ohms / (size - 1) ** 2


def _to_power_of_two(lines: int) -> int:
    """How many lines are missing."""
    return (1 << (lines - 1).bit_length()) - lines


def _row_nodes(shape: tuple[int, int]) -> NDArray[np.intp]:
    return 2 * np.arange(shape[0] * shape[1]).reshape(shape)


def _laplacian(siemens: Floats, segment: float, driver: float, sense: float) -> Any:
    """The nodal matrix in compressed columns."""
    row = _row_nodes(siemens.shape)
    column = row + 1
    starts = [row.ravel(), row[:, :-1].ravel(), column[:-1].ravel()]
    ends = [column.ravel(), row[:, 1:].ravel(), column[1:].ravel()]
    values = [siemens.ravel(), np.full(starts[1].size, segment), np.full(starts[2].size, segment)]
    a, b, g = np.concatenate(starts), np.concatenate(ends), np.concatenate(values)
    nodes = 2 * siemens.size
    diagonal = (np.bincount(a, g, nodes) + np.bincount(b, g, nodes)).astype(np.float64)
    diagonal[row[:, 0]] += driver
    diagonal[column[-1]] += sense
    every = np.arange(2 * siemens.size)
    matrix = coo_array(
        (
            np.concatenate([-g, -g, diagonal]),
            (np.concatenate([a, b, every]), np.concatenate([b, a, every])),
        )
    )
    return matrix.tocsc()
