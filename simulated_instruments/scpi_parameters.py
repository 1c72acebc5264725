"""What SCPI parameters may be: numbers with MIN, MAX, DEF and units, booleans, names, strings."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Final

from simulated_instruments.scpi_errors import ScpiError

_NUMBER: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z%]*)")
_PREFIXES: Final = {"": 1.0, "P": 1e-12, "N": 1e-9, "U": 1e-6, "M": 1e-3, "K": 1e3, "MA": 1e6, "G": 1e9}
_INFINITE: Final = {"INF": math.inf, "INFINITY": math.inf, "9.9E37": math.inf}


class Parameter(ABC):
    """Reads one parameter and writes it back for a query."""

    @abstractmethod
    def read(self, text: str) -> Any:
        """Turn text into a value; :class:`ScpiError` when it is none."""

    @abstractmethod
    def write(self, value: Any) -> str:
        """Turn a value into a reply."""

    def special(self, text: str) -> Any:
        """Answer ``MIN``, ``MAX`` or ``DEF`` given with a query."""
        raise ScpiError(-108, text)


class Number(Parameter):
    """A real number within bounds, accepted by ``low <= x <= high`` so that NaN is refused.

    Parameters
    ----------
    low, high, default
        In SI.
    unit
        Unit letters that may follow (``"V"``, ``"A"``, ``"S"``, ``"OHM"``), several with ``|`` between.
    text
        Formats replies.
    infinite
        Whether ``INF`` is a value.
    whole
        Whether it must be an integer.
    """

    def __init__(
        self,
        low: float,
        high: float,
        default: float,
        unit: str = "",
        text: Callable[[float], str] = "{:.6E}".format,
        infinite: bool = False,
        whole: bool = False,
    ) -> None:
        self.low, self.high, self.default = low, high, default
        self._units = tuple(unit.split("|")) if unit else ()
        self._text = text
        self._infinite = infinite
        self._whole = whole
        self._names = {
            **dict.fromkeys(("MIN", "MINIMUM"), low),
            **dict.fromkeys(("MAX", "MAXIMUM"), high),
            **dict.fromkeys(("DEF", "DEFAULT"), default),
        }

    def read(self, text: str) -> float:
        """Read the number, in SI."""
        try:
            value = float(text)
        except ValueError:
            value = self._read_other(text)
        if self.low <= value <= self.high:
            return float(round(value)) if self._whole else value
        if self._infinite and value == math.inf:
            return value
        raise ScpiError(-222, f"{text}: {self.low:g} to {self.high:g}")

    def read_all(self, texts: Sequence[str]) -> list[float]:
        """Read several numbers; quickly where all are plain ones within bounds."""
        try:
            values = list(map(float, texts))
        except ValueError:
            return [self.read(text) for text in texts]
        if all([self.low <= value <= self.high for value in values]) and not self._whole:
            return values
        return [self.read(text) for text in texts]

    def _read_other(self, text: str) -> float:
        name = text.upper()
        if name in self._names:
            return self._names[name]
        if name in _INFINITE:
            return _INFINITE[name]
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise ScpiError(-104 if text[:1] in "'\"(" else -120, text[:40])
        return float(match[1]) * self._factor(match[2].upper())

    def _factor(self, suffix: str) -> float:
        for unit in self._units:
            prefix = suffix.removesuffix(unit)
            if suffix.endswith(unit) and prefix in _PREFIXES:
                return _PREFIXES[prefix]
        raise ScpiError(-131, suffix)

    def write(self, value: float) -> str:
        """Write NR3 (or as told)."""
        return "9.9E+37" if abs(value) == math.inf else self._text(value)

    def special(self, text: str) -> float:
        """Answer MIN, MAX or DEF."""
        if text.upper() not in self._names:
            raise ScpiError(-108, text)
        return self._names[text.upper()]


def whole(low: int, high: int, default: int, infinite: bool = False) -> Number:
    """Make an integer parameter, replied as NR1."""
    return Number(low, high, default, text="{:.0f}".format, infinite=infinite, whole=True)


class Boolean(Parameter):
    """``ON``, ``OFF``, or a number (rounded; not zero is on), replied as 1 or 0."""

    _WORDS: Final = {"ON": True, "OFF": False, "1": True, "0": False}

    def read(self, text: str) -> bool:
        """Read it."""
        word = self._WORDS.get(text.upper())
        if word is not None:
            return word
        match = _NUMBER.fullmatch(text)
        if match is None or match[2]:
            raise ScpiError(-104, text[:40])
        value = float(match[1])
        return abs(value) >= 0.5

    def write(self, value: bool) -> str:
        """Write 1 or 0."""
        return "1" if value else "0"


def short_form(mnemonic: str) -> str:
    """Return the capitals of a mnemonic: ``"VOLTage"`` -> ``"VOLT"``."""
    return "".join(c for c in mnemonic if not c.islower())


class Choice(Parameter):
    """One of several names, in short or long form, replied in short form.

    Parameters
    ----------
    names
        With the short form in capitals: ``"IMMediate"``.
    quoted
        Whether quotes may stand around it.
    """

    def __init__(self, *names: str, quoted: bool = False) -> None:
        self._known = {form: short_form(n) for n in names for form in (short_form(n), n.upper())}
        self._quoted = quoted

    def read(self, text: str) -> str:
        """Read it as its short form."""
        bare = unquote(text) if self._quoted else text
        name = self._known.get(bare.strip().upper())
        if name is None:
            raise ScpiError(-224, f"{text[:40]}: one of {', '.join(sorted(set(self._known.values())))}")
        return name

    def write(self, value: str) -> str:
        """Write the short form."""
        return value


class Text(Parameter):
    """A string in quotes.

    Parameters
    ----------
    longest
        How many characters it may have.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest

    def read(self, text: str) -> str:
        """Read what stands between the quotes."""
        inside = unquote(text)
        if inside == text or len(inside) > self._longest:
            raise ScpiError(-151, f"a string of at most {self._longest} characters")
        return inside

    def write(self, value: str) -> str:
        """Write it in double quotes."""
        return f'"{value}"'


def unquote(text: str) -> str:
    """Remove one pair of equal quotes, if there is one."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text
