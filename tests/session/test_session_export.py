"""What is exported reads back equal in the other program."""

from __future__ import annotations

import csv
import sys

import numpy as np
import pytest
from session_operations import STREAM, small_run

from labtrain.errors import UsageError
from labtrain.session import Column, Recording, Session
from labtrain.session.export import export

STEPS = {"step": Column("int64"), "fold": Column("int64"), "loss": Column()}
LOSSES = (0.1 + 0.2, float("nan"), 1e-300)


@pytest.fixture
def recording(tmp_path):
    with Session.create(tmp_path / "run.h5", start={}) as session:
        small_run(session)
        session.array("train/x/checkpoints/3/0.weight", np.linspace(0, 1, 6).reshape(2, 3))
        session.array("train/x/checkpoints/3/0.bias", np.float32([0.1, np.nan]))
        session.array("spectra/complex", np.array([1 + 2j, 3 - 4j]), "V")
        steps = session.stream("train/x/steps", STEPS, {})
        for step, loss in enumerate(LOSSES):
            steps.append({"step": step, "fold": 0, "loss": loss})
    with Recording.open(tmp_path / "run.h5") as opened:
        yield opened


def test_csv_gives_the_same_floats_and_every_message(recording, tmp_path) -> None:
    files = {path.name: path for path in export(recording, "csv", tmp_path / "csv")}
    with files["runs.0001_iv-curve.points.csv"].open(newline="") as file:
        lines = list(csv.DictReader(file))
    rows = recording.rows(STREAM).columns
    assert [float(line["volts [V]"]) for line in lines] == rows["volts"].tolist()
    assert [line["device"] for line in lines] == rows["device"].tolist()
    with files["messages.csv"].open(newline="") as file:
        messages = list(csv.DictReader(file))
    told = [line["command"].encode().decode("unicode_escape").encode("latin-1") for line in messages]
    assert told == recording.transactions().commands()


def test_netcdf_opens_in_xarray_with_units(recording, tmp_path) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    (path,) = export(recording, "netcdf", tmp_path / "nc")
    rows = recording.rows(STREAM)
    with xarray.open_dataset(path, group=STREAM, engine="h5netcdf") as data:
        assert data["volts"].attrs == {"units": "V", "long_name": "Voltage"}
        for name, column in rows.columns.items():
            assert data[name].values.tolist() == column.tolist()
    with xarray.open_dataset(path, group="spectra", engine="h5netcdf") as data:
        assert (data["complex.real"].values + 1j * data["complex.imag"].values == [1 + 2j, 3 - 4j]).all()


def test_pandas_gets_the_same_bits(recording, tmp_path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    files = {path.name: path for path in export(recording, "pandas", tmp_path / "pd")}
    frame = pandas.read_parquet(files["train.x.steps.parquet"])
    assert frame["loss"].to_numpy().tobytes() == np.array(LOSSES).tobytes()
    assert pandas.read_parquet(files["runs.0001_iv-curve.points.parquet"]).attrs["units"]["volts"] == "V"


def test_a_checkpoint_opens_with_torch_as_it_comes(recording, tmp_path) -> None:
    torch = pytest.importorskip("torch")
    (path,) = export(recording, "checkpoint", tmp_path / "pt")
    found = torch.load(path)  # the default: weights only, nothing is executed
    assert (found["uuid"], found["run"], found["checkpoint"]) == (recording.uuid, "train/x", "3")
    for name, tensor in found["model"].items():
        assert tensor.numpy().tobytes() == recording.array(f"train/x/checkpoints/3/{name}").tobytes()


def test_tensorboard_gets_every_finite_number_at_its_step(recording, tmp_path) -> None:
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto.event_pb2 import Event

    (path,) = export(recording, "tensorboard", tmp_path / "tb")
    points = []
    data = path.read_bytes()
    while data:  # length 8, its checksum 4, event, its checksum 4
        length = int.from_bytes(data[:8], "little")
        event = Event.FromString(data[12 : 12 + length])
        points += [(value.tag, event.step, value.simple_value) for value in event.summary.value]
        data = data[16 + length :]
    assert points == [("train/x/steps/loss/fold_0", step, float(np.float32(LOSSES[step]))) for step in (0, 2)]


def test_a_missing_package_says_what_to_install(recording, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(UsageError, match="tensorboardX.*pip install tensorboardX"):
        export(recording, "tensorboard", tmp_path / "tb")
    assert not (tmp_path / "tb").exists()


def test_an_unknown_kind_and_a_folder_that_exists_are_refused(recording, tmp_path) -> None:
    with pytest.raises(UsageError, match="allowed: .*csv"):
        export(recording, "xlsx", tmp_path / "x")
    (tmp_path / "csv").mkdir()
    with pytest.raises(UsageError, match="--force"):
        export(recording, "csv", tmp_path / "csv")
    assert export(recording, "csv", tmp_path / "csv", force=True)


def test_a_session_without_checkpoints_says_so(tmp_path) -> None:
    with Session.create(tmp_path / "run.h5", start={}) as session:
        small_run(session)
    with Recording.open(tmp_path / "run.h5") as recording:
        with pytest.raises(UsageError, match="nothing to export as checkpoint"):
            export(recording, "checkpoint", tmp_path / "pt")
    assert not (tmp_path / "pt").exists()
