"""How a command ends: one result on standard output, messages on standard error, an exit code.

Every command runs inside ``with ending(as_json) as end: ...`` and says
``end.with_(fields, text, exit_code)`` once. Errors become one message (or one
JSON object) here and nowhere else.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from labtrain.cli.strict_json import dumps
from labtrain.errors import BenchFileError, LabtrainError, Terminated

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]

INTERNAL_ERROR = 70
INTERRUPTED = 130


class Ending:
    """Collects what the command has to say at its end."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.exit_code = 0

    def with_(self, fields: Mapping[str, Any], text: Any = None, exit_code: int = 0) -> None:
        """Print the result: ``fields`` under ``--json``, else ``text`` (anything that rich prints)."""
        self.exit_code = exit_code
        if self.as_json:
            print_line(dumps(fields))
        elif text is not None:
            from rich.console import Console

            Console(highlight=False, soft_wrap=isinstance(text, str)).print(text)


def print_line(text: str) -> None:
    """Write one line to standard output and flush it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def shown(value: object) -> str:
    """Return a value as rich prints it unchanged: brackets in a file's name are no markup."""
    from rich.markup import escape

    return escape(str(value))


def error_object(error: LabtrainError, exit_code: int) -> dict[str, Any]:
    """Return the JSON object that stands for an error."""
    fields = {name: getattr(error, name) for name in ("kind", "message", "file", "line", "key", "remedy")}
    return {"error": fields, "exit": exit_code}


def say_error(error: LabtrainError, exit_code: int, as_json: bool) -> None:
    """Print an error as the last word of a command."""
    if as_json:
        print_line(dumps(error_object(error, exit_code)))
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    problems = error.problems if isinstance(error, BenchFileError) else [error]
    for problem in problems:
        console.print(f"[bold red]error:[/] {shown(problem)}")


@contextmanager
def ending(as_json: bool) -> Iterator[Ending]:
    """Run a command's body; leave the process with the right exit code, never with a traceback."""
    end = Ending(as_json)
    try:
        yield end
    except LabtrainError as error:
        say_error(error, error.exit_code, as_json)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        say_error(LabtrainError("interrupted; the bench is safe and the record sealed"), INTERRUPTED, as_json)
        raise typer.Exit(INTERRUPTED) from None
    except Terminated:
        say_error(LabtrainError("terminated; the bench is safe and the record sealed"), 143, as_json)
        raise typer.Exit(Terminated.exit_code) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except (typer.Exit, SystemExit):
        raise
    except Exception as error:
        say_error(_internal(error), INTERNAL_ERROR, as_json)
        raise typer.Exit(INTERNAL_ERROR) from None
    if end.exit_code:
        raise typer.Exit(end.exit_code)


def _internal(error: Exception) -> LabtrainError:
    if os.environ.get("LABTRAIN_TRACEBACK"):
        traceback.print_exc()
    found = LabtrainError(
        f"internal error: {type(error).__name__}: {error}",
        remedy="a fault of labtrain: set LABTRAIN_TRACEBACK=1, run it again, report what it prints",
    )
    found.kind = "internal"
    return found
