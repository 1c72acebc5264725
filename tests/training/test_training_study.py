"""``labtrain study``: the grid, cells that are resumed and reused, failures, the table and the figure."""

from __future__ import annotations

import csv
import json
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labtrain.cli.app import app
from labtrain.cli.study_cells import (
    Cell,
    Outcome,
    Study,
    cells_of,
    in_processes,
    parse_grid,
    recorded_result,
    run_cell,
    run_cells,
)
from labtrain.cli.study_figure import Layout, draw_figure, numbers_of
from labtrain.cli.study_table import write_table
from labtrain.errors import UsageError
from labtrain.progress import SilentProgress

COMMON = {"epochs": "1", "folds": "2", "hidden": "2"}


def study_in(folder: Path, **changes) -> Study:
    return Study("iris-afd", folder, **changes)


def cell(mismatch: str = "0.05", seed: int = 0) -> Cell:
    (found,) = [one for one in cells_of({"mismatch": [mismatch]}, COMMON, seed + 1) if one.seed == seed]
    return found


def test_the_grid_is_every_combination_and_seed():
    axes = parse_grid(["hidden=8, 4x4", "delta_current=1uA"])
    assert axes == {"hidden": ["8", "4x4"], "delta_current": ["1uA"]}
    cells = cells_of(axes, {"epochs": "2"}, 2)
    assert [cell.name for cell in cells] == [
        f"hidden={hidden}, delta_current=1uA, seed {seed}" for hidden in ("8", "4x4") for seed in (0, 1)
    ]
    assert all(("epochs", "2") in cell.settings for cell in cells)


@pytest.mark.parametrize("bad", [["mismatch"], ["=1"], ["mismatch=0.1,"], ["a=1", "a=2"]], ids=str)
def test_a_grid_that_is_none_is_refused(bad):
    with pytest.raises(UsageError, match="--grid"):
        parse_grid(bad)


def test_a_setting_both_set_and_in_the_grid_is_refused():
    with pytest.raises(UsageError, match="is set and in the grid"):
        cells_of({"epochs": ["1"]}, {"epochs": "2"}, 1)


def test_a_cell_that_is_recorded_is_not_run_again(tmp_path):
    study, one = study_in(tmp_path, baseline=False), cell()
    assert recorded_result(study, one) is None
    result = run_cell(study, one)
    kept = recorded_result(study, one)
    assert kept["accuracies"] == result["accuracies"]
    before = one.path(study).stat().st_mtime_ns
    (outcome,) = run_cells(study, [one], partial(in_processes, workers=1), SilentProgress())
    assert outcome.result == kept and one.path(study).stat().st_mtime_ns == before
    # Another seed, another setting, another baseline: another file.
    others = {cell(seed=1).path(study), cell("0.1").path(study), one.path(study_in(tmp_path))}
    assert len(others | {one.path(study)}) == 4


def test_a_damaged_session_counts_as_no_result(tmp_path):
    study = study_in(tmp_path)
    cell().path(study).write_bytes(b"no session")
    assert recorded_result(study, cell()) is None


def test_table_and_figure_of_cells_some_of_which_failed(tmp_path):
    axes = {"mismatch": ["0.05", "0.1"], "delta_current": ["500nA", "1uA"]}
    cells = cells_of(axes, {}, 2)
    outcomes = [
        Outcome(one, None, "failed")
        if place == 0
        else Outcome(
            one, {"accuracy": 90.0 + place, "baseline_accuracy": 95.0, "ledger": {"write_ratio": 0.5}}
        )
        for place, one in enumerate(cells)
    ]
    lines = write_table(outcomes, tmp_path / "t.csv")
    draw_figure(lines, axes, tmp_path / "f.png")
    with (tmp_path / "t.csv").open() as file:
        read = list(csv.DictReader(file))
    assert [(row["mismatch"], row["delta_current"], row["seeds"]) for row in read][:2] == [
        ("0.05", "500nA", "1"),
        ("0.05", "1uA", "2"),
    ]
    assert (float(read[0]["accuracy"]), read[0]["accuracy_deviation"]) == (91.0, "")
    assert float(read[1]["accuracy"]) == 92.5
    assert float(read[1]["accuracy_deviation"]) == pytest.approx(0.5**0.5)
    assert float(read[3]["write_ratio"]) == 0.5
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_a_grid_of_any_number_of_axes_is_drawn_with_every_place_told_apart(tmp_path, count):
    axes = {f"axis_{k}": ["1uA", "2uA", "9uA"][: 2 + (k == 1)] for k in range(count)}
    layout = Layout.of(axes)
    assert layout.along == ("axis_1" if count > 1 else "axis_0")
    told = {layout.along, layout.colours, layout.columns} | {name for name, _ in layout.styles[0]}
    assert told - {None} == set(axes)
    lines = [
        dict(zip(axes, place, strict=True)) | {"accuracy": 90.0 + len(place[0]), "baseline_accuracy": 91.0}
        for place in product(*axes.values())
    ]
    draw_figure(lines, axes, tmp_path / "f.png")
    assert (tmp_path / "f.png").stat().st_size > 10_000


def test_quantities_are_drawn_at_their_values_and_words_at_their_places():
    assert numbers_of(["500nA", "1uA"]) == pytest.approx([5e-7, 1e-6])
    assert numbers_of(["pair", "exact"]) == [0.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["iris-afd", "--grid", "mismatsch=0.1"], "mismatch"),
        (["iris-afd", "--grid", "mismatch=7"], "mismatch"),
        (["iris-adf", "--grid", "mismatch=0.1"], "iris-afd"),
        (["iris-afd", "--grid", "mismatch=0.1", "--scheduler", "dask:8786"], "tls://"),
        (["iris-afd", "--grid", "mismatch=0.1", "--scheduler", "tcp://192.0.2.7:8786"], "encrypted"),
    ],
    ids=str,
)
def test_bad_usage_runs_nothing(arguments, what, tmp_path):
    done = CliRunner().invoke(app, ["study", *arguments, "--out", str(tmp_path / "s"), "--json"])
    error = json.loads(done.stdout.strip().splitlines()[-1])
    assert (done.exit_code, error["exit"]) == (2, 2)
    assert what in json.dumps(error)
    assert not (tmp_path / "s").exists()


@pytest.mark.slow
def test_a_study_from_the_command_line(tmp_path):
    arguments = [
        "study",
        "iris-afd",
        "--grid",
        "mismatch=0.05,0.1",
        "--seeds",
        "1",
        "--workers",
        "2",
        "--json",
    ]
    settings = [part for name, value in COMMON.items() for part in ("--set", f"{name}={value}")]
    done = CliRunner().invoke(app, [*arguments, *settings, "--out", str(tmp_path)])
    fields = json.loads(done.stdout.strip().splitlines()[-1])
    assert (done.exit_code, fields["cells"], fields["failed"]) == (0, 2, 0)
    assert Path(fields["table"]).exists() and Path(fields["figure"]).exists()
