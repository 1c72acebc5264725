"""Everything a test asks of a role, noted with what came of it, so that it can be asked again of a record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from instruments_stages import ReplayStage, Stage

from labtrain.session import Recording, Replay, Session


@dataclass(frozen=True)
class Call:
    """One use of something: a property read or set, or a method called; ``outcome`` in plain data."""

    target: str
    verb: str
    name: str
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    outcome: Any


def plain(value: Any) -> Any:
    """Turn a result into what compares by value, NaN equal to itself."""
    if is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, plain(asdict(value))
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    return repr(value)


def _attempt(action: Callable[[], Any]) -> tuple[Any, Any, Exception | None]:
    """Do something; its result, what to compare, and the exception to raise again."""
    try:
        result = action()
    except Exception as error:  # whatever it is: the record must bring the same
        return None, (type(error).__name__, str(error)), error
    return result, plain(result), None


class Observed:
    """Stands before a role and notes every use of it; otherwise it is the role."""

    __slots__ = ("_calls", "_name", "_role")

    def __init__(self, role: Any, name: str, calls: list[Call]) -> None:
        object.__setattr__(self, "_role", role)
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_calls", calls)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or callable(getattr(type(self._role), name, None)):
            found = getattr(self._role, name)
            return self._noting(name, found) if callable(found) else found
        return self._note("get", name, (), {}, lambda: getattr(self._role, name))

    def __setattr__(self, name: str, value: Any) -> None:
        self._note("set", name, (value,), {}, lambda: setattr(self._role, name, value))

    def _noting(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any, **keywords: Any) -> Any:
            return self._note("call", name, arguments, keywords, lambda: method(*arguments, **keywords))

        return noted

    def _note(
        self,
        verb: str,
        name: str,
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        action: Callable[[], Any],
    ) -> Any:
        result, outcome, error = _attempt(action)
        self._calls.append(Call(self._name, verb, name, arguments, keywords, outcome))
        if error is not None:
            raise error
        return result


def _again(call: Call, role: Any) -> Any:
    """What comes of the same use of another role."""
    if call.verb == "get":
        return _attempt(lambda: getattr(role, call.name))[1]
    if call.verb == "set":
        return _attempt(lambda: setattr(role, call.name, *call.arguments))[1]
    return _attempt(lambda: getattr(role, call.name)(*call.arguments, **call.keywords))[1]


@contextmanager
def mounted(make: Callable[[Stage], Any], mount: str, folder: Path) -> Iterator[Any]:
    """Yield a rig on a mount; on ``"replayed"``, what the test did is then done again on its recording.

    The live leg stands in process. Every use of the rig's roles must give the same (result or error), no
    virtual instrument may hear a word, and the record must be used up.
    """
    if mount != "replayed":
        rig = make(Stage(mount))
        try:
            yield rig
        finally:
            rig.close()
        return
    path = folder / "contract.h5"
    with Session.create(path, start={"command": "contract"}) as session:
        rig = make(Stage("in-process", session))
        rig.greet()
        calls: list[Call] = []
        rig.observe(calls)
        try:
            yield rig
        finally:
            rig.close()
    play_again(make, calls, path)


def play_again(make: Callable[[Stage], Any], calls: list[Call], path: Path) -> None:
    """Do the same to a rig that stands on the recording, and compare."""
    with Recording.open(path) as recording:
        replay = Replay(recording)
        rig = make(ReplayStage(replay))
        rig.greet()
        for number, call in enumerate(calls):
            assert _again(call, rig.observed(call.target)) == call.outcome, f"call {number}: {call}"
        assert rig.heard == []
        rig.close()
        report = replay.finish()
        assert report.identical, (report.first_mismatch, report.unplayed)
