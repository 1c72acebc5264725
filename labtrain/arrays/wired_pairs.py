"""What neuron pairs on a bench have in common: routed, swept by a source meter, read back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.neurons import NeuronPairArray, Reading
from labtrain.arrays.selection import ListedDevices
from labtrain.arrays.stimuli import checked_stimulus, on_grid
from labtrain.errors import CheckFailed, UsageError
from labtrain.roles.flags import Flag
from labtrain.roles.source_meter import SourceMeter

Route = Callable[[str, str], AbstractContextManager[SourceMeter]]
Neuron = tuple[str, str, str]
Floats = NDArray[np.float64]
Flags = NDArray[np.uint8]


class WiredPairs(ListedDevices, NeuronPairArray):
    """Neurons (and their partners) reached through the bench's routes.

    A batch is one list sweep a device: route, set up, upload the column, run, read back, open the route.
    Abstract: how the two devices of a pair are read is left to the final classes.

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
        The largest magnitude of current; more is clipped and flagged CLIPPED.
    nplc
        Aperture of each reading, in power line cycles.
    compliance
        The voltage limit of the current source, in V.
    measure_range
        The voltmeter's fixed range, in V; at or above the compliance.

    Notes
    -----
    A device that has not passed the bench's contact check is not driven: it reads zero, flagged DEAD.
    One that opens later sits in compliance at every point: it is flagged COMPLIANCE. Neither is an error.
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
        self._devices = tuple(neurons)
        self._shared = _Shared(route, ("current", max_amperes, compliance, measure_range, nplc))

    @property
    def resolution_amperes(self) -> float:  # type: ignore[override]
        """The source's step on the range that holds ``max_amperes``; the first use connects a neuron."""
        if self._shared.resolution is None:
            for device, forward, _ in self._devices:
                with suppress(CheckFailed), self._shared.route(device, forward) as meter:
                    return self._shared.configure(meter)
            raise CheckFailed(
                f"no neuron of {self.name!r} passed its contact check",
                remedy="run contact-check",
                key=self.name,
            )
        return self._shared.resolution

    def respond(self, amperes: Any) -> Reading:
        """Drive each forward device with its column of ``amperes`` and read its voltage.

        Parameters
        ----------
        amperes
            ``[B, n]``, in any array namespace.

        Returns
        -------
        Reading
            ``[B, n]`` float64 and uint8, in the caller's namespace and on its device.

        Raises
        ------
        UsageError
            For another shape or a current that is not finite; nothing is driven.
        """
        return self._read_all(self._checked(amperes), 1)

    def state_dict(self) -> dict[str, Any]:
        """Readings taken from each device, as ``"neurons[3].top"``: count."""
        return {"reads": dict(self._shared.reads)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the counts back; the devices themselves keep their own state."""
        self._shared.reads.clear()
        self._shared.reads.update(state["reads"])

    def _checked(self, amperes: Any) -> Any:
        return checked_stimulus(amperes, len(self), self.name, "currents")

    def _read_all(self, wanted: Any, terminal: int) -> Reading:
        columns = plain_columns(wanted)
        volts = np.empty(columns.shape)
        flags = np.empty(columns.shape, dtype=np.uint8)
        for j, neuron in enumerate(self._devices):
            volts[:, j], flags[:, j] = self._attempt(neuron, terminal, columns[:, j])
        return in_namespace_of(wanted, volts, flags)

    def _attempt(self, neuron: Neuron, terminal: int, amperes: Floats) -> tuple[Floats, Flags]:
        """Read one device by itself; without contact it is not driven, and worth a flag."""
        try:
            return self._read(neuron[0], neuron[terminal], amperes)
        except CheckFailed:  # not the end of a training
            return np.zeros(len(amperes)), np.full(len(amperes), int(Flag.DEAD), dtype=np.uint8)

    def _read(self, device: str, terminal: str, amperes: Floats) -> tuple[Floats, Flags]:
        shared = self._shared
        with shared.route(device, terminal) as meter:
            resolution = shared.configure(meter)
            stimulus, clipped = on_grid(amperes, resolution, self.max_amperes)
            # an open device is in compliance at every point: worth a flag, not an aborted sweep
            sweep = meter.sweep(stimulus, abort_on_compliance=False)
        shared.count(device, terminal, len(amperes))
        return sweep.volts, sweep.flags | clipped


def plain_columns(wanted: Any) -> Floats:
    """Return stimuli of any array namespace as a NumPy array."""
    columns: Floats = np.asarray(array_api_compat.to_device(wanted, "cpu"))
    return columns


def in_namespace_of(wanted: Any, volts: Floats, flags: Flags) -> Reading:
    """Return readings in the namespace of the stimuli, on their device."""
    xp, device = array_api_compat.array_namespace(wanted), array_api_compat.device(wanted)
    return Reading(volts=xp.asarray(volts, device=device), flags=xp.asarray(flags, device=device))


class _Shared:
    """What an array and its views have in common."""

    def __init__(self, route: Route, setup: tuple[Any, ...]) -> None:
        self.route = route
        self.setup = setup
        self.resolution: float | None = None
        self.reads: dict[str, int] = {}

    def configure(self, meter: SourceMeter) -> float:
        """Set the meter up, sending only what changed; return the source's step."""
        meter.configure(*self.setup)
        if self.resolution is None:
            self.resolution = meter.resolution
        return self.resolution

    def count(self, device: str, terminal: str, readings: int) -> None:
        """Note readings of one device."""
        key = f"{device}.{terminal}"
        self.reads[key] = self.reads.get(key, 0) + readings
