"""The command tree of a SCPI instrument: headers in short and long form, with optional nodes and suffixes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from simulated_instruments.scpi_errors import ScpiError
from simulated_instruments.scpi_parameters import Parameter, short_form

Handler = Callable[[Any, tuple[int, ...], tuple[str, ...]], str | bytes | None]
"""``handler(instrument, suffixes, arguments)``; suffixes are those of ``#`` nodes, 1 if left out."""

_NODE = re.compile(r"(\[?):?([A-Za-z*]+)(#|\[1\])?(\]?)")


@dataclass(frozen=True, slots=True)
class Command:
    """One command of an instrument.

    Attributes
    ----------
    header
        As manuals print it: ``"[:SOURce#]:VOLTage[:LEVel]"``; ``#`` marks a numeric suffix that the
        handler is given, ``[1]`` one that may only be 1.
    write, query
        What is done; None where there is no such form.
    takes
        What ``write`` takes, one parameter each; None where the handler reads them in its own way.
    """

    header: str
    write: Handler | None = None
    query: Handler | None = None
    takes: tuple[Parameter, ...] | None = None


@dataclass(slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    suffixed: dict[str, tuple[_Node, bool]] = field(default_factory=dict)
    command: Command | None = None


class CommandTree:
    """Finds commands by their path.

    Parameters
    ----------
    commands
        All of an instrument; a later one replaces an earlier one of the same header.

    Attributes
    ----------
    commands
        Header -> command.
    """

    def __init__(self, commands: Iterable[Command]) -> None:
        self._root = _Node()
        self.commands = {command.header: command for command in commands}
        for command in self.commands.values():
            self._add(command)

    def _add(self, command: Command) -> None:
        nodes = [self._root]
        for bracket, name, suffix, _ in _NODE.findall(command.header):
            fresh = _Node()
            reached = []
            for node in nodes:
                fresh = self._step(node, name, suffix, fresh)
                reached.append(fresh)
            nodes = reached + (nodes if bracket else [])
        for node in nodes:
            if node is not self._root:
                node.command = command

    @staticmethod
    def _step(node: _Node, name: str, suffix: str, fresh: _Node) -> _Node:
        forms = {short_form(name), name.upper()}
        known = next((node.children[f] for f in forms if f in node.children), fresh)
        for form in forms:
            node.children[form] = known
            if suffix:
                node.suffixed[form] = (known, suffix == "#")
        return known

    def find(self, path: tuple[str, ...]) -> tuple[Command, tuple[int, ...]]:
        """Return the command and the suffixes of its ``#`` nodes.

        Raises
        ------
        ScpiError
            -113 where there is none, -114 for a suffix that is not allowed.
        """
        node, suffixes = self._root, []
        for name in path:
            stem = name.rstrip("0123456789")
            if stem in node.suffixed:
                node, given = node.suffixed[stem]
                number = int(name[len(stem) :] or 1) if len(name) - len(stem) < 6 else 0
                if given:
                    suffixes.append(number)
                elif number != 1:
                    raise ScpiError(-114, ":".join(path)[:60])
            elif name in node.children:
                node = node.children[name]
            else:
                raise ScpiError(-113, ":".join(path)[:60])
        if node.command is None:
            raise ScpiError(-113, ":".join(path)[:60])
        return node.command, tuple(suffixes)
