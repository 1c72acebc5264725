"""The window of ``labtrain gui`` on a virtual display: settings, live curves, abort, refusals, the record."""

import json
import os
import subprocess
import sys

import pytest
from protocols_cases import BENCH

from labtrain import entry_points
from labtrain.cli.replaying import replay_recording
from labtrain.progress import SilentProgress
from labtrain.session import Recording

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
QtWidgets = pytest.importorskip(
    "PySide6.QtWidgets", reason="needs a Qt that can be loaded", exc_type=ImportError
)
pytest.importorskip("qtpy", reason='needs the extra: pip install "labtrain[gui]"')  # raises without a Qt
pytest.importorskip("pyqtgraph", reason='needs the extra: pip install "labtrain[gui]"')

from labtrain.cli.window import Place, ProtocolWindow, headers_of  # noqa: E402


@pytest.fixture
def application():
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication([])


@pytest.fixture
def window(application, tmp_path, monkeypatch):
    monkeypatch.setenv("LABTRAIN_STATE", str(tmp_path / "state"))
    opened = []

    def make(protocol, device):
        opened.append(ProtocolWindow(protocol, Place(BENCH, device, 0, tmp_path)))
        opened[-1].show()
        return opened[-1]

    yield make
    for one in opened:
        one.close()


class Ends:
    """Collects how runs end, and lets Qt work until one has."""

    def __init__(self, application, window):
        self._application = application
        self.seen = []
        for name in ("finished", "failed", "abort_returned"):
            getattr(window.manager, name).connect(lambda _, name=name: self.seen.append(name))

    def wait(self, until=lambda: False):
        from PySide6.QtTest import QTest

        for _ in range(2000):
            if self.seen or until():
                break
            QTest.qWait(20)
        QTest.qWait(600)  # the plot refreshes every now and then
        return self.seen


def points(window):
    """How many points the curves of the plot have."""
    curves = [item for item in window.plot_widget.plot.listDataItems() if item.getData()[0] is not None]
    return sum(len(curve.getData()[0]) for curve in curves)


def test_a_run_is_drawn_recorded_and_replays(application, window):
    shown = window("iv-curve", "neurons[0]")
    shown.inputs.points.setValue(21)
    ends = Ends(application, shown)
    shown.queue_button.click()
    assert ends.wait() == ["finished"]
    assert points(shown) == 2 * 2 * 21
    (path,) = shown.sessions
    with Recording.open(path) as recording:
        assert recording.status == "complete"
        assert len(recording.rows("runs/0001_iv-curve/points")) == 84
        report = replay_recording(recording, SilentProgress())
        assert report.identical, f"{recording.interrupted_after} {report.first_mismatch}"
    picture = shown.grab().toImage()
    colours = {
        picture.pixel(x, y) for x in range(0, picture.width(), 7) for y in range(0, picture.height(), 7)
    }
    assert picture.width() >= 1000 and len(colours) > 5


def test_abort_stops_the_run_and_keeps_what_was_measured(application, window):
    shown = window("retention", "cells[0]")
    shown.inputs.duration.setValue(1e6)
    ends = Ends(application, shown)
    shown.queue_button.click()
    ends.wait(until=lambda: points(shown) > 2)
    shown.abort_button.click()
    assert ends.wait() == ["abort_returned"]
    with Recording.open(shown.sessions[0]) as recording:
        rows = len(recording.rows("runs/0001_retention/points"))
        assert recording.status == "aborted" and 2 < rows < 60
        assert recording.interrupted_after is not None
        report = replay_recording(recording, SilentProgress())
        assert report.identical, f"{recording.interrupted_after} {report.first_mismatch}"


def test_what_exceeds_a_limit_is_not_queued(application, window, monkeypatch):
    told = []
    monkeypatch.setattr(QtWidgets.QMessageBox, "warning", lambda *words: told.append(words[-1]))
    shown = window("iv-curve", "neurons[0]")
    shown.inputs.stop_current.setValue(80e-6)
    shown.queue_button.click()
    assert len(told) == 1 and "limit of 55 uA" in told[0]
    assert not shown.sessions and not shown.manager.is_running()


@pytest.mark.parametrize("name", entry_points.names(entry_points.PROTOCOLS))
def test_every_protocol_has_a_window_with_its_settings_and_axes(window, name):
    shown = window(name, None)
    procedure = entry_points.load(entry_points.PROTOCOLS, name)
    assert set(procedure.PLOT) <= set(procedure.COLUMNS)
    headers = [headers_of(procedure)[column] for column in procedure.PLOT]
    assert [shown.plot_widget.columns_x.currentText(), shown.plot_widget.columns_y.currentText()] == headers
    assert shown.make_procedure().drift_period == 120.0


def test_without_a_display_the_command_says_so():
    hidden = {name: value for name, value in os.environ.items() if name not in DISPLAYS}
    command = [sys.executable, "-m", "labtrain", "gui", "iv-curve", "--bench", str(BENCH), "--json"]
    done = subprocess.run(command, env=hidden, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "no display" in json.loads(done.stdout.splitlines()[-1])["error"]["message"]
