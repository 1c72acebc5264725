"""Device neurons on a bench: routed, swept by the source meter, read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.neurons import Flag, NeuronPairArray, Reading
from labtrain.errors import UsageError
from labtrain.roles.source_meter import SourceMeter

Route = Callable[[str, str], AbstractContextManager[SourceMeter]]
Neuron = tuple[str, str, str]


@final
class WiredNeuronArray(NeuronPairArray):
    """Neurons (and their partners) reached through the bench's routes, one after the other.

    A batch is one list sweep a device: route, set up, upload the column, run, read back, open the route.

    Parameters
    ----------
    name
        The array's name in the bench file.
    neurons
        For each neuron: device name, terminal of the forward device, terminal of the partner.
    route
        ``route(device, terminal)`` connects safely, gives the source meter and disconnects at the end
        (``Bench.route``).
    max_amperes
        The largest magnitude of current; more is clipped and flagged :attr:`Flag.CLIPPED`.
    nplc
        Aperture of each reading, in power line cycles.
    compliance
        The voltage limit of the current source, in V.
    measure_range
        The voltmeter's fixed range, in V; at or above the compliance.

    Notes
    -----
    A device that is open sits in compliance at every point: it is flagged, not an error.
    """

    def __init__(
        self,
        name: str,
        neurons: Sequence[Neuron],
        route: Route,
        *,
        max_amperes: float,
        nplc: float,
        compliance: float,
        measure_range: float,
    ) -> None:
        if not neurons:
            raise UsageError(f"the array {name!r} has no neurons", remedy="select at least one")
        self.name = name
        self.max_amperes = max_amperes
        self._neurons = tuple(neurons)
        self._route = route
        self._setup = (max_amperes, compliance, measure_range, nplc)
        self._resolution: float | None = None
        self._reads: dict[tuple[str, str], int] = {}

    @property
    def resolution_amperes(self) -> float:  # type: ignore[override]
        """The source's step on the range that holds ``max_amperes``; the first call asks a route for it."""
        if self._resolution is None:
            device, forward, _ = self._neurons[0]
            with self._route(device, forward) as meter:
                self._configure(meter)
        assert self._resolution is not None
        return self._resolution

    def __len__(self) -> int:
        """The number of neurons."""
        return len(self._neurons)

    def select(self, indices: Sequence[int]) -> Self:
        """A view over some neurons; it shares the bench and the read counters."""
        amperes, compliance, measure_range, nplc = self._setup
        view = type(self)(
            self.name,
            [self._neurons[index] for index in indices],
            self._route,
            max_amperes=amperes,
            nplc=nplc,
            compliance=compliance,
            measure_range=measure_range,
        )
        view._reads = self._reads
        view._resolution = self._resolution
        return view

    def respond(self, amperes: Any) -> Reading:
        """Drive each forward device with its column of ``amperes`` and read its voltage.

        Parameters
        ----------
        amperes
            ``[B, n]``, any array or tensor that NumPy can read.

        Returns
        -------
        Reading
            ``[B, n]`` float64 and uint8 NumPy arrays.
        """
        return self._read_all(self._checked(amperes), 1)

    def respond_pair(self, amperes: Any, partner_amperes: Any) -> tuple[Reading, Reading]:
        """Read all forward devices, then all partners, each ``[B, n]``."""
        forward, partner = self._checked(amperes), self._checked(partner_amperes)
        return self._read_all(forward, 1), self._read_all(partner, 2)

    def state_dict(self) -> dict[str, Any]:
        """Readings taken from each device, as ``"neurons[3].top"``: count."""
        return {"reads": {f"{device}.{terminal}": n for (device, terminal), n in self._reads.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the counts back; the devices themselves keep their own state."""
        self._reads.clear()
        for key, count in state["reads"].items():
            device, _, terminal = key.rpartition(".")
            self._reads[device, terminal] = count

    def _checked(self, amperes: Any) -> NDArray[np.float64]:
        wanted = np.asarray(amperes, dtype=np.float64)
        if wanted.ndim != 2 or wanted.shape[1] != len(self._neurons):
            raise UsageError(
                f"{self.name}: currents of shape {wanted.shape}",
                remedy=f"give [batch, {len(self._neurons)}]",
            )
        if np.isnan(wanted).any():
            raise UsageError(f"{self.name}: a current is not a number", remedy="look for NaN in the network")
        return wanted

    def _read_all(self, wanted: NDArray[np.float64], terminal: int) -> Reading:
        volts = np.empty_like(wanted)
        flags = np.zeros(wanted.shape, dtype=np.uint8)
        limit = self.max_amperes
        flags[np.abs(wanted) > limit] |= np.uint8(Flag.CLIPPED)
        clipped = np.clip(wanted, -limit, limit)
        for j, neuron in enumerate(self._neurons):
            volts[:, j], found = self._read(neuron[0], neuron[terminal], clipped[:, j])
            flags[:, j] |= found
        return Reading(volts=volts, flags=flags)

    def _read(
        self, device: str, terminal: str, amperes: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        with self._route(device, terminal) as meter:
            self._configure(meter)
            # an open device is in compliance at every point: worth a flag, not an aborted sweep
            sweep = meter.sweep(amperes, abort_on_compliance=False)
        self._reads[device, terminal] = self._reads.get((device, terminal), 0) + len(amperes)
        flags = sweep.flags
        if np.all(flags & Flag.COMPLIANCE):
            flags = flags | np.uint8(Flag.DEAD)
        return sweep.volts, flags

    def _configure(self, meter: SourceMeter) -> None:
        amperes, compliance, measure_range, nplc = self._setup
        meter.configure("current", amperes, compliance, measure_range, nplc)  # sends only what changed
        if self._resolution is None:
            self._resolution = meter.resolution
