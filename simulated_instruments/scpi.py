"""A SCPI instrument: parses, dispatches, keeps the IEEE 488.2 status. Knows no command of its own model."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from labtrain.clock import Clock
from simulated_instruments.instrument import VirtualInstrument
from simulated_instruments.scpi_common import COMMON
from simulated_instruments.scpi_errors import ErrorQueue, ScpiError
from simulated_instruments.scpi_handlers import accepted, act, constant, none, only
from simulated_instruments.scpi_text import parse_header, parse_unit, split_outside_quotes
from simulated_instruments.scpi_tree import CommandTree, Handler
from simulated_instruments.world import World

__all__ = ["COMMON", "ScpiInstrument", "accepted", "act", "constant", "none", "only"]

_REMEMBERED: Final = 4096
_SETTING: Final = re.compile(rb"([:A-Za-z0-9]+) ([-+.A-Za-z0-9]+)\n").fullmatch
"""One header and one plain parameter: what is sent most, and a level seldom comes again."""

_COMMAND_ERROR, _EXECUTION_ERROR, _DEVICE_ERROR, _POWER_ON = 32, 16, 8, 128

Action = tuple[Handler, tuple[int, ...], tuple[str, ...]]
"""A handler, and the suffixes and parameters that it is called with."""

Found = tuple[Handler, tuple[int, ...], tuple[str, ...]]
"""A handler, its suffixes, and the path that a following unit starts from."""


class ScpiInstrument(VirtualInstrument):
    """The part of a SCPI instrument that all models share.

    A model states its ``tree`` and ``identity`` and carries out ``reset``.

    Attributes
    ----------
    words
        Header -> value of settings that are kept and answered, and change nothing here; the defaults are back
        after ``*RST``.
    """

    tree: ClassVar[CommandTree]
    identity: ClassVar[str]

    def __init__(self, alias: str, world: World, clock: Clock, options: Mapping[str, Any], seed: int) -> None:
        super().__init__(alias, world, clock, options, seed)
        self.errors = ErrorQueue()
        self.event_status = _POWER_ON
        self.event_enable = 0
        self.service_enable = 0
        self.words: dict[str, Any] = {}
        self._compiled: dict[bytes, tuple[Action, ...]] = {}
        self._headers: dict[tuple[str, tuple[str, ...]], Found] = {}
        self._settings: dict[bytes, Found] = {}

    def _carry_out(self, message: bytes) -> bytes | None:
        actions = self._compiled.get(message)
        if actions is None:
            actions = self._compile(message)
        reply: bytes | None = None
        for handler, suffixes, arguments in actions:
            try:
                answer = handler(self, suffixes, arguments)
            except ScpiError as error:
                self._note(error)
                continue
            except Exception as error:  # the law: nothing escapes; tests look for -310
                self._note(ScpiError(-310, f"{type(error).__name__}: {error}"))
                continue
            if answer is not None:
                piece = answer if isinstance(answer, bytes) else answer.encode("latin-1", "replace")
                reply = piece if reply is None else reply + b";" + piece
        return None if reply is None else reply + b"\n"

    def _note(self, error: ScpiError) -> None:
        self.errors.push(error)
        if -200 < error.code <= -100:
            self.event_status |= _COMMAND_ERROR
        elif -300 < error.code <= -200:
            self.event_status |= _EXECUTION_ERROR
        else:
            self.event_status |= _DEVICE_ERROR

    def _compile(self, message: bytes) -> tuple[Action, ...]:
        """Turn a message into actions; what follows a syntax error in it is not carried out (488.2)."""
        plain = _SETTING(message)
        if plain is not None:
            header, parameter = plain.groups()
            found = self._settings.get(header)
            if found is not None:
                return ((found[0], found[1], (parameter.decode("ascii"),)),)
        compiled = self._parse(message)
        if plain is not None:
            self._remember_setting(header)
        # a level seldom comes again, and what is kept is looked through by every garbage collection
        if len(message) < 200 and (b"?" in message or b" " not in message):
            if len(self._compiled) >= _REMEMBERED:
                self._compiled.clear()
            self._compiled[message] = compiled
        return compiled

    def _remember_setting(self, header: bytes) -> None:
        """Find a header that starts a message without parsing it, from now on."""
        found = self._headers.get((header.decode("ascii"), ()))
        if found is not None:
            if len(self._settings) >= _REMEMBERED:
                self._settings.clear()
            self._settings[header] = found

    def _parse(self, message: bytes) -> tuple[Action, ...]:
        actions: list[Action] = []
        path: tuple[str, ...] = ()
        try:
            for text in split_outside_quotes(message.decode("latin-1").strip(" \t\r\n\0"), ";"):
                if text.strip():
                    action, path = self._compile_unit(text, path)
                    actions.append(action)
        except ScpiError as error:
            actions.append((_failing(error), (), ()))
        return tuple(actions)

    def _compile_unit(self, text: str, path: tuple[str, ...]) -> tuple[Action, tuple[str, ...]]:
        # levels differ from message to message, the header in front of them does not
        header, arguments = parse_unit(text)
        found = self._headers.get((header, path))
        if found is None:
            if len(self._headers) >= _REMEMBERED:
                self._headers.clear()
            found = self._headers[header, path] = self._find(header, path)
        handler, suffixes, following = found
        return (handler, suffixes, arguments), following

    def _find(self, header: str, path: tuple[str, ...]) -> Found:
        read = parse_header(header, path)
        command, suffixes = self.tree.find(read.path)
        handler = command.query if read.query else command.write
        if handler is None:
            raise ScpiError(-113, ":".join(read.path)[:60])
        return handler, suffixes, read.following

    @abstractmethod
    def reset(self) -> None:
        """Do what ``*RST`` does."""

    def _come_back(self) -> None:
        self.reset()
        self.errors.clear()
        self.event_status = _POWER_ON

    def complete(self) -> None:
        """Wait until pending operations are done (``*OPC?``, ``*WAI``); models with overlap override it."""

    def trigger(self) -> None:
        """Do what ``*TRG`` does; models that can override it."""
        raise ScpiError(-211)

    def state_dict(self) -> dict[str, Any]:
        """Only what a resumed run needs; settings are sent again by the bench."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing to take back."""


def _failing(error: ScpiError) -> Handler:
    def fail(instrument: Any, suffixes: tuple[int, ...], arguments: tuple[str, ...]) -> None:
        raise error

    return fail
