"""What a recording's message bytes say that a bench's neuron pairs were asked and answered.

Reads the 2602B's script by itself: neither drivers nor arrays are asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from labtrain.session import Recording

_LOAD = re.compile(rb"labtrain_([ab]) = \{(.*)\}\s*")
_MORE = re.compile(rb"for _, level in ipairs\(\{(.*)\}\) do table\.insert\(labtrain_([ab]), level\) end\s*")
_READ = re.compile(rb".*printbuffer\(1, (\d+), smu([ab])\.nvbuffer2\.readings, .*\)\s*", re.DOTALL)


@dataclass(frozen=True)
class Swept:
    """One list sweep as its bytes have it: stimuli in A, readings in V."""

    seq: int
    channel: str
    amperes: np.ndarray
    volts: np.ndarray


def sweeps(recording: Recording, port: str) -> Iterator[Swept]:
    """Decode every list sweep of a 2602B, in the order of reading back."""
    loaded: dict[str, list[bytes]] = {}
    messages = recording.transactions(port)
    for seq, command, reply in zip(
        messages.seq.tolist(), messages.commands(), messages.replies(), strict=True
    ):
        if found := _LOAD.fullmatch(command):
            loaded[found[1].decode()] = found[2].split(b",")
        elif found := _MORE.fullmatch(command):
            loaded[found[2].decode()] += found[1].split(b",")
        elif found := _READ.fullmatch(command):
            count, channel = int(found[1]), found[2].decode()
            volts = np.array(reply.split(b","), dtype=np.float64).reshape(count, 3)[:, 0]
            amperes = np.array(loaded[channel], dtype=np.float64)
            assert len(amperes) == count + 1  # a list ends at zero, which is not read back
            assert amperes[-1] == 0.0
            yield Swept(seq, channel, amperes[:-1], volts)


def calls(recording: Recording, array: str, port: str) -> Iterator[tuple[Any, list[Swept]]]:
    """Give every exchange of an array with the sweeps that its readings came from: the last before it."""
    done, waiting = sweeps(recording, port), []
    for exchange in recording.exchanges(array):
        if exchange.verb == "describe":
            continue
        devices = len(exchange.inputs["indices"]) * (2 if "partner_volts" in exchange.outputs else 1)
        while not waiting or waiting[-1].seq < exchange.seq:
            following = next(done, None)
            if following is None:
                break
            waiting.append(following)
        own = [sweep for sweep in waiting if sweep.seq < exchange.seq]
        waiting = waiting[len(own) :]
        yield exchange, own[-devices:]


def differences(exchange: Any, own: list[Swept], resolution: float, limit: float) -> int:
    """Count readings and stimuli of an exchange that are not those of its sweeps."""
    sides = [("amperes", "volts"), ("partner_amperes", "partner_volts")][
        : 1 + ("partner_volts" in exchange.outputs)
    ]
    wrong = 0
    for place, sweep in enumerate(own):
        stimulus, reading = sides[place % len(sides)]
        asked = exchange.inputs[stimulus][:, place // len(sides)]
        driven = np.clip(np.round(asked / resolution) * resolution, -limit, limit)
        wrong += int((np.abs(sweep.amperes - driven) > 1e-8 * np.abs(driven)).sum())  # 9 digits are sent
        wrong += int((sweep.volts != exchange.outputs[reading][:, place // len(sides)]).sum())
    return wrong
