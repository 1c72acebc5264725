"""Twin files, column maps and CSV data: round trips and refusals."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labtrain.errors import DataError, UsageError
from labtrain.twins import DeviceTwin, Estimate, Twin, column_map, fit_files, fit_rows, read_column_map
from labtrain.twins.csv_data import read_csv

numbers = st.floats(allow_nan=False, width=64)
names = st.text(min_size=1, max_size=12)
estimates = st.builds(
    Estimate,
    value=numbers,
    uncertainty=st.floats(min_value=0, allow_nan=False),
    unit=st.sampled_from(["V", "1/V", "ohm", ""]),
    interval=st.tuples(numbers, numbers),
    fixed=st.booleans(),
)
twins = st.builds(
    DeviceTwin,
    model=st.sampled_from(["logistic", "nano-neuron"]),
    parameters=st.dictionaries(st.sampled_from(["v50", "slope", "r_p"]), estimates),
    verdict=st.sampled_from(["describes", "does-not-describe", "insufficient"]),
    chi2_reduced=st.floats(0, 1e6),
    better_model=st.none() | st.just("plateaued-logistic"),
    reason=st.text(max_size=20),
    validity=st.dictionaries(st.just("voltage"), st.tuples(numbers, numbers, st.just("V"))),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(names, twins, max_size=2), st.lists(st.text(max_size=20), max_size=2))
def test_a_twin_file_reads_back_bit_for_bit(tmp_path, devices, sources):
    twin = Twin(devices, tuple(sources))
    assert Twin.read(twin.write(tmp_path / "t.toml", force=True)) == twin


def test_not_determined_parameters_survive_as_nan(tmp_path):
    twin = Twin(
        {"sot": DeviceTwin("logistic", {"v50": Estimate(math.nan, math.nan, "V")}, "insufficient", math.nan)}
    )
    read = Twin.read(twin.write(tmp_path / "t.toml"))
    assert math.isnan(read.devices["sot"].values()["v50"])
    assert read.describe()["sot"]["parameters"]["v50"]["value"] is None


def test_an_existing_twin_is_kept_unless_forced(tmp_path):
    path = Twin({}).write(tmp_path / "t.toml")
    with pytest.raises(UsageError, match="exists already"):
        Twin({}).write(path)
    Twin({}, ("b",)).write(path, force=True)
    assert Twin.read(path).sources == ("b",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("format = 99", "format 99"),
        ("format = 1\n[devices.a]\nmodel = 'x'", "incomplete"),
        ("not toml", "not a twin file"),
    ],
)
def test_a_file_that_is_no_twin_is_refused(tmp_path, text, words):
    path = tmp_path / "t.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=words) as caught:
        Twin.read(path)
    assert caught.value.file == str(path)
    with pytest.raises(DataError, match="no such"):
        Twin.read(tmp_path / "absent.toml")


MAP = """
group_by = ["device"]
where = { kind = "good" }
[columns]
voltage = { name = "U [mV]", unit = "mV" }
probability = { name = "P" }
trials = { name = "n" }
"""
TABLE = "device,kind,U [mV],P,n\n" + "".join(
    f"{d},{'bad' if i == 5 else 'good'},{800 + 20 * i},{p},50\n"
    for d in "AB"
    for i, p in enumerate([0, 0.02, 0.1, 0.18, 0.34, 0.9, 0.5, 0.82, 0.84, 0.98, 1])
)


def files(tmp_path, table=TABLE, plan=MAP):
    data, columns = tmp_path / "data.csv", tmp_path / "MAP.toml"
    data.write_text(table)
    columns.write_text(plan)
    return data, columns


def test_csv_with_a_map_is_fitted_in_si(tmp_path):
    data, columns = files(tmp_path)
    twin = fit_files([data], columns=columns)
    assert set(twin.devices) == {"A", "B"} and twin.sources == ("data.csv",)
    assert 0.90 < twin.devices["A"].values()["v50"] < 0.95
    assert set(fit_files([data], columns=columns, device="B").devices) == {"B"}


def test_an_unknown_device_is_refused_with_those_there_are(tmp_path):
    data, columns = files(tmp_path)
    with pytest.raises(UsageError, match="there are: A, B"):
        fit_files([data], columns=columns, device="C")
    with pytest.raises(UsageError, match="MAP.toml"):
        fit_files([data])


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (lambda t: t.replace("880,0.34", "-4.95e28,0.34", 1), 6, "overrange"),
        (lambda t: t.replace("880,0.34", "88o,0.34", 1), 6, "no number"),
        (lambda t: t.replace("880,0.34", "880", 1), 6, "4 cells where 5"),
        (lambda t: t.replace("U [mV]", "P", 1), 1, "is not there"),
        (lambda t: t.replace("kind", "P", 1), 1, "is there twice"),
        (lambda t: "", None, "is empty"),
        (lambda t: "device,kind,U [mV],P,n\n", None, "no rows"),
        (lambda t: t.replace(",", "\t"), 1, "is not there"),
        (
            lambda t: t.replace("880,0.34,50", '880,"0.34\n",50', 1).replace("920,0.5", "92o,0.5", 1),
            9,
            "no number",
        ),
    ],
)
def test_traps_in_csv_are_named_with_file_and_line(tmp_path, change, line, words):
    data, columns = files(tmp_path, change(TABLE))
    with pytest.raises(DataError, match=words) as caught:
        read_csv(data, read_column_map(columns))
    assert (caught.value.file, caught.value.line) == (str(data), line)


def test_impossible_probabilities_name_the_device(tmp_path):
    data, columns = files(tmp_path, TABLE.replace("880,0.34", "880,3.4"))
    with pytest.raises(DataError, match="device A"):
        fit_files([data], columns=columns)


@pytest.mark.parametrize(
    ("plan", "key", "words"),
    [
        ({"columns": {"voltagee": {"name": "V", "unit": "V"}}}, "columns.voltagee", "did you mean voltage"),
        ({"columns": {"voltage": {"name": "V"}}}, "columns.voltage", "unit is needed"),
        ({"columns": {"voltage": {"name": "V", "unit": "A"}}}, "columns.voltage", "no unit of voltage"),
        ({"columns": {"voltage": "V"}}, "columns.voltage", "does not name a column"),
        ({}, "columns", "needs a"),
        ({"columns": {"trials": {"name": "n"}}, "groups": []}, "groups", "did you mean group_by"),
        ({"columns": {"trials": {"name": "n"}}, "group_by": "a"}, "group_by", "list"),
    ],
)
def test_a_bad_column_map_is_refused_by_key(plan, key, words):
    with pytest.raises(UsageError, match=words) as caught:
        column_map(plan)
    assert caught.value.key == key


def test_headerless_tables_number_their_columns(tmp_path):
    data = tmp_path / "d.tsv"
    data.write_text("0.1\t1e-3\n0.2\t2e-3\n")
    plan = column_map(
        {
            "columns": {"voltage": {"name": "1", "unit": "V"}, "current": {"name": "2", "unit": "A"}},
            "delimiter": "tab",
            "header": False,
        }
    )
    assert read_csv(data, plan)["2"].tolist() == [1e-3, 2e-3]


def test_devices_with_too_little_left_are_insufficient_and_the_rest_is_fitted():
    plan = column_map(
        {
            "columns": {"voltage": {"name": "v", "unit": "V"}, "current": {"name": "i", "unit": "A"}},
            "group_by": ["device"],
            "where": {"flags": 0},
        }
    )
    current = np.tile(np.linspace(-1e-3, 1e-3, 9), 2)
    columns = {
        "device": np.repeat(np.array(["good", "dead"], dtype=object), 9),
        "i": current,
        "v": current * 1e3 + 1e-6 * np.cos(np.arange(18)),
        "flags": np.repeat([0, 1], 9),
    }
    fits = fit_rows(columns, plan, model="resistance")
    assert fits["dead"].verdict == "insufficient"
    assert fits["good"].parameters["resistance"].value == pytest.approx(1e3, rel=1e-3)
    with pytest.raises(UsageError, match="logistic"):
        fit_rows(columns, plan, model="linear")
    with pytest.raises(UsageError, match="probability"):
        fit_rows(columns, plan, model="logistic")
