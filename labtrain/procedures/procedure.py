"""A measurement on one device: PyMeasure's ``Procedure``, bound to a bench instead of instruments."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pymeasure.experiment.parameters import FloatParameter
from pymeasure.experiment.procedure import Procedure

from labtrain.errors import CheckFailed, ReplayMismatch
from labtrain.procedures.demand import Demand
from labtrain.session.sink import Column
from labtrain.wiring import DevicePlan

if TYPE_CHECKING:
    from labtrain.bench import Bench

Rows = Mapping[str, NDArray[Any]]
"""Column name -> array, all of one length."""

DEVICE = {"device": Column("str", "", "device"), "terminal": Column("str", "", "terminal")}
"""The columns with which every protocol's rows begin."""


class DeviceProcedure(Procedure):
    """The base of all protocols.

    A subclass declares PyMeasure ``Parameter`` objects (their attribute names are the settings'
    names, units in pint's spelling), its columns, and how it measures one device. The runner binds
    ``bench``, ``seed`` and ``device``, calls ``startup`` once, ``execute`` once a device, and
    ``shutdown`` always.

    Attributes
    ----------
    NAME
        As in ``labtrain run NAME``.
    COLUMNS
        Of the recorded rows; starts with :data:`DEVICE`.
    FIT
        How ``labtrain fit`` reads the rows: ``model``, ``models`` that fit them at all, and ``map``
        (see :mod:`labtrain.twins.column_map`). Empty for none.
    alone
        Whether there is no other device in the run.
    failed
        Devices that failed a check while they were measured, each with the reason.
    PLOT
        The columns that a window draws, x and y.
    CHECKS_CONTACT
        Whether it is itself the contact check that the runner otherwise does before each device.
    bench, device, seed
        Bound by the runner.
    expected_resistance
        ``"device.terminal"`` -> (low, high) in ohm, where the bench file states it; bound before ``plan``.
    sources
        ``"device.terminal"`` -> the roles of all instruments that can reach it (``"source-meter"``,
        ``"pulse-generator"``); bound before ``plan``.
    """

    NAME: ClassVar[str] = ""
    COLUMNS: ClassVar[Mapping[str, Column]] = {}
    FIT: ClassVar[Mapping[str, Any]] = {}
    PLOT: ClassVar[tuple[str, str]] = ("seconds", "volts")
    CHECKS_CONTACT: ClassVar[bool] = False

    drift_period: Any = FloatParameter(  # type: ignore[no-untyped-call]
        "Drift check every",
        units="s",
        default=120.0,
        minimum=1.0,
        maximum=1e6,
        description="in runs longer than 10 minutes: how often reference, short and devices are read",
    )
    drift_limit: Any = FloatParameter(  # type: ignore[no-untyped-call]
        "Drift limit",
        default=0.02,
        minimum=1e-5,
        maximum=1.0,
        description="in runs longer than 10 minutes: the relative change of resistance that ends the run",
    )

    bench: Bench
    device: DevicePlan
    seed: int = 0
    expected_resistance: Mapping[str, tuple[float, float]] = {}
    sources: Mapping[str, frozenset[str]] = {}
    alone: bool = True
    failed: dict[str, str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.DATA_COLUMNS = list(cls.COLUMNS)

    def bind(
        self,
        bench: Bench,
        seed: int,
        emit: Callable[[str, Any], None],
        should_stop: Callable[[], bool],
        between: Callable[[], None] = lambda: None,
    ) -> None:
        """Connect the procedure to a bench, to whoever takes its rows, and to what is due in between."""
        self.bench, self.seed = bench, seed
        self._emit, self._should_stop, self._between = emit, should_stop, between
        self.failed = {}

    def emit(self, topic: str, record: Any) -> None:
        """Hand a row (topic ``"results"``) to the runner; PyMeasure's own worker replaces this method."""
        self._emit(topic, record)

    def should_stop(self) -> bool:
        """Whether somebody asked the run to stop; to be asked between measurements."""
        return self._should_stop()

    def interlude(self) -> bool:
        """Let the runner do what is due between measurements (drift checks); true: stop now.

        To be called often, where no route is open. Between measurements inside a route, ask
        :meth:`should_stop` alone.
        """
        if not self.should_stop():
            self._between()
        return self.should_stop()

    def fit_hint(self) -> Mapping[str, Any]:
        """Return how ``labtrain fit`` reads the rows of this run; :data:`FIT` unless settings matter."""
        return self.FIT

    def startup(self) -> None:
        """Prepare what is common to all devices; nothing by default."""

    @abstractmethod
    def plan(self) -> tuple[Demand, ...]:
        """Say what ``execute`` will ask of ``device``, by parameters and ``expected_resistance`` alone.

        Raises
        ------
        UsageError
            For parameters that contradict each other or do not suit the device.
        """

    def notes(self) -> tuple[str, ...]:
        """Say what should be known before measuring, such as data that no twin could be fitted to."""
        return ()

    @abstractmethod
    def execute(self) -> None:
        """Measure ``device``: ``self.emit("results", {column: value, ...})`` for every row."""

    def measure_all(self, devices: Sequence[DevicePlan]) -> None:
        """Measure all devices, one after another; override where they take turns."""
        for device in devices:
            self.device = device
            if self.interlude():
                return
            with self.sparing_others(device):
                self.execute()

    @contextmanager
    def sparing_others(self, device: DevicePlan) -> Iterator[None]:
        """Let a device that fails a check in the block end its own measurement, not that of the others."""
        try:
            yield
        except ReplayMismatch:
            raise
        except CheckFailed as error:
            if self.alone:
                raise
            self.failed[device.name] = str(error)

    def require_one_whole(self, devices: Sequence[DevicePlan]) -> None:
        """Raise where every device has failed.

        Raises
        ------
        CheckFailed
            With every reason.
        """
        if devices and all(device.name in self.failed for device in devices):
            raise CheckFailed(
                f"every device failed: {'; '.join(self.failed.values())}",
                remedy="see what they have in common: reference, wiring, settings",
            )

    @classmethod
    @abstractmethod
    def analyse(cls, rows: Rows, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result as strict JSON data, from recorded rows and their attributes alone."""

    def shutdown(self) -> None:
        """Leave the bench as it is: routes and pulse paths close themselves.

        Override only to undo what ``startup`` did.
        """


def select(rows: Rows, **wanted: Any) -> dict[str, NDArray[Any]]:
    """Return the rows where every named column has the given value."""
    keep = np.ones(len(next(iter(rows.values()))), dtype=bool)
    for name, value in wanted.items():
        keep &= np.asarray(rows[name] == value)
    return {name: column[keep] for name, column in rows.items()}


def distinct(column: NDArray[Any]) -> list[Any]:
    """Return the values of a column once each, in order of appearance."""
    return list(dict.fromkeys(column.tolist()))
