"""Measured files of others, through the files of the command: numbers found, traps named."""

import numpy as np
import pytest

from labtrain.errors import DataError
from labtrain.kernels.memristor_sweeps import yakopcic_sweep
from labtrain.twins import fit_files, read_column_map
from labtrain.twins.csv_data import read_csv


@pytest.fixture
def folder(data_dir):
    def find(name):
        place = data_dir / "measured" / name
        if not place.is_dir():
            pytest.skip(
                f"measured data not there ({name}); set LABTRAIN_DATA to the folder that holds measured/"
            )
        return place

    return find


def plan(tmp_path, text):
    path = tmp_path / "MAP.toml"
    path.write_text(text)
    return path


SWITCHING = """
group_by = ["device_id", "direction"]
[columns]
voltage = { name = "V", unit = "V" }
width = { name = "t_p", unit = "s" }
probability = { name = "P_sw" }
trials = { name = "n_reps" }
"""


def test_an_mtj_whose_repetitions_contradict_its_steps(folder, tmp_path):
    twin = fit_files([folder("mtj_psw_0p75ns") / "device_A.csv"], columns=plan(tmp_path, SWITCHING))
    rising, falling = twin.devices["A/P->AP"], twin.devices["A/AP->P"]
    assert abs(rising.values()["v50"] - 0.896) <= 0.005 and rising.verdict == "describes"
    assert (falling.verdict, falling.better_model) == ("does-not-describe", "plateaued-logistic")
    assert "steps of 1/50" in rising.reason and "not 100" in rising.reason


CYCLING = """
group_by = ["state", "1"]
delimiter = "tab"
header = false
wide = { first = 2, labels = ["HRS", "LRS"], label = "state", value = "R" }
[columns]
resistance = { name = "R", unit = "ohm" }
"""


def test_rram_cycles_spread_as_known(folder, tmp_path):
    """Resistance, sigma of ln R from cycle to cycle and device to device: within 10 % of those stated."""
    twin = fit_files([folder("radar_rram") / "cycling-4-14-20.csv"], columns=plan(tmp_path, CYCLING))
    for state, ohms, cycles, cells in (("LRS", 4.97e3, 0.16, 0.38), ("HRS", 85e3, 0.73, 0.81)):
        found = twin.populations[state]
        assert found.devices == 76
        assert found.parameters["resistance"].median == pytest.approx(ohms, rel=0.1)
        assert found.parameters["cycle_spread"].average == pytest.approx(cycles, rel=0.1)
        assert found.parameters["resistance"].spread.value == pytest.approx(cells, rel=0.1)


SWEEP = """
[columns]
time = { name = "Smu1.Time[1][1]", unit = "s" }
voltage = { name = "Smu1.V[1][1]", unit = "V" }
current = { name = "Smu1.I[1][1]", unit = "A" }
"""
NBSTO = {2: (0, 4, 10), 3: (3, 6, 7), 4: (1, 5, 9)}
"""Numbers of the sweeps with times, by how far below zero they go in V."""


def apart(first, second, volts):
    """Median distance in decades beyond 50 mV and below the compliance's neighbourhood."""
    use = (np.abs(volts) > 0.05) & (np.abs(second) < 0.75 * np.abs(second).max())
    return float(np.median(np.abs(np.log10(np.abs(first[use] / second[use])))))


@pytest.mark.slow
@pytest.mark.parametrize("kept_out", range(3))
@pytest.mark.parametrize("depth", NBSTO)
def test_a_schottky_memristors_next_sweep(folder, tmp_path, depth, kept_out):
    columns = plan(tmp_path, SWEEP)
    paths = [folder("nbsto_iv") / f"Radius_10_um__m{depth}V_{number}.csv" for number in NBSTO[depth]]
    tables = [read_csv(path, read_column_map(columns)) for path in paths]
    time, volts, amperes = ([t[f"Smu1.{name}[1][1]"] for t in tables] for name in ("Time", "V", "I"))
    pairs = ((0, 1), (0, 2), (1, 2))
    between = np.median([apart(amperes[i], amperes[j], volts[j]) for i, j in pairs])
    seen = [path for i, path in enumerate(paths) if i != kept_out]
    twin = fit_files(seen, columns=columns, model="yakopcic").devices["device"]
    begins = np.zeros(len(time[kept_out]))
    said = yakopcic_sweep(twin.values(), volts[kept_out], time[kept_out], begins)
    assert apart(said, amperes[kept_out], volts[kept_out]) <= 1.5 * between
    assert twin.verdict == "does-not-describe"  # thirteen parameters come close, no closer than repeats show
    assert not twin.parameters["off2"].fixed  # the part that has not switched conducts by another law


def test_a_sweep_without_times_is_told(folder, tmp_path):
    path = folder("nbsto_iv") / "Radius_10_um__m3V_8.csv"
    with pytest.raises(DataError, match="Smu1.Time.* is not there .columns: V1, I1") as caught:
        read_csv(path, read_column_map(plan(tmp_path, SWEEP)))
    assert caught.value.line == 1


RETENTION = """
header = true
[columns]
current = { name = "current (A)", unit = "A" }
resistance = { name = "resistance (ohms)", unit = "ohm" }
"""


def test_an_overrange_marker_is_named_and_can_be_left_out(folder, tmp_path):
    path = next(folder("bisol_memristor_noise").glob("2023-05-12_run1_FIB3_U8_3_0*retentiondata.csv"))
    with pytest.raises(DataError, match="overrange") as caught:
        read_csv(path, read_column_map(plan(tmp_path, RETENTION)))
    assert caught.value.file == str(path) and caught.value.line > 1
    sane = 'where = { "current (A)" = { above = -1.0, below = 1.0 } }\n'
    columns = read_csv(path, read_column_map(plan(tmp_path, sane + RETENTION)))
    good = np.isfinite(columns["current (A)"])
    assert 0.05 < good.mean() < 0.1  # 93 % of the file is the marker


def test_a_number_with_a_line_break_in_its_quotes(folder, tmp_path):
    path = sorted(folder("sot_hall_switching").glob("pulse_100.0Oe_0.01s*.csv"))[0]
    text = """
    [columns]
    current = { name = "Current(mA)", unit = "mA" }
    resistance = { name = "Resistance(Ohm)", unit = "ohm" }
    """
    columns = read_csv(path, read_column_map(plan(tmp_path, text)))
    assert columns["Resistance(Ohm)"][0] == pytest.approx(1.95323978)


def test_tabs_and_a_missing_header_are_told(folder, tmp_path):
    path = folder("radar_rram") / "relaxation-prebake.csv"
    text = 'delimiter = "tab"\n[columns]\nresistance = { name = "R", unit = "ohm" }\n'
    with pytest.raises(DataError, match="header = false"):
        read_csv(path, read_column_map(plan(tmp_path, text)))


def test_duplicated_columns_are_told(folder, tmp_path):
    path = folder("cmtj_agh_ta_cofeb") / "vsd_5360_4p.csv"
    text = 'delimiter = "tab"\n[columns]\nvoltage = { name = "4pf_1.0_GHz", unit = "V" }\n'
    with pytest.raises(DataError, match="is there twice") as caught:
        read_csv(path, read_column_map(plan(tmp_path, text)))
    assert caught.value.line == 1
