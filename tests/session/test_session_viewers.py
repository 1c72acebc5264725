"""Viewers open what is sealed: silx finds valid NXdata, and so does the walk that every NeXus viewer does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from labtrain.cli.recorded import Order, record
from labtrain.cli.steps import protocol_step, train_step
from labtrain.progress import SilentProgress
from labtrain.session import Column, Recording, Session, annotate
from labtrain.units import registry

STEPS = [
    protocol_step("iv-curve", "neurons[0]", {"points": "5"}, 1),
    protocol_step("contact-check", "sot", {}, 2),
    train_step("iris-afd", None, {"epochs": "1", "folds": "2"}, baseline=False),
]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("viewed") / "run.h5"
    return record(Order("demo", STEPS, 3, Path("demo"), out=path), SilentProgress()).session


@pytest.fixture
def file(sealed: Path) -> Iterator[h5py.File]:
    with h5py.File(sealed, "r") as opened:
        yield opened


def plots(file: h5py.File) -> list[h5py.Group]:
    """Every group that says it can be plotted."""
    found: list[h5py.Group] = []
    file.visititems(lambda name, item: found.append(item) if item.attrs.get("NX_class") == "NXdata" else None)
    return found


def test_every_plot_has_its_signal_and_axes_with_units(file: h5py.File) -> None:
    assert len(plots(file)) >= 4
    for group in plots(file):
        signal = group[group.attrs["signal"]]
        axes = [group[name] for name in group.attrs["axes"]]
        assert signal.ndim == len(axes) == 1 and axes[0].shape == signal.shape
        for dataset in (signal, *axes):
            assert dataset.dtype.kind in "iuf" and dataset.attrs["long_name"]
            registry().parse_units(dataset.attrs["units"])


def test_defaults_lead_from_the_root_to_the_first_measurement(file: h5py.File) -> None:
    place, classes = file, []
    while "default" in place.attrs:
        place = place[place.attrs["default"]]
        classes.append(place.attrs["NX_class"])
    assert classes == ["NXentry", "NXsubentry", "NXdata"] and place.name == "/runs/0001_iv-curve/points"


def test_every_column_and_time_has_a_unit(file: h5py.File) -> None:
    """An empty unit is a number; no dataset of a stream leaves it open."""
    for group in plots(file):
        for name, dataset in group.items():
            assert isinstance(dataset.attrs["units"], str), name
    for name in ("t_ns", "dt_ns"):
        assert file[f"instruments/transactions/index/{name}"].attrs["units"] == "ns"


def test_silx_reads_and_plots_it(sealed: Path) -> None:
    nxdata = pytest.importorskip("silx.io.nxdata", reason="silx is not installed (pip install silx)")
    with h5py.File(sealed, "r") as file:
        default = nxdata.get_default(file)
        assert default is not None and default.is_valid and default.is_curve
        assert default.group.name == "/runs/0001_iv-curve/points"
        assert default.axes_names and default.signal.shape == default.axes[0].shape
        for group in plots(file):
            assert nxdata.is_valid_nxdata(group), group.name


VIEWER = """
import sys, h5py
with h5py.File(sys.argv[1], "r") as file:
    print(len(file["runs"]), flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("locking", ["", "FALSE"])
def test_a_file_open_in_a_viewer_is_read_noted_and_replaced(tmp_path: Path, locking: str) -> None:
    """HDF5 locks files that it opens; on file systems without locks viewers are started without."""
    path = tmp_path / "run.h5"
    with Session.create(path, start={}) as session:
        session.stream("runs/x/points", {"v": Column(unit="V")}, {}).append({"v": 1.0})
    environment = {**os.environ, **({"HDF5_USE_FILE_LOCKING": locking} if locking else {})}
    with subprocess.Popen(
        [sys.executable, "-c", VIEWER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as viewer:
        assert viewer.stdout.readline() == b"1\n"
        with Recording.open(path) as recording:
            assert np.array_equal(recording.rows("runs/x/points").columns["v"], [1.0])
        annotate(path, "noted while a viewer had it open")
        with Recording.open(path) as recording:
            assert recording.notes == ["noted while a viewer had it open"]
        with Session.create(path, start={}, force=True) as session:
            session.note("in its place")
        viewer.communicate(b"\n")
    with Recording.open(path) as recording:
        assert recording.notes == ["in its place"]


def test_without_locks_of_the_file_system_a_session_is_still_written_and_read(tmp_path: Path) -> None:
    """HDF5_USE_FILE_LOCKING=FALSE, as on NFS; our own locks are advisory and asked of the journal only."""
    program = (
        "from pathlib import Path; from labtrain.session import Session, Recording\n"
        "with Session.create(Path('run.h5'), start={}) as s: s.note('x')\n"
        "with Recording.open(Path('run.h5')) as r: print(r.notes)"
    )
    environment = {**os.environ, "HDF5_USE_FILE_LOCKING": "FALSE"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "['x']", done.stderr
