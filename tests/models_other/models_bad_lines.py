"""Lines that a virtual instrument cannot take: each generator knows what it made wrong, and so that it is.

SCPI: any command of the instrument's own table in any spelling, spoilt in its header, its form (a query of
what has none) or its parameters, alone or in a chain. TSP: any object of the instrument assigned, indexed or
called as it cannot be, and chunks that are no Lua. The serial matrix: words and crosspoints that it has not.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from simulated_instruments.keithley2700_commands import ChannelList
from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Boolean, Choice, Number, Parameter, Text, short_form
from simulated_instruments.scpi_tree import Command
from simulated_instruments.tsp_values import Attribute, TspObject

NODE = re.compile(r"(\[?)(:?)([A-Za-z_*]+)(#|\[1\])?(\]?)")
NOWHERE = "ZQ"
"""Two letters that stand beside each other in no mnemonic, name or option."""

_NO_NUMBER = ("parsecs", "'one'", "1.2.3", "1e", "--1", "(@1)", "0x10", "1 parsec", "ON OFF", "\xb5")
_NO_BOOLEAN = ("parsecs", "'ON'", "1V", "TRUE", "(@1)", "nan")
_NO_LIST = ("(@)", "(@99)", "(@1010)", "101", "(@103:101)", "(@101 102)", "'101'")
_BAD_LETTERS = "!$%&@~^\xe9\xff"


def spelled(header: str, chance: random.Random, suffix: str = "") -> str:
    """Write a header of a table in one of its spellings; ``suffix`` stands for every ``#``."""
    words = []
    for optional, _, name, number, _ in NODE.findall(header):
        if optional and chance.random() < 0.4 and (words or len(NODE.findall(header)) > 1):
            continue
        word = short_form(name) if chance.random() < 0.6 else name
        word = "".join(chance.choice((c.upper(), c.lower())) for c in word)
        words.append(word + (suffix if number == "#" else chance.choice(("", "1")) if number else ""))
    text = ":".join(words)
    return text if text.startswith("*") or chance.random() < 0.5 else ":" + text


class BadScpi:
    """Bad lines for one instrument.

    Parameters
    ----------
    tree
        Its commands.
    """

    def __init__(self, tree: Any) -> None:
        self._tree = tree
        self._commands: list[Command] = list(tree.commands.values())
        self._kinds = (self._header, self._letter, self._form, self._quote, self._parameters, self._suffix)

    def line(self, chance: random.Random) -> str:
        """A line that is certainly bad."""
        while (bad := chance.choice(self._kinds)(chance, chance.choice(self._commands))) is None:
            pass
        place = chance.random()
        if place < 0.1:
            return f"*WAI;{bad}"
        return f"{bad};:SYST:ERR:COUN?" if place < 0.2 and "'" not in bad and '"' not in bad else bad

    def _header(self, chance: random.Random, command: Command) -> str:
        """A mnemonic that there is not."""
        words = spelled(command.header, chance, chance.choice(("", "1"))).split(":")
        place = chance.randrange(len(words)) if words[0] else chance.randrange(1, len(words))
        cut = chance.randrange(1, len(words[place]) + 1)
        words[place] = words[place][:cut] + NOWHERE + words[place][cut:]
        return ":".join(words) + chance.choice(("", "?", " 1", " ON", " 1,2", "? MAX"))

    def _letter(self, chance: random.Random, command: Command) -> str:
        """A character that stands in no header."""
        text = spelled(command.header, chance)
        place = chance.randrange(2, len(text) + 1)
        return text[:place] + chance.choice(_BAD_LETTERS) + text[place:] + chance.choice(("", " 1"))

    def _form(self, chance: random.Random, command: Command) -> str | None:
        """A question of a command that has none, or the other way round."""
        text = spelled(command.header, chance, "1")
        try:
            found, _ = self._tree.find(tuple(text.upper().lstrip(":").split(":")))
        except ScpiError:  # SOURce left out of a header that begins with an optional node, and so on
            return None
        if found.write is None:
            return f"{text} {chance.choice(('', '1', 'ON'))}"
        return f"{text}?" if found.query is None else None

    def _quote(self, chance: random.Random, command: Command) -> str:
        """A quote that never ends."""
        quote = chance.choice("'\"")
        return f"{spelled(command.header, chance)}{chance.choice(('', '?'))} {quote}never closed"

    def _parameters(self, chance: random.Random, command: Command) -> str | None:
        """Too many, too few, or one that it cannot be."""
        if command.takes is None or command.write is None:
            return None
        text = spelled(command.header, chance, "1")
        good = [_good(parameter) for parameter in command.takes]
        how = chance.random()
        if how < 0.3 or not good:
            return f"{text} {','.join([*good, *['1'] * chance.randint(1, 3)])}"
        if how < 0.45:
            return text
        place = chance.randrange(len(good))
        good[place] = _bad(command.takes[place], chance)
        return f"{text} {','.join(good)}"

    def _suffix(self, chance: random.Random, command: Command) -> str | None:
        """A channel that there is not."""
        if "#" not in command.header or "[:SOURce#]" in command.header:
            return None
        return spelled(command.header, chance, chance.choice(("7", "0", "33"))) + chance.choice(("?", " 1"))


def _good(parameter: Parameter) -> str:
    if isinstance(parameter, ChannelList):
        return "(@101)"
    if isinstance(parameter, Text):
        return "'a'"
    return "DEF" if isinstance(parameter, Number) else "1"


def _bad(parameter: Parameter, chance: random.Random) -> str:
    """A text that one parameter cannot be."""
    if isinstance(parameter, Number):
        beyond = (
            f"{2 * abs(parameter.high) + 1:.17g}",
            f"{-2 * abs(parameter.low) - 1:.17g}",
            "nan",
            "-1e999",
        )
        return chance.choice((*_NO_NUMBER, *beyond))
    if isinstance(parameter, Boolean):
        return chance.choice(_NO_BOOLEAN)
    if isinstance(parameter, ChannelList):
        return chance.choice(_NO_LIST)
    if isinstance(parameter, Text):
        return chance.choice(("unquoted", f"'{'long' * 20}'", "7"))
    assert isinstance(parameter, Choice), parameter
    return chance.choice((NOWHERE, f"'{NOWHERE}'", "-1e300", "(@1)"))


_NO_LUA = (
    "{good} = = {n}",
    "{good} )",
    "( {good}",
    "print('never closed {n})",
    'print("never closed {n}) {good}',
    "x = ",
    "x = {{1, 2",
    "x = {n} {n}",
    "for i = 1, 2 do {good}",
    "while {n} do",
    "repeat {good}",
    "if {n} then {good}",
    "{good} end",
    "end",
    "@{n}",
    "x = {n}x",
    "local {n} = 3",
    "\xe9\xe8{n} = 1",
    "function (",
    "x..{n}",
    "1 = x",
    "'text' = 1",
)
_NO_SENSE = (
    "{unknown}{n}()",
    "x = {unknown}{n}.a",
    "{unknown}{n}.a = 1",
    "x = nil + {n}",
    "x = {{}} < {n}",
    "x = 'a' * {n}",
    "for i = 1, 2, 0 do end",
    "break",
    "print({unknown}{n}[1])",
    "delay()",
    "delay(-1)",
    "delay(nil)",
)


class BadTsp:
    """Bad chunks for one instrument.

    Parameters
    ----------
    names
        What its scripts can name.
    good
        Chunks that it understands.
    """

    def __init__(self, names: dict[str, Any], good: tuple[str, ...]) -> None:
        self._objects = list(_objects(names))
        self._attributes = [
            (f"{path}.{name}", member)
            for path, one in self._objects
            for name, member in one.members.items()
            if isinstance(member, Attribute)
        ]
        self._good = tuple(line for line in good if not line.startswith(("*", "local")))
        self._kinds: tuple[Callable[[random.Random], str], ...] = (
            self._member,
            self._value,
            self._read_only,
            lambda chance: chance.choice(_NO_LUA),
            lambda chance: chance.choice(_NO_SENSE),
            self._common,
        )

    def line(self, chance: random.Random) -> str:
        """A chunk that is certainly bad."""
        text = chance.choice(self._kinds)(chance)
        good, number = chance.choice(self._good), chance.randrange(1, 10**6)
        return text.format(good=good, n=number, unknown=NOWHERE.lower())

    def _member(self, chance: random.Random) -> str:
        path, _ = chance.choice(self._objects)
        form = chance.choice(("{0}.zq = 1", "print({0}.zq)", "{0}.zq()", "x = {0}.zq.a", "{0} = 3", "{0}()"))
        return form.format(path)

    def _value(self, chance: random.Random) -> str:
        path, _ = chance.choice([one for one in self._attributes if one[1].put is not None])
        return f"{path} = " + chance.choice(("nil", "'parsecs'", "{{}}", "1e300", "-1e300", "0/0", "print"))

    def _read_only(self, chance: random.Random) -> str:
        path, _ = chance.choice([one for one in self._attributes if one[1].put is None])
        return f"{path} = 1"

    def _common(self, chance: random.Random) -> str:
        return chance.choice(("*ZQ", "*ZQ?", "*IDN", "*RST?", "*ESE", "*ESE parsecs", "*ESE 256", "*CLS 1"))


def _objects(names: dict[str, Any], path: str = "") -> Any:
    """Every object of an instrument with how a script reaches it."""
    for name, one in names.items():
        if isinstance(one, TspObject):
            yield path + name, one
            yield from _objects(one.members, f"{path}{name}.")


class BadFirmware:
    """Bad lines for the serial matrix."""

    _WORDS = ("CLOSE", "OPEN", "ONLY", "OPENALL", "STATE?", "ERR?", "PING", "*IDN?")
    _PLACES = (
        "",
        "8,0",
        "0,32",
        "-1,0",
        "a,b",
        "1",
        "1,2,3",
        "1;2",
        "1.0,2",
        "\xb2,3",
        "1, ,2",
        "99999999,1",
    )

    def line(self, chance: random.Random) -> str:
        """A line that is certainly bad."""
        word = chance.choice(self._WORDS)
        kind = chance.randrange(4)
        if kind == 0:
            cut = chance.randrange(len(word) + 1)
            return word[:cut] + NOWHERE + word[cut:] + chance.choice(("", " 1,2"))
        if kind == 1 and word in self._WORDS[3:]:
            return f"{word} {chance.choice(('1,2', 'x', '7'))}"
        if kind == 2:
            return "x" * chance.randint(65, 300)
        return f"{chance.choice(self._WORDS[:3])} {chance.choice(self._PLACES)}"
