"""Populations: the spread of devices apart from the uncertainty of their fits."""

import math
import tomllib

import numpy as np
import pytest
from scipy import stats

from labtrain import noise
from labtrain.twins import DeviceTwin, Estimate, Twin
from labtrain.twins.spread import kind_of, spread_of


def devices(seed, count=12, spread=0.05, error=0.02):
    xi, e = (noise.normal(seed, noise.stream(f"spread/{what}"), 0, np.arange(count)) for what in "xe")
    values = np.exp(math.log(4e3) + spread * xi + error * e)
    return [Estimate(value, error * value, "ohm") for value in values.tolist()]


def test_mean_and_spread_are_covered_and_apart_from_the_errors():
    fits, covered = 200, {"mean": 0, "spread": 0}
    spreads = []
    for seed in range(fits):
        found = spread_of(devices(seed))
        assert found.relative
        spreads.append(found.spread.value)
        for name, truth, estimate in (("mean", 4e3, found.mean), ("spread", 0.05, found.spread)):
            covered[name] += estimate.interval[0] <= truth <= estimate.interval[1]
    assert min(covered.values()) >= stats.binom.ppf(1e-4, fits, 0.93), covered
    # the raw scatter would be hypot(0.05, 0.02) = 0.054; the mean of 200 spreads is known to 1.6 %
    assert np.mean(spreads) == pytest.approx(0.05, rel=0.06)


def test_equal_devices_have_no_spread():
    """Where devices differ by no more than their errors, zero is in the interval about always."""
    zero = sum(spread_of(devices(seed, spread=0.0)).spread.interval[0] == 0 for seed in range(40))
    assert zero >= stats.binom.ppf(1e-4, 40, 0.95)


def test_values_of_both_signs_spread_in_their_unit():
    values = [Estimate(v, 1e-4, "V") for v in (-2e-3, 1e-3, 4e-3, -1e-3)]
    found = spread_of(values)
    assert not found.relative and found.mean.unit == "V"
    assert found.spread.value == pytest.approx(np.std([-2e-3, 1e-3, 4e-3, -1e-3], ddof=1), rel=0.01)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("neurons[3]/top", "neurons/top"),
        ("sot/P->AP", "sot/P->AP"),
        ("LRS/121.000", "LRS"),
        ("7", "devices"),
    ],
)
def test_devices_of_one_kind(name, kind):
    assert kind_of(name) == kind


def test_the_twin_file_holds_the_population(tmp_path):
    cells = {
        f"cells[{i}]/top": DeviceTwin("write-noise", {"resistance": e}, "describes", 1.0)
        for i, e in enumerate(devices(1))
    }
    broken = DeviceTwin("write-noise", {"resistance": Estimate(1e9, 1e7, "ohm")}, "does-not-describe", 50.0)
    twin = Twin(cells | {"cells[12]/top": broken})
    data = tomllib.loads(twin.write(tmp_path / "t.toml").read_text())
    found = data["populations"]["cells/top"]
    assert (found["devices"], found["described"], found["basis"]) == (13, 12, "described")
    assert found["parameters"]["resistance"]["mean"] == pytest.approx(4e3, rel=0.1)
    assert Twin.read(tmp_path / "t.toml").populations["cells/top"].described == 12
