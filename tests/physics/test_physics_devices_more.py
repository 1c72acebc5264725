"""Diode, filament, 1/f noise, pulses of any height, crossbar edges, vector kernels, tables of devices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from labtrain import noise
from labtrain.errors import DataError, UsageError
from labtrain.kernels.flicker import read_deviations
from labtrain.kernels.vectors import exponentials, logarithms
from labtrain.physics import diode, filament, memristor
from labtrain.physics.crossbar import Crossbar
from labtrain.physics.flicker import OCTAVES_A_DECADE, flicker
from labtrain.populations import draw
from labtrain.populations.table import read_population
from labtrain.twins import DeviceTwin, Estimate, Twin
from labtrain.twins.population import population_of

CELL = draw("memristor", 1, 1).cell(0)


@given(st.floats(-1e-9, 1e-2), st.floats(-1e-9, 1e-2))
def test_a_diode_s_voltage_solves_its_equation_and_rises(one, other):
    parameters = draw("diode", 1, 1).cell(0)
    thermal = parameters["ideality"] * diode.BOLTZMANN_VOLTS * parameters["kelvin"]
    v = diode.junction_voltage(parameters, np.array([one, other]))
    current = parameters["saturation_current"] * np.expm1(v / thermal) + v / parameters["r_shunt"]
    np.testing.assert_allclose(current, [one, other], rtol=1e-9, atol=1e-21)
    low, high = sorted((one, other))
    assert diode.voltage(parameters, np.array(low)) <= diode.voltage(parameters, np.array(high))


@pytest.mark.parametrize("amperes", [-5e-10, 1e-10, 1e-6, 1e-3])
def test_a_diode_s_slope_is_its_derivative(amperes):
    parameters, step = draw("diode", 1, 1).cell(0), 1e-4 * abs(amperes)
    ends = diode.voltage(parameters, np.array([amperes + step, amperes - step]))
    assert diode.slope(parameters, np.array(amperes)) == pytest.approx(
        (ends[0] - ends[1]) / (2 * step), rel=1e-5
    )


def test_a_filament_sets_resets_and_stays_inside_its_gap():
    gaps = [np.array(1.5e-9)]
    for volts in (1.4, 1.4, -1.6, -1.6, 0.05):
        gaps.append(filament.gap_after(filament.HFOX, gaps[-1], np.array(volts), 1e-6))
    assert gaps[2] <= gaps[1] < gaps[0] and gaps[4] >= gaps[3] > gaps[2]
    assert all(filament.HFOX["g_min"] <= gap <= filament.HFOX["g_max"] for gap in gaps)
    assert gaps[5] == pytest.approx(gaps[4], rel=1e-3)  # a read disturbs little
    currents = filament.current(filament.HFOX, np.array(gaps[2:4]), np.array(0.1))
    assert currents[0] > 3 * currents[1] > 0
    back = filament.current(filament.HFOX, gaps[2], np.array([-0.3, 0.3]))
    assert back[0] == pytest.approx(-back[1])


@given(
    siemens=st.floats(4e-6, 225e-6),
    volts=st.floats(-2.0, 2.0),
    widths=st.tuples(st.floats(1e-9, 1e-4), st.floats(1e-9, 1e-4)),
    xi=st.floats(-8, 8),
)
def test_pulses_add_stay_inside_and_go_the_right_way(siemens, volts, widths, xi):
    one = memristor.pulsed(CELL, siemens, volts, widths[0], xi)
    two = memristor.pulsed(CELL, one, volts, widths[1], xi)
    assert two == pytest.approx(memristor.pulsed(CELL, siemens, volts, sum(widths), xi), rel=1e-9)
    assert CELL["g_min"] * (1 - 1e-12) <= one <= CELL["g_max"] * (1 + 1e-12)
    assert (one - siemens) * np.sign(volts) >= -1e-18
    if abs(volts) <= CELL["v_threshold"]:
        assert one == pytest.approx(siemens, rel=1e-15)


def test_the_reference_pulse_is_a_small_soft_bounds_step():
    small = CELL | {"step_up": 1e-8, "step_down": 1e-8}
    for volts in (CELL["v_pulse"], -CELL["v_pulse"]):
        stepped = memristor.soft_bounds_step(small, 1e-4, np.sign(volts), 0.7) - 1e-4
        pulsed = memristor.pulsed(small, 1e-4, volts, CELL["t_pulse"], 0.7) - 1e-4
        assert pulsed == pytest.approx(stepped, rel=1e-3)


def test_read_noise_kernel_is_the_plain_sum():
    cells, first = np.arange(4), np.array([0, 3, 1000, 2**33])
    white, pink = np.array([0.003, 0.0, 0.01, 0.003]), np.array([0.002, 0.01, 0.0, 0.005])
    got = read_deviations(white, pink, 7, (1, 2), cells, first, 40)
    k = first + np.arange(40)[:, None]
    expected = white * noise.normal(7, 1, cells, k) + pink * flicker(7, 2, cells, k)
    np.testing.assert_allclose(got, expected, atol=1e-15)


def test_flicker_has_equal_power_in_every_decade():
    """Mean spectrum of 200 cells: S f within 12 % of its mean over three decades, variance 1 a decade."""
    count, length = 200, 2**14
    traces = read_deviations(
        np.zeros(count), np.ones(count), 3, (1, 2), np.arange(count), np.zeros(count, np.int64), length
    )
    frequencies, power = signal.periodogram(traces, axis=0)
    flat = (power.mean(axis=1) * frequencies)[1:]
    edges = np.searchsorted(frequencies[1:], np.geomspace(2e-4, 0.2, 7))
    bands = np.array([flat[a:b].mean() for a, b in zip(edges, edges[1:], strict=False)])
    assert np.all(np.abs(bands / bands.mean() - 1) < 0.12)
    assert bands.mean() * np.log(10) == pytest.approx(1.0, rel=0.15)
    assert flicker(3, 2, 0, np.arange(8), octaves=1).var() < 8 / OCTAVES_A_DECADE


@given(rows=st.integers(1, 9), columns=st.integers(1, 9), seed=st.integers(0, 99))
def test_a_crossbar_s_edges_carry_what_the_whole_solve_says(rows, columns, seed):
    cells = 4e-6 + 2e-4 * noise.uniform(seed, 1, np.arange(rows * columns).reshape(rows, columns), 0)
    volts = noise.normal(seed, 2, np.arange(rows), np.arange(3)[:, None])
    crossbar = Crossbar(cells, segment_ohms=3.0, driver_ohms=20.0, sense_ohms=40.0)
    _, column_volts = crossbar.node_voltages(volts)
    np.testing.assert_allclose(crossbar.multiply(volts), column_volts[:, -1] / 40.0, rtol=1e-9, atol=1e-15)


def test_vector_exponential_and_logarithm_are_within_two_units_in_the_last_place():
    x = 1400 * noise.uniform(1, 1, 0, np.arange(40_000)) - 700
    for kernel, reference, values in (
        (exponentials, np.exp, x),
        (logarithms, np.log, np.exp(x)),
        (logarithms, np.log, 1 + x * 1e-6),
    ):
        got = values.copy()
        kernel(got)
        expected = reference(values)
        assert np.max(np.abs(got - expected) / np.spacing(np.abs(expected))) <= 2.0


def _twin(**devices):
    def estimate(value):
        return Estimate(value, 0.01 * value, "", (value, value))

    return Twin(
        {
            name.replace("_", "/"): DeviceTwin(
                model, {key: estimate(value) for key, value in values.items()}, "describes", 1.0
            )
            for name, (model, values) in devices.items()
        }
    )


def test_twins_make_populations_of_what_was_fitted():
    twin = _twin(a=("nano-neuron", {"r_p": 4e3, "w": 3e-6}), b=("nano-neuron", {"r_p": 5e3, "i50": 2e-5}))
    population = population_of(twin, 3, array="neurons")
    np.testing.assert_array_equal(population.parameters["r_p"], [4e3, 5e3])
    np.testing.assert_array_equal(population.parameters["i50"], [30e-6, 2e-5])  # the first takes the default
    assert population.array == "neurons" and len(population_of(twin, 3, devices=["b"])) == 1
    with pytest.raises(UsageError, match="no device"):
        population_of(twin, 3, devices=["c"])
    mixed = _twin(a=("nano-neuron", {"r_p": 4e3}), b=("resistance", {"resistance": 1e3}))
    with pytest.raises(UsageError, match="make no population"):
        population_of(mixed, 3)


def test_switching_fits_make_switches():
    up, down = {"v50": 0.6, "slope": 40.0}, {"v50": -0.65, "slope": -30.0}
    twin = Twin(
        {
            "sot/P->AP": _twin(x=("logistic", up)).devices["x"],
            "sot/AP->P": _twin(x=("logistic", down)).devices["x"],
        }
    )
    cell = population_of(twin, 1, settings={"t_ref": 10e-9}).cell(0)
    assert (cell["v50_p_ap"], cell["v50_ap_p"], cell["t_ref"]) == (0.6, 0.65, 10e-9)
    with pytest.raises(UsageError, match="make no device"):
        population_of(Twin({"sot/P->AP": twin.devices["sot/P->AP"]}), 1)
    with pytest.raises(UsageError, match="pulse width"):
        population_of(twin, 1)
    with pytest.raises(UsageError, match="outside"):
        population_of(twin, 1, settings={"t_ref": 1.0})
    with pytest.raises(UsageError, match="given by the twin"):
        population_of(twin, 1, settings={"t_ref": 10e-9, "v50_p_ap": 0.5})


def test_a_table_gives_every_cell_its_own_parameters(tmp_path):
    path = tmp_path / "chip.toml"
    path.write_text(
        'model = "sot-mtj"\n[parameters]\nv50_p_ap = ["0.62 V", "600 mV"]\nr_line = "776 ohm"\ntmr0 = 1.1\n'
    )
    population = read_population(path, 4, "sot")
    np.testing.assert_allclose(population.parameters["v50_p_ap"], [0.62, 0.6])
    np.testing.assert_array_equal(population.parameters["r_line"], [776.0, 776.0])
    assert population.cell(0)["v50_ap_p"] == 0.934 and population.array == "sot"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('model = "sot"', "model"),
        ('model = "resistor"\n[parameters]\nresistence = "1 ohm"', "resistence"),
        ('model = "resistor"\n[parameters]\nresistance = "1 V"', "resistance"),
        ('model = "sot-mtj"\n[parameters]\nr_line = ["1 ohm", "2 ohm"]\nr_p = ["1 ohm"]', "r_p"),
        ("model =", None),
    ],
)
def test_tables_that_describe_nothing_are_refused_naming_the_key(tmp_path, text, key):
    path = tmp_path / "chip.toml"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_population(path, 4)
    assert caught.value.key == key and caught.value.file == str(path)
