"""Saying where a re-run left the record: what was expected, what came, and whether it stands elsewhere."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, final

import numpy as np
from numpy.typing import NDArray

from labtrain.errors import ReplayMismatch
from labtrain.session.record_end import RecordEnds

_AROUND = 3
_SHOWN = 200
_SEARCHED_NEAREST = 2000
_REMEDY = "the settings, the code or the recording changed: compare them with `labtrain session inspect`"


@final
class Verdict:
    """Keeps the first mismatch; after it, everything that is asked of the replay fails with the same one.

    Parameters
    ----------
    at_end
        Whether the record is that of an interrupted run and all of it has been played: then more than
        it holds is no mismatch but its end.

    Attributes
    ----------
    first
        The first mismatch as plain data.
    ended
        Whether the end of an interrupted record was reached.
    over
        Whether there was either of the two: nothing is compared any more.
    """

    def __init__(self, at_end: Callable[[], bool] = lambda: False) -> None:
        self.first: dict[str, object] | None = None
        self.ended = False
        self.over = False
        self._at_end = at_end
        self._message = ""

    def refuse(self, message: str, first: dict[str, object]) -> NoReturn:
        """Raise this mismatch, or the one that came before it."""
        if self.first is None:
            self.first, self._message, self.over = first, message, True
        raise ReplayMismatch(self._message, first=self.first, remedy=_REMEDY)

    def check(self) -> None:
        """Raise the first mismatch again, if there was one."""
        if self.first is not None:
            self.refuse("", {})

    def check_end(self) -> None:
        """Raise the end of an interrupted record, if this is it."""
        if self._at_end():
            self.ended = self.over = True
            raise RecordEnds


def refuse_command(
    verdict: Verdict, port: str, index: int, commands: Sequence[bytes], seqs: Sequence[int], got: bytes
) -> NoReturn:
    """Raise a mismatch of messages: ``got`` came where ``commands[index]`` was recorded."""
    exhausted = index >= len(commands)
    if exhausted:
        verdict.check_end()
    recorded, detail = _whereabouts(index, commands, got)
    expected = None if exhausted else show(commands[index])
    sequence = None if exhausted else seqs[index]
    first: dict[str, object] = {
        "what": "message",
        "instrument": port,
        "index": index,
        "sequence": sequence,
        "expected": expected,
        "got": show(got),
        "recorded": recorded,
        "detail": detail,
        "before": [show(c) for c in commands[max(0, index - _AROUND) : index]],
        "after": [show(c) for c in commands[index + 1 : index + 1 + _AROUND]],
    }
    place = f"message {index} to {port!r}" + ("" if exhausted else f" (sequence {sequence})")
    wanted = "no further message" if exhausted else f"expected {expected!r}"
    verdict.refuse(f"{place}: {wanted}, got {show(got)!r}; {detail}", first)


def _whereabouts(index: int, commands: Sequence[bytes], got: bytes) -> tuple[str, str]:
    try:
        later = commands.index(got, index)
    except ValueError:
        pass
    else:
        return "later", f"recorded LATER ({later - index} skipped)"
    if index >= len(commands):
        return "exhausted", f"the recording is exhausted after {len(commands)} messages"
    if got in commands[:index]:
        return "earlier", f"recorded EARLIER, at {_last(commands[:index], got)} (an extra call)"
    known = list(dict.fromkeys(show(command) for command in commands))[:_SEARCHED_NEAREST]
    near = difflib.get_close_matches(show(got), known, n=1, cutoff=0.0)
    return "never", f"never recorded (nearest: {near[0]!r})" if near else "never recorded"


def _last(commands: Sequence[bytes], got: bytes) -> int:
    return len(commands) - 1 - list(reversed(commands)).index(got)


def refuse_unknown(verdict: Verdict, what: str, name: str, known: Sequence[str]) -> NoReturn:
    """Raise a mismatch: the re-run notes something that the record does not hold at all."""
    verdict.check_end()
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    detail = f"never recorded (nearest: {near[0]!r})" if near else "never recorded"
    first: dict[str, object] = {"what": what, "name": name, "expected": None, "got": name}
    verdict.refuse(f"{what} {name!r}: {detail}", first | {"recorded": "never", "detail": detail})


def refuse_further(verdict: Verdict, what: str, name: str, index: int) -> NoReturn:
    """Raise a mismatch: one more of ``what`` than the record holds."""
    verdict.check_end()
    detail = f"the recording is exhausted after {index}"
    first: dict[str, object] = {"what": what, "name": name, "index": index, "recorded": "exhausted"}
    verdict.refuse(f"{what} {index} of {name!r}: {detail}", first | {"detail": detail})


def refuse_value(
    verdict: Verdict, what: str, name: str, index: int, part: str, expected: object, got: object
) -> NoReturn:
    """Raise a mismatch of values: ``part`` of ``what`` number ``index`` differs."""
    first: dict[str, object] = {"what": what, "name": name, "index": index, "part": part}
    first |= {"expected": plain(expected), "got": plain(got), "recorded": "otherwise"}
    where = f"{what} {index} of {name!r}" + (f", {part}" if part else "")
    verdict.refuse(f"{where}: expected {first['expected']!r}, got {first['got']!r}", first)


def same_array(expected: NDArray[Any], got: NDArray[Any]) -> bool:
    """Whether two arrays are equal bit for bit, dtype and shape included."""
    alike = expected.dtype == got.dtype and expected.shape == got.shape
    return alike and expected.tobytes() == got.tobytes()


def refuse_array(
    verdict: Verdict, what: str, name: str, index: int, part: str, expected: NDArray[Any], got: NDArray[Any]
) -> NoReturn:
    """Raise a mismatch of arrays: dtype, shape or the first element that differs."""
    if expected.dtype != got.dtype or expected.shape != got.shape:
        kinds = [f"{a.dtype}{list(a.shape)}" for a in (expected, got)]
        refuse_value(verdict, what, name, index, part, *kinds)
    a = np.ascontiguousarray(expected).reshape(-1).view(np.uint8).reshape(expected.size, -1)
    b = np.ascontiguousarray(got).reshape(-1).view(np.uint8).reshape(got.size, -1)
    differs = np.flatnonzero((a != b).any(axis=1))
    place = tuple(int(i) for i in np.unravel_index(int(differs[0]), expected.shape))
    where = f"{part}{list(place) if place else ''} ({len(differs)} of {got.size} elements differ)".strip()
    refuse_value(verdict, what, name, index, where, expected[place], got[place])


def show(message: bytes) -> str:
    """Return a message as readable text, bytes outside ASCII escaped, long ones cut."""
    text = message[:_SHOWN].decode("ascii", "backslashreplace")
    return text if len(message) <= _SHOWN else f"{text}... ({len(message)} bytes)"


def plain(value: object) -> object:
    """Return a value as plain data that JSON holds; a float that prints alike shows its bits."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int | str | None):
        return value
    return value if isinstance(value, float) and np.isfinite(value) else repr(value)
