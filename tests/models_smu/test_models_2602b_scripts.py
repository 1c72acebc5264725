"""Scripts on the virtual 2602B: functions of one's own, formatted text, the sweeps that it brings along."""

from __future__ import annotations

import pytest
from models_smu_bench import Meters


class Duo:
    """The 2602B of a bench."""

    def __init__(self) -> None:
        self._meters = Meters()

    def ask(self, chunk: str) -> str:
        return self._meters.ask("k2602", chunk)


@pytest.fixture
def bench() -> Duo:
    return Duo()


FUNCTIONS = [
    ("function f(x) return 2 * x end print(f(21))", "4.20000e+01"),
    ("function f(a, b) return b, a end print(f(1, 2))", "2.00000e+00\t1.00000e+00"),
    ("function f(a, b) print(a, b) end f(1)", "1.00000e+00\tnil"),
    ("f = function () return 'x' end print(f())", "x"),
    (
        "local function fact(n) if n <= 1 then return 1 end return n * fact(n - 1) end print(fact(5))",
        "1.20000e+02",
    ),
    ("t = {} function t.go(x) return x + 1 end print(t.go(1))", "2.00000e+00"),
    ("local n = 1 function up() n = n + 1 return n end up() print(up(), n)", "3.00000e+00\t3.00000e+00"),
    ("x = 1 function f() local x = 2 return x end print(f(), x)", "2.00000e+00\t1.00000e+00"),
    ("function f() for i = 1, 9 do if i == 3 then return i end end end print(f())", "3.00000e+00"),
    ("print(type(function () end))", "function"),
    ("print(1) return print(2)", "1.00000e+00\n2.00000e+00"),
    ('print(string.format("%5.2f|%d|%s|%%", 1.234, 7, "a"))', " 1.23|7|a|%"),
    ("print(string.len('abc'), string.upper('ab'))", "3.00000e+00\tAB"),
]


@pytest.mark.parametrize(("chunk", "printed"), FUNCTIONS)
def test_functions_of_ones_own(bench: Duo, chunk: str, printed: str) -> None:
    assert bench.ask(chunk) == printed
    assert bench.ask("print(errorqueue.count)") == "0.00000e+00"


def test_a_function_stays_from_message_to_message(bench: Duo) -> None:
    bench.ask("function read(smu, volts) smu.source.levelv = volts return smu.measure.v() end")
    bench.ask("smua.source.output = 1")
    assert float(bench.ask("print(read(smua, 0.25))")) == pytest.approx(0.25, abs=2e-3)


@pytest.mark.parametrize(
    ("chunk", "code"),
    [
        ("function f() return f() end f()", -286),
        ("function f() while true do end end f()", -286),
        ("function f() break end f()", -286),
        ("function print() end", -286),
        ("function f(x", -285),
        ("function f() return 1 print(2) end", -285),
        ("function f(...) end", -285),
        ("f = function g() end", -285),
        ("print(string.format('%y', 1))", -286),
        ("print(string.format('%d', 0/0))", -286),
    ],
)
def test_what_is_wrong_with_a_function_is_reported(bench: Duo, chunk: str, code: int) -> None:
    bench.ask(chunk)
    assert float(bench.ask("print(errorqueue.next())").split()[0]) == code


def column(bench: Duo, name: str) -> list[float]:
    text = bench.ask(f"printbuffer(1, smua.nvbuffer1.n, smua.nvbuffer1.{name})")
    return [float(value) for value in text.split(",")]


@pytest.mark.parametrize(
    ("sweep", "levels"),
    [
        ("SweepVLinMeasureI(smua, 0, 0.4, 0.001, 5)", [0.0, 0.1, 0.2, 0.3, 0.4]),
        ("SweepVLogMeasureI(smua, 0.01, 1, 0.001, 3)", [0.01, 0.1, 1.0]),
        ("SweepVListMeasureI(smua, {0.3, 0.1, 0.2}, 0.001, 2)", [0.3, 0.1]),
        ("SweepILinMeasureV(smua, 0, 2e-5, 0.001, 3)", [0.0, 1e-5, 2e-5]),
    ],
)
def test_the_sweeps_that_it_brings_along(bench: Duo, sweep: str, levels: list[float]) -> None:
    bench.ask("smua.source.limiti = 1e-3 smua.source.limitv = 5 smua.source.output = 1")
    bench.ask(sweep)
    assert bench.ask("print(errorqueue.count)") == "0.00000e+00"
    assert column(bench, "sourcevalues") == pytest.approx(levels)
    scale = 1e-4 if "MeasureI" in sweep else 1e4
    assert column(bench, "readings") == pytest.approx(
        [scale * one for one in levels], rel=0.01, abs=0.003 * scale
    )


BAD = [
    "SweepVLinMeasureI(smua, 0, 1)",
    "SweepVLogMeasureI(smua, -1, 1, 0, 5)",
    "SweepVListMeasureI(smua, 3, 0, 1)",
    "SweepVLinMeasureI(1, 0, 1, 0, 5)",
    "SweepVLinMeasureI(smua, 0, 1/0, 0, 5)",
]


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_sweep_moves_nothing(bench: Duo, bad: str) -> None:
    bench.ask("smua.source.levelv = 0.05")
    bench.ask(bad)
    assert float(bench.ask("print(errorqueue.count)")) == 1
    assert float(bench.ask("print(smua.source.levelv)")) == 0.05
