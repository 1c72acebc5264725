"""Default memristors beside measured ones: the table of benchmarks/device_measured.py, read and judged."""

import importlib.util
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def rows(data_dir):
    if not (data_dir / "measured" / "radar_rram").is_dir():
        pytest.skip(f"no measured devices under {data_dir}")
    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec = importlib.util.spec_from_file_location("device_measured", BENCHMARKS / "device_measured.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["device_measured"] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCHMARKS))
    return {row.name: row for row in module.table(data_dir)}


def test_relaxation_has_the_measured_size_where_it_is_largest(rows):
    for name in ("50-100 uS, mean", "50-100 uS, spread", "100-150 uS, spread"):
        row = rows[f"relaxation, 30 min, {name}"]
        assert row.simulated == pytest.approx(row.measured, rel=0.35), row.line()


def test_relaxation_is_smaller_at_both_ends_as_measured(rows):
    for side in ("simulated", "measured"):
        spreads = [getattr(row, side) for name, row in rows.items() if name.endswith("uS, spread")]
        assert max(spreads) == spreads[1] and spreads[-1] < 0.3 * max(spreads)


def test_writes_and_reads_scatter_within_a_factor_of_two(rows):
    write = rows["write, spread"]
    assert 0.5 < write.simulated / write.measured < 2.0, write.line()
    read = rows["1T1R, reading to reading, sigma ln R"]
    assert read.simulated == pytest.approx(read.measured, rel=0.3), read.line()


def test_high_resistance_scatters_far_more_than_low_from_cycle_to_cycle(rows):
    low, high = (rows[f"cycle to cycle, {state}, sigma ln R"] for state in ("LRS", "HRS"))
    for side in ("simulated", "measured"):
        assert getattr(high, side) > 4 * getattr(low, side)
    assert 0.5 < high.simulated / high.measured < 2.0, high.line()
