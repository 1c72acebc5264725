"""A TSP instrument: runs chunks of Lua that act on its objects. Knows no object of its own model."""

from __future__ import annotations

import re
import threading
from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, Final

from labtrain.clock import Clock
from simulated_instruments.instrument import VirtualInstrument
from simulated_instruments.tsp_errors import TspError, TspErrorQueue, runtime
from simulated_instruments.tsp_expressions import Constant
from simulated_instruments.tsp_functions import Returned
from simulated_instruments.tsp_library import library
from simulated_instruments.tsp_parser import parse
from simulated_instruments.tsp_run import Aborted, Break, Budget, Run
from simulated_instruments.tsp_statements import Assign, Statement, execute
from simulated_instruments.tsp_values import TspObject
from simulated_instruments.world import World

_REMEMBERED: Final = 4096
_ABORT: Final = b"abort"
_SETTING: Final = re.compile(r"([A-Za-z_][\w.]*)\s*=\s*(-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)")
_COMMAND_ERROR, _EXECUTION_ERROR, _POWER_ON = 32, 16, 128


class TspInstrument(VirtualInstrument):
    """The part of a TSP instrument that all models share.

    A model states its ``identity`` and ``objects`` and carries out ``reset`` and ``complete``.

    Attributes
    ----------
    precision
        Digits of a printed number (``format.asciiprecision``).
    """

    identity: ClassVar[str]

    def __init__(self, alias: str, world: World, clock: Clock, options: Mapping[str, Any], seed: int) -> None:
        super().__init__(alias, world, clock, options, seed)
        self.errors = TspErrorQueue()
        self.event_status = _POWER_ON
        self._enabled = {"*ESE": 0, "*SRE": 0}
        self.precision = 6
        self._variables: dict[str, Any] = {}
        self._said: list[bytes] = []
        self._script: tuple[str, list[str]] | None = None
        self._abort = threading.Event()
        self._parsed: dict[str, tuple[Statement, ...]] = {}
        self._budget = Budget()
        self._names: dict[str, Any] = {}

    def build(self) -> None:
        """Make the names that scripts know; called once, when the model's own parts stand."""
        self._names = {**library(self), **self.objects()}

    @abstractmethod
    def objects(self) -> dict[str, Any]:
        """Return the model's own names."""

    @abstractmethod
    def reset(self) -> None:
        """Do what ``reset()`` and ``*RST`` do."""

    @abstractmethod
    def complete(self) -> None:
        """Wait until overlapped commands are done (``waitcomplete()``, ``*OPC?``, ``*WAI``)."""

    def handle(self, message: bytes) -> bytes | None:
        """Carry out one message; ``abort`` ends the chunk that is running."""
        if message.strip() == _ABORT:
            self._abort.set()
        return super().handle(message)

    def say(self, data: bytes) -> None:
        """Put something into the output queue."""
        self._said.append(data)

    def pause(self, seconds: float) -> None:
        """Let time pass (``delay``)."""
        self._wait(seconds)

    def _carry_out(self, message: bytes) -> bytes | None:
        self._said = []
        self._budget.steps = 0
        text = message.decode("latin-1").strip(" \t\r\n\0")
        if text.encode("latin-1") == _ABORT:
            self._abort.clear()
            return None
        if self._script is not None or text.startswith(("loadscript", "loadandrunscript")):
            self._collect(text)
        elif text.startswith("*"):
            self._guarded(lambda: self._common(text))
        elif text:
            self._guarded(lambda: self._run(text))
        return b"".join(self._said) if self._said else None

    def _guarded(self, action: Callable[[], None]) -> None:
        """Do something; no exception leaves."""
        try:
            action()
        except TspError as error:
            self._note(error)
        except Aborted:
            self._said = []
        except Break:
            self._note(runtime("no loop to break"))
        except RecursionError:
            self._note(runtime("stack overflow"))
        except Exception as error:  # the law: nothing escapes; tests look for -310
            self._note(TspError(-310, f"{type(error).__name__}: {error}"))

    def _note(self, error: TspError) -> None:
        self.errors.push(error)
        self.event_status |= _COMMAND_ERROR if error.code == -285 else _EXECUTION_ERROR

    def _run(self, text: str) -> None:
        statements = self._parsed.get(text)
        if statements is None:
            setting = _SETTING.fullmatch(text)
            # levels differ from message to message, what they are assigned to does not
            statements = self._assignment(setting[1], float(setting[2])) if setting else self._keep(text)
        with suppress(Returned):
            execute(statements, Run(self._names, self._variables, self._abort.is_set, self._budget))

    def _keep(self, text: str) -> tuple[Statement, ...]:
        statements = parse(text)
        if len(text) < 300:
            if len(self._parsed) >= _REMEMBERED:
                self._parsed.clear()
            self._parsed[text] = statements
        return statements

    def _assignment(self, name: str, number: float) -> tuple[Statement, ...]:
        pattern = f"{name}=0"
        (statement,) = self._parsed.get(pattern) or self._keep(pattern)
        assert isinstance(statement, Assign)
        return (Assign(statement.targets, (Constant(number),)),)

    # --- scripts ---------------------------------------------------------------------------

    def _collect(self, text: str) -> None:
        """Take the lines between ``loadscript`` or ``loadandrunscript`` and ``endscript``."""
        for line in text.splitlines():
            if self._script is None:
                self._script = (line, [])
            elif line.strip() == "endscript":
                head, lines = self._script
                self._script = None
                self._guarded(lambda head=head, lines=lines: self._loaded(head, "\n".join(lines)))  # type: ignore[misc]
            else:
                self._script[1].append(line)

    def _loaded(self, head: str, text: str) -> None:
        verb, _, name = head.strip().partition(" ")
        parse(text)  # a script that is no TSP is refused when it is loaded
        if name.strip():

            def run(arguments: list[Any]) -> list[Any]:
                self._run(text)
                return []

            self._variables[name.strip()] = TspObject(name.strip(), {"run": run, "source": text})
        if verb == "loadandrunscript":
            self._run(text)

    # --- IEEE 488.2 ------------------------------------------------------------------------

    def _common(self, text: str) -> None:
        command, _, given = text.upper().partition(" ")
        if command in self._enabled:
            self._enable(command, given.strip())
            return
        if given.strip():
            raise TspError(-108, f"Parameter not allowed: {given[:40]}")
        answers: dict[str, Callable[[], Any]] = {
            "*IDN?": lambda: f"{self.identity}, {self.alias.upper()}, SIM1.0",
            "*OPC?": lambda: self.complete() or "1",
            "*TST?": lambda: "0",
            "*STB?": lambda: str(4 if len(self.errors) else 0),
            "*ESR?": self._event_status,
            "*ESE?": lambda: str(self._enabled["*ESE"]),
            "*SRE?": lambda: str(self._enabled["*SRE"]),
        }
        actions: dict[str, Callable[[], None]] = {
            "*RST": self.reset,
            "*CLS": self.clear_status,
            "*OPC": self.complete,
            "*WAI": self.complete,
            "*TRG": lambda: None,
        }
        if command in answers:
            self.say(answers[command]().encode("latin-1") + b"\n")
        elif command in actions:
            actions[command]()
        else:
            raise TspError(-113, f"Undefined header: {command[:40]}")

    def _enable(self, command: str, given: str) -> None:
        """Set an enable register; it is kept and answered only."""
        if not given:
            raise TspError(-109, f"Missing parameter: {command}")
        if not given.isascii() or not given.isdigit() or int(given) > 255:
            raise TspError(-222, f"Parameter data out of range: {given[:40]}")
        self._enabled[command] = int(given)

    def _come_back(self) -> None:
        self.reset()
        self.errors.clear()
        self.event_status = _POWER_ON

    def clear_status(self) -> None:
        """Do what ``*CLS`` does."""
        self.errors.clear()
        self.event_status = 0

    def _event_status(self) -> str:
        value, self.event_status = self.event_status, 0
        return str(value)
