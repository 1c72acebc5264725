"""A layer of simulated neuron pairs in one compiled pass (see :mod:`labtrain.kernels.neuron_layer`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.batch_rows import BatchRows
from labtrain.arrays.fused import Circuit, FusedLayer, Singles, Tally, in_singles
from labtrain.arrays.simulated_readout import Readout
from labtrain.kernels import neuron_layer as kernel
from labtrain.kernels.noise import keys_of

_OPEN_OHMS = 1e12
"""Of a dead device: at any current that a source gives it is in compliance."""


@final
class SimulatedLayer(FusedLayer):
    """One layer of a simulated array.

    Parameters
    ----------
    sides
        Parameters of the forward devices and of those read second.
    cells
        Their cells, ``[n]`` each.
    reads
        The array's read counters, shared: advanced by each pass.
    dead
        Which pairs are open circuits, ``[n]``.
    keys
        (seed, stream) of the readings' noise.
    rows
        Of batches that several processes share.
    """

    def __init__(
        self,
        circuit: Circuit,
        sides: tuple[Mapping[str, Any], Mapping[str, Any]],
        cells: tuple[NDArray[np.intp], NDArray[np.intp]],
        reads: NDArray[np.int64],
        dead: NDArray[np.bool_],
        readout: Readout,
        keys: tuple[int, int],
        source: tuple[float, float],
        rows: BatchRows,
    ) -> None:
        self._cells, self._partner_cells = cells
        self._reads, self._rows = reads, rows
        self._keys = np.array(keys_of(*keys)[:2])
        self._forward, self._partners = (_devices(side, dead, readout.seconds) for side in sides)
        self._maps = _maps(circuit)
        self._numbers = _numbers(circuit, readout, *source)
        self._offsets = _offsets(circuit.difference.offset_volts)

    def read(self, z: Singles, slopes: bool, tally: Tally) -> tuple[Singles, Singles | None] | None:
        """Read forward devices, and with ``slopes`` each a second time (or its partner)."""
        if not self._rows.shared:
            return self._pass(z, slopes, tally)
        before, behind = self._rows.around(len(z))
        self._pass_over(before, slopes)
        reading = self._pass(z, slopes, tally)
        if reading is not None:
            self._pass_over(behind, slopes)
        return reading

    def _pass_over(self, rows: int, slopes: bool) -> None:
        """Leave the events of rows that other processes read."""
        self._reads[self._cells] += rows
        if slopes:
            self._reads[self._partner_cells] += rows

    def _pass(self, z: Singles, slopes: bool, tally: Tally) -> tuple[Singles, Singles | None] | None:
        activations = np.empty_like(z)
        counted = tally.flagged, tally.clipped, tally.watts
        circuit = self._maps, self._numbers
        if not slopes:
            noise = self._keys, self._cells, self._reads
            fine = kernel.read_layer(z, *circuit, self._forward, *noise, activations, *counted)
            return (activations, None) if fine else None
        derivatives = np.empty_like(z)
        fine = kernel.read_layer_twice(
            z,
            *circuit,
            self._forward,
            self._partners,
            self._keys,
            self._cells,
            self._partner_cells,
            self._reads,
            self._offsets,
            activations,
            derivatives,
            *counted,
        )
        return (activations, derivatives) if fine else None


def _devices(side: Mapping[str, Any], dead: NDArray[np.bool_], seconds: float) -> Singles:
    p = {"polarity": 1.0, "field_shift": 0.0, "read_noise": 0.0, "stuck": 0.0} | dict(side)
    ratio = np.asarray(p["tau_c"]) / seconds
    rows = (
        p["i50"] + p["field_shift"],
        0.5 * p["polarity"] / p["w"],
        1.0 - p["stuck"],
        np.where(dead, 0.0, p["r_p"] / p["v_h"]),
        p["tmr0"],
        p["v_h"],
        np.where(dead, _OPEN_OHMS, p["r_series"]),
        2.0 * ratio * (1.0 + ratio * np.expm1(-1.0 / ratio)),
        np.where(dead, 0.0, np.square(p["read_noise"])),
    )
    return in_singles(*rows, count=len(dead))


def _maps(circuit: Circuit) -> Singles:
    gain = circuit.kappa_amperes / (circuit.scale_volts * circuit.difference.delta_amperes)
    return in_singles(
        circuit.centre_amperes,
        circuit.kappa_amperes,
        circuit.mean_volts,
        1.0 / circuit.scale_volts,
        gain,
        count=len(circuit.centre_amperes),
    )


def _offsets(volts: NDArray[np.float64] | None) -> Singles:
    """Lay the curves ``[G, n]`` out as value and rise to the next grid point, ``[G n, 2]``."""
    if volts is None:
        return np.empty((0, 2), np.float32)
    rise = np.diff(volts, axis=0, append=volts[-1:])
    return np.stack((volts, rise), axis=-1).reshape(-1, 2).astype(np.float32)


def _numbers(circuit: Circuit, readout: Readout, resolution: float, maximum: float) -> Singles:
    limit = math.floor(maximum / resolution * (1 + 1e-12)) * resolution if resolution > 0 else maximum
    grid = circuit.difference.grid_amperes
    start, rate = (0.0, 0.0) if grid is None else (grid[0], (len(grid) - 1) / (grid[-1] - grid[0]))
    return np.array(
        (
            circuit.low_amperes,
            circuit.high_amperes,
            resolution,
            limit,
            circuit.difference.delta_amperes,
            start,
            rate,
            readout.compliance_volts,
            readout.range_volts,
            readout.step_volts,
        ),
        np.float32,
    )
