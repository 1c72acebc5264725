"""A bench held open on its own computer for a training elsewhere: guard, limits and journal stay there.

Knows nothing of Dask: it is an object whose methods are called by name, one at a time, from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

from numpy.typing import NDArray

from labtrain.arrays.answering import answer, properties, role
from labtrain.bench.bench import Bench
from labtrain.bench.locating import locate_bench
from labtrain.bench.self_contained import bench_bytes
from labtrain.errors import UsageError
from labtrain.session import Session
from labtrain.session.head import Status
from labtrain.wiring import BenchPlan

IDLE_SECONDS = 60.0


@final
class BenchActor:
    """An open bench and its session; both end when nobody calls for a while.

    Parameters
    ----------
    file
        A bench file's path on the bench's computer, or a shipped bench's name.
    out
        The session file, on the bench's computer too.
    idle_seconds
        After so long without a call the bench goes to its safe state and the session is sealed as aborted:
        whoever called may be gone.

    Raises
    ------
    BenchFileError, InstrumentError, UsageError
        As :meth:`Bench.open` and :meth:`Session.create` do.
    """

    def __init__(self, file: str, out: str, idle_seconds: float = IDLE_SECONDS) -> None:
        located = locate_bench(Path(file))
        start: dict[str, Any] = {
            "command": "far-bench",
            "bench": located.name,
            "steps": [],
            "seed": None,
            "argv": [],
        }
        self._session = Session.create(Path(out), start=start, bench_file=bench_bytes(located))
        try:
            self._bench = Bench.open(located, sink=self._session)
        except BaseException:
            self._session.seal("failed")
            raise
        self._lock = threading.RLock()
        self._idle_seconds = idle_seconds
        self._called = threading.Event()
        self._ended = ""
        threading.Thread(target=self._watch, name="far-bench-idle", daemon=True).start()

    def describe(self) -> dict[str, Any]:
        """Return the bench as plain data, and the session's file."""
        with self._held() as bench:
            return {**bench.describe(), "session": str(self._session.path)}

    def plan(self) -> BenchPlan:
        """Return the validated bench file."""
        with self._held() as bench:
            return bench.plan

    def array(self, name: str) -> tuple[str, dict[str, float]]:
        """Return the role of an array and the numbers that it is known by."""
        with self._held() as bench:
            array = bench.array(name)
            return role(array), properties(array)

    def answer(self, name: str, verb: str, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Have an array answer a call, a whole batch at once; it is in the record when this returns."""
        with self._held() as bench:
            return answer(bench.array(name), verb, inputs)

    def array_state(self, name: str) -> dict[str, Any]:
        """Return an array's state."""
        with self._held() as bench:
            state: dict[str, Any] = bench.array(name).state_dict()
            return state

    def load_array_state(self, name: str, state: dict[str, Any]) -> None:
        """Take an array's state back."""
        with self._held() as bench:
            bench.array(name).load_state_dict(state)

    def now_ns(self) -> int:
        """Return the bench's time."""
        with self._held() as bench:
            return bench.clock.now_ns()

    def note(self, text: str) -> None:
        """Put an operator's note into the session."""
        with self._held():
            self._session.note(text)

    def close(self, status: Status = "complete") -> str:
        """Leave the bench safe, seal the session, return its file; closing twice is harmless."""
        with self._lock:
            self._end(status, "it was closed")
            self._bench.close()  # again, where the idle time's thread has: signals are this thread's
            return str(self._session.path)

    def _watch(self) -> None:
        while not self._ended:
            if self._called.wait(self._idle_seconds):
                self._called.clear()
                continue
            with self._lock:
                # A call that was longer than the wait ended just now: the wait begins anew.
                if not self._called.is_set():
                    self._end("aborted", f"nobody called for {self._idle_seconds:g} s")

    @contextmanager
    def _held(self) -> Iterator[Bench]:
        """Give the bench for the length of one call; the idle time begins at its end."""
        with self._lock:
            if self._ended:
                raise UsageError(
                    f"the far bench is no longer open: {self._ended};"
                    f" it is safe, {self._session.path} is sealed",
                    remedy="open it anew, with a larger idle_seconds where batches are further apart",
                )
            try:
                yield self._bench
            finally:
                self._called.set()

    def _end(self, status: Status, reason: str) -> None:
        if self._ended:
            return
        self._ended = reason
        self._called.set()
        try:
            self._bench.close()
        except BaseException:
            self._session.seal("failed")
            raise
        self._session.seal(status)
