"""PyMeasure's ManagedWindow on a protocol: its worker thread runs and records as ``labtrain run`` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from pymeasure.display.Qt import QtWidgets
from pymeasure.display.windows import ManagedWindow
from pymeasure.experiment.results import Results, unique_filename

from labtrain import entry_points
from labtrain.cli.files import first_free
from labtrain.cli.planning import Plan, plan_protocol
from labtrain.cli.recorded import Order, record
from labtrain.cli.steps import protocol_step
from labtrain.errors import LabtrainError
from labtrain.procedures import DeviceProcedure
from labtrain.procedures.parameters import parameters_of
from labtrain.progress import Progress

_SHOWN = 4
"""Settings shown in the list of runs."""

_SIZE = (1200, 850)
_INPUTS_HEIGHT = 560


@dataclass(frozen=True)
class Place:
    """What a window measures: bench, devices, seed; where sessions go; whether to ask first."""

    bench: Path
    device: str | None
    seed: int
    folder: Path
    yes: bool = False


class _WorkerProgress(Progress):
    """Hands rows to PyMeasure's worker, and its abort button to the run."""

    def __init__(self, worker: Any, headers: Mapping[str, str]) -> None:
        self._worker, self._headers = worker, headers
        self._done, self._total = 0, 1

    def start(self, label: str, total: int) -> None:
        """Begin."""
        self._done, self._total = 0, max(total, 1)

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Move the worker's bar, a percent at a time."""
        before = 100 * self._done // self._total
        self._done += steps
        if 100 * self._done // self._total != before:
            self._worker.emit("progress", min(100.0 * self._done / self._total, 100.0))

    def row(self, record: Mapping[str, Any]) -> None:
        """Draw it."""
        self._worker.emit("results", {self._headers[name]: value for name, value in record.items()})

    def stopping(self) -> bool:
        """Whether Abort was pressed."""
        return bool(self._worker.should_stop())


def headers_of(procedure_class: type[DeviceProcedure]) -> dict[str, str]:
    """Return PyMeasure's name of each column: with its unit in brackets, which axes are labelled with."""
    columns = procedure_class.COLUMNS.items()
    return {name: f"{name} ({column.unit})" if column.unit else name for name, column in columns}


def windowed(procedure_class: type[DeviceProcedure], place: Place, sessions: list[Path]) -> type[Any]:
    """Return the same class for PyMeasure's worker: its ``execute`` is a whole recorded run.

    Parameters
    ----------
    sessions
        Takes the path of each session.
    """
    headers = headers_of(procedure_class)

    class Windowed(procedure_class):  # type: ignore[valid-type, misc]
        def startup(self) -> None:
            """Nothing: the run itself starts the procedure."""

        def execute(self) -> None:
            """Open the bench, run, record, seal."""
            settings = {name: str(getattr(self, name)) for name in parameters_of(procedure_class)}
            step = protocol_step(procedure_class.NAME, place.device, settings, 1)
            path = first_free(place.folder, procedure_class.NAME, ".h5")
            sessions.append(path)
            order = Order("run", [step], place.seed, place.bench, out=path)
            record(order, _WorkerProgress(self, headers))

        def shutdown(self) -> None:
            """Nothing: the run has left the bench safe."""

    Windowed.DATA_COLUMNS = list(headers.values())
    Windowed.__name__ = Windowed.__qualname__ = procedure_class.__name__
    return Windowed


class ProtocolWindow(ManagedWindow):  # type: ignore[misc]
    """Settings on the left, live curves on the right, the queue below.

    Attributes
    ----------
    sessions
        Where each run was recorded, in order.
    """

    def __init__(self, protocol: str, place: Place) -> None:
        self._protocol, self._place = protocol, place
        self.sessions: list[Path] = []
        procedure_class = entry_points.load(entry_points.PROTOCOLS, protocol)
        names = list(parameters_of(procedure_class))
        x, y = (headers_of(procedure_class)[name] for name in procedure_class.PLOT)
        super().__init__(
            procedure_class=windowed(procedure_class, place, self.sessions),
            inputs=names,
            displays=names[:_SHOWN],
            x_axis=x,
            y_axis=y,
            inputs_in_scrollarea=True,
            enable_file_input=False,
        )
        self._drawn = Path(mkdtemp(prefix="labtrain-gui-"))
        self.resize(*_SIZE)
        self.inputs.setMinimumHeight(_INPUTS_HEIGHT)
        self.setWindowTitle(f"labtrain: {protocol} on {place.bench}")

    def queue(self, procedure: Any = None) -> None:
        """Queue a run with the settings of the window, once its plan is within the limits and confirmed."""
        chosen = procedure or self.make_procedure()
        if not self._allowed(chosen):
            return
        results = Results(chosen, unique_filename(str(self._drawn), prefix=self._protocol))
        self.manager.queue(self.new_experiment(results))

    def _allowed(self, procedure: Any) -> bool:
        settings = {name: str(getattr(procedure, name)) for name in procedure.parameter_values()}
        try:
            plan = plan_protocol(self._protocol, self._place.bench, self._place.device, settings)
        except LabtrainError as error:
            QtWidgets.QMessageBox.warning(self, "Not queued", str(error))
            return False
        return not plan.real or self._place.yes or self._confirmed(plan)

    def _confirmed(self, plan: Plan) -> bool:
        box = QtWidgets.QMessageBox
        answer = box.question(self, "Drive these instruments?", plan.text)
        return bool(answer == box.StandardButton.Yes)


def show(protocol: str, place: Place) -> list[Path]:
    """Open the window and return, once it is closed, where its runs were recorded."""
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    window = ProtocolWindow(protocol, place)
    window.show()
    application.exec()
    return window.sessions
