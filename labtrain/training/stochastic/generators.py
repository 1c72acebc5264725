"""Where a layer's streams come from: simulated junctions by the thousand, or the devices of an array."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain import noise
from labtrain.arrays.bitstreams import BitstreamSource
from labtrain.errors import UsageError
from labtrain.kernels import stream_words
from labtrain.kernels.sequences import uniforms
from labtrain.kernels.stream_words import Words
from labtrain.training.stochastic.memory import Memory

Floats = NDArray[np.float64]
_COUNTS = ("reads", "bits", "flagged", "rows")


class Generators(ABC):
    """Sources of random bits of any probability, counted.

    Attributes
    ----------
    reads
        Streams taken from generators (constants 0 and 1 take none).
    bits
        Their bits.
    flagged
        Streams that came back flagged.
    rows
        Rows of streams asked for: samples, for a layer's inputs.
    """

    name: str

    def __init__(self) -> None:
        self.reads = self.bits = self.flagged = self.rows = 0

    @abstractmethod
    def streams(self, probability: Floats, n_bits: int) -> Words:
        """Return streams ``[rows, words, n]`` of probabilities ``[rows, n]``.

        Packed as :mod:`labtrain.kernels.stream_words` does. Probabilities 0 and 1 are constants.
        """

    def pass_over(self, rows: int, n: int, n_bits: int) -> None:
        """Leave the events of ``rows`` of ``n`` streams that another process takes.

        Raises
        ------
        UsageError
            Where they depend on what the streams are: so with devices, which constants leave alone.
        """
        raise UsageError(
            f"streams of {self.name} cannot be shared by processes",
            remedy="train with one process, or with train_with='moments'",
        )

    def counts(self) -> dict[str, Any]:
        """Return all counts."""
        return {name: getattr(self, name) for name in _COUNTS}

    def set_counts(self, counts: Mapping[str, Any]) -> None:
        """Take others."""
        for name in _COUNTS:
            setattr(self, name, int(counts[name]))

    def state_dict(self) -> dict[str, Any]:
        """Counts, and the events that the generators have given."""
        return self.counts()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        self.set_counts(state)

    def count(self, probability: Floats, n_bits: int) -> None:
        """Count streams that are no constants."""
        constants = np.count_nonzero(probability <= 0) + np.count_nonzero(probability >= 1)
        real = probability.size - int(constants)
        self.rows += len(probability)
        self.reads += real
        self.bits += real * n_bits


@final
class SimulatedGenerators(Generators):
    """Ideal superparamagnetic junctions, biased to exactly the probability asked for.

    Bits are independent, or remember as :class:`~.memory.Memory` says; a stream begins in a stationary
    state. Noise is addressed by (seed, name, generator, step): the same for any batch.

    Parameters
    ----------
    name
        Of the stream of events.
    own
        True: every element of a request ``[rows, n]`` has a generator of its own (weights). False: rows use
        the same ``n`` generators one after the other (inputs of one sample after another).
    """

    def __init__(self, seed: int, name: str, *, own: bool, memory: Memory | None = None) -> None:
        super().__init__()
        self.name, self.memory = name, memory
        self._seed, self._own = seed, own
        self._stream, self._starts = noise.stream(name), noise.stream(f"{name}/start")
        self._pieces = self._started = 0

    def streams(self, probability: Floats, n_bits: int) -> Words:
        """Draw; the generators' events go on where they were."""
        low = stream_words.thresholds(probability)
        high, start = self._remembering(probability)
        if self.memory is not None:
            low = stream_words.thresholds(probability * (1.0 - self._rho(probability)))
        words = stream_words.streams(
            low, high, start, (self._seed, self._stream), self._pieces, n_bits, own_cells=self._own
        )
        self._pieces += stream_words.pieces_of(n_bits) * (1 if self._own else len(probability))
        self.count(probability, n_bits)
        return words

    def pass_over(self, rows: int, n: int, n_bits: int) -> None:
        """Move the events on."""
        self._pieces += stream_words.pieces_of(n_bits) * (0 if self._own else rows)
        self._started += 0 if self.memory is None else rows * n

    def _rho(self, probability: Floats) -> Floats:
        assert self.memory is not None
        rho: Floats = self.memory.rho(torch.from_numpy(probability)).numpy()
        return rho

    def _remembering(self, probability: Floats) -> tuple[NDArray[np.int64] | None, NDArray[np.uint8] | None]:
        if self.memory is None:
            return None, None
        rho = self._rho(probability)
        high = stream_words.thresholds(probability * (1.0 - rho) + rho)
        drawn = uniforms(self._seed, self._starts, 0, self._started, probability.size)
        self._started += probability.size
        return high, (drawn.reshape(probability.shape) < probability).astype(np.uint8)

    def state_dict(self) -> dict[str, Any]:
        """Counts and events."""
        return {**super().state_dict(), "pieces": self._pieces, "started": self._started}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        super().load_state_dict(state)
        self._pieces, self._started = int(state["pieces"]), int(state["started"])


@dataclass(frozen=True, slots=True)
class StreamCurve:
    """What is believed of the devices' duty cycle: ``p = 1/(1 + exp(-slope (V - v50)))``.

    Attributes
    ----------
    v50, slope
        In V and 1/V, one a device (or one for all): of ``labtrain fit`` (logistic), or 2 Delta/V_c.
    """

    v50: Floats
    slope: Floats

    def volts(self, probability: Floats) -> Floats:
        """Return the bias at which a device is antiparallel with this probability."""
        volts: Floats = self.v50 + np.log(probability / (1.0 - probability)) / self.slope
        return volts

    def of(self, devices: Sequence[int]) -> StreamCurve:
        """Return the curve of some devices, where each has its own."""
        chosen = list(devices)
        return StreamCurve(self.v50[chosen], self.slope[chosen])

    def __post_init__(self) -> None:
        if not (np.all(np.isfinite(self.v50)) and np.all(np.asarray(self.slope) > 0)):
            raise UsageError(
                f"v50 = {self.v50} V, slope = {self.slope} /V cannot be",
                remedy="give finite centres and positive slopes, from a fit of the devices",
            )


@final
class DeviceGenerators(Generators):
    """The junctions of an array, each biased by what is believed of it.

    The streams of a row that are no constants take the devices in order, in rounds where they are more. A
    bias that the array clips gives another probability than asked for; its stream is counted as flagged.

    Parameters
    ----------
    source
        Simulated, wired or replayed.
    interval
        From one bit to the next, in s.
    """

    def __init__(self, source: BitstreamSource, curve: StreamCurve, interval: float) -> None:
        super().__init__()
        self.name, self.source = source.name, source
        self._interval = interval
        self._curve = StreamCurve(
            np.broadcast_to(curve.v50, len(source)), np.broadcast_to(curve.slope, len(source))
        )

    def streams(self, probability: Floats, n_bits: int) -> Words:
        """Sample the devices, row after row; those with nothing to do are not touched."""
        words = np.empty((len(probability), stream_words.words_of(n_bits), probability.shape[1]), np.uint32)
        for row, wanted in enumerate(probability):
            words[row] = _constant(wanted, n_bits)
            real = np.flatnonzero((wanted > 0) & (wanted < 1))
            for first in range(0, len(real), len(self.source)):
                some = real[first : first + len(self.source)]
                words[row][:, some] = self._sample(wanted[some], n_bits)
        self.count(probability, n_bits)
        return words

    def _sample(self, wanted: Floats, n_bits: int) -> Words:
        """Return ``[words, m]`` of the first ``m`` devices."""
        used = range(len(wanted))
        volts = self._curve.of(used).volts(wanted)
        bits = self.source.select(used).sample(volts, n_bits, self._interval)
        self.flagged += int(np.count_nonzero(bits.flags))
        return words_from(bits.packed, n_bits)

    def state_dict(self) -> dict[str, Any]:
        """Counts and the devices' state."""
        return {**super().state_dict(), "source": self.source.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        super().load_state_dict(state)
        self.source.load_state_dict(state["source"])


def words_from(packed: NDArray[np.uint8], n_bits: int) -> Words:
    """Return ``[words, n]`` of a bit source's ``packed[n, bytes]`` (first bit highest)."""
    bits = np.unpackbits(np.asarray(packed), axis=1, count=n_bits)
    padded = np.zeros((len(bits), 32 * stream_words.words_of(n_bits)), np.uint8)
    padded[:, :n_bits] = bits
    words: Words = np.packbits(padded, axis=1, bitorder="little").view("<u4").T.astype(np.uint32)
    return words


def _constant(wanted: Floats, n_bits: int) -> Words:
    """Return streams of ones where 1 is wanted, of zeros elsewhere."""
    ones = np.repeat((wanted == 1).astype(np.uint8)[:, None], n_bits, axis=1)
    return words_from(np.packbits(ones, axis=1), n_bits)
