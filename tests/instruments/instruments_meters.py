"""What the contract of source meters has to know of each model: how it is built, and what its bytes mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

_NUMBERS = rb"[-+.\deE,]+"
Sent = dict[str, list[float]]


def numbers(text: bytes) -> list[float]:
    return [float(one) for one in text.split(b",")]


@dataclass(frozen=True)
class Meter:
    """One model.

    ``order`` are beginnings of messages as a set-up sends them; ``lists`` finds the levels of uploads and
    ``sent`` everything that levels and limits were set to, by quantity; ``touch`` loosens a limit at the
    front panel, ``nonsense`` is no command and ``complaint`` its error.
    """

    model: str
    channel: str
    order: tuple[bytes, ...]
    sweep_messages: int
    lists: Callable[[Iterable[bytes]], list[float]]
    sent: Callable[[Iterable[bytes]], Sent]
    touch: bytes
    nonsense: bytes
    complaint: str
    poll: bytes
    abort: bytes
    output: Callable[[Any], bool]
    running: Callable[[Any], bool]

    @property
    def hi(self) -> str:
        return ".".join(filter(None, ("smu", self.channel, "hi")))

    @property
    def lo(self) -> str:
        return self.hi[:-2] + "lo"

    def __str__(self) -> str:
        return self.model


def _scpi_lists(heard: Iterable[bytes]) -> list[float]:
    pattern = re.compile(rb":SOUR:LIST:(?:VOLT|CURR)(?::APP)? (" + _NUMBERS + rb")$")
    found = (pattern.match(message.strip()) for message in heard)
    return [level for match in found if match for level in numbers(match[1])]


def _scpi_sent(limits: dict[str, str]) -> Callable[[Iterable[bytes]], Sent]:
    patterns = {
        quantity: re.compile(
            f":SOUR:{name}|:SOUR:LIST:{name}|:SOUR:LIST:{name}:APP|{limits[quantity]}".encode()
        )
        for quantity, name in (("voltage", "VOLT"), ("current", "CURR"))
    }

    def sent(heard: Iterable[bytes]) -> Sent:
        found: Sent = {"voltage": [], "current": []}
        units = (unit for message in heard for unit in message.strip().split(b";"))
        for head, _, values in (unit.partition(b" ") for unit in units):
            for quantity, pattern in patterns.items():
                if pattern.fullmatch(head):
                    found[quantity] += numbers(values)
        return found

    return sent


_TABLE = re.compile(rb"\{(" + _NUMBERS + rb")\}")


def _tsp_lists(heard: Iterable[bytes]) -> list[float]:
    found = (_TABLE.search(message) for message in heard)
    return [level for match in found if match for level in numbers(match[1])]


def _tsp_sent(heard: Iterable[bytes]) -> Sent:
    found: Sent = {"voltage": [], "current": []}
    waiting: list[float] = []
    for message in heard:
        if table := _TABLE.search(message):
            waiting += numbers(table[1])
        for letter, quantity in ((b"v", "voltage"), (b"i", "current")):
            set_to = re.findall(rb"(?:level|limit)" + letter + rb" ?= ?([-+.\deE]+)", message)
            found[quantity] += [float(value) for value in set_to]
            if b"source.list" + letter in message or b"source.level" + letter + b" = level" in message:
                found[quantity] += waiting
                waiting = []
    return found


_SAFE_ORDER_2450 = (
    b":OUTP",
    b":SOUR:FUNC",
    b":SOUR:CURR:RANG",
    b":SENS:VOLT:RANG",
    b":SOUR:CURR:VLIM",
    b":SOUR:CURR",
)
_SAFE_ORDER_2400 = (
    b":OUTP",
    b":SOUR:FUNC",
    b":SOUR:CURR:RANG",
    b":SENS:VOLT:RANG",
    b":SENS:VOLT:PROT",
    b":SOUR:CURR",
)
_SAFE_ORDER_2602B = (
    b"smua.source.output=0",
    b"smua.source.func=0",
    b"smua.source.rangei=5e-05",
    b"smua.measure.rangev=0.4",
    b"smua.source.limitv=0.4",
    b"smua.source.leveli=0",
)

METERS = (
    Meter(
        model="2450",
        channel="",
        order=_SAFE_ORDER_2450,
        sweep_messages=6,
        lists=_scpi_lists,
        sent=_scpi_sent({"voltage": ":SOUR:CURR:VLIM", "current": ":SOUR:VOLT:ILIM"}),
        touch=b":SOUR:VOLT:ILIM 1e-3\n",
        nonsense=b":NO:SUCH 1\n",
        complaint="-113",
        poll=b":TRAC:ACT",
        abort=b":ABOR\n",
        output=lambda virtual: virtual.channel.output,
        running=lambda virtual: virtual.channel.running is not None,
    ),
    Meter(
        model="2400",
        channel="",
        order=_SAFE_ORDER_2400,
        sweep_messages=5,
        lists=_scpi_lists,
        sent=_scpi_sent({"voltage": ":SENS:VOLT:PROT", "current": ":SENS:CURR:PROT"}),
        touch=b":SENS:CURR:PROT 1e-4\n",
        nonsense=b":NO:SUCH 1\n",
        complaint="-113",
        poll=b":TRAC:POIN:ACT",
        abort=b":ABOR\n",
        output=lambda virtual: virtual.channel.output,
        running=lambda virtual: virtual.channel.running is not None,
    ),
    Meter(
        model="2602B",
        channel="a",
        order=_SAFE_ORDER_2602B,
        sweep_messages=6,
        lists=_tsp_lists,
        sent=_tsp_sent,
        touch=b"smua.source.limiti = 1e-3\n",
        nonsense=b"no.such = 1\n",
        complaint="-286",
        poll=b"print(smua.nvbuffer2.n)",
        abort=b"smua.abort() smua.source.levelv = 0\n",
        output=lambda virtual: virtual.smus["a"].channel.output,
        running=lambda virtual: virtual.smus["a"].channel.running is not None,
    ),
)
