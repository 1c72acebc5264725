"""Superparamagnetic junctions on a bench: biased by a source meter and read at an interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from labtrain.arrays.bitstreams import Bits, BitstreamSource
from labtrain.arrays.plain import as_numpy, like
from labtrain.arrays.probes import Route
from labtrain.arrays.selection import ListedDevices
from labtrain.arrays.stimuli import checked_stimulus, on_grid
from labtrain.arrays.telegraph_levels import LEAST_BIAS, LINE_SECONDS, Levels, learn
from labtrain.errors import CheckFailed, UsageError
from labtrain.roles.digitizer import Digitizer, Trace
from labtrain.roles.flags import Flag
from labtrain.roles.source_meter import SourceMeter


@final
class WiredBitstreamSource(ListedDevices, BitstreamSource):
    """Telegraph noise read by a source meter into its buffer, one device after the other.

    The first use of a device learns the conductances of its two states, and whether it stays in one
    for the length of an aperture: readings of a faster one would be averages, and no bits.

    Parameters
    ----------
    devices
        Names in the bench file.
    route, terminal
        ``Bench.route``, and where the devices are reached.
    digitizer
        ``Bench.digitizer``: reads the channel that the route has reached.
    max_volts, max_amperes
        The largest bias (more is clipped and flagged); current limit and measuring range.
    nplc
        Aperture in power line cycles.

    Raises
    ------
    UsageError
        For no devices, or a limit or aperture that is not positive.

    Notes
    -----
    A device that has not passed its contact check is not touched: zeros, flagged DEAD.
    """

    resolution_volts = 0.0
    _LATE = 0.02

    def __init__(
        self,
        name: str,
        devices: Sequence[str],
        route: Route,
        terminal: str,
        digitizer: Callable[[str], Digitizer],
        *,
        max_volts: float,
        max_amperes: float,
        nplc: float,
    ) -> None:
        if not (devices and max_volts > 0 and max_amperes > 0 and nplc > 0):
            raise UsageError(
                f"{name}: {len(devices)} devices, {max_volts} V, {max_amperes} A, {nplc} cycles cannot be",
                remedy="give devices, and positive limits and aperture",
            )
        self.name, self.max_volts = name, max_volts
        self._devices, self._route, self._terminal = tuple(devices), route, terminal
        self._digitizer = digitizer
        self._setup = (max_volts, max_amperes, max_amperes, nplc)
        self._levels: dict[str, Levels] = {}
        self._samples: dict[str, int] = {}

    def sample(self, volts: Any, n_bits: int, interval: float) -> Bits:
        """Bias each device in turn and read it ``n_bits`` times.

        Raises
        ------
        UsageError
            For a bad shape, a bias too small to read at, or an interval shorter than the aperture or
            than the meter needs.
        CheckFailed
            When a device flips within an aperture.
        """
        aperture = self._setup[3] * LINE_SECONDS
        if not (n_bits >= 0 and aperture <= interval < float("inf")):
            raise UsageError(
                f"{self.name}: {n_bits} bits every {interval:g} s cannot be read with an aperture of"
                f" {aperture:g} s",
                remedy="give 0 or more bits, and a longer interval or a smaller nplc",
            )
        biases = volts[None, :] if getattr(volts, "ndim", 0) == 1 else volts
        checked = checked_stimulus(biases, len(self), self.name, "biases")
        applied, clipped = on_grid(as_numpy(checked), self.resolution_volts, self.max_volts)
        if applied.shape[0] != 1:
            raise UsageError(
                f"{self.name}: biases of shape {applied.shape} were given", remedy="one a device"
            )
        least = LEAST_BIAS * self.max_volts
        if not bool(np.all(np.abs(applied) >= least)):
            raise UsageError(
                f"{self.name}: a bias below {least:g} V drives too little current to tell the states apart",
                remedy=f"bias every device with {least:g} V or more, of either sign",
            )
        bits, flags = np.zeros((len(self), n_bits), np.uint8), clipped[0]
        for j, device in enumerate(self._devices):
            bits[j], more = self._stream(device, float(applied[0, j]), n_bits, interval)
            flags[j] |= more
        return Bits(like(np.packbits(bits, axis=1), volts), n_bits, like(flags, volts))

    def state_dict(self) -> dict[str, Any]:
        """Samples of each device, and the levels that were learnt."""
        levels = {device: [found.parallel, found.antiparallel] for device, found in self._levels.items()}
        return {"samples": dict(self._samples), "levels": levels}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back; the devices themselves keep their own state."""
        self._samples.clear()
        self._samples.update(state["samples"])
        self._levels.clear()
        self._levels.update({device: Levels(*found) for device, found in state["levels"].items()})

    def _stream(
        self, device: str, volts: float, n_bits: int, interval: float
    ) -> tuple[NDArray[np.uint8], int]:
        with ExitStack() as stack:
            try:
                meter = stack.enter_context(self._route(device, self._terminal))
            except CheckFailed:  # no contact: worth a flag, not the end of a training
                return np.zeros(n_bits, np.uint8), int(Flag.DEAD)
            meter.configure("voltage", *self._setup)
            if device not in self._levels:
                self._levels[device] = learn(meter, self.max_volts, device)
            siemens, flags = self._readings(meter, volts, n_bits, interval)
        self._samples[device] = self._samples.get(device, 0) + n_bits
        return self._levels[device].antiparallel_bits(siemens), flags

    def _readings(
        self, meter: SourceMeter, volts: float, n_bits: int, interval: float
    ) -> tuple[NDArray[np.float64], int]:
        """Return conductances in S and all flags of them; the source is off afterwards."""
        digitizer, parts, flags = self._digitizer(meter.name), [np.empty(0)], 0
        for first in range(0, n_bits, digitizer.capacity):
            trace = digitizer.acquire(volts, min(n_bits - first, digitizer.capacity), interval)
            self._require_in_time(trace, interval)
            with np.errstate(divide="ignore", invalid="ignore"):
                parts.append(np.where(trace.volts != 0, trace.amperes / trace.volts, 0.0))
            flags |= int(np.bitwise_or.reduce(trace.flags))
        meter.output_enabled = False
        return np.concatenate(parts), flags

    def _require_in_time(self, trace: Trace, interval: float) -> None:
        """Refuse bits that came later than asked for: their memory would be another."""
        steps = max(len(trace.seconds) - 1, 1)
        late = float(trace.seconds[-1]) / steps - interval
        if late > self._LATE * interval:
            raise UsageError(
                f"{self.name}: a reading every {interval:g} s is more than the meter can do; each was late by"
                f" {late:g} s",
                remedy="give a longer interval or a smaller nplc",
            )
