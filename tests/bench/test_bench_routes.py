"""Routes on the simulated bench: closed cold, opened always; judged on its relays and stress record."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labtrain.bench import Bench
from labtrain.errors import LimitExceeded, UsageError
from labtrain.session.sink import NullSink
from labtrain.wiring import Crosspoint


class Listener(NullSink):
    """Keeps the commands, to see what was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, bytes]] = []

    def command(self, port: str, payload: bytes, t_ns: int) -> int:
        self.sent.append((port, payload))
        return super().command(port, payload, t_ns)


@pytest.fixture
def bench(small: str) -> Iterator[Bench]:
    with Bench.open(small.encode(), sink=Listener()) as bench:
        yield bench


def world(bench: Bench):
    return bench._connection.connector.world.world


def relays(bench: Bench) -> frozenset[Crosspoint]:
    return world(bench).closed_relays


def test_a_route_reads_the_reference_and_restores_open_circuit(bench: Bench) -> None:
    with bench.route("reference", "top") as meter:
        assert relays(bench) == {Crosspoint("matrix", 1, 21)}
        meter.configure("voltage", 0.1, 20e-6, 20e-6, 1.0)
        meter.source_voltage = 0.1
        meter.output_enabled = True
        reading = meter.measure()
        assert reading.volts / reading.amperes == pytest.approx(10e3, rel=0.01)
    assert relays(bench) == frozenset() and not meter.output_enabled
    meter.configure("voltage", 0.1, 20e-6, 20e-6, 1.0)
    meter.source_voltage = 0.1
    meter.output_enabled = True
    assert abs(meter.measure().amperes) < 1e-7  # what is left is the meter's offset


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_sequence_of_routes_ends_in_open_circuit(data: st.DataObject) -> None:
    places = [("neurons[0]", "top"), ("neurons[1]", "top_pair"), ("sot", "top"), ("reference", "top")]
    with Bench.open("demo") as bench:
        for _ in range(data.draw(st.integers(1, 4))):
            device, terminal = data.draw(st.sampled_from(places))
            with pytest.raises(ZeroDivisionError), bench.route(device, terminal) as meter:
                if data.draw(st.booleans()):
                    meter.configure("current", 10e-6, 0.2, 0.2, 0.1)
                    meter.output_enabled = True
                    meter.source_current = 10e-6
                raise ZeroDivisionError
            assert relays(bench) == frozenset()
        suffered = world(bench).stress
        assert not any(one.transients for one in suffered.values()), "a relay moved hot"


def test_levels_are_held_to_the_routed_terminals_limits(bench: Bench) -> None:
    with bench.route("reference", "top") as meter:
        meter.configure("voltage", 1.0, 60e-6, 60e-6, 1.0)
        meter.source_voltage = 0.9
    with bench.route("sot", "top") as meter:
        before = len(bench.sink.sent)
        with pytest.raises(LimitExceeded, match="sot.top"):
            meter.source_voltage = 0.4
        with pytest.raises(LimitExceeded):
            meter.source_voltage = float("nan")
        assert all(b"0.4" not in line for _, line in bench.sink.sent[before:])


def test_a_hot_route_is_neither_closed_nor_opened(bench: Bench) -> None:
    bench.contact_check("reference", "top")
    meter, matrix = bench.source_meter("smu"), bench.switch_matrix("matrix")
    meter.configure("voltage", 0.1, 20e-6, 20e-6, 1.0)
    meter.source_voltage = 0.1
    meter.output_enabled = True
    before = len(bench.sink.sent)
    with pytest.raises(LimitExceeded, match="hot"):
        matrix.close((1, 21))
    assert not [line for port, line in bench.sink.sent[before:] if line.startswith(b"CLOSE")]
    meter.output_enabled = False
    matrix.close((1, 21))
    meter.output_enabled = True
    with pytest.raises(LimitExceeded, match="hot"):
        matrix.open((1, 21))
    assert relays(bench) == {Crosspoint("matrix", 1, 21)}


def test_a_source_at_zero_volts_below_the_contact_current_may_be_switched(bench: Bench) -> None:
    meter, matrix = bench.source_meter("smu"), bench.switch_matrix("matrix")
    meter.configure("voltage", 0.1, 1e-6, 1e-6, 1.0)
    meter.output_enabled = True
    matrix.close((1, 21))
    assert relays(bench) == {Crosspoint("matrix", 1, 21)}


def test_one_source_has_one_route_at_a_time(bench: Bench) -> None:
    with bench.route("reference", "top"):
        with pytest.raises(UsageError, match="reference.top already"), bench.route("sot", "top"):
            pass
        assert relays(bench) == {Crosspoint("matrix", 1, 21)}


def test_forbidden_relays_never_close(small: str) -> None:
    text = small.replace("seed = 7", 'hazards.forbidden = ["matrix.1,21"]')
    with Bench.open(text.encode()) as bench:
        with pytest.raises(LimitExceeded, match="never close"), bench.route("reference", "top"):
            pass
        assert relays(bench) == frozenset()


def test_a_terminal_that_no_meter_reaches_says_so(bench: Bench) -> None:
    with pytest.raises(UsageError, match="no source meter reaches sot.line"), bench.route("sot", "line"):
        pass
    with pytest.raises(UsageError, match="did you mean top"), bench.route("sot", "tip"):
        pass


def test_raw_messages_need_the_bench_files_leave(bench: Bench, small: str) -> None:
    with pytest.raises(UsageError, match="raw = true"):
        bench.raw("smu", "*IDN?")
    with Bench.open(small.replace("seed = 7", "hazards.raw = true").encode()) as other:
        assert "2450" in other.raw("smu", "*IDN?")


def test_a_pulse_arrives_at_the_device_as_asked(bench: Bench) -> None:
    path = bench.pulse_path("sot", "line")
    sent = path.pulse(0.8, 10e-9, 3)
    stress = world(bench).stress["sot.line"]
    assert sent.programmed == pytest.approx(0.8 * (755 + 50) / 755 / 2, rel=0.01)
    assert stress.max_volts == pytest.approx(0.8, rel=0.03)  # the line is 776 ohm, its centre is 755
    assert not bench.pulse_generator("pulser").settings.idle


def test_a_pulse_is_refused_by_the_open_circuit_emf(small: str) -> None:
    text = small.replace('voltage = "1.3 V"', 'voltage = "0.5 V"')
    with Bench.open(text.encode(), sink=(heard := Listener())) as bench:
        generator = bench.pulse_generator("pulser.1")
        generator.shutdown()
        before = len(heard.sent)
        with pytest.raises(LimitExceeded, match="sot.line"):
            generator.pulse(0.26, 10e-9)  # 0.52 V into an open end
        assert len(heard.sent) == before
        assert world(bench).stress["sot.line"].max_volts == 0


def test_a_pulse_while_a_meter_is_connected_is_refused(bench: Bench) -> None:
    path = bench.pulse_path("sot", "line")
    with bench.route("sot", "top"), pytest.raises(LimitExceeded, match="smu is connected to sot"):
        path.pulse(0.8, 10e-9)
    assert world(bench).stress["sot.line"].max_volts == 0


def test_pulses_through_relays_are_held_to_their_bandwidth(small: str) -> None:
    text = (
        small.replace('to = "pulser.1"', 'to = "matrix.2,22"') + '\n[wires."pulser.1"]\nto = "matrix.row2"\n'
    )
    with Bench.open(text.encode()) as bench:
        path = bench.pulse_path("sot", "line")
        with pytest.raises(LimitExceeded, match="10 MHz.*70 ns"):
            path.pulse(0.8, 20e-9)
        path.pulse(0.8, 100e-9)
        assert world(bench).stress["sot.line"].max_volts == pytest.approx(0.8, rel=0.03)
        assert relays(bench) == frozenset()


def test_a_relay_that_was_closed_once_is_not_closed_hot_later(bench: Bench) -> None:
    """Found by the state machine: a relay that the bench still counted as closed was let close hot."""
    bench.contact_check("reference", "top")
    meter, matrix = bench.source_meter("smu"), bench.switch_matrix("matrix")
    matrix.connect_only((1, 21))
    matrix.connect_only((0, 0))
    meter.configure("voltage", 0.1, 20e-6, 20e-6, 1.0)
    meter.output_enabled = True
    meter.source_voltage = 0.1
    with pytest.raises(LimitExceeded, match="hot"):
        matrix.close((1, 21))
    meter.output_enabled = False
    matrix.open_all()
    meter.output_enabled = True
    with pytest.raises(LimitExceeded, match="hot"):
        matrix.close((1, 21))
    assert world(bench).stress["reference.top"].transients == 0


def test_a_watchdog_does_not_open_relays_under_a_long_ramp(bench: Bench) -> None:
    """Found by fuzzing: pauses longer than the matrix's 60 s had it open the route hot."""
    with bench.route("reference", "top") as meter:
        meter.configure("voltage", 0.1, 20e-6, 20e-6, 1.0)
        meter.output_enabled = True
        meter.ramp_to_voltage(0.1, steps=2, pause=500.0)
        assert relays(bench) == {Crosspoint("matrix", 1, 21)}
        assert meter.measure().amperes == pytest.approx(10e-6, rel=0.02)
    assert world(bench).stress["reference.top"].transients == 0
