"""The virtual 2602B: TSP as drivers send it, two channels, buffers, sweeps side by side."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from models_smu_bench import OHMS, Meters

from simulated_instruments.tsp_values import Attribute, TspObject


@pytest.fixture
def bench() -> Meters:
    return Meters()


def tsp(bench: Meters, *lines: str) -> str:
    return bench.ask("k2602", *lines)


def values(text: str, separator: str = ",") -> list[float]:
    return [float(one) for one in text.split(separator)]


VOLTS = (
    "smux.source.func = smux.OUTPUT_DCVOLTS",
    "smux.source.rangev = 1 smux.source.limiti = 1e-3",
    "smux.measure.rangei = 1e-4",
)
AMPERES = (
    "smux.source.func = 0; smux.source.rangei = 1e-4",
    "smux.source.limitv = 1 smux.measure.rangev = 1",
)


def set_up(bench: Meters, lines: tuple[str, ...], *channels: str) -> None:
    for channel in channels:
        tsp(bench, *(line.replace("smux", f"smu{channel}") for line in lines))
        tsp(bench, f"smu{channel}.source.output = 1")


# the language


@pytest.mark.parametrize(
    ("chunk", "printed"),
    [
        ("print(1)", "1.00000e+00"),
        ("print(2 + 3 * 4, (2 + 3) * 4)", "1.40000e+01\t2.00000e+01"),
        ("print(2 ^ 3 ^ 2, -2 ^ 2)", "5.12000e+02\t-4.00000e+00"),
        ("print(1 / 0, -1 / 0, nil, true, 'a' .. \"b\")", "inf\t-inf\tnil\ttrue\tab"),
        ("print(0 / 0 == 0 / 0, 1 ~= 2, not nil, 1 < 2 and 3 or 4)", "false\ttrue\ttrue\t3.00000e+00"),
        ("x = 3 y, z = x, 0x10 print(x, y, z)", "3.00000e+00\t3.00000e+00\t1.60000e+01"),
        ("t = {5, 6, key = 7; 8} print(t[1], t.key, table.getn(t))", "5.00000e+00\t7.00000e+00\t3.00000e+00"),
        ("local s = 0 for i = 10, 1, -3 do s = s + i end print(s)", "2.20000e+01"),
        ("s = 0 for k, v in ipairs{1, 2, 9} do if v > 2 then break end s = s+v end print(s)", "3.00000e+00"),
        ("n = 0 while n < 5 do n = n + 1 end repeat n = n * 2 until n > 9 print(n)", "1.00000e+01"),
        ("if false then x = 1 elseif nil then x = 2 else x = 3 end print(x) -- a remark", "3.00000e+00"),
        ("print(localnode.model, localnode.linefreq)", "2602B\t5.00000e+01"),
        ("format.asciiprecision = 10 print(1 / 3)", "3.333333333e-01"),
    ],
)  # fmt: skip
def test_it_speaks_lua(bench: Meters, chunk: str, printed: str) -> None:
    assert tsp(bench, chunk) == printed
    assert bench.codes("k2602") == []


@pytest.mark.parametrize(
    ("chunk", "code"),
    [
        ("smua.source.levelv = ", -285),
        ("print(1", -285),
        (":SOUR:VOLT 1", -285),
        ("x = 1 1", -285),
        ("no.such = 1", -286),
        ("smua.source.nothing = 1", -286),
        ("print(smua.source.nothing)", -286),
        ("smua = 3", -286),
        ("smua.OUTPUT_ON = 0", -286),
        ("smua.source.levelv = 'ten'", -286),
        ("smua.source.levelv = 41", 1101),
        ("smua.source.limiti = 0", 1102),
        ("smua.measure.nplc = 0 / 0", 1101),
        ("while true do end", -286),
        ("break", -286),
        ("printbuffer(1, 2, smua.nvbuffer1.readings)", 1101),
        ("smua.trigger.source.action = 1 smua.trigger.initiate()", -286),
        ("*NONSENSE", -113),
    ],
)
def test_what_is_wrong_ends_in_the_error_queue(bench: Meters, chunk: str, code: int) -> None:
    assert tsp(bench, chunk) == ""
    assert bench.codes("k2602") == [code]
    assert tsp(bench, "print(errorqueue.next())").split("\t")[1] == "Queue Is Empty"


def test_the_error_queue_tells_code_text_severity_and_node(bench: Meters) -> None:
    code, text, severity, node = tsp(bench, "smua.source.limiti = 0", "print(errorqueue.next())").split("\t")
    assert (float(code), float(severity), float(node)) == (1102.0, 20.0, 1.0) and "small" in text
    assert tsp(bench, "print(errorqueue.count)") == "0.00000e+00"


def test_what_stands_before_an_error_has_been_done(bench: Meters) -> None:
    tsp(bench, "smua.source.limiti = 1e-3 no.such = 1 smua.source.limiti = 1")
    assert tsp(bench, "print(smua.source.limiti)") == "1.00000e-03"


def test_scripts_are_loaded_line_by_line_and_run(bench: Meters) -> None:
    tsp(bench, "loadscript twice", "for i = 1, 2 do", "  count = (count or 0) + 1", "end", "endscript")
    tsp(bench, "twice.run()", "twice.run()")
    assert tsp(bench, "print(count)") == "4.00000e+00"
    assert tsp(bench, "loadandrunscript", "print('now')", "endscript") == "now"


# the instrument


def test_it_wakes_up_as_the_manual_says(bench: Meters) -> None:
    assert tsp(bench, "print(smua.source.func, smub.source.output)") == "1.00000e+00\t0.00000e+00"
    assert values(tsp(bench, "print(smua.source.limiti, smua.source.limitv)"), "\t") == [1.0, 40.0]


def test_both_channels_measure_volts_and_amperes_at_once(bench: Meters) -> None:
    set_up(bench, VOLTS, "a", "b")
    tsp(bench, "smua.source.levelv = 0.5 smub.source.levelv = -0.25")
    for channel, volts in (("a", 0.5), ("b", -0.25)):
        amperes, read = values(tsp(bench, f"print(smu{channel}.measure.iv())"), "\t")
        assert amperes == pytest.approx(volts / OHMS, abs=120e-9)
        assert read == pytest.approx(volts, abs=2e-3)
    assert bench.world.stress["k2602_a.top"].max_volts == pytest.approx(0.5, abs=2e-3)


def test_the_limit_holds_and_is_told(bench: Meters) -> None:
    set_up(bench, VOLTS, "a")
    tsp(bench, "smua.source.limiti = 20e-6 smua.source.levelv = 0.5")
    assert tsp(bench, "print(smua.source.compliance)") == "true"
    assert tsp(bench, "print(status.measurement.instrument.smua.condition)") == "2.00000e+00"
    assert float(tsp(bench, "print(smua.measure.v())")) == pytest.approx(0.2, rel=1e-2)


def test_an_overflow_is_991e37(bench: Meters) -> None:
    set_up(bench, AMPERES, "a")
    tsp(bench, "smua.source.leveli = 50e-6 smua.measure.rangev = 0.1 smua.source.limitv = 1")
    assert abs(float(tsp(bench, "print(smua.measure.v())"))) == pytest.approx(0.101, rel=1e-2)  # clamped
    tsp(bench, "smua.source.func = 1 smua.source.levelv = 0 smua.source.levelv = 1 smua.source.rangev = 0.1")
    assert bench.codes("k2602") == []


SWEEP = (
    "smux.nvbuffer1.clear() smux.nvbuffer1.appendmode = 1 smux.nvbuffer1.collectsourcevalues = 1",
    "smux.nvbuffer2.clear() smux.nvbuffer2.appendmode = 1",
    "smux.trigger.source.action = 1 smux.trigger.measure.iv(smux.nvbuffer1, smux.nvbuffer2)",
    "smux.trigger.measure.action = smux.ENABLE",
)


def sweep(bench: Meters, channel: str, levels: str, count: int) -> None:
    lines = (*SWEEP, f"smux.trigger.source.listi({{{levels}}}) smux.trigger.count = {count}")
    tsp(bench, *(line.replace("smux", f"smu{channel}") for line in lines))


def test_two_lists_run_side_by_side_while_questions_are_answered(bench: Meters) -> None:
    set_up(bench, AMPERES, "a", "b")
    sweep(bench, "a", "1e-5, 2e-5, 3e-5", 3)
    sweep(bench, "b", "-3e-5, -2e-5, -1e-5", 3)
    before = bench.clock.now_ns()
    tsp(bench, "smua.trigger.initiate() smub.trigger.initiate()")
    assert tsp(bench, "print(status.operation.sweeping.condition)") == "6.00000e+00"
    assert bench.clock.now_ns() == before
    tsp(bench, "waitcomplete()")
    seconds = (bench.clock.now_ns() - before) * 1e-9
    assert seconds < 4 * 0.0202  # three points of 20.2 ms, both at once
    for channel, sign in (("a", 1), ("b", -1)):
        read = values(tsp(bench, f"printbuffer(1, 3, smu{channel}.nvbuffer2.readings)"))
        wanted = [0.1, 0.2, 0.3] if sign > 0 else [-0.3, -0.2, -0.1]
        assert read == pytest.approx(wanted, abs=2e-3)
    assert values(tsp(bench, "printbuffer(1, 3, smua.nvbuffer1.sourcevalues)")) == pytest.approx(
        [1e-5, 2e-5, 3e-5]
    )


def test_after_an_idle_sweep_the_source_goes_back_to_its_bias(bench: Meters) -> None:
    """The hazard of ``SOURCE_IDLE``, which is the default: a level programmed before comes back."""
    set_up(bench, AMPERES, "a")
    tsp(bench, "smua.source.leveli = 50e-6")
    sweep(bench, "a", "1e-5, 0", 2)
    tsp(bench, "smua.trigger.initiate() waitcomplete()")
    assert float(tsp(bench, "print(smua.measure.v())")) == pytest.approx(0.5, rel=5e-3)
    tsp(bench, "smua.trigger.endsweep.action = smua.SOURCE_HOLD smua.trigger.initiate() waitcomplete()")
    assert float(tsp(bench, "print(smua.measure.v())")) == pytest.approx(0.0, abs=2e-3)


@pytest.mark.parametrize(("name", "kind"), [("REAL32", "f4"), ("REAL64", "f8")])
@pytest.mark.parametrize(("order", "sign"), [("SWAPPED", "<"), ("NORMAL", ">")])
def test_buffers_come_in_binary_too(bench: Meters, name: str, kind: str, order: str, sign: str) -> None:
    set_up(bench, VOLTS, "a")
    tsp(bench, "smua.source.levelv = 0.5 smua.measure.count = 4 smua.measure.i(smua.nvbuffer1)")
    text = values(tsp(bench, "format.asciiprecision = 9 printbuffer(1, 4, smua.nvbuffer1)"))
    tsp(bench, f"format.data = format.{name} format.byteorder = format.{order}")
    reply = bench.raw("k2602", "printbuffer(1, 4, smua.nvbuffer1)")
    assert reply is not None and reply[:2] == b"#0" and reply[-1:] == b"\n"
    assert np.frombuffer(reply[2:-1], f"{sign}{kind}") == pytest.approx(text, rel=1e-6)


def test_a_buffer_is_replaced_unless_it_appends(bench: Meters) -> None:
    set_up(bench, VOLTS, "a")
    for count in ("1.00000e+00", "1.00000e+00"):
        assert tsp(bench, "smua.measure.v(smua.nvbuffer1) print(smua.nvbuffer1.n)") == count
    tsp(bench, "smua.nvbuffer1.appendmode = 1 smua.measure.v(smua.nvbuffer1)")
    assert tsp(bench, "print(smua.nvbuffer1.n)") == "2.00000e+00"
    tsp(bench, "smua.nvbuffer1.collectsourcevalues = 1")
    assert bench.codes("k2602") == [5041]  # a buffer with readings keeps its columns


def test_reset_switches_both_channels_off(bench: Meters) -> None:
    set_up(bench, VOLTS, "a", "b")
    tsp(bench, "reset()")
    assert tsp(bench, "print(smua.source.output, smub.source.output)") == "0.00000e+00\t0.00000e+00"


def test_abort_ends_a_script_that_is_running(bench: Meters) -> None:
    virtual = bench.virtual("k2602")
    begun = threading.Event()
    wait = virtual.pause
    virtual.pause = lambda seconds: (begun.set(), wait(seconds))
    thread = threading.Thread(target=tsp, args=(bench, "while true do delay(0.001) end"))
    thread.start()
    assert begun.wait(20)
    assert tsp(bench, "abort") == ""
    thread.join(20)
    assert not thread.is_alive()
    assert bench.codes("k2602") == [] and tsp(bench, "print(1)") == "1.00000e+00"


def test_range_changes_with_the_output_on_overshoot(bench: Meters) -> None:
    set_up(bench, VOLTS, "a")
    tsp(bench, "smua.source.rangev = 6")
    assert bench.world.stress["k2602_a.top"].max_transient_volts == pytest.approx(0.25, abs=3e-3)


# what an attribute prints


def members(name: str, holder: TspObject) -> Iterator[str]:
    """Every attribute and constant that a script can read, by its whole name."""
    for key, member in holder.members.items():
        if isinstance(member, TspObject):
            yield from members(f"{name}.{key}", member)
        elif isinstance(member, (Attribute, float, str, bool)):
            yield f"{name}.{key}"


def test_every_attribute_prints_as_lua_has_it(bench: Meters) -> None:
    """A Python integer would print as ``int: 7f...``, which no client can read."""
    names = bench.virtual("k2602")._names
    found = [
        one for n, holder in names.items() if isinstance(holder, TspObject) for one in members(n, holder)
    ]
    assert "status.operation.sweeping.condition" in found and len(found) > 100
    for one in found:
        printed = tsp(bench, f"print({one})")
        bench.codes("k2602")  # some may be read only when there is something to read
        assert ": " not in printed, f"{one} prints {printed}"
    assert values(tsp(bench, "print(status.operation.sweeping.condition)")) == [0.0]


@pytest.mark.parametrize("text", ["0.25", "-0.25", "1e-2", ".5", "-2.5E-1"])
def test_a_level_set_alone_is_read_as_in_a_chunk(bench: Meters, text: str) -> None:
    set_up(bench, VOLTS, "a", "b")
    tsp(bench, f"smua.source.levelv = {text}", f"do_it = 1 smub.source.levelv = {text}")
    alone, within = (tsp(bench, f"print(smu{c}.source.levelv)") for c in "ab")
    assert alone == within and float(alone) == float(text)
    assert tsp(bench, "smua.source.nothing = 1") == "" and bench.codes("k2602") == [-286]
    assert tsp(bench, "end = 1") == "" and bench.codes("k2602") == [-285]
