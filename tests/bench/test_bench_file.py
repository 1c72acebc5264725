"""Every way a bench file can be wrong: file, line, key, what is allowed, the remedy; all in one pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from labtrain.bench import read_plan
from labtrain.errors import BenchFileError, UsageError
from labtrain.wiring import Crosspoint


def problems_of(file: Path) -> list:
    with pytest.raises(BenchFileError) as caught:
        read_plan(file)
    assert caught.value.exit_code == 2
    return caught.value.problems


def write(folder: Path, text: str, name: str = "bench.toml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


BAD = [
    # what is replaced, by what, key, words that the message and the remedy must hold
    ('model = "2450"', 'modle = "2450"', "instruments.smu.modle", ["modle", "did you mean model"]),
    ("seed = 7", "sede = 7", "sede", ["sede", "did you mean seed"]),
    ('model = "2450"', 'model = "2451"', "instruments.smu.model", ["2451", "2450"]),
    ('voltage = "0.5 V"', "voltage = 0.5", "arrays.neurons.limits.voltage", ["has no unit", "volt"]),
    ('voltage = "0.5 V"', 'voltage = "0.5"', "arrays.neurons.limits.voltage", ["has no unit", "volt"]),
    ('voltage = "0.5 V"', 'voltage = "0.5 A"', "arrays.neurons.limits.voltage", ["0.5 A", "volt"]),
    ('voltage = "0.5 V"', 'voltage = "nan V"', "arrays.neurons.limits.voltage", ["nan"]),
    ('voltage = "0.5 V"', 'voltage = "-1 V"', "arrays.neurons.limits.voltage", ["-1 V", "smallest"]),
    ('voltage = "0.5 V", ', "", "arrays.neurons.limits", ["no limit of voltage"]),
    ("mismatch = 0.05", "mismatsh = 0.05", "arrays.neurons.mismatsh", ["mismatsh", "did you mean mismatch"]),
    ("mismatch = 0.05", "mismatch = 5", "arrays.neurons.mismatch", ["out of range", "0.5"]),
    ('"mtj-neuron-pair"', '"mtj-neuron-par"', "arrays.neurons.kind", ["mtj-neuron-par", "mtj-neuron-pair"]),
    ("matrix.1,{2i}", "matrix.1,{2i+40}", "arrays.neurons.terminals.top", ["1,40", "0 to 31"]),
    ("matrix.1,{2i}", "matrix.1,{2j}", "arrays.neurons.terminals.top", ["2j", "{2i+1}"]),
    ("matrix.1,{2i}", "matrix.1,{2i+1}", "arrays.neurons.terminals.top_pair", ["both connected", "col1"]),
    ("matrix.1,{2i}", "matrx.1,{2i}", "arrays.neurons.terminals.top", ["matrx", "did you mean matrix"]),
    ("{ top = ", "{ topp = ", "arrays.neurons.terminals.topp", ["topp", "did you mean top"]),
    ('to = "matrix.row1"', 'to = "matrix.row9"', 'wires."smu.hi".to', ["row9", "rows 0 to 7"]),
    ('to = "matrix.row1"', 'to = "matix.row1"', 'wires."smu.hi".to', ["matix", "did you mean matrix"]),
    ('[wires."smu.hi"]', '[wires."smu.high"]', 'wires."smu.high"', ["smu.high", "smu.hi"]),
    ('[wires."smu.hi"]', '[wires."spu.hi"]', 'wires."spu.hi"', ["spu", "did you mean smu"]),
    ('["1 kohm", "20 kohm"]', '["20 kohm", "1 kohm"]', "arrays.neurons.expected_resistance", ["smaller"]),
    ('output_load = "50 ohm"', 'output_lode = "50 ohm"', "instruments.pulser.output_lode", ["output_load"]),
    ('output_load = "50 ohm"', "output_load = 50", "instruments.pulser.output_load", ["has no unit", "ohm"]),
    ("seed = 7", "seed = -1", "seed", ["-1", "whole number"]),
    ("seed = 7", 'mount = "usb"', "mount", ["usb", "in-process"]),
    ("count = 2", "count = 0", "arrays.neurons.count", ["0", "1"]),
    ("seed = 7", 'faults.dead = ["neurons[9]"]', "faults.dead", ["neurons[9]", "0 to 1"]),
    ("seed = 7", 'faults.dead = ["neurns"]', "faults.dead", ["neurns", "did you mean neurons"]),
    ("seed = 7", 'hazards.forbidden = ["matrix.9,1"]', "hazards.forbidden", ["9,1", "rows 0 to 7"]),
    ("seed = 7", 'environment.field = { value = "20 V" }', "environment.field.value", ["20 V", "tesla"]),
]


@pytest.mark.parametrize(
    ("old", "new", "key", "words"), BAD, ids=[f"{new[:30]}-{key}" for _, new, key, _ in BAD]
)
def test_one_thing_wrong_is_one_problem_at_its_place(
    tmp_path: Path, small: str, old: str, new: str, key: str, words: list[str]
) -> None:
    assert old in small
    text = small.replace(old, new, 1)
    file = write(tmp_path, text)
    problems = [one for one in problems_of(file) if one.key == key]
    assert problems, [str(one) for one in problems_of(file)]
    (problem, *_) = problems
    told = f"{problem.message} {problem.remedy}"
    for word in words:
        assert word in told
    assert problem.file == str(file)
    stands_at = text.splitlines()[problem.line - 1]
    last = key.replace('"', "").split(".")[-1]
    assert (new.strip("{ ")[:12] in stands_at) or last in stands_at or key.split(".")[-2] in stands_at


def test_all_problems_are_found_in_one_pass_and_nothing_else(tmp_path: Path, small: str) -> None:
    text = small
    for old, new in [
        ('model = "2450"', 'modle = "2450"'),
        ('model = "81160A"', 'model = "8116OA"'),
        ('voltage = "0.5 V"', "voltage = 0.5"),
        ("mismatch", "mismatsh"),
        ("matrix.1,20", "matrix.1,99"),
        ('to = "matrix.row1"', 'to = "matrix.row9"'),
        ("seed = 7", "sede = 7"),
    ]:
        assert old in text
        text = text.replace(old, new, 1)
    keys = sorted(one.key for one in problems_of(write(tmp_path, text)))
    assert keys == sorted(
        [
            "sede",
            "instruments.smu.model",
            "instruments.smu.modle",
            "instruments.pulser.model",
            "arrays.neurons.limits.voltage",
            "arrays.neurons.mismatsh",
            "devices.sot.terminals.top",
            'wires."smu.hi".to',
        ]
    )


def test_a_file_without_anything_says_what_is_needed(tmp_path: Path) -> None:
    told = " ".join(one.message for one in problems_of(write(tmp_path, "")))
    assert "no instruments" in told and "no devices" in told


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    (problem,) = problems_of(write(tmp_path, "seed = 1\n[instruments.smu\n"))
    assert problem.line == 2 and "TOML" in problem.message


def test_a_file_that_is_not_there_names_the_shipped_ones() -> None:
    from labtrain.errors import UsageError

    with pytest.raises(UsageError, match="demoo.*did you mean demo"):
        read_plan(Path("demoo"))


def test_include_takes_over_what_stands_there(tmp_path: Path, small: str) -> None:
    head, chip = small.split("[arrays.neurons]")
    write(tmp_path, "[arrays.neurons]" + chip, "chip7.toml")
    file = write(tmp_path, 'include = ["chip7.toml"]\n' + head)
    merged = read_plan(file)
    assert merged == read_plan(write(tmp_path, small, "whole.toml"))


def test_an_error_in_an_included_file_names_that_file(tmp_path: Path, small: str) -> None:
    head, chip = small.split("[arrays.neurons]")
    other = write(tmp_path, "[arrays.neurons]" + chip.replace("0.5 V", "0.5"), "chip7.toml")
    (problem,) = problems_of(write(tmp_path, 'include = ["chip7.toml"]\n' + head))
    assert problem.file == str(other) and problem.line == 6


def test_a_key_may_not_stand_twice(tmp_path: Path, small: str) -> None:
    write(tmp_path, '[arrays.neurons.limits]\nvoltage = "5 V"\n', "loose.toml")
    (problem,) = problems_of(write(tmp_path, 'include = ["loose.toml"]\n' + small))
    assert problem.key == "arrays.neurons.limits.voltage" and "loose.toml" in problem.message


def test_a_missing_include_is_named(tmp_path: Path, small: str) -> None:
    (problem,) = problems_of(write(tmp_path, 'include = ["chip8.toml"]\n' + small))
    assert "chip8.toml" in problem.message and problem.key == "include"


def test_the_recorded_bytes_plan_the_same_bench(tmp_path: Path, small: str) -> None:
    from labtrain.bench import bench_bytes

    head, chip = small.split("[arrays.neurons]")
    write(tmp_path, "[arrays.neurons]" + chip, "chip7.toml")
    file = write(tmp_path, 'include = ["chip7.toml"]\n' + head)
    assert read_plan(bench_bytes(file)) == read_plan(file)
    whole = write(tmp_path, small, "whole.toml")
    assert bench_bytes(whole) == whole.read_bytes()


def test_templates_number_the_crosspoints_from_zero(tmp_path: Path, small: str) -> None:
    plan = read_plan(write(tmp_path, small))
    pairs = [device.terminals for device in plan.arrays["neurons"].devices]
    assert [one["top"].crosspoint for one in pairs] == [
        Crosspoint("matrix", 1, 0),
        Crosspoint("matrix", 1, 2),
    ]
    assert [one["top_pair"].node for one in pairs] == ["matrix.col1", "matrix.col3"]


def test_shipped_benches_are_valid() -> None:
    from labtrain.bench import bench_names

    for name in bench_names():
        assert read_plan(Path(name)).instruments


def test_template_real_writes_out_every_hazard_key_and_every_limit() -> None:
    import tomllib

    from labtrain.bench import locate_bench
    from labtrain.bench.schema import HazardsTable, LimitsTable, SampleTable

    tables = tomllib.loads(locate_bench("template-real").read_text())
    assert set(tables["hazards"]) == set(HazardsTable.model_fields)
    assert set(tables["arrays"]["junctions"]["limits"]) == set(LimitsTable.model_fields)
    assert set(tables["sample"]) == set(SampleTable.model_fields)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"bench.toml": 'include = ["bench.toml"]\n'}, ["bench.toml -> bench.toml"]),
        (
            {"bench.toml": 'include = ["chip.toml"]\n', "chip.toml": 'include = ["bench.toml"]'},
            ["bench.toml -> chip.toml -> bench.toml"],
        ),
        ({"bench.toml": 'include = "chip.toml"\n', "chip.toml": ""}, ["no list of files", "chip7.toml"]),
        ({"bench.toml": "include = [3]\n"}, ["no list of files"]),
        ({"bench.toml": 'include = ["."]\n'}, ["cannot read", "directory"]),
    ],
    ids=["itself", "a circle", "a word", "a number", "a folder"],
)
def test_includes_that_cannot_be_followed(
    tmp_path: Path, small: str, files: dict[str, str], words: list[str]
) -> None:
    for name, text in files.items():
        write(tmp_path, text + (small if name == "bench.toml" else ""), name)
    with pytest.raises(UsageError) as caught:
        read_plan(tmp_path / "bench.toml")
    assert all(word in str(caught.value) for word in words)
    assert caught.value.key == "include"


def test_what_a_template_does_to_every_device_is_told_once(tmp_path: Path, small: str) -> None:
    text = small.replace("count = 2", "count = 24").replace("matrix.1,{2i}", "matrix.1,{i+40}")
    text = text.replace("matrix.1,{2i+1}", "matrix.1,{i+1}").replace("matrix.1,21", "matrix.1,30")
    problems = problems_of(write(tmp_path, text))
    told = [one for one in problems if one.key == "arrays.neurons.terminals.top"]
    assert len(told) == 1
    assert told[0].message.startswith("24 devices: there is no crosspoint 1,40 in matrix")


def test_an_unknown_table_has_its_line(tmp_path: Path, small: str) -> None:
    (problem,) = problems_of(write(tmp_path, small + '\n[instrument.extra]\nmodel = "2450"\n'))
    assert problem.key == "instrument" and problem.line == len(small.splitlines()) + 2
