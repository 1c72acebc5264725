"""PyMeasure's Keithley package is not imported whole, and yet is whole for whoever asks it for more."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEFORE = "import sys, drivers.keithley2400, drivers.keithley2450, drivers.keithley2600b\n"


@pytest.mark.parametrize(
    "then",
    [
        "assert 'pandas' not in sys.modules",
        "from pymeasure.instruments.keithley import Keithley2000, Keithley2450\n"
        "assert issubclass(drivers.keithley2450.Keithley2450, Keithley2450)",
        "import pymeasure\nassert pymeasure.instruments.keithley.Keithley2281S.__name__ == 'Keithley2281S'",
        "import pymeasure.instruments.keithley.keithley2600 as one\n"
        "assert issubclass(drivers.keithley2600b.Keithley2602B, one.Keithley2600)",
        "from pymeasure.instruments import keithley\nassert not hasattr(keithley, 'Keithley9999')",
    ],
)
def test_the_package_is_loaded_when_it_is_asked(then: str) -> None:
    done = subprocess.run([sys.executable, "-c", BEFORE + then], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
