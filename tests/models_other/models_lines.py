"""Lines for virtual instruments: good ones, good ones spoilt, and noise."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """How to speak to one model.

    Attributes
    ----------
    good
        Lines that it understands, in whatever state it is.
    settle
        What ends anything that goes on and empties the error queue.
    """

    good: tuple[str, ...]
    settle: tuple[str, ...]

    def some_line(self, chance: random.Random) -> bytes:
        """Any line: noise, a spoilt good line, or several together."""
        if chance.random() < 0.2:
            return (
                bytes(chance.randrange(256) for _ in range(chance.randrange(60))).replace(b"\n", b"") + b"\n"
            )
        line = chance.choice(self.good)
        for _ in range(chance.randrange(4)):
            line = _spoilt(line, chance, self.good)
        return line.encode("latin-1", "replace") + b"\n"


_PIECES = (
    ":",
    ";",
    ",",
    " ",
    "?",
    "'",
    '"',
    "1e999",
    "nan",
    "-",
    "#",
    "MAX",
    "\0",
    "(@",
    ")",
    "INF",
    "=",
    ".",
    "",
)


def _spoilt(line: str, chance: random.Random, others: tuple[str, ...]) -> str:
    place, cut = chance.randrange(len(line) + 1), chance.randrange(3)
    if chance.random() < 0.2:
        return line[:place] + chance.choice(others)
    return line[:place] + chance.choice(_PIECES) + line[place + cut :]


def _scpi(good: str, *settle: str) -> Language:
    return Language(tuple(good.strip().splitlines()), (*settle, "*RST;*CLS"))


def _tsp(good: str) -> Language:
    return Language(tuple(good.strip().splitlines()), ("abort", "endscript", "*RST", "*CLS"))


LANGUAGES: dict[str, Language] = {
    "2400": _scpi(
        """
:SOUR:VOLT 0.1
:SOUR:FUNC CURR
:SENS:FUNC 'VOLT'
:SENS:CURR:RANG 1e-6
:OUTP ON
:READ?
:SENS:CURR:PROT 1e-4
:SOUR:LIST:VOLT 0.1,0.2
:SOUR:VOLT:MODE LIST
:TRIG:COUN 2
:INIT
:TRAC:POIN 10;FEED SENS;FEED:CONT NEXT
:TRAC:DATA?
:MEAS:CURR?
:FORM:ELEM VOLT,CURR
*RST
*OPC?
:ABOR
""",
        ":ABOR",
    ),
    "2450": _scpi(
        """
:SOUR:VOLT 0.1
:SOUR:FUNC CURR;:SENS:FUNC 'VOLT'
:SENS:CURR:RANG 1e-6
:OUTP ON
:READ?
:SOUR:LIST:CURR 1e-6,2e-6
:SOUR:SWE:CURR:LIST 1, 0
:INIT
*OPC?
*WAI
*RST
:ABOR
:TRAC:DATA? 1, 2, 'defbuffer1', SOUR
:FORM:DATA REAL;:FORM:BORD NORM
:SOUR:SWE:VOLT:LIN 0,1,11,0.1
""",
    ),
    "2602B": _tsp(
        """
smua.source.levelv = 0.1
smub.source.func = 0
smua.source.output = 1
print(smua.measure.i())
print(smub.measure.iv())
smua.measure.nplc = 0.01
smua.source.limiti = 1e-4
reset()
*RST
print(errorqueue.next())
x = {1, 2}
for i = 1, 3 do print(i) end
print(x[1] .. 'a')
smua.nvbuffer1.clear()
printbuffer(1, 2, smua.nvbuffer1.readings)
delay(0.1)
*OPC?
smua.trigger.source.listv({0.1, 0.2})
format.asciiprecision = 7
smua.abort()
""",
    ),
    "33522B": _scpi(
        """
SOUR1:FUNC PULS
FUNC:PULS:WIDT 20ns
SOUR2:FUNC:PULS:PER 1e-3
VOLT:HIGH 0.3
VOLT:LOW 0
TRIG1:SOUR BUS
BURS:NCYC 3
BURS:STAT 1
OUTP1 ON
OUTP2:LOAD INF
OUTP1:POL INV
TRIG1
APPL:PULS 1e4,0.2,0.1
VOLT:LIM:STAT 1
SOUR1:BURS:MODE GAT
FREQ 3e7
*RST
*TRG
*OPC?
*IDN?
:ABOR
*WAI
SYST:ERR?
""",
    ),
    "81160A": _scpi(
        """
:FUNC1 PULS
:PULS:WIDT1 10ns
:VOLT1:HIGH 0.3
:VOLT1:LOW 0
:ARM:SOUR1 MAN
:TRIG1:COUN 3
:OUTP1 ON
:OUTP2:LOAD INF
:OUTP1:POL INV
:BURS1:NCYC 4;:BURS1:STAT 1
:ARM:SOUR1 IMM
*RST
*TRG
*OPC?
*IDN?
:ABOR
*WAI
SYST:ERR?
""",
    ),
    "2700": _scpi(
        """
ROUT:MULT:CLOS (@101,110:112)
ROUT:MULT:OPEN (@101)
ROUT:OPEN:ALL
ROUT:MULT:CLOS?
*OPT?
ROUT:MULT:CLOS:STAT? (@101,148)
ROUT:CLOS (@103)
ROUT:CLOS?
READ?
FUNC 'VOLT:DC'
DISP:TEXT:DATA 'HELLO'
*RST
*OPC?
SYST:ERR?
""",
    ),
    "707B": _tsp(
        """
channel.close('1A01')
channel.open('allslots')
channel.exclusiveclose('1A02:1A05,2B01')
print(channel.getclose('allslots'))
channel.connectrule = channel.OFF
print(slot[1].idn)
channel.setforbidden('1H12')
channel.clearforbidden('allslots')
reset()
*RST
*OPC?
print(errorqueue.next())
x = 3 print(x)
""",
    ),
    "serial-matrix": Language(
        ("CLOSE 1,2", "OPEN 1,2", "ONLY 7,31", "OPENALL", "STATE?", "ERR?", "PING", "*IDN?"),
        ("OPENALL", "ERR?"),
    ),
}
