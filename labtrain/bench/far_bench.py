"""A bench on another computer, as training sees it: its arrays and its clock, over a Dask actor.

A batch crosses the wire once each way. Everything that protects devices (limits, guard, locks, journal) is
where the instruments are; if this side or the wire dies, that side goes to its safe state by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, final

from numpy.typing import NDArray

from labtrain.arrays.answered_roles import (
    AnsweredBitstreams,
    AnsweredNeurons,
    AnsweredSwitches,
    AnsweredSynapses,
)
from labtrain.arrays.answered_views import Answers
from labtrain.bench.bench_actor import IDLE_SECONDS, BenchActor
from labtrain.bench.role_arrays import RoleArray
from labtrain.cluster import check_address
from labtrain.wiring import BenchPlan

if TYPE_CHECKING:
    from distributed import Client

_ROLES: dict[str, type[Any]] = {
    "neuron-pair": AnsweredNeurons,
    "switch": AnsweredSwitches,
    "bitstream": AnsweredBitstreams,
    "synapse": AnsweredSynapses,
}


@final
class FarAnswers(Answers):
    """The answers of one array of a far bench."""

    def __init__(self, actor: Any, name: str, known: Mapping[str, float]) -> None:
        self._actor, self._name, self._known = actor, name, known

    def properties(self) -> Mapping[str, float]:
        """What the bench says of the array."""
        return self._known

    def next(self, verb: str, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Ask the bench, and wait."""
        answered: dict[str, NDArray[Any]] = self._actor.answer(self._name, verb, dict(inputs)).result()
        return answered

    def state_dict(self) -> dict[str, Any]:
        """The array's state on the bench."""
        state: dict[str, Any] = self._actor.array_state(self._name).result()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Hand a state to the bench."""
        self._actor.load_array_state(self._name, state).result()


@final
class FarClock:
    """The bench's time, asked over the wire."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def now_ns(self) -> int:
        """Return the bench's time in ns."""
        return int(self._actor.now_ns().result())


@final
class FarBench:
    """A bench on another computer; made by :meth:`open`, to be used as a context manager.

    It has the arrays that training asks for, not the instruments: those are driven where they stand.

    Attributes
    ----------
    plan
        The validated bench file.
    """

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self._arrays: dict[str, RoleArray] = {}
        self.clock = FarClock(actor)
        self.plan: BenchPlan = actor.plan().result()

    @classmethod
    def open(
        cls, client: Client, file: str, out: str, *, worker: str, idle_seconds: float = IDLE_SECONDS
    ) -> Self:
        """Open a bench on the Dask worker that runs on the bench's computer.

        Parameters
        ----------
        client
            Of a cluster that is encrypted, or on this machine.
        file, out
            Bench file and session file, as the bench's computer names them.
        worker
            The worker's address or name (``dask worker --name bench-3``).
        idle_seconds
            How long the bench may wait for a call before it goes to its safe state.

        Raises
        ------
        BenchFileError, InstrumentError, UsageError
            As :meth:`labtrain.bench.Bench.open`; the cluster's address may be refused too.
        """
        check_address(client.scheduler.address)
        opened = client.submit(
            BenchActor, file, out, idle_seconds, actor=True, workers=[worker], allow_other_workers=False
        )
        with client.as_current():  # an actor calls by the client that was current when it was fetched
            return cls(opened.result())

    def array(self, name: str) -> RoleArray:
        """Return an array in its role; every call is answered, and recorded, by the bench."""
        if name not in self._arrays:
            role, known = self._actor.array(name).result()
            self._arrays[name] = _ROLES[role](name, FarAnswers(self._actor, name, known))
        return self._arrays[name]

    def describe(self) -> dict[str, Any]:
        """Return the bench as plain data, and its session's file."""
        described: dict[str, Any] = self._actor.describe().result()
        return described

    def note(self, text: str) -> None:
        """Put an operator's note into the bench's session."""
        self._actor.note(text).result()

    def close(self, status: str = "complete") -> str:
        """Leave the bench safe and its session sealed; return the session's file."""
        return str(self._actor.close(status).result())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("complete" if error is None else "aborted")
