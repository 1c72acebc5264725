"""Quantities at the edges and limits at terminals, as laws."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labtrain.errors import LimitExceeded, UsageError
from labtrain.limits import Limits, tightest
from labtrain.units import format_quantity, parse_quantity

finite = st.floats(allow_nan=False, allow_infinity=False, min_value=1e-14, max_value=1e9)
limit_values = st.floats(min_value=0, allow_nan=False)
limits = st.builds(Limits, **{f.name: limit_values for f in fields(Limits)})


@given(finite)
def test_formatted_quantities_read_back(value: float) -> None:
    assert parse_quantity(format_quantity(value, "V"), "volt") == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("text", ["0.5", "0.5 A", "half a volt", "", "nan V", "inf V", "0.5 V V", "1e999 V"])
def test_what_is_no_voltage_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_quantity(text, "volt")


def test_bare_numbers_are_si_only_where_asked() -> None:
    assert parse_quantity("0.8", "volt", bare_is_si=True) == 0.8
    assert parse_quantity("20ns", "second") == pytest.approx(20e-9)
    assert parse_quantity("0.05", "dimensionless") == 0.05


@given(st.lists(limits, min_size=1), st.floats(allow_nan=True))
def test_the_tightest_of_several_accepts_what_all_accept(several: list[Limits], value: float) -> None:
    def accepts(limit: Limits) -> bool:
        try:
            limit.check("voltage", value, what="level", where="top")
        except LimitExceeded:
            return False
        return True

    assert accepts(tightest(several)) == all(accepts(limit) for limit in several)


def test_nan_is_never_within_a_limit() -> None:
    with pytest.raises(LimitExceeded, match="nothing was sent"):
        Limits().check("current", math.nan, what="level", where="top")


def test_nothing_limited_limits_nothing() -> None:
    assert tightest([]) == Limits()


@pytest.mark.parametrize("number", ["60", "30", "55", "0.3", "2.1", "7", "123.456"])
@pytest.mark.parametrize(
    ("prefix", "power"), [("p", -12), ("n", -9), ("u", -6), ("m", -3), ("k", 3), ("M", 6)]
)
def test_a_prefix_gives_the_number_that_one_would_write(number: str, prefix: str, power: int) -> None:
    """Else a limit of "60 uA" refuses 60e-6."""
    assert parse_quantity(f"{number} {prefix}A", "ampere") == float(f"{number}e{power}")
